/** The question and its answer as a table: by what, in which bins, compared with which other window. */
import { h, icon, replace } from "../../dom";
import { formatUnit, language, said, t } from "../../i18n";
import { may } from "../../rights";
import { save } from "../../sensing/panels/seriesFiles";
import { fromInput, moment, toInput } from "../../sensing/panels/when";
import { choice, type Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { copyText, toast } from "../../ui/toast";
import type { Cell, Grouping, MeasureColumn, Measures } from "../types";
import { levelMark } from "./diagram";
import { COMPARED, csvOf, difference, digitsOf, isMeasure, type MeasureRow, nextOrder, type Order, ordered, placeOf, rowsOf, USUAL, type Difference } from "./measureRows";
import type { Part } from "./part";
import type { PanelStore } from "./store";
import { select } from "./select";
import { BINS, type Bin, type Other, OTHERS } from "./windows";
import { figure, type Names, shortTime } from "./words";

const GROUPINGS: readonly Grouping[] = ["movement", "approach", "lane", "phase"];

export function measuresTab(store: PanelStore): Part {
  const ask = h("form", { class: "crossing-ask", on: { submit: (event: Event) => event.preventDefault() } });
  const note = h("p", { class: "crossing-note", role: "status" });
  const actions = h("div", { class: "crossing-actions" });
  const place = h("div", { class: "table-scroll crossing-table", tabindex: 0 });
  const element = h("section", { class: "crossing-part" }, ask, note, place, actions);
  let order: Order = { by: "start", down: false };
  let all = false;
  let askedIn = "";
  let controls: Control[] = [];

  /** Drawn anew only where it has to be: it keeps the focus. */
  const drawAsk = () => {
    const from = `${language()} ${store.other === "own"}`;
    if (from !== askedIn) {
      askedIn = from;
      const by = choice(t("crossing.by"), GROUPINGS.map((name) => [name, t(`crossing.by.${name}`)] as const), () => store.by, (name) => store.set({ by: name }));
      const bin = select(t("crossing.bin"), BINS.map((seconds) => [String(seconds), binWord(seconds)]), () => String(store.bin), (value) => store.set({ bin: Number(value) as Bin }));
      const other = select(t("crossing.other"), OTHERS.map((name) => [name, t(`crossing.other.${name}`)]), () => store.other, (value) => compareWith(value as Other));
      controls = [by, bin, other];
      replace(ask, by.element, bin.element, other.element, store.other === "own" ? ownStart() : null);
    }
    controls.forEach((control) => control.sync());
  };
  const compareWith = (other: Other) => {
    store.set({ other, otherOwn: store.otherOwn ?? store.window?.[0] ?? null });
    if (other === "own") ask.querySelector("input")?.focus();
  };
  const ownStart = () => {
    const value = store.otherOwn === null ? "" : toInput(store.otherOwn);
    const input = h("input", { type: "datetime-local", name: "other", step: 1, "aria-label": t("crossing.otherStart"), value });
    input.addEventListener("change", () => {
      const time = fromInput(input.value);
      if (Number.isFinite(time)) store.set({ otherOwn: time });
    });
    return input;
  };

  /** The columns that are shown: those asked for most, or all there are. */
  const shownOf = (answer: Measures): MeasureColumn[] => {
    const measured = answer.columns.filter(isMeasure);
    if (all) return measured;
    const wanted = answer.compared ? COMPARED : USUAL;
    return wanted.flatMap((name) => measured.filter((column) => column.name === name));
  };

  const draw = () => {
    store.wantTable();
    drawAsk();
    const { table, names } = store;
    const { value: answer } = table;
    element.setAttribute("aria-busy", String(table.busy));
    note.classList.toggle("error-text", table.error !== null);
    note.textContent = noteText(store, answer);
    note.hidden = note.textContent === "";
    place.hidden = actions.hidden = !answer || answer.rows.length === 0 || !names;
    if (!answer || place.hidden) return replace(place);
    const rows = ordered(rowsOf(answer), answer.columns, order, (row) => names!.row(row, answer.by));
    const columns = shownOf(answer);
    const sort = (name: string) => {
      order = nextOrder(order, name);
      draw();
      place.querySelector<HTMLElement>(`button[data-sort="${name}"]`)?.focus();
    };
    const scrolled = [place.scrollLeft, place.scrollTop] as const;
    replace(place, measureTable(answer, columns, rows, order, sort, names!));
    place.setAttribute("aria-label", t("crossing.table"));
    [place.scrollLeft, place.scrollTop] = scrolled;
    const csv = () => csvFor(answer, rows, names!);
    const copy = async () => {
      if (await copyText(csv())) toast(t("crossing.copied", { n: rows.length }));
      else save(new Blob([`\ufeff${csv()}`], { type: "text/csv;charset=utf-8" }), "measures.csv");
    };
    const toggle = () => {
      all = !all;
      draw();
    };
    replace(
      actions,
      h("button", { type: "button", class: "link", "aria-pressed": String(all), on: { click: toggle } }, icon("table"), t(all ? "crossing.columns.usual" : "crossing.columns.all", { n: answer.columns.filter(isMeasure).length })),
      may("export") && h("button", { type: "button", class: "link copy-csv", on: { click: () => void copy() } }, icon("copy"), t("crossing.copy")),
    );
  };
  return { element, draw };
}

export function binWord(bin: Bin): string {
  return bin === 0 ? t("crossing.bin.whole") : t("crossing.bin.minutes", { n: bin / 60 });
}

function noteText(store: PanelStore, answer: Measures | null): string {
  const { table } = store;
  if (table.error) return errorText(table.error);
  if (!answer) return table.busy ? t("crossing.loading") : "";
  if (answer.rows.length === 0) return t("crossing.nothing");
  if (!answer.compared) return "";
  const [now, before] = [answer.start, answer.compared.start].map(moment) as [string, string];
  return t(answer.compared.rows.length === 0 ? "crossing.compare.nothing" : "crossing.compare.note", { now, before });
}

export function columnTitle(column: MeasureColumn): string {
  const title = said(column.title, column.title_zh);
  return column.unit ? `${title} (${formatUnit(column.unit)})` : title;
}

function cellText(cell: Cell | undefined, column: MeasureColumn): string {
  if (cell === null || cell === undefined) return "–";
  return typeof cell === "number" ? figure(cell, digitsOf(column)) : String(cell);
}

/** The change with its sign, and in words whether that is better. */
export function changeText({ change, verdict }: Difference, column: MeasureColumn): string {
  if (change === null) return "–";
  const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
  const number = figure(Math.abs(change), digitsOf(column));
  return verdict === null ? `${sign}${number}` : `${sign}${number} ${t(`crossing.${verdict}`)}`;
}

function measureTable(answer: Measures, columns: readonly MeasureColumn[], rows: readonly MeasureRow[], order: Order, sort: (name: string) => void, names: Names): HTMLElement {
  const compared = answer.compared !== null;
  const bins = answer.bin * 1000 < answer.end - answer.start;
  const head = (name: string, title: string, span = 1) =>
    h(
      "th",
      { scope: "col", colspan: span > 1 ? span : null, "aria-sort": order.by === name ? (order.down ? "descending" : "ascending") : "none", class: name === "about" ? "about" : "" },
      h("button", { type: "button", class: "sort", "data-sort": name, on: { click: () => sort(name) } }, title, h("span", { "aria-hidden": "true" }, order.by === name ? (order.down ? " ▾" : " ▴") : "")),
    );
  const cells = (row: MeasureRow) =>
    columns.flatMap((column) => {
      const i = placeOf(answer.columns, column.name);
      const cell = (value: Cell | undefined) =>
        column.name === "los" && typeof value === "string" ? h("td", { class: "letter" }, levelMark(value)) : h("td", { class: "number" }, cellText(value, column));
      if (!compared) return [cell(row.cells[i])];
      const changed = difference(column, row.cells[i], row.before?.[i]);
      return [cell(row.cells[i]), cell(row.before?.[i]), h("td", { class: `number change ${changed.verdict ?? ""}` }, changeText(changed, column))];
    });
  const under = columns.flatMap(() => [t("crossing.compare.now"), t("crossing.compare.before"), t("crossing.compare.change")]);
  return h(
    "table",
    { class: compared ? "data-table compared" : "data-table" },
    h("caption", { class: "unseen" }, t("crossing.tableOf", { n: rows.length })),
    h(
      "thead",
      {},
      h("tr", {}, head("about", t(`crossing.by.${answer.by}`)), bins && head("start", t("crossing.from")), ...columns.map((column) => head(column.name, columnTitle(column), compared ? 3 : 1))),
      compared && h("tr", { class: "under" }, h("td", { class: "about" }), bins && h("td"), ...under.map((text) => h("th", { scope: "col" }, text))),
    ),
    h(
      "tbody",
      {},
      ...rows.map((row) => h("tr", { "data-about": row.about }, h("th", { scope: "row", class: "about" }, names.row(row, answer.by)), bins && h("td", { class: "time" }, shortTime(row.start)), ...cells(row))),
    ),
  );
}

/** All columns of the answer, and of a comparison the other window's and the change. */
export function csvFor(answer: Measures, rows: readonly MeasureRow[], names: Names): string {
  const columns = answer.columns.filter(isMeasure);
  const three = ({ name }: MeasureColumn) => (answer.compared ? [name, `${name}_before`, `${name}_change`] : [name]);
  const head = ["start", answer.by, "name", "link", "turn", ...columns.flatMap(three)];
  const lines = rows.map((row) => [
    new Date(row.start).toISOString(), row.about, names.row(row, answer.by), row.link, row.turn,
    ...columns.flatMap((column): Cell[] => {
      const i = placeOf(answer.columns, column.name);
      const now = row.cells[i] ?? null;
      return answer.compared ? [now, row.before?.[i] ?? null, difference(column, now, row.before?.[i]).change] : [now];
    }),
  ]);
  return csvOf(head, lines);
}
