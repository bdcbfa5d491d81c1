/** Measures as a table: which columns there are, in what order the rows stand, and how two windows differ. */
import type { Cell, MeasureColumn, Measures } from "../types";

/** Columns that say what a row is about; all others are measures. */
const ABOUT = new Set(["start", "intersection", "movement", "approach", "lane", "phase", "link", "turn"]);

/** Which way a measure gets better: 1 upwards, -1 downwards. Of those left out nobody can say. */
const BETTER: Record<string, 1 | -1> = {
  delay_s: -1,
  approach_delay_s: -1,
  los: -1,
  stops: -1,
  queue_max_m: -1,
  queue_max_veh: -1,
  queue_mean_m: -1,
  queue_back_m: -1,
  saturation_degree: -1,
  arrivals_on_green: 1,
  platoon_ratio: 1,
  split_failures: -1,
  red_running: -1,
  spillback_s: -1,
  spillback_share: -1,
  travel_time_s: -1,
};

/** What is compared unless somebody asks for more. */
export const COMPARED = ["volume", "delay_s", "los", "queue_max_m", "saturation_degree", "arrivals_on_green", "split_failures"];

/** What stands in a narrow panel unless somebody asks for more. */
export const USUAL = ["volume", "delay_s", "los", "flow", "stops", "queue_max_m", "saturation_degree", "green_use", "arrivals_on_green"];

const LETTERS = "ABCDEF";

export type Verdict = "better" | "worse" | "same";

export interface Difference {
  before: Cell;
  /** Now less before; of levels of service the steps between the letters. */
  change: number | null;
  /** Null where nobody can say which is better. */
  verdict: Verdict | null;
}

export interface MeasureRow {
  /** Milliseconds since 1970. */
  start: number;
  link: string | null;
  turn: string | null;
  /** The movement, approach, lane or phase. */
  about: string;
  cells: Cell[];
  before: Cell[] | null;
}

export function isMeasure({ name }: MeasureColumn): boolean {
  return !ABOUT.has(name);
}

export function placeOf(columns: readonly MeasureColumn[], name: string): number {
  return columns.findIndex((column) => column.name === name);
}

/** How many digits after the point a column is written with. */
export function digitsOf({ type, unit }: MeasureColumn): number {
  if (type === "integer") return 0;
  return unit === "s" || unit === "m" || unit === "%" || unit === "veh/h" ? 1 : 2;
}

const text = (cell: Cell | undefined): string | null => (cell === null || cell === undefined || cell === "" ? null : String(cell));

/** The rows of an answer, each with the row of the other window that is about the same and as far from its beginning. */
export function rowsOf(answer: Measures): MeasureRow[] {
  const { columns, by, rows, compared } = answer;
  const [at, about, link, turn] = ["start", by, "link", "turn"].map((name) => placeOf(columns, name)) as [number, number, number, number];
  const key = (row: Cell[], from: Cell) =>
    JSON.stringify([timeOf(row[at]) - timeOf(from), row[about] ?? null, row[link] ?? null, row[turn] ?? null]);
  const others = new Map(compared?.rows.map((row) => [key(row, compared.start), row]));
  return rows.map((cells) => ({
    start: timeOf(cells[at]),
    link: text(cells[link]),
    turn: text(cells[turn]),
    about: text(cells[about]) ?? "",
    cells,
    before: others.get(key(cells, answer.start)) ?? null,
  }));
}

/** A time as it comes: ISO 8601 or milliseconds since 1970. */
export function timeOf(cell: Cell | undefined): number {
  return typeof cell === "number" ? cell : Date.parse(String(cell));
}

/** A number that can be put in order; null where there is none. */
export function orderOf(cell: Cell | undefined): number | null {
  if (typeof cell === "number") return Number.isFinite(cell) ? cell : null;
  const place = typeof cell === "string" && cell.length === 1 ? LETTERS.indexOf(cell) : -1;
  return place >= 0 ? place : null;
}

/** What became of a measure since the other window. A change too small to be written is none. */
export function difference(column: MeasureColumn, now: Cell | undefined, before: Cell | undefined): Difference {
  const [a, b] = [orderOf(now), orderOf(before)];
  if (a === null || b === null) return { before: before ?? null, change: null, verdict: null };
  const scale = 10 ** digitsOf(column);
  const change = Math.round((a - b) * scale) / scale + 0; // no negative zero
  const better = BETTER[column.name];
  const verdict = better === undefined ? null : change === 0 ? "same" : change * better > 0 ? "better" : "worse";
  return { before: before ?? null, change, verdict };
}

export interface Order {
  /** A column's name, or "about". */
  by: string;
  down: boolean;
}

/** The rows in order; those without a value stand last whichever way it goes. */
export function ordered(rows: readonly MeasureRow[], columns: readonly MeasureColumn[], order: Order, nameOf: (row: MeasureRow) => string): MeasureRow[] {
  const place = placeOf(columns, order.by);
  const numbers = (row: MeasureRow) => (order.by === "start" ? row.start : orderOf(row.cells[place]));
  const words = (row: MeasureRow) => (order.by === "about" ? nameOf(row) : (text(row.cells[place]) ?? ""));
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (order.by !== "about") {
      const [x, y] = [numbers(a), numbers(b)];
      if (x !== null && y !== null) return (x - y) * sign;
      if (x !== y) return x === null ? 1 : -1;
    }
    const [x, y] = [words(a), words(b)];
    if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1;
    return x.localeCompare(y, undefined, { numeric: true }) * sign;
  });
}

/** Another click on the same head turns the order round; measures begin with the largest. */
export function nextOrder(order: Order, by: string): Order {
  if (order.by === by) return { by, down: !order.down };
  return { by, down: by !== "about" && by !== "start" };
}

/** Programs that open tables run what begins like a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function csvCell(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** Comma-separated lines; a number stays as it is, text that looks like a formula is made harmless. */
export function csvOf(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}
