/** The campaign over time: how many projects had which light, the day that is looked at, and its replay. */
import { h, icon, iconButton, replace } from "../dom";
import { language, languageChanged, t } from "../i18n";
import { s } from "../svg";
import { addDays, daysBetween, isDay } from "./days";
import { type Player, weekFrom } from "./replay";
import type { Store } from "./store";
import { LIGHTS } from "./types";

const HIGH = 100;
/** Between two names of months under the slider, CSS pixels. */
const APART = 74;

/** Counts of lights as areas on top of each other, red below. */
function picture(player: Player): SVGElement {
  const counts = player.counts();
  const most = Math.max(1, ...counts.map((of) => LIGHTS.reduce((sum, light) => sum + of[light], 0)));
  const svg = s("svg", { viewBox: `0 0 ${Math.max(1, counts.length - 1)} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const base = counts.map(() => 0);
  for (const light of LIGHTS) {
    const lower = [...base];
    counts.forEach((of, i) => (base[i] = base[i]! + of[light]));
    const y = (value: number) => (HIGH - (value / most) * HIGH).toFixed(1);
    const upper = base.map((value, i) => `${i} ${y(value)}`);
    const under = lower.map((value, i) => `${i} ${y(value)}`).reverse();
    svg.append(s("path", { class: light, d: `M${[...upper, ...under].join("L")}Z` }));
  }
  return svg;
}

export function timeline(store: Store, player: Player): HTMLElement {
  const play = iconButton("play", "", () => (player.playing ? player.pause() : void player.play()), { class: "time-play" });
  const back = iconButton("back", "", () => (store.at = weekFrom(store, -1)), { class: "small" });
  const forward = iconButton("chevron", "", () => (store.at = weekFrom(store, 1)), { class: "small" });
  const day = h("input", { type: "date", on: { change: () => isDay(day.value) && (store.at = day.value) } });
  const shown = h("output", { class: "time-shown" });
  const slider = h("input", {
    type: "range",
    step: 1,
    on: {
      input: () => player.show(dayAt(Number(slider.value))),
      change: () => (store.at = dayAt(Number(slider.value))),
    },
  });
  const area = h("div", { class: "time-area" });
  const cursor = h("i", { class: "time-cursor", "aria-hidden": "true" });
  const ticks = h("div", { class: "time-ticks", "aria-hidden": "true" });
  const newest = h("button", { type: "button", class: "button small", on: { click: () => (store.at = store.last) } });
  const then = h("button", { type: "button", class: "button small time-then", on: { click: () => (store.then = !store.then) } });
  const element = h(
    "footer",
    { class: "timeline" },
    h("div", { class: "time-buttons" }, play, back, day, forward, newest),
    shown,
    h("div", { class: "time-track" }, area, cursor, slider, ticks),
    then,
  );

  const from = () => store.overview.span?.from ?? store.last;
  const dayAt = (place: number) => addDays(from(), place);

  const name = (button: HTMLElement, label: string) => {
    button.title = label;
    button.setAttribute("aria-label", label);
  };
  const drawTicks = () => {
    const length = Math.max(1, daysBetween(from(), store.last));
    const wide = ticks.clientWidth || 600;
    const every = [1, 2, 3, 6, 12].find((months) => (wide * months * 30.4) / length >= APART) ?? 12;
    const found: HTMLElement[] = [];
    const [year, month] = from().split("-").map(Number) as [number, number];
    for (let at = month; ; at++) {
      const first = new Date(Date.UTC(year, at, 1)).toISOString().slice(0, 10);
      if (first > store.last) break;
      if (at % every !== 0) continue;
      const place = (100 * daysBetween(from(), first)) / length;
      if (wide * (1 - place / 100) < APART) break; // it would be cut off
      const text = new Date(first).toLocaleDateString(language() === "zh" ? "zh-CN" : "en-GB", { year: "numeric", month: "short", timeZone: "UTC" });
      found.push(h("span", { style: `inset-inline-start:${place.toFixed(2)}%` }, text));
    }
    replace(ticks, ...found);
  };
  const sync = () => {
    const at = player.step ?? store.at;
    const length = Math.max(1, daysBetween(from(), store.last));
    slider.min = "0";
    slider.max = String(length);
    slider.value = String(daysBetween(from(), at));
    slider.setAttribute("aria-valuetext", at);
    cursor.style.insetInlineStart = `${(100 * daysBetween(from(), at)) / length}%`;
    if (document.activeElement !== day) day.value = at;
    day.min = from();
    day.max = store.last;
    name(play, t(player.playing ? "renewal.time.pause" : "renewal.time.play"));
    replace(play, icon(player.playing ? "pause" : "play"));
    newest.hidden = at === store.last;
    then.setAttribute("aria-pressed", String(store.then));
    replace(shown, h("b", {}, at), store.then && h("span", { class: "tag warning" }, t("renewal.time.asKnown")));
    element.classList.toggle("past", at !== store.last);
  };
  const build = () => {
    element.setAttribute("aria-label", t("renewal.time"));
    slider.setAttribute("aria-label", t("renewal.time"));
    day.setAttribute("aria-label", t("renewal.time.day"));
    name(back, t("renewal.time.back"));
    name(forward, t("renewal.time.forward"));
    replace(newest, t("renewal.time.newest"));
    replace(then, icon("history"), t("renewal.time.then"));
    then.title = t("renewal.time.thenHint");
    drawTicks();
    sync();
  };
  new ResizeObserver(drawTicks).observe(ticks);
  player.prepared.on(() => replace(area, picture(player)));
  player.stepped.on(sync);
  store.asked.on(sync);
  store.loaded.on(() => {
    drawTicks();
    sync();
  });
  languageChanged.on(build);
  build();
  return element;
}
