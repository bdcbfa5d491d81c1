/** One problem: how it stands, who answers for it, and the renewal project that solves it. */
import { type Child, h, icon } from "../dom";
import { language, localized, SEPARATOR, t } from "../i18n";
import { openHandling } from "./handling";
import type { Store } from "./store";
import type { Problem } from "./types";
import { unitName, wordOf } from "./words";

/** Projects that are named; in the whole district lie all of them. */
const MOST_PROJECTS = 2;

/** The address of a renewal project in the supervision view. */
export function projectLink(id: string): string {
  return `/renewal#${new URLSearchParams({ project: id, lang: language() })}`;
}

export function projectAnchor(store: Store, id: string): HTMLElement {
  return h("a", { class: "project-link", href: projectLink(id), "data-project": id }, icon("phases"), h("span", {}, store.projectNames.get(id) ?? id));
}

export function stateTag(store: Store, { state }: Problem): HTMLElement {
  return h("span", { class: `tag problem-state ${state}` }, wordOf(store.overview, "problem-states", state));
}

/** The projects of a problem: the one that answers it, else those near. */
export function projectsOf(store: Store, { project, projects }: Problem): Child[] {
  if (project !== null) return [h("span", { class: "muted" }, t("checkup.problem.answeredBy")), projectAnchor(store, project)];
  if (projects.length === 0) return [h("span", { class: "muted" }, t("checkup.problem.noProject"))];
  const rest = projects.slice(MOST_PROJECTS);
  return [
    h("span", { class: "muted" }, t("checkup.problem.near")),
    ...projects.slice(0, MOST_PROJECTS).map((id) => projectAnchor(store, id)),
    rest.length > 0 && h("span", { class: "muted", title: rest.map((id) => store.projectNames.get(id) ?? id).join(SEPARATOR) }, t("checkup.evidence.more", { n: rest.length })),
  ];
}

/** `placed` where its place has to be named. */
export function problemCard(store: Store, problem: Problem, placed = false): HTMLElement {
  return h(
    "section",
    { class: "problem-card", "data-problem": problem.id },
    h("h3", {}, icon("warning"), placed ? unitName({ id: problem.unit, name: problem.name }) : t("checkup.problem"), stateTag(store, problem)),
    h("p", {}, h("span", { class: "muted" }, t("checkup.fact.department")), localized(problem.department)),
    h("p", { class: "problem-projects" }, ...projectsOf(store, problem)),
    problem.note !== "" && h("p", { class: "problem-note" }, problem.note),
    store.may("handle") && h("button", { type: "button", class: "button small", on: { click: () => openHandling(store, problem) } }, t("checkup.problem.handle")),
  );
}
