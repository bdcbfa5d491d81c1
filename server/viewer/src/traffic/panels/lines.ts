/** Queues and delays over time: a line for each lane or movement. */
import { s } from "../../svg";
import { formatNumber } from "../../i18n";
import { LINE_COLOURS } from "../../sensing/panels/seriesDrawing";
import { nearest } from "../../sensing/panels/seriesShape";
import type { Extent } from "../types";
import { axes, type Drawn } from "./chart";
import { timeText } from "./words";

export interface Line {
  name: string;
  values: readonly (number | null)[];
}

export interface LinesOptions {
  title: string;
  label: string;
  times: readonly number[];
  lines: readonly Line[];
  window: Extent;
  /** Milliseconds that a value holds for; 0 joins the values. */
  holds: number;
  unit: string;
  timeTitle: string;
}

const HEIGHT = 190;
/** Lines of the same colour are told apart by their dashes. */
const DASHES = ["", "6 3", "2 3"];

/** The colour and the dashes of the n-th line. */
export function penOf(n: number): { colour: string; dash: string } {
  return { colour: LINE_COLOURS[n % LINE_COLOURS.length]!, dash: DASHES[Math.floor(n / LINE_COLOURS.length) % DASHES.length]! };
}

/** The path of values over time; where there is no value there is no line. */
export function linePath(times: readonly number[], values: readonly (number | null)[], x: (time: number) => number, y: (value: number) => number, holds: number): string {
  let path = "";
  let open = false;
  times.forEach((time, i) => {
    const value = values[i];
    if (value === null || value === undefined || !Number.isFinite(value)) {
      open = false;
      return;
    }
    const [a, b] = [x(time).toFixed(1), y(value).toFixed(1)];
    if (holds > 0) path += `${open ? `V${b}` : `M${a},${b}`}H${x(time + holds).toFixed(1)}`;
    else path += `${open ? "L" : "M"}${a},${b}`;
    open = true;
  });
  return path;
}

/** What an axis shows that begins at nothing. */
export function fromZero(values: Iterable<number | null | undefined>): Extent {
  let high = 0;
  for (const value of values) if (value !== null && value !== undefined && value > high) high = value;
  return [0, high === 0 ? 1 : high * 1.08];
}

export function drawLines(width: number, { title, label, times, lines, window, holds, unit, timeTitle }: LinesOptions): Drawn {
  const values = fromZero(lines.flatMap((line) => [...line.values]));
  const frame = axes({ width, height: HEIGHT, times: window, values, title, label });
  lines.forEach((line, n) => {
    const { colour, dash } = penOf(n);
    const path = s("path", { d: linePath(times, line.values, frame.x, frame.y, holds), fill: "none", stroke: colour, "stroke-width": 1.7, "stroke-dasharray": dash, class: "curve" });
    path.setAttribute("data-line", line.name);
    path.append(s("title", {}, line.name));
    frame.inner.append(path);
  });
  const text = (value: number | null | undefined) => (value === null || value === undefined ? "–" : `${formatNumber(value, 1)} ${unit}`);
  return {
    axes: frame,
    times,
    read: (time) => {
      const i = nearest(times, time);
      return lines.map((line) => `${line.name} ${text(line.values[i])}`).join("; ");
    },
    head: [timeTitle, ...lines.map(({ name }) => `${name} (${unit})`)],
    rows: () => times.map((time, i) => [timeText(time), ...lines.map((line) => line.values[i] ?? null)]),
  };
}
