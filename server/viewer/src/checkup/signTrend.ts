/** The trend of a vital sign as a curve with its thresholds; what was not measured is missing in it. */
import type { Sign } from "./types";

export interface Trend {
  /** An SVG path. */
  curve: string;
  /** Where thresholds lie, from the top. */
  thresholds: { kind: "attention" | "alarm"; y: number }[];
  /** Where it ends now. */
  end: [number, number] | null;
}

const AIR = 3;

export function trendOf({ trend, thresholds }: Pick<Sign, "trend" | "thresholds">, width: number, height: number): Trend {
  const known = trend.flatMap(([at, value]) => (value === null ? [] : [[at, value] as const]));
  if (known.length === 0) return { curve: "", thresholds: [], end: null };
  const marks = (["attention", "alarm"] as const).flatMap((kind) => {
    const value = thresholds?.[kind];
    return value === null || value === undefined ? [] : [{ kind, value }];
  });
  const times = trend.map(([at]) => at);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const values = [...known.map(([, value]) => value), ...marks.map(({ value }) => value)];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (at: number) => (last > first ? AIR + ((at - first) / (last - first)) * (width - 2 * AIR) : width / 2);
  const y = (value: number) => (most > least ? height - AIR - ((value - least) / (most - least)) * (height - 2 * AIR) : height / 2);
  let curve = "";
  let pen = false;
  for (const [at, value] of trend) {
    if (value !== null) curve += `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value !== null;
  }
  const [at, value] = known.at(-1)!;
  return { curve, thresholds: marks.map(({ kind, value: of }) => ({ kind, y: y(of) })), end: [x(at), y(value)] };
}

/** Columns and rows for so many tiles, each about one and a half times as wide as it is high. */
export function gridOf(tiles: number, width: number, height: number): { columns: number; rows: number } {
  const wanted = 1.6;
  let best = { columns: 1, rows: Math.max(1, tiles), off: Infinity };
  for (let columns = 1; columns <= Math.max(1, tiles); columns++) {
    const rows = Math.ceil(tiles / columns) || 1;
    const shape = width / columns / (height / rows);
    // Places that stay empty count as well.
    const off = Math.abs(Math.log(shape / wanted)) + (columns * rows - tiles) * 0.12;
    if (off < best.off) best = { columns, rows, off };
  }
  return { columns: best.columns, rows: best.rows };
}
