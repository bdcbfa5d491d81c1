/** How many of something are in which state: one bar divided by states, with a legend that has the numbers. */
import { h } from "../../dom";
import { fixed } from "../../figures";
import { percent } from "../words";

export interface StateCount {
  id: string;
  title: string;
  colour: string;
  n: number;
}

/** States without anything in them stand in the legend, not in the bar. */
export function statesBar(states: readonly StateCount[], label: string, unit: string): HTMLElement {
  const total = states.reduce((sum, state) => sum + state.n, 0);
  const parts = states
    .filter((state) => state.n > 0)
    .map((state) => {
      const share = state.n / total;
      const part = h("span", { title: `${state.title}: ${fixed(state.n, 0)} ${unit} (${percent(share)})` }, share > 0.09 ? fixed(state.n, 0) : "");
      part.style.flexGrow = String(state.n);
      part.style.background = state.colour;
      part.style.color = inkOn(state.colour);
      return part;
    });
  const legend = states.map((state) => {
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = state.colour;
    return h("li", { class: state.n === 0 ? "none" : "" }, swatch, h("span", {}, state.title), h("span", { class: "states-number" }, fixed(state.n, 0)));
  });
  return h(
    "div",
    { class: "states" },
    h("div", { class: "states-bar", "aria-hidden": "true" }, ...parts),
    h("ul", { class: "states-legend", "aria-label": label }, ...legend),
  );
}

/** Dark or white, whichever is read better on a colour "#rrggbb" (by relative luminance, WCAG 2.2). */
export function inkOn(colour: string): string {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const value = parseInt(colour.slice(i, i + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.3 ? "#1c2733" : "#ffffff";
}
