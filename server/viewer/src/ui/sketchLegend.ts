/** What the shapes of a sketch are: classes with their counts, and the scale of their values. */
import type { App } from "../app";
import type { Sketch } from "../data/processes";
import { h } from "../dom";
import { formatNumber, t } from "../i18n";
import { inLanguage } from "./processForm";

function row(colour: string, title: string, count: string): HTMLElement {
  const swatch = h("span", { class: "swatch" });
  swatch.style.backgroundColor = colour;
  return h(
    "li",
    { class: "legend-row" },
    h("span", { class: "legend-entry" }, swatch, h("span", { class: "legend-title" }, title), h("span", { class: "count" }, count)),
  );
}

export function sketchLegend(app: App, sketch: Sketch): HTMLElement {
  const { scale, features } = sketch;
  const valued = scale ? features.filter(({ properties }) => properties.value !== null) : [];
  const byValue = new Set(valued.map(({ properties }) => properties.class));
  const classes = sketch.classes.filter((one) => !byValue.has(one.class));
  const focused = app.sketchMap.focused !== null;
  return h(
    "div",
    { class: "sketch-legend" },
    h(
      "ul",
      { class: "cell-legend" },
      ...classes.map((one) => row(one.color, inLanguage(one.title, one.title_zh), formatNumber(one.count))),
    ),
    scale && valued.length > 0
      ? h(
          "ul",
          { class: "cell-legend", "aria-label": inLanguage(scale.title, scale.title_zh) },
          h("li", { class: "muted" }, `${inLanguage(scale.title, scale.title_zh)} (${scale.unit})`),
          ...scale.colors.map((colour, i) => {
            const count = valued.filter(({ properties }) => properties.color === colour).length;
            return row(colour, between(scale.limits[i - 1], scale.limits[i]), formatNumber(count));
          }),
        )
      : null,
    focused
      ? h("button", { type: "button", class: "link", on: { click: () => void app.sketchMap.focus([]) } }, t("analysis.proofAll"))
      : null,
  );
}

function between(low: number | undefined, high: number | undefined): string {
  if (low === undefined) return `< ${formatNumber(high!, 2)}`;
  return high === undefined ? `≥ ${formatNumber(low, 2)}` : `${formatNumber(low, 2)} – ${formatNumber(high, 2)}`;
}
