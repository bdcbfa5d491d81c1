/** A table of an answer; a row of a feature selects it. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { api } from "../data/api";
import type { Cell, ResultTable } from "../data/processes";
import { h, icon, iconButton } from "../dom";
import { formatNumber, language, t } from "../i18n";
import { ANSWERS } from "../texts/answers";
import { classTitle } from "./names";
import { inLanguage } from "./processForm";

/** Columns that a map says better than a cell. */
const NOT_SHOWN = new Set(["box", "sketch"]);

/** Answers that do not say where their features are leave it to the layer. */
async function flyToFeature(app: App, layer: string, id: string): Promise<void> {
  const bbox = toBbox3D((await api.item(layer, id).catch(() => null))?.bbox ?? null);
  if (bbox) await app.camera.flyTo(bbox);
}

/** Columns whose words are codes of the analysis, not words of the city. */
const CODED = new Set(["what", "kind", "verdict"]);

function codeTitle(cell: Cell | undefined): string {
  const key = `answer.${String(cell)}`;
  return key in ANSWERS ? t(key as keyof typeof ANSWERS) : text(cell);
}

function text(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "number" ? formatNumber(cell, 2) : String(cell);
}

export function resultTable(app: App, output: string, { columns, rows, next }: ResultTable): HTMLElement {
  if (rows.length === 0) return h("p", { class: "muted" }, t("analysis.nothing"));
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const [layer, id, box] = [at("layer"), at("id"), at("bbox")];
  const other = otherLanguage(columns);
  const shown = columns.map((column, i) => ({ column, i })).filter(({ column }) => !NOT_SHOWN.has(column.type) && !other.has(column.name));
  const proof = columns.findIndex(({ type }) => type === "sketch");
  const value = (row: Cell[], i: number): string => {
    const known = layer >= 0 ? app.layers.get(String(row[layer])) : undefined;
    if (i === layer) return known?.collection.title ?? text(row[i]);
    if (columns[i]!.name === "class" && known) return classTitle(known, String(row[i]));
    return CODED.has(columns[i]!.name) ? codeTitle(row[i]) : text(row[i]);
  };
  const select = (row: Cell[]) => {
    app.selection.select({ layer: String(row[layer]), id: String(row[id]) });
    const bbox = box >= 0 ? toBbox3D(row[box] as number[] | null) : null;
    if (bbox) void app.camera.flyTo(bbox);
    else void flyToFeature(app, String(row[layer]), String(row[id]));
  };
  const line = (row: Cell[]) =>
    h(
      "tr",
      proof >= 0 ? { "aria-selected": String(app.sketchMap.looksAt(row[proof])) } : {},
      proof >= 0 && h("td", {}, proofButton(app, row[proof])),
      ...shown.map(({ column, i }) => {
        const number = typeof row[i] === "number";
        const inner =
          column.name === "id" && layer >= 0
            ? h("button", { type: "button", class: "link", on: { click: () => select(row) } }, value(row, i))
            : value(row, i);
        return h("td", { class: number ? "number" : "" }, inner);
      }),
    );
  const ids = (wanted: string) => rows.filter((row) => row[layer] === wanted).map((row) => String(row[id]));
  const layers = layer >= 0 && id >= 0 ? [...new Set(rows.map((row) => String(row[layer])))] : [];
  return h(
    "div",
    {},
    h(
      "div",
      { class: "table-scroll", tabindex: 0 },
      h(
        "table",
        { class: "data-table" },
        h("thead", {}, h("tr", {}, proof >= 0 && h("th", { scope: "col" }, t("analysis.proof")), ...shown.map(({ column }) => h("th", { scope: "col" }, heading(column))))),
        h("tbody", {}, ...rows.map(line)),
      ),
    ),
    h(
      "div",
      { class: "table-actions" },
      ...layers.map((one) =>
        h(
          "button",
          { type: "button", class: "link", on: { click: () => app.table.open(one, ids(one)) } },
          icon("table"),
          t("analysis.table", { name: app.layers.get(one)?.collection.title ?? one }),
        ),
      ),
      next
        ? h(
            "button",
            { type: "button", class: "link", on: { click: () => void app.analysis.more(output) } },
            icon("refresh"),
            t("analysis.more"),
          )
        : null,
    ),
  );
}

/** Of columns that stand in both languages, `title` and `title_zh`, those of the other one. */
function otherLanguage(columns: ResultTable["columns"]): Set<string> {
  const pairs = columns.filter(({ name }) => columns.some((one) => one.name === `${name}_zh`));
  return new Set(pairs.map(({ name }) => (language() === "zh" ? name : `${name}_zh`)));
}

/** Flies to the shapes that a row names, and leaves the others as shadows; asked again, shows all. */
function proofButton(app: App, ids: Cell | undefined): HTMLElement {
  const shown = app.sketchMap.looksAt(ids);
  return iconButton(
    "eye",
    t(shown ? "analysis.proofAll" : "analysis.proofShow"),
    () => {
      const box = app.sketchMap.focus(ids);
      if (box) void app.camera.flyTo(box);
    },
    { class: "small", "aria-pressed": String(shown), disabled: !Array.isArray(ids) || ids.length === 0 },
  );
}

function heading(column: ResultTable["columns"][number]): string {
  const title = inLanguage(column.title, column.title_zh);
  return column.unit ? `${title} (${column.unit})` : title;
}
