/** The axes of a chart, and a chart that can be read with the pointer, the keys and as a table. */
import { h, icon, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { type Extent, linear, timeTicks, valueTicks } from "../../sensing/panels/seriesScale";
import { moment } from "../../sensing/panels/when";
import { s } from "../../svg";

const LEFT = 46;
const RIGHT = 14;
const TOP = 22;
const BOTTOM = 22;
const FAINT = "#5d6a79";
const GRID = "#e6eaee";
const FONT = 11;
/** Rows of a table beside a chart; a chart of more is exported rather than read. */
const MOST_ROWS = 400;

export interface Axes {
  svg: SVGSVGElement;
  /** What is clipped to the picture. */
  inner: SVGGElement;
  x: (time: number) => number;
  y: (value: number) => number;
  timeAt: (x: number) => number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface AxesOptions {
  width: number;
  height: number;
  times: Extent;
  values: Extent;
  /** What the values are, with their unit. */
  title: string;
  label: string;
  valueText?: (value: number) => string;
  left?: number;
}

let clips = 0;

/** Times along the width, values up the height. */
export function axes({ width, height, times, values, title, label, valueText = formatNumber, left = LEFT }: AxesOptions): Axes {
  const [right, top, bottom] = [width - RIGHT, TOP, height - BOTTOM];
  const x = linear(times, [left, right]);
  const y = linear(values, [bottom, top]);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, "font-size": FONT });
  const clip = `crossing-clip-${clips++}`;
  svg.append(s("defs", {}, s("clipPath", { id: clip }, s("rect", { x: left, y: top - 1, width: Math.max(0, right - left), height: bottom - top + 2 }))));
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string) =>
    s("line", { x1, y1, x2, y2, stroke, "shape-rendering": "crispEdges" });
  for (const { time, label: text } of timeTicks(times, (right - left) / 84)) {
    const at = x(time);
    svg.append(line(at, top, at, bottom, GRID));
    if (at < right - 12) svg.append(s("text", { x: at, y: bottom + 15, "text-anchor": at < left + 16 ? "start" : "middle", fill: FAINT }, text));
  }
  for (const value of valueTicks(values, (bottom - top) / 34)) {
    svg.append(line(left, y(value), right, y(value), GRID));
    svg.append(s("text", { x: left - 6, y: y(value) + 3.5, "text-anchor": "end", fill: FAINT }, valueText(value)));
  }
  svg.append(s("text", { x: 4, y: 12, fill: "#1c2733", "font-weight": 600 }, title), line(left, bottom, right, bottom, "#9aa5b1"));
  const inner = s("g", { "clip-path": `url(#${clip})` });
  svg.append(inner);
  return { svg, inner, x, y, timeAt: linear([left, right], times), left, right, top, bottom };
}

/** What is drawn in a chart, and how it is said. */
export interface Drawn {
  axes: Axes;
  /** The times that the keys go through, in order. */
  times: readonly number[];
  read: (time: number) => string;
  /** The same as a table. */
  head: readonly string[];
  rows: () => readonly (readonly (string | number | null)[])[];
}

export interface Chart {
  element: HTMLElement;
  draw: () => void;
  /** Where the time that is looked at lies. */
  cursor: (time: number | null) => void;
}

/** A chart over time. `make` draws it for a width, or says why there is nothing to draw. */
export function chart(title: () => string, make: (width: number) => Drawn | string): Chart {
  const caption = h("h3");
  const picture = h("div", { class: "crossing-picture" });
  const now = h("div", { class: "crossing-now", hidden: true });
  const pointer = h("div", { class: "crossing-pointer", hidden: true });
  const sheet = h("div", { class: "crossing-sheet", tabindex: 0, role: "group" }, picture, now, pointer);
  const said = h("p", { class: "crossing-read", "aria-live": "polite" });
  const words = h("summary", {});
  const inside = h("div", { class: "table-scroll", tabindex: 0 });
  const table = h("details", { class: "crossing-alternative" }, words, inside);
  const element = h("figure", { class: "crossing-chart" }, caption, sheet, said, table);
  let drawn: Drawn | null = null;
  let at: number | null = null;
  let looked: number | null = null;
  let drawnAt = 0;

  const place = (mark: HTMLElement, time: number | null) => {
    const shown = drawn !== null && time !== null && time >= drawn.axes.timeAt(drawn.axes.left) && time <= drawn.axes.timeAt(drawn.axes.right);
    mark.hidden = !shown;
    if (!shown) return;
    mark.style.left = `${drawn!.axes.x(time!)}px`;
    mark.style.top = `${drawn!.axes.top}px`;
    mark.style.height = `${drawn!.axes.bottom - drawn!.axes.top}px`;
  };
  const point = (time: number | null) => {
    at = time;
    place(pointer, time);
    const text = time === null || !drawn ? t("crossing.chart.hint") : `${moment(time)} – ${drawn.read(time)}`;
    if (said.textContent !== text) said.textContent = text;
  };
  const nearestTo = (time: number) => {
    const times = drawn?.times ?? [];
    return times.reduce<number | null>((best, one) => (best === null || Math.abs(one - time) < Math.abs(best - time) ? one : best), null);
  };
  sheet.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const x = event.clientX - sheet.getBoundingClientRect().left;
    point(nearestTo(drawn.axes.timeAt(Math.min(Math.max(x, drawn.axes.left), drawn.axes.right))));
  });
  sheet.addEventListener("pointerleave", () => point(null));
  sheet.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape" && at !== null) {
      event.stopPropagation();
      return point(null);
    }
    if (step === undefined || !drawn || drawn.times.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const here = at === null ? (step > 0 ? -1 : drawn.times.length) : drawn.times.indexOf(nearestTo(at)!);
    point(drawn.times[Math.min(Math.max(here + step, 0), drawn.times.length - 1)]!);
  });

  const drawTable = () => {
    words.replaceChildren(icon("chevron"), t("crossing.chart.table"));
    if (!drawn || !table.open) return replace(inside);
    const rows = drawn.rows();
    const cell = (value: string | number | null) => h("td", { class: typeof value === "number" ? "number" : "" }, value === null ? "–" : typeof value === "number" ? formatNumber(value, 1) : value);
    replace(
      inside,
      h(
        "table",
        { class: "data-table" },
        h("thead", {}, h("tr", {}, ...drawn.head.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows.slice(0, MOST_ROWS).map((row) => h("tr", {}, ...row.map(cell)))),
      ),
      rows.length > MOST_ROWS && h("p", { class: "muted" }, t("crossing.chart.more", { n: rows.length - MOST_ROWS })),
    );
  };
  table.addEventListener("toggle", drawTable);

  const draw = () => {
    caption.textContent = title();
    sheet.setAttribute("aria-label", `${title()}. ${t("crossing.chart.keys")}`);
    const width = Math.floor(element.clientWidth);
    drawnAt = width;
    if (width === 0) return;
    const made = make(width);
    drawn = typeof made === "string" ? null : made;
    sheet.classList.toggle("empty", drawn === null);
    table.hidden = drawn === null;
    if (typeof made === "string") replace(picture, h("p", { class: "empty-note" }, made));
    else picture.replaceChildren(made.axes.svg);
    point(at);
    place(now, looked);
    drawTable();
  };
  // Its height follows from what is drawn, its width does not.
  new ResizeObserver(() => Math.floor(element.clientWidth) !== drawnAt && draw()).observe(element);
  return {
    element,
    draw,
    cursor: (time) => {
      looked = time;
      place(now, time);
    },
  };
}
