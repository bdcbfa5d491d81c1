/** A task: what, by whom, from when to when, and whether it is done. */
import { h } from "../../dom";
import { localized, t } from "../../i18n";
import { toast } from "../../ui/toast";
import { renewal } from "../api";
import { today } from "../days";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { ProjectDetail, Task } from "../types";
import { stageName, unitName } from "../words";
import { area, input, openForm, row, select } from "../../ui/keptForm";
import { comma } from "../chosen/punctuation";

export function openTask(desk: Desk, project: ProjectDetail, task: Task | null): void {
  const { store } = desk;
  const title = input("task-title", t("task.what"), { required: true, maxlength: 200, value: task?.title ?? "" });
  const units = store.overview.units.map(({ id, title: name }) => [id, localized(name)] as const);
  const unit = select("task-unit", t("task.unit"), [["", t("task.noUnit")], ...units], task?.unit ?? "");
  const stages = project.stages.map(({ id }) => [id, stageName(store, id, project.template)] as const);
  const stage = select("task-stage", t("task.stage"), [["", t("task.noStage")], ...stages], task?.stage ?? "");
  const date = (name: "start" | "due" | "done", label: string) => input(`task-${name}`, label, { type: "date", value: task?.[name] ?? "" });
  const [start, due, done] = [date("start", t("task.start")), date("due", t("task.due")), date("done", t("task.done"))];
  const note = area("task-note", t("task.note"), { rows: 3 });
  note.control.value = task?.note ?? "";
  let version = task?.version ?? 0;
  const controls = { title, unit, stage, start, due, done, note };
  const send = async () => {
    // What was emptied goes; what was left as it was is not written over what somebody else made of it.
    const change: Record<string, string | null> = {};
    for (const [name, { control }] of Object.entries(controls)) {
      const [before, value] = [(task?.[name as keyof Task] as string | null | undefined) ?? "", control.value.trim()];
      if (value !== before) change[name] = value || null;
    }
    if (task) {
      if (Object.keys(change).length > 0) await writing.changeTask(task.id, version, today(), change);
    } else await writing.addTask(project.id, today(), Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)));
    toast(t("task.saved"));
    await desk.after();
  };
  const again = async () => {
    const now = (await renewal.project(project.id, { at: today(), known: null })).tasks.find(({ id }) => id === task?.id);
    if (!now) return h("p", {}, t("task.gone"));
    version = now.version;
    const dates = [now.start, now.due, now.done].map((day) => day ?? "–").join(" / ");
    return h("p", {}, h("strong", {}, now.title), " ", [now.unit && unitName(store, now.unit), dates].filter(Boolean).join(comma()));
  };
  openForm({
    key: `task ${task?.id ?? `new ${project.id}`}`,
    title: t(task ? "task.change" : "task.add"),
    about: project.name,
    parts: [title.element, row(unit, stage), row(start, due, done), note.element],
    action: t("form.save"),
    send,
    again,
  });
}
