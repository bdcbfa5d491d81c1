/** What was to be and what was, summed up period by period, as two curves. */
import { h } from "../../dom";
import { t } from "../../i18n";
import { dayNumber, tickLabel, ticks } from "./axis";
import type { Series } from "../types";
import { s } from "../../svg";

const WIDTH = 300;
const HEIGHT = 92;
const TOP = 6;
const BOTTOM = 4;

/** A round number at or above a value, of one or two digits. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const step = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((n) => n * step >= value * (1 - 1e-9)) ?? 10) * step;
}

/** Curves stretch with their column, their lines do not; texts stand around them. */
export function cumulative(series: Series, target: number | null, at: string, shown: (value: number) => string): HTMLElement {
  const { ends } = series;
  if (ends.length === 0) return h("p", { class: "muted" }, t("metric.noSeries"));
  const [first, last] = [dayNumber(ends[0]!), dayNumber(ends.at(-1)!)];
  const values = [...series.plan, ...series.actual, target].filter((value): value is number => value !== null);
  const top = roundUp(values.reduce((a, b) => Math.max(a, b), 0));
  const x = (day: string) => (last > first ? ((dayNumber(day) - first) / (last - first)) * WIDTH : WIDTH / 2);
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "curves", role: "img", "aria-label": label(series, shown) });
  for (const share of [0, 0.5, 1]) picture.append(s("line", { x1: 0, x2: WIDTH, y1: y(top * share), y2: y(top * share), class: "grid" }));
  if (target !== null) picture.append(s("line", { x1: 0, x2: WIDTH, y1: y(target), y2: y(target), class: "target" }));
  const before = ends.map((end, i) => [end, i] as const).filter(([end, i]) => end <= at && series.actual[i] !== null);
  if (at >= ends[0]! && at <= ends.at(-1)!) picture.append(s("line", { x1: x(at), x2: x(at), y1: 0, y2: HEIGHT, class: "now" }));
  const actual = before.map(([end, i]) => `${x(end).toFixed(1)},${y(series.actual[i]!).toFixed(1)}`);
  const plan = ends.flatMap((end, i) => (series.plan[i] === null ? [] : [`${x(end).toFixed(1)},${y(series.plan[i]!).toFixed(1)}`]));
  if (actual.length > 1) {
    const [from, to] = [actual[0]!.split(",")[0]!, actual.at(-1)!.split(",")[0]!];
    picture.append(s("path", { d: `M${from},${y(0)}L${actual.join("L")}L${to},${y(0)}Z`, class: "under" }));
  }
  if (plan.length > 1) picture.append(s("path", { d: `M${plan.join("L")}`, class: "plan" }));
  if (actual.length > 1) picture.append(s("path", { d: `M${actual.join("L")}`, class: "actual" }));
  const marks = ticks([ends[0]!, ends.at(-1)!], 5);
  const times = (marks.length > 0 ? marks : [ends[0]!]).map((day) => {
    const mark = h("span", {}, tickLabel(day));
    mark.style.insetInlineStart = `${(x(day) / WIDTH) * 100}%`;
    return mark;
  });
  return h(
    "div",
    { class: "cumulative" },
    h("div", { class: "cumulative-values", "aria-hidden": "true" }, h("span", {}, shown(top)), h("span", {}, shown(top / 2)), h("span", {}, "0")),
    h("div", { class: "cumulative-frame" }, picture, h("div", { class: "cumulative-times", "aria-hidden": "true" }, ...times)),
  );
}

function label({ ends, plan, actual }: Series, shown: (value: number) => string): string {
  const last = (values: readonly (number | null)[]) => values.filter((value): value is number => value !== null).at(-1);
  const [planned, done] = [last(plan), last(actual)];
  return t("metric.curves", { from: ends[0]!, to: ends.at(-1)!, plan: planned === undefined ? "–" : shown(planned), actual: done === undefined ? "–" : shown(done) });
}
