/** Tables that are sorted by a column, which a click on its head chooses. */
import { h } from "../dom";
import { language } from "../i18n";

/** What rows are sorted by; null comes last either way. */
export type SortKey = string | number | null;

export interface Sorted {
  id: string;
  down: boolean;
}

interface Head {
  id: string;
  name: () => string;
  number?: boolean;
  /** Whether nothing can be sorted by it. */
  fixed?: boolean;
}

export function compareKeys(a: SortKey, b: SortKey): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), language(), { numeric: true });
}

/** Rows by a key, those of the same key by another. */
export function inOrder<Row>(rows: readonly Row[], key: (row: Row) => SortKey, down: boolean, otherwise: (row: Row) => SortKey): Row[] {
  return [...rows].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    const order = compareKeys(left, right);
    return (left === null || right === null || !down ? order : -order) || compareKeys(otherwise(a), otherwise(b));
  });
}

/** The heads of columns, as buttons. */
export function sortHead(columns: readonly Head[], sorted: Sorted, sortBy: (id: string) => void): HTMLElement[] {
  return columns.map(({ id, name, number, fixed }) => {
    const on = id === sorted.id;
    return h(
      "th",
      { scope: "col", class: number ? "number" : "", "aria-sort": on ? (sorted.down ? "descending" : "ascending") : null },
      fixed
        ? h("span", {}, name())
        : h("button", { type: "button", on: { click: () => sortBy(id) } }, name(), h("i", { "aria-hidden": "true" }, on ? (sorted.down ? "▼" : "▲") : "")),
    );
  });
}
