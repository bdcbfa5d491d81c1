/** A small picture of the last day of a series; what is missing is missing in it. */
import { linear, type Extent, extentOf } from "./seriesScale";
import { pieces } from "./seriesShape";
import type { Series } from "./seriesApi";

const WIDTH = 92;
const HEIGHT = 26;
const AIR = 2.5;
const SVG = "http://www.w3.org/2000/svg";

export function emptySparkline(): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("class", "sparkline");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

export function drawSparkline(svg: SVGSVGElement, series: Series, span: Extent): void {
  const extent = extentOf(series.values) ?? [0, 1];
  const flat = extent[0] === extent[1];
  const x = linear(span, [AIR, WIDTH - AIR]);
  const y = flat ? () => HEIGHT / 2 : linear(extent, [HEIGHT - AIR, AIR]);
  const part = (name: string, attributes: Record<string, string>) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const at = (i: number) => `${x(series.times[i]!).toFixed(1)},${y(series.values[i]!).toFixed(1)}`;
  const lines = pieces(series, series.gaps).map(([from, to]) => {
    const points = Array.from({ length: to - from }, (_, i) => at(from + i));
    return `M${points.join("L")}${points.length === 1 ? "h.1" : ""}`;
  });
  const gaps = series.gaps.map(([from, to]) => {
    const [a, b] = [x(Math.max(from, span[0])), x(Math.min(to, span[1]))];
    return part("rect", { x: a.toFixed(1), y: "0", width: Math.max(0, b - a).toFixed(1), height: String(HEIGHT), class: "gap" });
  });
  svg.replaceChildren(...gaps, part("path", { d: lines.join(""), class: "curve" }));
}
