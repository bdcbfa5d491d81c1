/** What other signal times would bring: asked of the analysis `signal-timing`, whose inputs make the form. */
import { api } from "../../data/api";
import { type Cell, isTable, type InputSchema, type ProcessDescription, type ProcessInput, type ProcessResult, type ResultTable } from "../../data/processes";
import { h, icon, replace } from "../../dom";
import { formatNumber, formatUnit, language, said, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { openReceipt } from "../../ui/receipt";
import type { Plan } from "../types";
import { Answer } from "./answer";
import type { PanelStore } from "./store";
import { type Names, turnWord } from "./words";

const PROCESS = "signal-timing";

/** Null for who may not ask it. */
async function describe(): Promise<ProcessDescription | null> {
  const known = await api.processes();
  return known.some(({ id }) => id === PROCESS) ? api.process(PROCESS) : null;
}

/** Inputs that the panel knows already. */
export function knownInputs({ intersection, layer, start, end }: { intersection: string; layer: string; start: number; end: number }, plan: string | null): Record<string, unknown> {
  return { intersection, layer, start: new Date(start).toISOString(), end: new Date(end).toISOString(), ...(plan === null ? {} : { plan }) };
}

/** The numbers that somebody may try: all that has to be typed and is not known. */
export function triedInputs({ inputs }: Pick<ProcessDescription, "inputs">, known: Record<string, unknown>): [string, ProcessInput][] {
  return Object.entries(inputs).filter(([name, { schema }]) => !(name in known) && (schema.type === "number" || schema.type === "integer"));
}

/** Numbers as the schema has them; an empty field leaves it to the default. */
export function numberGiven(text: string, { type }: Pick<InputSchema, "type">): number | undefined {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) return undefined;
  return type === "integer" ? Math.round(value) : value;
}

/** A cell as it is read: approaches, turns and groups have names. */
function cellText({ name }: ResultTable["columns"][number], cell: Cell | undefined, names: Names): string {
  if (cell === null || cell === undefined || cell === "") return "–";
  if (name === "link") return names.approach(String(cell));
  if (name === "turn") return turnWord(String(cell));
  if (name === "group") return names.phase(String(cell));
  return typeof cell === "number" ? formatNumber(cell, 2) : String(cell);
}

function title({ title, title_zh, unit }: ResultTable["columns"][number]): string {
  const name = said(title, title_zh);
  return unit ? `${name} (${formatUnit(unit)})` : name;
}

/** One row is a list of figures, several are a table. */
function tableOf({ columns, rows }: ResultTable, names: Names): HTMLElement {
  const [first] = rows;
  if (first && rows.length === 1)
    return h("dl", { class: "crossing-figures" }, ...columns.map((column, i) => h("div", {}, h("dt", { title: title(column) }, title(column)), h("dd", {}, cellText(column, first[i], names)))));
  const number = (cell: Cell | undefined) => (typeof cell === "number" ? "number" : "");
  return h(
    "div",
    { class: "table-scroll", tabindex: 0 },
    h(
      "table",
      { class: "data-table" },
      h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, title(column))))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...columns.map((column, i) => h("td", { class: number(row[i]) }, cellText(column, row[i], names)))))),
    ),
  );
}

export function whatIf(store: PanelStore) {
  const form = h("form", { class: "crossing-ask" });
  const result = h("div", { class: "crossing-answer", "aria-live": "polite" });
  const heading = h("h3");
  const about = h("p", { class: "muted" });
  const element = h("section", { class: "crossing-whatif" }, heading, about, form, result);
  const described: Answer<ProcessDescription | null> = new Answer(() => draw(plan));
  const answer: Answer<ProcessResult> = new Answer(() => drawResult());
  const typed = new Map<string, string>();
  let plan: Plan | null = null;
  let formOf = "";

  const inputs = () => {
    const question = store.question();
    return question && knownInputs(question, plan?.id ?? null);
  };

  const ask = () => {
    const known = inputs();
    const { value: process } = described;
    if (!known || !process) return;
    const given: Record<string, unknown> = Object.fromEntries(Object.entries(known).filter(([name]) => name in process.inputs));
    for (const [name, { schema }] of triedInputs(process, known)) {
      const value = numberGiven(typed.get(name) ?? "", schema);
      if (value !== undefined) given[name] = value;
    }
    answer.stale();
    answer.want(JSON.stringify(given), () => api.execute(PROCESS, given));
    drawResult();
  };

  const drawForm = (process: ProcessDescription) => {
    const fields = triedInputs(process, inputs() ?? {}).map(([name, input]) => {
      const { minimum, maximum, default: usual } = input.schema;
      const field = h("input", { type: "number", name, step: "any", min: minimum, max: maximum, value: typed.get(name) ?? "", placeholder: typeof usual === "number" ? formatNumber(usual) : "" });
      field.addEventListener("input", () => typed.set(name, field.value));
      const label = said(input.title, input.title_zh);
      return h("label", { class: "crossing-select", title: said(input.description ?? "", input.description_zh) }, h("span", {}, input.unit ? `${label} (${formatUnit(input.unit)})` : label), field);
    });
    replace(form, ...fields, h("button", { type: "submit", class: "button primary small" }, icon("chart"), t("crossing.whatIf.ask")));
    form.onsubmit = (event) => {
      event.preventDefault();
      if (form.reportValidity()) ask();
    };
  };

  const drawResult = () => {
    const { value, error, busy } = answer;
    const process = described.value;
    form.querySelector("button")?.toggleAttribute("disabled", busy);
    if (busy && value === null) return replace(result, h("p", { class: "muted" }, t("crossing.whatIf.busy")));
    if (error) return replace(result, h("p", { class: "error-text" }, errorText(error)));
    const { names } = store;
    if (!value || !names) return replace(result);
    const parts = Object.entries(value).flatMap(([name, output]): HTMLElement[] => {
      if (isTable(output)) {
        const named = process?.outputs[name];
        return [h("h3", {}, said(named?.title ?? name, named?.title_zh)), tableOf(output, names)];
      }
      if (name !== "receipt" || !("href" in output)) return [];
      const open = () => void openReceipt(output.href.split("/").at(-1)!);
      return [h("button", { type: "button", class: "link", on: { click: open } }, icon("source"), t("crossing.whatIf.receipt"))];
    });
    replace(result, ...parts);
  };

  const draw = (now: Plan | null) => {
    plan = now;
    const signals = store.detail.value?.control === "signal";
    element.hidden = !signals || (!described.busy && !described.error && described.value === null);
    if (!signals) return;
    described.want(PROCESS, describe);
    heading.textContent = t("crossing.whatIf");
    about.textContent = described.error ? errorText(described.error) : described.value ? said(described.value.description ?? "", described.value.description_zh) : t("crossing.loading");
    const question = store.question();
    const from = `${language()} ${described.value !== null} ${question?.intersection} ${question?.layer} ${question?.start} ${question?.end} ${plan?.id}`;
    if (from === formOf || !described.value || !question) return;
    const other = formOf !== "" && from.slice(3) !== formOf.slice(3);
    formOf = from;
    if (other) answer.forget(); // it was about something else
    drawForm(described.value);
    drawResult();
  };
  return { element, draw };
}
