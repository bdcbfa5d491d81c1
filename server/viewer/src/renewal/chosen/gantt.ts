/** Stages over time: what was planned as an outline, what happened as a bar, the asked day as a line. */
import { h } from "../../dom";
import { localized, t } from "../../i18n";
import type { TextKey } from "../../texts";
import type { StageStanding } from "../types";
import { dayNumber, dayOf, spanOf, tickLabel, ticks } from "./axis";
import { across, s } from "../../svg";
import { comma } from "./punctuation";

const ROW = 24;
const HEAD = 18;
const MARGIN_DAYS = 20;

const STATES: Record<StageStanding["state"], TextKey> = {
  done: "gantt.done",
  running: "gantt.running",
  late: "gantt.late",
  waiting: "gantt.waiting",
};

/** The dates of a stage in words. */
export function stageDates(row: StageStanding): string {
  const open = t("gantt.open");
  const planned = row.planned_start || row.planned_end ? t("gantt.plannedFrom", { from: row.planned_start ?? open, to: row.planned_end ?? open }) : null;
  const actual = row.started ? t("gantt.actualFrom", { from: row.started, to: row.ended ?? open }) : null;
  return [t(STATES[row.state]), planned, actual].filter((part) => part !== null).join(comma());
}

/** The picture is as wide as its column; labels stand beside it, so that text keeps its shape. */
export function gantt(rows: readonly StageStanding[], at: string): HTMLElement {
  const span = spanOf([at, ...rows.flatMap((row) => [row.planned_start, row.planned_end, row.started, row.ended])])!;
  const [first, last] = [dayNumber(span[0]) - MARGIN_DAYS, dayNumber(span[1]) + MARGIN_DAYS];
  const x = (day: string) => (dayNumber(day) - first) / (last - first);
  const height = HEAD + rows.length * ROW;
  const picture = s("svg", { class: "gantt-picture", width: "100%", height, role: "img", "aria-label": t("gantt.picture", { day: at }) });
  rows.forEach((_, i) => {
    if (i % 2 === 0) picture.append(s("rect", { x: 0, y: HEAD + i * ROW, width: "100%", height: ROW, class: "gantt-stripe" }));
  });
  for (const day of ticks([dayOf(first), dayOf(last)], 5)) {
    picture.append(s("line", { x1: across(x(day)), x2: across(x(day)), y1: HEAD, y2: height, class: "gantt-tick" }));
    if (x(day) < 0.88) picture.append(s("text", { x: across(x(day)), dx: 3, y: HEAD - 6, class: "gantt-year" }, tickLabel(day)));
  }
  rows.forEach((row, i) => picture.append(...bars(row, HEAD + i * ROW, x, at)));
  const now = s("g", { class: "gantt-now" });
  now.append(
    s("line", { x1: across(x(at)), x2: across(x(at)), y1: HEAD - 3, y2: height }),
    s("circle", { cx: across(x(at)), cy: HEAD - 3, r: 3 }),
  );
  picture.append(now);
  const labels = rows.map((row) =>
    h(
      "li",
      { title: `${localized(row.title)}: ${stageDates(row)}`, class: row.state },
      h("span", { class: "gantt-mark", "aria-hidden": "true" }),
      h("span", { class: "gantt-title" }, localized(row.title)),
      h("span", { class: "unseen" }, stageDates(row)),
    ),
  );
  return h(
    "div",
    { class: "gantt" },
    h("ol", { class: "gantt-labels", "aria-label": t("chosen.stages") }, ...labels),
    h("div", { class: "gantt-frame" }, picture),
  );
}

function bars(row: StageStanding, top: number, x: (day: string) => number, at: string): SVGElement[] {
  const found: SVGElement[] = [];
  const bar = (from: string, to: string, y: number, height: number, kind: string) => {
    const [a, b] = [x(from), Math.max(x(to), x(from) + 0.006)];
    found.push(s("rect", { x: across(a), y, width: across(b - a), height, rx: 2, class: `gantt-bar ${kind}` }));
  };
  const start = row.planned_start ?? row.planned_end;
  const end = row.planned_end ?? row.planned_start;
  if (start && end) bar(start, end, top + 4, 5, "planned");
  // What is not over lasts until the asked day.
  if (row.started && row.started <= at) bar(row.started, row.ended ?? at, top + 11, 8, row.state);
  else if (row.state === "late" && start && start < at) bar(start, at, top + 13, 4, "not-begun");
  return found;
}

export function ganttLegend(): HTMLElement {
  const key = (kind: string, text: TextKey) => h("span", {}, h("i", { class: `gantt-key ${kind}`, "aria-hidden": "true" }), t(text));
  return h(
    "p",
    { class: "gantt-legend" },
    key("planned", "gantt.planned"),
    key("done", "gantt.done"),
    key("running", "gantt.running"),
    key("late", "gantt.late"),
  );
}
