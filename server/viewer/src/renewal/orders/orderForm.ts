/** Writing an order: a new one, which is issued at once or kept as a draft, or a draft anew. */
import { h, icon } from "../../dom";
import { localized, t } from "../../i18n";
import { toast } from "../../ui/toast";
import { renewal } from "../api";
import { area, input, openForm, row, select } from "../../ui/keptForm";
import { writing } from "./api";
import type { Desk } from "./desk";
import type { NewOrder, Order, Urgency } from "./types";

const MOST_DAYS = 250;

/** The project of the order is told, or chosen; `draft` is one that is written anew. */
export async function openOrderForm(desk: Desk, project: string | null, draft: Order | null = null): Promise<void> {
  const { store } = desk;
  const ordered = [...store.projects.values()].filter(({ town }) => store.may("order", town));
  const projects = ordered.map(({ id, name }) => [id, name] as const);
  const which = select("order-project", t("order.project"), projects, project ?? projects[0]?.[0] ?? "");
  const title = input("order-title", t("order.title"), { required: true, maxlength: 200, value: draft?.title ?? "", autofocus: true });
  const issue = area("order-issue", t("order.issue"), { required: true, rows: 5 }, { hint: t("order.issueHint") });
  const units = store.overview.units.map(({ id, title: name }) => [id, localized(name)] as const);
  const unit = select("order-unit", t("order.unit"), [], "");
  // Another town does not see the project, so it could never answer.
  const offerUnits = (chosen: string) => {
    const town = store.projects.get(which.control.value)?.town;
    const able = store.overview.units.filter(({ id, kind }) => kind === "department" || id === town);
    unit.control.replaceChildren(...able.map(({ id, title: name }) => h("option", { value: id }, localized(name))));
    unit.control.value = chosen || town || "";
  };
  offerUnits(draft?.unit ?? "");
  const task = select("order-task", t("order.task"), [["", t("order.noTask")]], "");
  const slips = (["yellow", "red", "blue"] as const).map((one) => [one, t(`order.slip.${one}`)] as const);
  const light = select("order-light", t("order.slip"), slips, draft?.light ?? "yellow");
  const days = input("order-days", t("order.days"), { type: "number", min: 1, max: MOST_DAYS, required: true, value: draft?.days ?? 5 }, { hint: t("order.daysHint") });
  const also = h("select", { id: "order-also", multiple: true, size: 4 }, ...units.map(([id, name]) => h("option", { value: id, selected: draft?.cooperating?.includes(id) }, name)));
  const now = h("input", { type: "checkbox", id: "order-now", checked: true });
  issue.control.value = draft?.issue ?? "";

  const loadTasks = async () => {
    const tasks = which.control.value === store.detail?.id ? store.detail.tasks : (await renewal.project(which.control.value, store.moment)).tasks;
    const choices = [h("option", { value: "" }, t("order.noTask")), ...tasks.map((one) => h("option", { value: one.id }, one.title))];
    task.control.replaceChildren(...choices);
    task.control.value = draft?.task ?? "";
  };
  const otherProject = () => {
    offerUnits("");
    void loadTasks().catch(() => task.control.replaceChildren(h("option", { value: "" }, t("order.noTask"))));
  };
  which.control.addEventListener("change", otherProject);

  const written = (): NewOrder => ({
    project: which.control.value,
    title: title.control.value.trim(),
    issue: issue.control.value.trim(),
    unit: unit.control.value,
    light: light.control.value as Urgency,
    days: Number(days.control.value),
    cooperating: [...also.selectedOptions].map(({ value }) => value).filter((id) => id !== unit.control.value),
    ...(task.control.value ? { task: task.control.value } : {}),
  });
  // What the first try already made is not made twice by the next one.
  let made: { id: string; version: number } | null = draft;
  let version = draft?.version ?? 0;
  const send = async () => {
    if (draft) {
      const { project: _, ...change } = written();
      made = await writing.changeOrder(draft.id, version, change);
    } else made ??= await writing.addOrder(written());
    if (now.checked) await writing.step(made.id, made.version, "issue", {});
    toast(t(now.checked ? "order.wasIssued" : "order.wasKept"));
    if (project !== null) desk.look(made.id);
    await desk.after();
  };
  const again = async () => {
    const newest = await writing.order((made ?? draft)!.id);
    version = newest.version;
    if (made) made.version = version;
    return h("p", {}, newest.title, h("br"), newest.issue);
  };
  openForm({
    key: `order ${draft?.id ?? `new ${project ?? ""}`}`,
    title: t(draft ? "order.editDraft" : "order.new"),
    about: project !== null && (store.projects.get(project)?.name ?? project),
    wide: true,
    parts: [
      project === null && which.element,
      title.element,
      issue.element,
      row(unit, task),
      row(light, days),
      h(
        "details",
        { class: "options" },
        h("summary", {}, icon("chevron"), t("order.cooperating")),
        h("div", { class: "field" }, h("label", { for: "order-also" }, t("order.cooperating")), also, h("p", { class: "muted" }, t("order.severalHint"))),
      ),
      h("label", { class: "tick" }, now, t("order.issueNow")),
    ],
    action: t(draft ? "order.save" : "order.create"),
    send,
    again,
  });
  await loadTasks().catch(() => undefined);
}
