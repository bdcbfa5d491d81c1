/** What was done in a period: a line for each metric, new or corrected, and verified by somebody else. */
import { h, icon, replace } from "../../dom";
import { localized, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";
import { today } from "../days";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { ProgressDocument, Subject } from "../orders/types";
import type { Metric, ProjectDetail } from "../types";
import { amountWithUnit, unitOf } from "../words";
import { input, openForm, row, select } from "../../ui/keptForm";
import { lastEnd, type PeriodName, periodOf } from "./periods";

type Stored = Subject<ProgressDocument>;

interface Line {
  metric: Metric;
  plan: HTMLInputElement;
  actual: HTMLInputElement;
  status: HTMLElement;
  /** What is reported already. */
  record: Stored | null;
}

/** What is typed is in the unit people see; what is sent in the metric's own. */
export function inUnit(metric: Metric, text: string): number | null {
  if (text.trim() === "") return null;
  return Number((Number(text) * metric.shown.factor).toPrecision(12));
}

export function asTyped(metric: Metric, value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(Number((value / metric.shown.factor).toPrecision(12)));
}

export async function openProgress(desk: Desk, project: ProjectDetail): Promise<void> {
  const { store } = desk;
  const reported = store.overview.metrics.filter(({ source }) => source === "records");
  const period = select("progress-period", t("progress.period"), [["week", localized(store.overview.words.periods["week"])], ["month", localized(store.overview.words.periods["month"])]], "week");
  const end = input("progress-end", t("progress.end"), { type: "date", required: true, max: today(), value: lastEnd(desk.day, "week") });
  const span = h("p", { class: "muted", "aria-live": "polite" });
  const lines = reported.map((metric) => newLine(metric));
  const table = h(
    "table",
    { class: "data-table form-table" },
    h("thead", {}, h("tr", {}, ...[t("progress.metric"), t("progress.plan"), t("progress.actual"), t("progress.status")].map((title) => h("th", { scope: "col" }, title)))),
    h(
      "tbody",
      {},
      ...lines.map(({ metric, plan, actual, status }) =>
        h("tr", {}, h("th", { scope: "row" }, localized(metric.title), h("span", { class: "muted" }, ` ${unitOf(metric)}`)), h("td", {}, plan), h("td", {}, actual), h("td", { class: "progress-status" }, status)),
      ),
    ),
  );
  const rows = h("fieldset", { class: "table-scroll", "aria-label": t("progress.title") }, table);
  let asked = 0;
  const chosen = () => periodOf(end.control.value || today(), period.control.value as PeriodName);
  const mayVerify = store.may("order", project.town);

  const showStatus = (line: Line) => {
    const { record } = line;
    const by = record?.document.verified_by;
    line.plan.readOnly = line.actual.readOnly = by !== undefined && !mayVerify;
    if (!record) return replace(line.status, h("span", { class: "muted" }, t("progress.new")));
    const verify = h("button", { type: "button", class: "link", on: { click: () => void verifyLine(line) } }, icon("check"), t("progress.verify"));
    replace(
      line.status,
      h("span", { class: by === undefined ? "muted" : "tag good" }, by === undefined ? t("progress.reportedBy", { who: record.document.reporter || "–" }) : t("progress.verifiedBy", { who: by })),
      by === undefined && mayVerify && verify,
    );
  };
  const verifyLine = async (line: Line) => {
    try {
      line.record = await writing.verifyProgress(line.record!.id, line.record!.version);
      showStatus(line);
      await desk.after();
    } catch (error) {
      replace(line.status, h("span", { class: "error-text", role: "alert" }, errorText(error)));
    }
  };

  /** The records of the period that is chosen; with `keep` what was typed stays. */
  const load = async (keep: boolean): Promise<Stored[]> => {
    const [from, to] = chosen();
    span.textContent = t("progress.span", { from, to });
    const mine = ++asked;
    // Nobody types into what is about to be filled.
    rows.disabled = true;
    let records: Stored[];
    try {
      records = (await writing.progress(project.id, { from, to })).filter(({ document }) => document.period === period.control.value);
    } finally {
      rows.disabled = mine !== asked;
    }
    if (mine !== asked) return [];
    for (const line of lines) {
      line.record = records.find(({ document }) => document.metric === line.metric.id) ?? null;
      if (!keep) {
        line.plan.value = asTyped(line.metric, line.record?.document.plan);
        line.actual.value = asTyped(line.metric, line.record?.document.actual);
      }
      showStatus(line);
    }
    return records;
  };
  const reload = () => void load(false).catch((error: unknown) => (span.textContent = errorText(error)));
  period.control.addEventListener("change", reload);
  end.control.addEventListener("change", reload);

  const send = async () => {
    const [start, last] = chosen();
    const fresh: ProgressDocument[] = [];
    if (lines.every(({ actual }) => actual.value === "")) throw new Error(t("progress.nothing"));
    for (const line of lines) {
      const [plan, actual] = [inUnit(line.metric, line.plan.value), inUnit(line.metric, line.actual.value)];
      if (actual === null) continue;
      const told = line.record?.document;
      if (!told) fresh.push({ metric: line.metric.id, period: period.control.value as PeriodName, start, end: last, actual, ...(plan === null ? {} : { plan }) });
      else if (told.actual !== actual || (told.plan ?? null) !== plan) {
        const effective = told.end < today() ? told.end : today();
        line.record = await writing.changeProgress(line.record!.id, line.record!.version, effective, { actual, plan });
      }
    }
    if (fresh.length > 0) await writing.addProgress(project.id, fresh);
    toast(t("progress.saved"));
    await desk.after();
  };
  const again = async () => {
    const records = await load(true);
    return h(
      "ul",
      {},
      ...records.map(({ document, by }) => {
        const metric = store.metric(document.metric);
        return h("li", {}, t("progress.now", { metric: localized(metric?.title), actual: amountWithUnit(metric, document.actual), who: by ?? "–" }));
      }),
    );
  };
  openForm({
    key: `progress ${project.id}`,
    title: t("progress.title"),
    about: project.name,
    wide: true,
    parts: [row(period, end), span, rows],
    action: t("progress.send"),
    send,
    again,
  });
  // A form that comes back has what was typed.
  const typed = lines.some(({ plan, actual }) => plan.value !== "" || actual.value !== "");
  await load(typed).catch((error: unknown) => (span.textContent = errorText(error)));
}

function newLine(metric: Metric): Line {
  const cell = (name: "plan" | "actual") =>
    h("input", { type: "number", min: 0, step: "any", inputmode: "decimal", id: `progress-${metric.id}-${name}`, "aria-label": `${localized(metric.title)}, ${t(`progress.${name}`)}` });
  return { metric, plan: cell("plan"), actual: cell("actual"), status: h("span", { "aria-live": "polite" }), record: null };
}
