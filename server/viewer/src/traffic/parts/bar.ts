/** The line at the bottom: whether traffic is live and how fresh, or the replay with its slider. */
import { h, icon, iconButton, replace } from "../../dom";
import { t } from "../../i18n";
import { span } from "../../sensing/panels/when";
import { fromInput, toInput } from "../../sensing/panels/when";
import { choice, type Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { PACES, SPANS, type Pace } from "../replay";
import type { TrafficStore } from "../store";
import { clockTime, dayTime } from "./words";

/** Milliseconds before the end of what is recorded at which a replay begins, where it was live. */
const BACK = 300_000;

interface Badge {
  mark: "live" | "stale" | "past" | "connecting";
  sign: "signal" | "warning" | "history" | "refresh";
  word: string;
  said: string;
}

function badgeOf(store: TrafficStore): Badge {
  const { moving, clock } = store;
  const count = t("traffic.count", { n: store.scene.vehicles.ways.count });
  if (clock.at !== null) {
    const said = clock.waiting ? t("traffic.replay.waiting") : clock.error ? errorText(clock.error) : clock.now ? count : t("traffic.replay.empty");
    return { mark: "past", sign: "history", word: t("traffic.replay"), said };
  }
  if (moving.state === "lost") return { mark: "stale", sign: "warning", word: t("traffic.lost"), said: "" };
  if (moving.state !== "live") return { mark: "connecting", sign: "refresh", word: t("traffic.connecting"), said: "" };
  const { age } = moving;
  if (age === null) return { mark: "stale", sign: "warning", word: t("traffic.silent"), said: "" };
  if (moving.stale) return { mark: "stale", sign: "warning", word: t("traffic.stale", { span: span(age) }), said: count };
  return { mark: "live", sign: "signal", word: t("traffic.live"), said: `${count}, ${t("traffic.age", { seconds: (age / 1000).toFixed(1) })}` };
}

export function trafficBar(store: TrafficStore): Control {
  const { clock } = store;
  const element = h("section", { class: "time-bar traffic-bar", hidden: true });
  const word = h("span", { class: "traffic-badge", role: "status" });
  const said = h("span", { class: "traffic-said" });
  const mode = choice(
    t("traffic.mode"), [["live", t("traffic.live")], ["replay", t("traffic.replay")]] as const,
    () => (clock.at === null ? "live" : "replay"),
    (name) => {
      if (name === "live") return store.look(null);
      const recorded = store.layerOf?.positions;
      if (recorded && clock.at === null) store.look(Math.max(recorded[0], recorded[1] - BACK));
    },
  );
  const play = iconButton("play", "", () => {
    if (clock.playing) store.look(clock.at);
    if (clock.playing) clock.pause();
    else clock.play();
  });
  const slider = h("input", {
    type: "range", step: 500, "aria-label": t("traffic.replay.slider"),
    on: {
      input: () => {
        if (clock.playing) clock.pause();
        clock.go(Number(slider.value));
      },
      change: () => store.look(clock.at),
    },
  });
  const pace = choice<`${Pace}`>(t("traffic.replay.pace"), PACES.map((one) => [`${one}`, `${one}×`] as const), () => `${clock.pace}`, (one) => (clock.pace = Number(one) as Pace));
  const when = h("output", { class: "time-when" });
  const from = h("input", { type: "datetime-local", step: 1, "aria-label": t("traffic.replay.from"), on: { change: () => {
    const start = fromInput(from.value);
    if (!Number.isFinite(start)) return;
    clock.begin(start);
    store.look(clock.window?.[0] ?? start);
  } } });
  const spans = choice(t("traffic.replay.span"), SPANS.map((n) => [`${n}`, t("traffic.replay.minutes", { n })] as const), () => `${clock.span}` as `${(typeof SPANS)[number]}`, (n) => (clock.span = Number(n)));
  const first = h("div", { class: "time-row" });
  const second = h("div", { class: "time-row traffic-replay" }, when, h("span", { class: "time-space" }), h("label", { class: "traffic-from" }, t("traffic.replay.from"), from), spans.element);
  replace(element, first, second);
  let told = "";
  let past: boolean | null = null;

  const sync = () => {
    element.hidden = store.layers.length === 0;
    document.body.classList.toggle("traffic-bar-open", !element.hidden);
    if (element.hidden) return;
    element.setAttribute("aria-label", t("traffic.bar"));
    const replaying = clock.at !== null;
    element.classList.toggle("past", replaying);
    if (replaying !== past) replace(first, mode.element, ...(replaying ? [play, slider, pace.element] : [word, said]));
    if (replaying && past !== replaying) second.prepend(word, said);
    past = replaying;
    second.hidden = !replaying;
    mode.sync();
    const recorded = store.layerOf?.positions ?? null;
    const [, back] = [...mode.element.querySelectorAll("button")];
    back!.disabled = recorded === null;
    back!.title = recorded === null ? t("traffic.replay.none") : "";
    const badge = badgeOf(store);
    const text = `${badge.mark} ${badge.word}`;
    if (text !== told) replace(word, icon(badge.sign), badge.word);
    told = text;
    word.dataset["mark"] = badge.mark;
    if (said.textContent !== badge.said) said.textContent = badge.said;
    if (clock.at === null || !clock.window) return;
    const [start, end] = clock.window;
    slider.min = String(start);
    slider.max = String(end);
    slider.value = String(clock.at);
    slider.setAttribute("aria-valuetext", dayTime(clock.at));
    when.textContent = `${dayTime(clock.at)}  (${clockTime(start)} – ${clockTime(end)})`;
    if (document.activeElement !== from) from.value = `${toInput(start)}:${String(new Date(start).getSeconds()).padStart(2, "0")}`;
    const label = t(clock.playing ? "traffic.replay.pause" : "traffic.replay.play");
    if (play.title !== label) {
      play.title = label;
      play.setAttribute("aria-label", label);
      replace(play, icon(clock.playing ? "pause" : "play"));
    }
    pace.sync();
    spans.sync();
  };
  return { element, sync };
}
