/** Indicators as the composer's form holds them, and as sets have them. */
import type { By, IndicatorDocument, Level } from "./types";

export const COMPARISONS = ["=", "≥", ">", "≤", "<"] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** A condition on a column; of several values, apart by commas, one has to be there. */
export interface Condition {
  column: string;
  comparison: Comparison;
  value: string;
}

export interface InputDraft {
  role: string;
  conditions: Condition[];
}

export const REACHES = ["radius", "minutes", "duty_area", ""] as const;

/** Facilities and how far they serve; no reach where they have to be inside. */
export interface SiteDraft extends InputDraft {
  reach: (typeof REACHES)[number];
  amount: string;
}

/** What an operator has to be told, in the order of the form. */
export interface Slot {
  name: string;
  /** What it is called in the form, if not by its name. */
  title?: string;
  kind: "input" | "sites" | "measure" | "column" | "number" | "on" | "flag";
  /** The input whose columns are meant. */
  of?: string;
  optional?: boolean;
  /** What stands there at first. */
  value?: string;
}

const WHAT: Slot = { name: "what", kind: "input" };
const SITES: Slot = { name: "sites", kind: "sites" };
const column = (name: string, of: string, optional = false): Slot => ({ name, kind: "column", of, optional });

/** The operators of formulas, as `analysis/checkup/formulas.py` has them. */
export const OPERATORS: Record<string, readonly Slot[]> = {
  coverage: [
    { name: "demand", kind: "input" }, SITES, { name: "within", kind: "input", optional: true }, { name: "on", kind: "on" },
    column("weight", "demand", true), { name: "every", kind: "flag" },
  ],
  density: [WHAT, { name: "measure", kind: "measure", of: "what" }, { name: "within", kind: "input" }, { name: "scale", kind: "number", value: "1" }],
  "per-capita": [WHAT, { name: "measure", kind: "measure", of: "what" }, { name: "population", kind: "input" }],
  share: [
    { name: "part", kind: "input" }, { name: "whole", kind: "input" }, { name: "measure", kind: "measure", of: "whole" },
    { name: "near", kind: "input", optional: true }, { name: "distance", kind: "number", optional: true },
  ],
  total: [
    WHAT, { name: "within", kind: "input", title: "inside", optional: true }, { name: "about", kind: "input", optional: true },
    { name: "measure", kind: "measure", of: "what" }, { name: "scale", kind: "number", value: "1" },
  ],
  gap: [
    WHAT, column("required", "what", true), column("of", "what", true), { name: "ratio", kind: "number", optional: true },
    { name: "whole", kind: "flag", title: "roundUp" }, column("existing", "what"),
  ],
  equipped: [{ name: "units", kind: "input" }, SITES, { name: "lacking", kind: "flag" }],
  loss: [WHAT, column("given", "what"), column("used", "what"), { name: "reverse", kind: "flag" }],
  mean: [WHAT, column("value", "what"), column("weight", "what"), { name: "harmonic", kind: "flag" }],
  "both-ends": [{ name: "trips", kind: "input" }, column("weight", "trips"), SITES],
};

export const MEASURES = ["count", "area", "length", "largest-area", "longest"] as const;

export interface Draft {
  /** What it began with: all of it that is not in the form stays as it is. */
  from: IndicatorDocument | null;
  code: string;
  name: { en: string; zh: string };
  level: Level;
  dimension: string;
  unit: { en: string; zh: string };
  decimals: number;
  direction: "higher" | "lower" | "none";
  /** Empty for none. */
  target: string;
  department: { en: string; zh: string };
  explanation: { en: string; zh: string };
  by: By;
  operator: string;
  inputs: Record<string, InputDraft>;
  sites: SiteDraft[];
  /** Columns, numbers, measures and flags by the name of their slot. */
  options: Record<string, string>;
}

export const EMPTY: Draft = {
  from: null, code: "own-1", name: { en: "", zh: "" }, level: "city", dimension: "", unit: { en: "%", zh: "%" }, decimals: 2, direction: "higher", target: "",
  department: { en: "", zh: "" }, explanation: { en: "", zh: "" }, by: "community", operator: "coverage", inputs: {}, sites: [], options: {},
};

type Where = Record<string, unknown>;
const LIMITS = { "≥": "min", "≤": "max", ">": "above", "<": "below" } as const;

function plain(text: string): string | number | boolean {
  const trimmed = text.trim();
  if (trimmed === "true" || trimmed === "false") return trimmed === "true";
  return trimmed !== "" && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
}

