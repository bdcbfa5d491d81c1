/** Draws series as SVG that stands alone: every attribute is in it, so that a file looks like the page. */
import { formatNumber, t } from "../../i18n";
import { INKS, levelWord } from "./levels";
import type { Series, Threshold } from "./seriesApi";
import { unitText } from "./seriesNames";
import { axisExtent, type Extent, extentOf, linear, timeTicks, valueTicks } from "./seriesScale";
import { isSwitch, type Piece, pieces, swings } from "./seriesShape";

/** Told apart by people who see colours differently, on white. */
export const LINE_COLOURS = ["#0067b1", "#c8500a", "#00805c", "#b0488c", "#3d8fd1", "#a87600", "#5b3fa0", "#5f6670"];

const INK = "#1c2733";
const FAINT = "#6b7887";
const GRID = "#e6eaee";
const FONT = "'Noto Sans', 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'Segoe UI', system-ui, sans-serif";

const SIDE = 54;
const NARROW_SIDE = 22;
const TOP = 24;
const BOTTOM = 24;
/** Between strips, room for the unit. */
const BETWEEN = 22;
const GAP_BAR = 4;
const BAND_COLUMN = 3;
/** More points than this in a column of a band, and the line of single points is left out. */
const DENSE = 2.2;

/** One picture of values over time. */
export interface Strip {
  top: number;
  bottom: number;
  axes: Axis[];
}

export interface Axis {
  unit: string;
  right: boolean;
  series: { series: Series; n: number }[];
  y: (value: number) => number;
  extent: Extent;
}

export interface Plot {
  svg: SVGSVGElement;
  left: number;
  right: number;
  strips: Strip[];
  x: (time: number) => number;
  timeAt: (x: number) => number;
}

type Attributes = Record<string, string | number>;

function s(name: string, attributes: Attributes = {}, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** The units there are, each with its series, in the order in which they were picked. */
function byUnit(series: readonly Series[]): { unit: string; series: Axis["series"] }[] {
  const found = new Map<string, Axis["series"]>();
  series.forEach((one, n) => {
    const unit = one.datastream.unit ?? "";
    found.set(unit, [...(found.get(unit) ?? []), { series: one, n }]);
  });
  return [...found].map(([unit, members]) => ({ unit, series: members }));
}

export function unitsOf(series: readonly Series[]): number {
  return byUnit(series).length;
}

/** The least height at which all strips can be read. */
export function leastHeight(series: readonly Series[]): number {
  const units = unitsOf(series);
  return units > 2 ? TOP + BOTTOM + units * 74 : 150;
}

/** Two units share a picture with an axis at each side; more have strips one above the other. */
export function drawPlot(
  series: readonly Series[],
  [start, end]: Extent,
  width: number,
  height: number,
  label: string,
): Plot {
  const units = byUnit(series);
  const stacked = units.length > 2;
  const left = SIDE;
  const right = width - (units.length === 2 ? SIDE : NARROW_SIDE);
  const x = linear([start, end], [left, right]);
  const groups = stacked ? units.map((unit) => [unit]) : [units];
  const each = (height - TOP - BOTTOM - BETWEEN * (groups.length - 1)) / groups.length;
  const strips = groups.map((group, i) => {
    const top = TOP + i * (each + BETWEEN);
    const bottom = top + each;
    const bars = Math.max(...group.map((unit) => unit.series.length)) * (GAP_BAR + 1);
    const axes = group.map(({ unit, series: members }, j): Axis => {
      const inside = members.map(({ series: one }) => extentOf(within(one, start, end)));
      const all = inside.filter((extent) => extent !== null).flat();
      const thresholds = members.flatMap(({ series: one }) => one.thresholds.map(({ value }) => value));
      const extent = axisExtent(extentOf(all), thresholds);
      return { unit, right: j === 1, series: members, extent, y: linear(extent, [bottom - bars, top]) };
    });
    return { top, bottom, axes };
  });
  const svg = s("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
    "font-family": FONT,
    "font-size": 11,
  }) as SVGSVGElement;
  const clip = `clip-${Math.round(width)}-${Math.round(height)}`;
  svg.append(
    s(
      "defs",
      {},
      s("clipPath", { id: clip }, s("rect", { x: left, y: 0, width: Math.max(0, right - left), height })),
      s(
        "pattern",
        { id: "no-data", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        s("rect", { width: 4, height: 4, fill: "#ffffff" }),
        s("rect", { width: 1.4, height: 4, fill: "#8d98a4" }),
      ),
    ),
    s("rect", { width, height, fill: "#ffffff" }),
  );
  const span: Extent = [start, end];
  for (const strip of strips) {
    svg.append(...grid(strip, span, left, right, x, strip === strips.at(-1)));
    const drawn = s("g", { "clip-path": `url(#${clip})` });
    for (const axis of strip.axes) {
      for (const one of axis.series) drawn.append(...curve(one, axis, span, x, strip));
    }
    for (const axis of strip.axes) drawn.append(...limits(axis, strip, left, right));
    svg.append(drawn, ...strip.axes.flatMap((axis) => ends(axis, span, x)));
  }
  const timeAt = linear([left, right], span);
  return { svg, left, right, strips, x, timeAt };
}

function within({ times, values }: Series, start: number, end: number): (number | null)[] {
  return values.filter((_, i) => times[i]! >= start && times[i]! <= end);
}

function grid(strip: Strip, span: Extent, left: number, right: number, x: (t: number) => number, last: boolean): SVGElement[] {
  const found: SVGElement[] = [];
  const { top, bottom } = strip;
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string) =>
    s("line", { x1, y1, x2, y2, stroke, "shape-rendering": "crispEdges" });
  for (const { time, label, strong } of timeTicks(span, (right - left) / 92)) {
    const at = x(time);
    found.push(line(at, top, at, bottom, strong ? "#cfd6dd" : GRID));
    if (last && at > left - 1 && at < right - 8)
      found.push(s("text", { x: at, y: bottom + 16, "text-anchor": "middle", fill: FAINT, "font-weight": strong ? 600 : 400 }, label));
  }
  strip.axes.forEach((axis, i) => {
    const [side, anchor] = axis.right ? [right + 7, "start"] : [left - 7, "end"];
    const ink = strip.axes.length === 2 && axis.series.length === 1 ? LINE_COLOURS[axis.series[0]!.n]! : FAINT;
    const empty = axis.series.every(({ series }) => series.times.length + series.thresholds.length === 0);
    for (const value of empty ? [] : valueTicks(axis.extent, (bottom - top) / 42)) {
      const at = axis.y(value);
      if (at > bottom) continue;
      if (i === 0) found.push(line(left, at, right, at, GRID));
      found.push(s("text", { x: side, y: at + 3.5, "text-anchor": anchor, fill: ink }, formatNumber(value)));
    }
    found.push(
      s(
        "text",
        { x: axis.right ? right + SIDE - 6 : 8, y: top - 9, "text-anchor": axis.right ? "end" : "start", fill: INK, "font-weight": 600 },
        unitText(axis.unit) || t("series.noUnit"),
      ),
    );
  });
  found.push(line(left, bottom, right, bottom, "#9aa5b1"));
  return found;
}

