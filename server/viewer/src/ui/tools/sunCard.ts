/** Date, time of day and the place of the sun. */
import { h, iconButton, replace, icon } from "../../dom";
import { t } from "../../i18n";
import type { Sun } from "../../tools/sun";
import { type Control, slider } from "../controls";

const two = (value: number) => String(value).padStart(2, "0");

export function sunCard(sun: Sun): Control {
  const date = h("input", {
    type: "date",
    id: "sun-date",
    min: "1950-01-01",
    max: "2099-12-31",
    on: { change: () => sun.at(date.value, sun.minutes) },
  });
  const play = iconButton("play", t("sun.play"), () => (sun.playing ? sun.pause() : sun.play()));
  const hour = slider({
    id: "sun-time", label: t("sun.time"), min: 0, max: 1439, step: 5,
    value: () => sun.minutes,
    text: (minutes) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`,
    set: (minutes) => sun.at(sun.date, minutes),
  });
  const where = h("p", { class: "muted sun-direction", role: "status" });
  const element = h(
    "div",
    { class: "controls" },
    h("div", { class: "control-row" }, h("label", { for: date.id }, t("sun.date")), date, play),
    hour.element,
    where,
  );
  const sync = () => {
    if (date.value !== sun.date) date.value = sun.date;
    hour.sync();
    const label = t(sun.playing ? "sun.pause" : "sun.play");
    play.title = label;
    play.setAttribute("aria-label", label);
    replace(play, icon(sun.playing ? "pause" : "play"));
    const direction = sun.direction;
    if (!direction) return;
    const { azimuth, elevation } = direction;
    where.textContent =
      elevation < 0
        ? t("sun.below")
        : t("sun.direction", { azimuth: azimuth.toFixed(1), elevation: elevation.toFixed(1) });
  };
  sync();
  return { element, sync };
}
