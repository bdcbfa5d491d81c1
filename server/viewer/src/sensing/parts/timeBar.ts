/** The time that is looked at: a slider over the history, and the way back to now. */
import type { App } from "../../app";
import { h, icon, iconButton, replace } from "../../dom";
import { language, languageChanged, t } from "../../i18n";
import { choice } from "../../ui/controls";
import { type Reach, REACHES, type Speed, SPEEDS } from "../clock";

/** Milliseconds after which the end of the slider follows the time. */
const FOLLOW = 30_000;

function written(time: number): string {
  return new Date(time).toLocaleString(language() === "zh" ? "zh-CN" : "en-GB", {
    month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
}

export function timeBar(app: App): HTMLElement {
  const { sensing, toolbox, heat } = app;
  const { clock } = sensing;
  const element = h("section", { class: "time-bar", hidden: true });
  let parts: ReturnType<typeof build> | null = null;

  const build = () => {
    const play = iconButton("play", "", () => (clock.playing ? clock.pause() : clock.play()));
    const input = h("input", {
      type: "range",
      "aria-label": t("time.slider"),
      on: {
        input: () => {
          if (clock.playing) clock.pause();
          clock.at = Number(input.value);
        },
      },
    });
    const reach = choice<Reach>(
      t("time.reach"),
      (Object.keys(REACHES) as Reach[]).map((name) => [name, t(`time.${name}`)] as const),
      () => clock.reach,
      (name) => (clock.reach = name),
    );
    const speed = choice<`${Speed}`>(
      t("time.speed"),
      SPEEDS.map((pace) => [`${pace}`, `${pace}×`] as const),
      () => `${clock.speed}`,
      (pace) => (clock.speed = Number(pace) as Speed),
    );
    const what = h("span", { class: "time-what", role: "status" });
    const when = h("output", { class: "time-when" });
    const back = h("button", { type: "button", class: "button small time-back", on: { click: () => (clock.at = null) } }, icon("refresh"), t("time.back"));
    replace(
      element,
      h("div", { class: "time-row" }, play, input, speed.element),
      h("div", { class: "time-row" }, what, when, back, h("span", { class: "time-space" }), reach.element),
    );
    element.setAttribute("aria-label", t("time.label"));
    return { play, input, reach, speed, what, when, back };
  };

  const sync = () => {
    const inHand = toolbox.active?.name === "sensors" || toolbox.active?.name === "heat";
    const past = clock.at !== null;
    element.hidden = sensing.things.size === 0 || !(inHand || past || heat.choice !== null);
    document.body.classList.toggle("time-open", !element.hidden);
    if (element.hidden) return;
    parts ??= build();
    const { play, input, reach, speed, what, when, back } = parts;
    const [first, last] = [clock.first, clock.last];
    input.min = String(first);
    input.max = String(last);
    input.step = String(clock.step);
    input.value = String(clock.at ?? last);
    const label = t(clock.playing ? "time.pause" : "time.play");
    if (play.title !== label) {
      play.title = label;
      play.setAttribute("aria-label", label);
      replace(play, icon(clock.playing ? "pause" : "play"));
    }
    element.classList.toggle("past", past);
    const word = t(past ? "time.past" : "time.now");
    if (what.textContent !== word) replace(what, icon(past ? "history" : "signal"), word);
    when.textContent = clock.at === null ? "" : windowText(clock.at, heat.choice?.window ?? null);
    input.setAttribute("aria-valuetext", clock.at === null ? t("time.now") : written(clock.at));
    back.hidden = !past;
    reach.sync();
    speed.sync();
  };

  clock.changed.on(sync);
  heat.changed.on(sync);
  toolbox.changed.on(sync);
  sensing.listed.on(sync);
  languageChanged.on(() => {
    parts = null;
    sync();
  });
  setInterval(() => !document.hidden && !element.hidden && sync(), FOLLOW);
  sync();
  return element;
}

/** A time, or from when to when its window reaches. */
function windowText(at: number, window: number | null): string {
  if (window === null) return written(at);
  const [from, to] = [new Date(at - window * 1000), new Date(at)];
  const hours = (date: Date) => date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return from.toDateString() === to.toDateString() ? `${written(from.getTime())}–${hours(to)}` : `${written(from.getTime())} – ${written(to.getTime())}`;
}