const p = (n: number) => n.toFixed(1);

function curve(
  { series, n }: Axis["series"][number],
  axis: Axis,
  [start, end]: Extent,
  x: (time: number) => number,
  strip: Strip,
): SVGElement[] {
  const colour = LINE_COLOURS[n]!;
  const found: SVGElement[] = [];
  const step = isSwitch(series.values);
  const thinned = series.rows > series.times.length;
  for (const piece of pieces(series, series.gaps)) {
    const [from, to] = visible(series, piece, start, end);
    if (to <= from) continue;
    const columns = swings(series, [from, to], x, BAND_COLUMN);
    const dense = thinned || (to - from) / columns.length > DENSE;
    if (dense && !step && columns.length > 1) found.push(band(columns, axis, colour));
    found.push(to - from === 1 ? dot(series, from, axis, x, colour) : line(series, [from, to], axis, x, colour, step, dense));
  }
  // Where nothing came, in a line of its own under the curve.
  const row = axis.series.findIndex((one) => one.n === n);
  const y = strip.bottom - (axis.series.length - row) * (GAP_BAR + 1);
  for (const [from, to] of series.gaps) {
    const [a, b] = [x(Math.max(from, start)), x(Math.min(to, end))];
    if (b - a < 1) continue;
    const bar = s("rect", { x: p(a), y: p(y), width: p(b - a), height: GAP_BAR, fill: "url(#no-data)", stroke: colour, "stroke-width": 0.7 });
    bar.setAttribute("data-gap", String(series.datastream.id));
    found.push(bar);
  }
  return found;
}

/** The part of a piece that is in sight, with a point more at each side. */
function visible({ times }: Series, [from, to]: Piece, start: number, end: number): Piece {
  let [a, b] = [from, to];
  while (a + 1 < b && times[a + 1]! < start) a++;
  while (b - 1 > a && times[b - 2]! > end) b--;
  return [a, b];
}

