/** The dates of all stages of a project in one table. */
import { h } from "../../dom";
import { localized, t } from "../../i18n";
import { toast } from "../../ui/toast";
import { renewal } from "../api";
import { today } from "../days";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { ProjectDetail, StageStanding } from "../types";
import { input, openForm } from "../../ui/keptForm";
import { comma } from "../chosen/punctuation";

const DATES = ["planned_start", "planned_end", "started", "ended"] as const;

export function openStageDates(desk: Desk, project: ProjectDetail): void {
  const cells = new Map<string, HTMLInputElement>();
  const cell = (stage: StageStanding, date: (typeof DATES)[number]) => {
    const name = `${localized(stage.title)}, ${t(`field.${date}`)}`;
    const control = h("input", { type: "date", id: `stage-${stage.id}-${date}`, "aria-label": name, value: stage[date] ?? "" });
    cells.set(`${stage.id} ${date}`, control);
    return h("td", {}, control);
  };
  const effective = input("stage-effective", t("form.effective"), { type: "date", required: true, max: today(), value: today() }, { hint: t("form.effectiveHint") });
  const table = h(
    "table",
    { class: "data-table form-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("chosen.stages")), ...DATES.map((date) => h("th", { scope: "col" }, t(`field.${date}`))))),
    h("tbody", {}, ...project.stages.map((stage) => h("tr", {}, h("th", { scope: "row" }, localized(stage.title)), ...DATES.map((date) => cell(stage, date))))),
  );
  let { version } = project;
  const changed = () => {
    const stages: Record<string, Record<string, string | null>> = {};
    for (const stage of project.stages)
      for (const date of DATES) {
        const value = cells.get(`${stage.id} ${date}`)!.value;
        if (value !== (stage[date] ?? "")) (stages[stage.id] ??= {})[date] = value || null;
      }
    return stages;
  };
  const send = async () => {
    const stages = changed();
    if (Object.keys(stages).length > 0) await writing.changeProject(project.id, version, effective.control.value, { stages });
    toast(t("stageDates.saved"));
    await desk.after();
  };
  const again = async () => {
    const now = await renewal.project(project.id, { at: today(), known: null });
    version = now.version;
    const touched = changed();
    const rows = now.stages.filter(({ id }) => id in touched);
    return h(
      "ul",
      {},
      ...rows.map((stage) => h("li", {}, `${localized(stage.title)}: ${DATES.map((date) => `${t(`field.${date}`)} ${stage[date] ?? "–"}`).join(comma())}`)),
    );
  };
  openForm({
    key: `stages ${project.id}`,
    title: t("stageDates.title"),
    about: project.name,
    wide: true,
    parts: [h("div", { class: "table-scroll" }, table), effective.element],
    action: t("form.save"),
    send,
    again,
  });
}
