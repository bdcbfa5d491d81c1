/** A table of things: sorted by its headings, with a state for loading, nothing and refusal. */
import { type Child, h, icon, replace } from "../dom";
import { language, t } from "../i18n";
import type { TextKey } from "../texts";
import { errorText } from "../ui/errors";
import type { Source } from "./source";

export interface Column<Row> {
  title: TextKey;
  /** Share of the width, as CSS has it; the columns without one divide the rest. */
  width?: string;
  cell: (row: Row) => Child | Child[];
  /** What rows are sorted by; a column without it is not sorted. */
  order?: (row: Row) => string | number;
  number?: boolean;
}

export interface ListOptions<Row> {
  label: () => string;
  columns: () => Column<Row>[];
  id: (row: Row) => string;
  /** What the first cell opens; without it rows only show. */
  open?: (row: Row) => void;
  selected?: () => string | null;
}

/** What a list shows: rows, or a sentence in their place. */
export interface Shown<Row> {
  rows: Row[] | null;
  error?: unknown;
  retry?: () => void;
  empty: string;
}

export class List<Row> {
  readonly element = h("div", { class: "list-scroll", tabindex: 0 });
  private sorted: { column: TextKey; down: boolean } | null = null;
  private shown: Shown<Row> = { rows: null, empty: "" };

  constructor(private readonly options: ListOptions<Row>) {}

  show(shown: Shown<Row>): void {
    this.shown = shown;
    this.draw();
  }

  private draw(): void {
    const { label } = this.options;
    const { rows, error, retry, empty } = this.shown;
    const columns = this.options.columns();
    const scrolled = this.element.scrollTop;
    const focused = document.activeElement?.closest<HTMLElement>("[data-key]")?.dataset["key"];
    const had = this.element.contains(document.activeElement);
    const body = rows?.length
      ? this.inOrder(rows, columns).map((row) => this.row(row, columns))
      : [h("tr", {}, h("td", { class: "list-note", colspan: columns.length }, this.note(rows, error, retry, empty)))];
    replace(
      this.element,
      h(
        "table",
        { class: "data-table list", "aria-label": label(), "aria-busy": String(rows === null && !error) },
        h("colgroup", {}, ...columns.map(({ width }) => h("col", { style: width && `width: ${width}` }))),
        h("thead", {}, h("tr", {}, ...columns.map((column) => this.heading(column)))),
        h("tbody", {}, ...body),
      ),
    );
    this.element.scrollTop = scrolled;
    this.mark();
    if (had && focused !== undefined) {
      const again = [...this.element.querySelectorAll<HTMLElement>("[data-key]")];
      again.find((one) => one.dataset["key"] === focused)?.focus({ preventScroll: true });
    }
  }

  /** Shows which row is selected, without drawing anew. */
  mark(): void {
    const selected = this.options.selected?.() ?? null;
    for (const row of this.element.querySelectorAll<HTMLElement>("tr[data-id]")) {
      row.setAttribute("aria-selected", String(row.dataset["id"] === selected));
    }
  }

  private note(rows: Row[] | null, error: unknown, retry: (() => void) | undefined, empty: string): Child {
    if (error && rows === null) {
      return h(
        "div",
        { class: "list-error", role: "alert" },
        h("p", { class: "error-text" }, errorText(error)),
        retry && h("button", { type: "button", class: "button small", on: { click: retry } }, icon("refresh"), t("app.retry")),
      );
    }
    if (rows === null) return h("p", { class: "empty-note", role: "status" }, h("span", { class: "spinner small" }), t("office.loading"));
    return h("p", { class: "empty-note" }, empty);
  }

  private heading({ title, order, number }: Column<Row>): HTMLElement {
    const text = t(title);
    if (!order) return h("th", { scope: "col", class: number ? "number" : "" }, text);
    const now = this.sorted?.column === title ? (this.sorted.down ? "descending" : "ascending") : "none";
    const press = () => {
      this.sorted = { column: title, down: now === "ascending" };
      this.draw();
    };
    return h(
      "th",
      { scope: "col", "aria-sort": now, class: number ? "number" : "" },
      h("button", { type: "button", class: "sort", "data-key": `sort ${title}`, on: { click: press } }, text, icon("chevron")),
    );
  }

  private row(row: Row, columns: Column<Row>[]): HTMLElement {
    const { id, open } = this.options;
    const cells = columns.map((column, i) => {
      const made = column.cell(row);
      const content = Array.isArray(made) ? made : [made];
      const shown =
        open && i === 0
          ? [h("button", { type: "button", class: "link row-link", "data-key": id(row) }, ...content)]
          : content;
      return h(i === 0 ? "th" : "td", { scope: i === 0 && "row", class: column.number ? "number" : "" }, ...shown);
    });
    const click = (event: MouseEvent) => {
      const target = event.target as HTMLElement;
      // Buttons and links of a row do their own thing, and marking text is not a click.
      if (target.closest("button:not(.row-link), a") || getSelection()?.type === "Range") return;
      open?.(row);
    };
    return h("tr", { "data-id": id(row), class: open ? "opens" : "", on: open ? { click } : {} }, ...cells);
  }

  private inOrder(rows: Row[], columns: Column<Row>[]): Row[] {
    const order = columns.find(({ title }) => title === this.sorted?.column)?.order;
    if (!order || !this.sorted) return rows;
    const collator = new Intl.Collator(language(), { numeric: true });
    const sign = this.sorted.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [order(a), order(b)];
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y)));
    });
  }
}

/** A name, and below it in small what it is known by. */
export function named(name: string, below: string | null | undefined): HTMLElement {
  return h("span", { class: "two-lines" }, h("strong", {}, name), !!below && below !== name && h("span", { class: "muted" }, below));
}

/** What a source told, as a list shows it. */
export function shownOf<T, Row>(source: Source<T>, rows: (value: T) => Row[], empty: string): Shown<Row> {
  return {
    rows: source.value === null ? null : rows(source.value),
    error: source.error,
    retry: () => void source.refresh(),
    empty,
  };
}