function band(columns: ReturnType<typeof swings>, { y }: Axis, colour: string): SVGElement {
  const upper = columns.map(({ x, high }) => `${p(x)},${p(y(high))}`);
  const lower = columns.map(({ x, low }) => `${p(x)},${p(y(low))}`).reverse();
  return s("path", { d: `M${[...upper, ...lower].join("L")}Z`, fill: colour, "fill-opacity": 0.22, class: "band" });
}

function line(
  { times, values, datastream }: Series,
  [from, to]: Piece,
  { y }: Axis,
  x: (time: number) => number,
  colour: string,
  step: boolean,
  dense: boolean,
): SVGElement {
  let d = "";
  for (let i = from; i < to; i++) {
    const [at, value] = [p(x(times[i]!)), p(y(values[i]!))];
    d += i === from ? `M${at},${value}` : step ? `H${at}V${value}` : `L${at},${value}`;
  }
  const path = s("path", { d, fill: "none", stroke: colour, "stroke-width": dense ? 1 : 1.6, "stroke-linejoin": "round", class: "curve" });
  path.setAttribute("data-stream", String(datastream.id));
  path.setAttribute("data-points", String(to - from));
  return path;
}

function dot({ times, values, datastream }: Series, i: number, { y }: Axis, x: (time: number) => number, colour: string): SVGElement {
  const found = s("circle", { cx: p(x(times[i]!)), cy: p(y(values[i]!)), r: 1.8, fill: colour, class: "curve" });
  found.setAttribute("data-stream", String(datastream.id));
  found.setAttribute("data-points", "1");
  return found;
}

/** Each threshold once, though several series may have it; those beyond the axis at its edge, with an arrow. */
function limits(axis: Axis, strip: Strip, left: number, right: number): SVGElement[] {
  const all = new Map<string, Threshold>();
  for (const { series } of axis.series) {
    for (const one of series.thresholds) all.set(`${one.value} ${one.direction} ${one.level}`, one);
  }
  const found: SVGElement[] = [];
  const taken: number[] = [];
  for (const { level, value, direction } of [...all.values()].sort((a, b) => b.level - a.level)) {
    const ink = INKS[level];
    const beyond = value > axis.extent[1] ? "↑ " : value < axis.extent[0] ? "↓ " : "";
    const exact = axis.y(value);
    const at = Math.min(Math.max(exact, strip.top), axis.y(axis.extent[0]));
    const mark = s("line", { x1: left, x2: right, y1: p(at), y2: p(at), stroke: ink, "stroke-width": 1.2, "stroke-dasharray": "6 4", class: "threshold" });
    mark.setAttribute("data-value", String(value));
    mark.setAttribute("data-level", String(level));
    if (!beyond) found.push(mark);
    let text = beyond === "↑ " || at < strip.top + 14 ? at + 12 : at - 4;
    while (taken.some((y) => Math.abs(y - text) < 12)) text += 12;
    taken.push(text);
    const words = `${beyond}${levelWord(level)} ${direction === "above" ? "≥" : "≤"} ${formatNumber(value)}`;
    const place = axis.right ? { x: right - 6, "text-anchor": "end" } : { x: left + 6, "text-anchor": "start" };
    found.push(
      s("text", { ...place, y: p(text), fill: ink, "font-weight": 600, stroke: "#ffffff", "stroke-width": 3, "paint-order": "stroke" }, words),
    );
  }
  return found;
}

/** The number of each series at the end of its curve, as in the list above. */
function ends(axis: Axis, [start, end]: Extent, x: (time: number) => number): SVGElement[] {
  const found: SVGElement[] = [];
  const taken: number[] = [];
  for (const { series, n } of axis.series) {
    let i = series.times.length - 1;
    while (i >= 0 && (series.times[i]! > end || !Number.isFinite(series.values[i] ?? NaN))) i--;
    if (i < 0 || series.times[i]! < start) continue;
    let y = axis.y(series.values[i]!);
    while (taken.some((other) => Math.abs(other - y) < 13)) y -= 13;
    taken.push(y);
    found.push(...numberMark(n, x(series.times[i]!) + 9, y));
  }
  return found;
}

function numberMark(n: number, cx: number, cy: number): SVGElement[] {
  return [
    s("circle", { cx: p(cx), cy: p(cy), r: 6.5, fill: LINE_COLOURS[n]!, stroke: "#ffffff" }),
    s("text", { x: p(cx), y: p(cy + 3.2), "text-anchor": "middle", fill: "#ffffff", "font-size": 9, "font-weight": 700 }, String(n + 1)),
  ];
}
