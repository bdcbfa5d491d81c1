/** A problem is assigned to a renewal project, solved, or opened again. */
import { h } from "../dom";
import { formatTime, localized, SEPARATOR, t } from "../i18n";
import { area, openForm, select } from "../ui/keptForm";
import { toast } from "../ui/toast";
import { checkup } from "./api";
import type { Store } from "./store";
import { type Problem, PROBLEM_STATES } from "./types";
import { unitName, valueText, withUnit, wordOf } from "./words";

export function openHandling(store: Store, problem: Problem): void {
  const indicator = store.run?.indicators.find(({ code }) => code === problem.code);
  const stateName = (state: string) => wordOf(store.overview, "problem-states", state);
  const state = select("problem-state", t("checkup.problem.state"), PROBLEM_STATES.map((one) => [one, stateName(one)] as const), problem.state);
  // Those near come first.
  const near = new Set(problem.projects);
  const rest = [...store.projectNames.keys()].filter((id) => !near.has(id));
  const titled = (id: string) => store.projectNames.get(id) ?? id;
  const project = select(
    "problem-project",
    t("checkup.problem.project"),
    [["", t("checkup.problem.none")], ...problem.projects.map((id) => [id, `${titled(id)} – ${t("checkup.problem.nearMark")}`] as const), ...rest.map((id) => [id, titled(id)] as const)],
    problem.project ?? "",
  );
  const note = area("problem-note", t("checkup.problem.note"), { rows: 3 }, { hint: t("checkup.problem.noteHint") });
  note.control.value = problem.note;
  project.control.addEventListener("change", () => {
    if (project.control.value !== "" && state.control.value === "open") state.control.value = "assigned";
  });
  let version = problem.version;
  const history = problem.history.map(({ recorded, name, change }) => {
    const told = [change["state"] && stateName(String(change["state"])), change["project"] && titled(String(change["project"])), change["note"]].filter(Boolean).join(SEPARATOR);
    return h("li", {}, h("small", { class: "muted" }, [formatTime(new Date(recorded).toISOString()), name].filter(Boolean).join(SEPARATOR)), h("span", {}, told));
  });
  openForm({
    key: `problem ${problem.id}`,
    title: t("checkup.problem.handle"),
    about: h(
      "div",
      {},
      h("strong", {}, indicator ? localized(indicator.name) : problem.code),
      h("p", {}, [unitName({ id: problem.unit || t("checkup.wholeDistrict"), name: problem.unit ? problem.name : null }), indicator ? withUnit(indicator, problem.value) : valueText({ decimals: 2 }, problem.value)].join(SEPARATOR)),
    ),
    parts: [state.element, project.element, note.element, history.length > 0 && h("section", {}, h("h3", {}, t("checkup.problem.history")), h("ul", { class: "problem-history" }, ...history))],
    action: t("form.save"),
    send: async () => {
      await checkup.handle(problem.id, version, { state: state.control.value, project: project.control.value || null, note: note.control.value.trim() });
      toast(t("checkup.problem.saved"));
      await store.loadProblems();
    },
    again: async () => {
      await store.loadProblems();
      const now = store.problems.find(({ id }) => id === problem.id);
      if (!now) return h("p", {}, t("checkup.problem.gone"));
      version = now.version;
      return h("p", {}, [stateName(now.state), now.project && titled(now.project), now.note].filter(Boolean).join(SEPARATOR));
    },
  });
}
