/** All projects as a plain table: sortable, usable with keyboard and screen reader, and without WebGL. */
import { type Child, h, icon, replace } from "../dom";
import { language, languageChanged, localized, t } from "../i18n";
import { renewal } from "./api";
import { lamp } from "./chosen/lamp";
import type { Store } from "./store";
import { inOrder, sortHead } from "../ui/sorting";
import { LIGHTS, type Project } from "./types";
import { fixed, NOTHING } from "../figures";
import { amount, modeName, percent, points, stageName, townName, typeName, unitOf } from "./words";

const DEMOLISHED = "floor-area-demolished";
const INVESTED = "investment";

interface Column {
  id: string;
  name: () => string;
  /** What it is sorted by; null comes last. */
  key: (project: Project) => string | number | null;
  cell: (project: Project) => Child;
  number?: boolean;
}

function columns(store: Store): Column[] {
  const metric = (id: string) => store.metric(id);
  const withUnit = (name: string, unit: string) => (unit ? `${name} (${unit})` : name);
  return [
    { id: "light", name: () => t("renewal.filter.light"), key: ({ light }) => LIGHTS.indexOf(light), cell: ({ light }) => lamp(light) },
    {
      id: "name",
      name: () => t("renewal.table.name"),
      key: ({ name }) => name,
      cell: ({ id, name }) =>
        h("button", { type: "button", class: "link", title: t("renewal.table.openMap", { name }), on: { click: () => show(store, id) } }, name),
    },
    { id: "town", name: () => t("renewal.filter.town"), key: ({ town }) => townName(store, town), cell: ({ town }) => townName(store, town) },
    { id: "type", name: () => t("renewal.filter.type"), key: ({ type }) => typeName(store, type), cell: ({ type }) => typeName(store, type) },
    { id: "mode", name: () => t("renewal.filter.mode"), key: ({ mode }) => modeName(store, mode), cell: ({ mode }) => modeName(store, mode) },
    {
      id: "stage",
      name: () => t("renewal.filter.stage"),
      key: ({ stage, template }) => store.overview.templates.find(({ id }) => id === template)?.stages.findIndex(({ id }) => id === stage) ?? null,
      cell: ({ stage, template }) => stageName(store, stage, template),
    },
    {
      id: "demolished",
      name: () => withUnit(t("renewal.table.demolished"), unitOf(metric(DEMOLISHED))),
      key: ({ metrics }) => metrics[DEMOLISHED]?.actual ?? null,
      cell: ({ metrics }) => amount(metric(DEMOLISHED), metrics[DEMOLISHED]?.actual),
      number: true,
    },
    { id: "done", name: () => t("renewal.table.done"), key: ({ share_actual }) => share_actual, cell: ({ share_actual }) => percent(share_actual), number: true },
    { id: "due", name: () => t("renewal.table.due"), key: ({ share_planned }) => share_planned, cell: ({ share_planned }) => percent(share_planned), number: true },
    { id: "points", name: () => t("renewal.table.points"), key: (project) => project.points, cell: (project) => points(project.points), number: true },
    { id: "signing", name: () => t("renewal.table.signing"), key: ({ signing }) => signing.rate, cell: ({ signing }) => percent(signing.rate), number: true },
    {
      id: "investment",
      name: () => withUnit(t("renewal.table.investment"), unitOf(metric(INVESTED))),
      key: ({ metrics }) => metrics[INVESTED]?.actual ?? null,
      cell: ({ metrics }) => amount(metric(INVESTED), metrics[INVESTED]?.actual),
      number: true,
    },
    { id: "orders", name: () => t("renewal.table.orders"), key: ({ orders }) => orders.open, cell: ({ orders }) => fixed(orders.open, 0), number: true },
    {
      id: "overdue",
      name: () => t("renewal.table.overdue"),
      key: ({ orders }) => orders.overdue,
      cell: ({ orders }) => (orders.overdue > 0 ? h("b", { class: "bad" }, fixed(orders.overdue, 0)) : "0"),
      number: true,
    },
  ];
}

function show(store: Store, id: string): void {
  store.choose(id);
  store.mode = "map";
}

export function projectTable(store: Store): HTMLElement {
  let sorted = "light";
  let down = false;
  const heading = h("h2", { id: "table-title" });
  const file = h("a", { class: "button small", download: "" });
  const note = h("p", { class: "unseen", role: "status" });
  const head = h("tr");
  const body = h("tbody");
  const none = h("p", { class: "empty-note" });
  const element = h(
    "section",
    { class: "table-stage", "aria-labelledby": "table-title", hidden: true },
    h("header", {}, heading, file, note),
    h("div", { class: "projects-scroll", tabindex: 0, "aria-labelledby": "table-title", role: "region" }, h("table", {}, h("thead", {}, head), body), none),
  );

  const sortBy = (id: string) => {
    down = id === sorted ? !down : false;
    sorted = id;
    draw();
    head.querySelector<HTMLElement>("[aria-sort] button")?.focus();
  };
  const draw = () => {
    if (element.hidden) return;
    const all = columns(store);
    const by = all.find(({ id }) => id === sorted)!;
    heading.textContent = t("renewal.table");
    note.textContent = t("renewal.table.sortedBy", { name: by.name() });
    file.hidden = !store.may("export");
    file.href = renewal.projectsFile(store.moment, store.filters, language());
    replace(file, icon("download"), t("renewal.table.csv"));
    replace(head, ...sortHead(all, { id: sorted, down }, sortBy));
    const rows = inOrder(store.found, by.key, down, ({ id }) => id);
    replace(
      body,
      ...rows.map((project) =>
        h(
          "tr",
          { "data-project": project.id, class: project.id === store.chosen ? "chosen" : "", title: project.reasons.map(({ text }) => localized(text)).join("\n") || null },
          ...all.map(({ id, cell, number }) => {
            const content = cell(project) ?? NOTHING;
            return id === "name" ? h("th", { scope: "row" }, content) : h("td", { class: number ? "number" : "" }, content);
          }),
        ),
      ),
    );
    none.hidden = rows.length > 0;
    none.textContent = t("renewal.table.none");
  };
  store.modeChanged.on(() => {
    element.hidden = store.mode !== "table";
    draw();
  });
  element.hidden = store.mode !== "table";
  store.loaded.on(draw);
  store.chosenChanged.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
