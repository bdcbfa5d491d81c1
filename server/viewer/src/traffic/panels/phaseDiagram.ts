/** The phase diagram: each cycle a column, the seconds in the cycle up its height, arrivals as dots. */
import { s } from "../../svg";
import { formatNumber, t } from "../../i18n";
import type { Cycles, Extent } from "../types";
import { axes, type Drawn } from "./chart";
import { fromZero } from "./lines";
import { timeOf } from "./measureRows";
import { type Colour, colourOf, columnOf, countArrivals, type CycleColumn } from "./signalTimes";
import { timeText } from "./words";

const HEIGHT = 230;

/** Light grounds, so that dots stand out from them. */
export const GROUNDS: Record<Colour, string> = { green: "#bfe5cb", yellow: "#fbe6a2", red: "#f6cdc9", dark: "#e3e7eb" };
export const INKS: Record<Colour, string> = { green: "#116233", yellow: "#7a5600", red: "#a01b14", dark: "#4d5966" };

export interface GroupCycles {
  columns: CycleColumn[];
  arrivals: { at: number; inCycle: number; colour: Colour }[];
}

/** What belongs to one signal group, in the order of time. */
export function cyclesOf({ cycles, arrivals }: Cycles, group: string): GroupCycles {
  return {
    columns: cycles.filter((one) => one.group === group).map(columnOf).sort((a, b) => a.start - b.start),
    arrivals: arrivals
      .filter((one) => one.group === group)
      .map(({ at, in_cycle, light }) => ({ at: timeOf(at), inCycle: in_cycle, colour: colourOf(light) }))
      .sort((a, b) => a.at - b.at),
  };
}

/** The arrivals of a cycle. */
function within(arrivals: GroupCycles["arrivals"], { start, end }: CycleColumn): GroupCycles["arrivals"] {
  return arrivals.filter(({ at }) => at >= start && at < end);
}

/** Arrivals on green and red differ in their form as well: full and hollow. */
function dot(cx: number, cy: number, colour: Colour): SVGElement {
  const at = { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 2.2 };
  const mark = s("circle", colour === "green" ? { ...at, fill: INKS.green } : { ...at, fill: "#ffffff", stroke: INKS[colour], "stroke-width": 1.3 });
  mark.setAttribute("class", "arrival");
  mark.setAttribute("data-light", colour);
  return mark;
}

export function drawPhases(width: number, { columns, arrivals }: GroupCycles, window: Extent, label: string): Drawn {
  const longest = columns.map(({ start, end }) => (end - start) / 1000);
  const values = fromZero([...longest, ...arrivals.map(({ inCycle }) => inCycle)]);
  const frame = axes({ width, height: HEIGHT, times: window, values, title: t("crossing.phases.inCycle"), label });
  for (const { start, end, bands } of columns) {
    const [a, b] = [frame.x(start), frame.x(end)];
    for (const { from, to, colour } of bands) {
      const band = s("rect", { x: a.toFixed(1), y: frame.y(to).toFixed(1), width: Math.max(0.5, b - a - 0.6).toFixed(1), height: (frame.y(from) - frame.y(to)).toFixed(1), fill: GROUNDS[colour] });
      band.setAttribute("class", `band ${colour}`);
      frame.inner.append(band);
    }
  }
  for (const { at, inCycle, colour } of arrivals) frame.inner.append(dot(frame.x(at), frame.y(inCycle), colour));
  const counts = (column: CycleColumn) => countArrivals(within(arrivals, column).map(({ colour }) => ({ light: colour })));
  const seconds = (column: CycleColumn, colour: Colour) => column.bands.filter((band) => band.colour === colour).reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    axes: frame,
    times: columns.map(({ start }) => start),
    read: (time) => {
      const column = columns.find(({ start }) => start === time);
      if (!column) return "";
      const { green, all } = counts(column);
      return t("crossing.phases.read", { cycle: formatNumber((column.end - column.start) / 1000, 1), green: formatNumber(seconds(column, "green"), 1), n: all, on: green });
    },
    head: [t("crossing.time"), t("crossing.light.green"), t("crossing.light.yellow"), t("crossing.light.red"), t("crossing.phases.arrived"), t("crossing.phases.onGreen")],
    rows: () =>
      columns.map((column) => {
        const { green, all } = counts(column);
        const time = timeText(column.start);
        return [time, seconds(column, "green"), seconds(column, "yellow"), seconds(column, "red"), all, green];
      }),
  };
}
