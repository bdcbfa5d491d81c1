/** Stages as a Gantt, and the tasks with whoever answers for them. */
import { h, icon } from "../../dom";
import { t } from "../../i18n";
import { openProgress } from "../dialogs/progress";
import { openStageDates } from "../dialogs/stageDates";
import { openTask } from "../dialogs/task";
import type { Desk } from "../orders/desk";
import type { ProjectDetail, Task } from "../types";
import { stageName, unitName } from "../words";
import { gantt, ganttLegend } from "./gantt";
import { section } from "./overview";
import { comma } from "./punctuation";

type TaskState = "done" | "late" | "running" | "waiting";

/** How a task stands on a day. */
export function taskState({ start, due, done }: Pick<Task, "start" | "due" | "done">, at: string): TaskState {
  if (done && done <= at) return "done";
  if (due && due < at) return "late";
  return !start || start <= at ? "running" : "waiting";
}

export function stagesPage(desk: Desk, project: ProjectDetail): HTMLElement[] {
  const { store } = desk;
  const mayEdit = store.may("edit", project.town);
  const mayReport = store.may("report", project.town);
  const button = (name: "plus" | "gear" | "table", label: string, run: () => void) =>
    h("button", { type: "button", class: "button small", on: { click: run } }, icon(name), label);
  const tasks = [...project.tasks].sort((a, b) => (a.due ?? "9999").localeCompare(b.due ?? "9999"));
  return [
    section(
      t("chosen.stages"),
      project.stages.length > 0 ? gantt(project.stages, store.at) : h("p", { class: "muted" }, t("gantt.none")),
      ganttLegend(),
      (mayEdit || mayReport) &&
        h(
          "p",
          { class: "part-actions" },
          mayEdit && button("gear", t("stageDates.title"), () => openStageDates(desk, project)),
          mayReport && button("table", t("progress.title"), () => void openProgress(desk, project)),
        ),
    ),
    section(
      t("task.title"),
      tasks.length > 0
        ? h("ul", { class: "tasks" }, ...tasks.map((task) => entry(desk, project, task, mayEdit)))
        : h("p", { class: "muted" }, t("task.none")),
      mayEdit && h("p", { class: "part-actions" }, button("plus", t("task.add"), () => openTask(desk, project, null))),
    ),
  ];
}

function entry(desk: Desk, project: ProjectDetail, task: Task, mayEdit: boolean): HTMLElement {
  const { store } = desk;
  const state = taskState(task, store.at);
  const content = [
    h("span", { class: "task-mark", "aria-hidden": "true" }),
    h(
      "span",
      { class: "task-what" },
      h("strong", {}, task.title),
      h("span", { class: "muted" }, [task.unit && unitName(store, task.unit), task.stage && stageName(store, task.stage, project.template)].filter(Boolean).join(comma())),
    ),
    h(
      "span",
      { class: "task-when" },
      h("span", {}, task.done ? t("task.doneOn", { day: task.done }) : task.due ? t("task.dueOn", { day: task.due }) : ""),
      h("span", { class: `task-state ${state}` }, t(`task.state.${state}`)),
    ),
  ];
  return mayEdit
    ? h("li", { class: state }, h("button", { type: "button", "data-task": task.id, title: t("task.change"), on: { click: () => openTask(desk, project, task) } }, ...content))
    : h("li", { class: state }, h("div", {}, ...content));
}
