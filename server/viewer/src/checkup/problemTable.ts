/** The ledger of problems: which unit falls short of which target, who answers for it, and what solves it. */
import { type Child, h, icon, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { inOrder, sortHead, type SortKey } from "../ui/sorting";
import { openHandling } from "./handling";
import { projectsOf, stateTag } from "./problemCard";
import type { Store } from "./store";
import { type Problem, PROBLEM_STATES } from "./types";
import { byName, targetText, unitName, withUnit, wordOf } from "./words";

/** More rows than anybody reads would only make the page slow. */
const MOST_ROWS = 500;

export function problemTable(store: Store): HTMLElement {
  const sorted = { id: "code", down: false };
  let state = "";
  const states = h("select", { name: "problem-state", on: { change: () => ((state = states.value), draw()) } });
  const codes = h("select", { name: "problem-indicator", on: { change: () => store.filter({ problems: codes.value }) } });
  const note = h("p", { class: "muted", role: "status" });
  const head = h("tr");
  const body = h("tbody");
  const none = h("p", { class: "empty-note" });
  const element = h(
    "section",
    { class: "problem-stage" },
    h("header", {}, states, codes, note),
    h("div", { class: "projects-scroll", tabindex: 0, role: "region" }, h("table", { class: "problem-table" }, h("thead", {}, head), body), none),
  );
  const indicatorOf = ({ code }: Problem) => store.run?.indicators.find((entry) => entry.code === code);
  const nameOf = (problem: Problem) => localized(indicatorOf(problem)?.name) || problem.code;
  const placeOf = ({ unit, name }: Problem) => (unit === "" ? t("checkup.wholeDistrict") : unitName({ id: unit, name }));
  const columns: { id: string; name: () => string; key?: (problem: Problem) => SortKey; number?: boolean; cell: (problem: Problem) => Child }[] = [
    { id: "state", name: () => t("checkup.problem.state"), key: ({ state: of }) => PROBLEM_STATES.indexOf(of), cell: (problem) => stateTag(store, problem) },
    { id: "code", name: () => t("checkup.table.name"), key: ({ code }) => code, cell: (problem) => h("span", { class: "problem-indicator", title: nameOf(problem) }, h("code", {}, problem.code), nameOf(problem)) },
    {
      id: "place",
      name: () => t("checkup.problem.place"),
      key: placeOf,
      cell: (problem) => h("button", { type: "button", class: "link", title: t("checkup.onMap"), on: { click: () => show(store, problem) } }, icon("here"), h("span", {}, placeOf(problem)), h("small", { class: "muted" }, byName(store, problem.by))),
    },
    {
      id: "value",
      name: () => t("checkup.table.value"),
      number: true,
      cell: (problem) => {
        const entry = indicatorOf(problem);
        return entry ? h("span", { class: "problem-value" }, h("b", {}, withUnit(entry, problem.value)), h("small", { class: "muted" }, targetText(entry))) : String(problem.value);
      },
    },
    { id: "department", name: () => t("checkup.fact.department"), key: ({ department }) => localized(department), cell: ({ department }) => localized(department) },
    { id: "project", name: () => t("checkup.problem.project"), key: ({ projects }) => -projects.length, cell: (problem) => h("span", { class: "problem-projects" }, ...projectsOf(store, problem)) },
    { id: "handle", name: () => "", cell: (problem) => store.may("handle") && h("button", { type: "button", class: "button small", on: { click: () => openHandling(store, problem) } }, t("checkup.problem.handle")) },
  ];
  const sortBy = (id: string) => {
    sorted.down = id === sorted.id && !sorted.down;
    sorted.id = id;
    draw();
    head.querySelector<HTMLElement>("[aria-sort] button")?.focus();
  };
  const draw = () => {
    const code = store.field("problems");
    const all = store.problems;
    element.querySelector(".projects-scroll")!.setAttribute("aria-label", t("checkup.view.problems"));
    const count = (of: string) => all.filter((problem) => problem.state === of).length;
    states.setAttribute("aria-label", t("checkup.problem.state"));
    replace(states, h("option", { value: "" }, t("checkup.problem.anyState")), ...PROBLEM_STATES.map((one) => h("option", { value: one }, `${wordOf(store.overview, "problem-states", one)} (${count(one)})`)));
    states.value = state;
    const known = [...new Set(all.map((problem) => problem.code))].sort();
    codes.setAttribute("aria-label", t("checkup.table.name"));
    replace(codes, h("option", { value: "" }, t("checkup.problem.anyIndicator")), ...known.map((one) => h("option", { value: one }, `${one} ${nameOf(all.find((problem) => problem.code === one)!)}`)));
    codes.value = code;
    const found = all.filter((problem) => (state === "" || problem.state === state) && (code === "" || problem.code === code));
    note.textContent = t("checkup.problem.found", { n: found.length, all: all.length });
    replace(head, ...sortHead(columns.map((column) => ({ ...column, fixed: column.key === undefined })), sorted, sortBy));
    const key = columns.find(({ id }) => id === sorted.id)?.key ?? (({ code: of }: Problem) => of);
    replace(
      body,
      ...inOrder(found, key, sorted.down, placeOf).slice(0, MOST_ROWS).map((problem) =>
        h("tr", { "data-problem": problem.id }, ...columns.map(({ id, cell, number }) => (id === "place" ? h("th", { scope: "row" }, cell(problem)) : h("td", { class: number ? "number" : "" }, cell(problem))))),
      ),
    );
    none.hidden = found.length > 0;
    none.textContent = t("checkup.problem.nothing");
  };
  store.loaded.on(draw);
  store.problemsLoaded.on(draw);
  store.filtered.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}

function show(store: Store, { code, unit, by }: Problem): void {
  store.choose(code, unit, by);
  store.view = "map";
}