export function whereOf(conditions: readonly Condition[]): Where {
  const where: Where = {};
  for (const { column: name, comparison, value } of conditions) {
    if (name === "" || value.trim() === "") continue;
    if (comparison === "=") {
      const values = value.split(/[,，]/).map(plain);
      where[name] = values.length === 1 ? values[0] : values;
    } else where[name] = { ...(typeof where[name] === "object" && !Array.isArray(where[name]) ? where[name] : {}), [LIMITS[comparison]]: Number(value) };
  }
  return where;
}

export function conditionsOf(where: Where | undefined): Condition[] {
  return Object.entries(where ?? {}).flatMap(([name, value]): Condition[] => {
    if (Array.isArray(value)) return [{ column: name, comparison: "=", value: value.join(", ") }];
    if (typeof value !== "object" || value === null) return [{ column: name, comparison: "=", value: String(value) }];
    const limits = value as Record<string, number | null | undefined>;
    return Object.entries(LIMITS).flatMap(([comparison, key]) => (limits[key] == null ? [] : [{ column: name, comparison: comparison as Comparison, value: String(limits[key]) }]));
  });
}

function inputOf({ role, conditions }: InputDraft): Record<string, unknown> {
  const where = whereOf(conditions);
  return { input: role, ...(Object.keys(where).length > 0 ? { where } : {}) };
}

/** The formula of a draft; what is optional and empty is left out. */
export function formulaOf({ operator, inputs, sites, options }: Draft): IndicatorDocument["formula"] {
  const formula: IndicatorDocument["formula"] = { operator };
  for (const { name, kind, value } of OPERATORS[operator] ?? []) {
    const told = options[name] ?? value ?? "";
    if (kind === "input") {
      const input = inputs[name];
      if (input && input.role !== "") formula[name] = inputOf(input);
    } else if (kind === "sites") {
      formula[name] = sites.filter(({ role }) => role !== "").map((site) => ({ ...inputOf(site), ...(site.reach !== "" && site.amount !== "" ? { [site.reach]: Number(site.amount) } : {}) }));
    } else if (kind === "flag") {
      if (told === "true") formula[name] = true;
    } else if (kind === "number") {
      if (told !== "") formula[name] = Number(told);
    } else if (kind === "measure") formula[name] = told || "count";
    else if (told !== "") formula[name] = told;
  }
  return formula;
}

export function documentOf(draft: Draft): IndicatorDocument {
  const { from, code, name, level, dimension, unit, decimals, direction, target, department, explanation, by } = draft;
  return {
    ...from, code, name, level, dimension, unit: unit.en, unit_zh: unit.zh, decimals, direction, department, explanation,
    target: target === "" ? null : from?.target && target === String(from.target.value) ? from.target : { value: Number(target), source: "set in the composer", confidence: "recalled" },
    formula: formulaOf(draft),
    by: from && by === firstOf(from) ? from.by : by === "district" ? [] : [by],
  };
}

/** The kind of units that the form begins with, of those an indicator is told of. */
const firstOf = ({ by }: IndicatorDocument): By => by[by.length > 1 ? 1 : 0] ?? "district";

type Formula = Record<string, unknown>;

/** A draft to begin with: an indicator as a set has it. */
export function draftOf(document: IndicatorDocument): Draft {
  const { code, name, level, dimension, unit, unit_zh, decimals, direction, target, department, explanation, formula } = document;
  const draft: Draft = {
    ...EMPTY, from: document, code, name, level, dimension, unit: { en: unit, zh: unit_zh }, decimals, direction, department, explanation,
    target: target ? String(target.value) : "", by: firstOf(document), operator: formula.operator, inputs: {}, sites: [], options: {},
  };
  for (const { name: slot, kind } of OPERATORS[formula.operator] ?? []) {
    const value = (formula as Formula)[slot];
    if (value === undefined || value === null) continue;
    if (kind === "input") {
      const { input, where } = value as { input: string; where?: Where };
      draft.inputs[slot] = { role: input, conditions: conditionsOf(where) };
    } else if (kind === "sites") {
      draft.sites = (value as Formula[]).map((site) => {
        const reach = REACHES.find((one) => one !== "" && site[one] != null) ?? "";
        return { role: String(site["input"]), conditions: conditionsOf(site["where"] as Where | undefined), reach, amount: reach === "" ? "" : String(site[reach]) };
      });
    } else draft.options[slot] = String(value);
  }
  return draft;
}
