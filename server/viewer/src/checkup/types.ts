/** What the server tells of check-ups. Shares are 0–1, values in the unit of their indicator. */
import type { Localized } from "../data/types";
import type { Geometry } from "../districtMap/outlines";

export const LEVELS = ["housing", "community", "block", "city"] as const;
export type Level = (typeof LEVELS)[number];
export const STATUSES = ["ready", "partial", "unavailable"] as const;
export type Status = (typeof STATUSES)[number];
export const BY = ["town", "community", "estate", "building", "cell"] as const;
export type By = (typeof BY)[number] | "district";
export type Right = "examine" | "edit" | "submit" | "handle" | "export";
export const PROBLEM_STATES = ["open", "assigned", "solved"] as const;
export type ProblemState = (typeof PROBLEM_STATES)[number];

export interface SetSummary {
  id: string;
  version: number;
  /** Of all it says: sets that come as files stay at version 1. Null for one that cannot be read. */
  digest: string | null;
  system: string;
  /** Null for a set that cannot be read; `problem` then says why. */
  year: number | null;
  problem: Localized | null;
  name: Localized;
  state: "shipped" | "draft" | "frozen";
  indicators: number;
  dimensions: Record<string, Localized>;
}

export interface RunSummary {
  id: string;
  title: string;
  set: string;
  set_version: number;
  set_digest: string | null;
  set_name: Localized;
  system: string;
  year: number;
  /** Milliseconds since 1970. */
  made: number;
  who: string | null;
  state: "draft" | "submitted";
  receipt: string | null;
  counts: { ready: number; partial: number; unavailable: number; met: number; failed: number };
  problems: { open: number; handled: number };
  /** Indicators that are made of what is not seen. */
  hidden: number;
}

export type WordList = Record<string, Localized>;

/** What `GET /checkup` answers. */
export interface Overview {
  sets: SetSummary[];
  runs: RunSummary[];
  words: Record<"levels" | "statuses" | "reasons" | "directions" | "units" | "methods" | "confidences" | "sources" | "problem-states" | "systems", WordList>;
  rights: Record<Right, boolean>;
  vital_signs: boolean;
}

export interface ValueEntry {
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  /** The share of the denominator that is known. */
  surveyed: number | null;
  status: Status;
  reason: string;
  reason_text: Localized | null;
  /** Null without a target or a value, and for what only stands for what is meant. */
  met: boolean | null;
}

export interface Target {
  value: number;
  source: string;
  confidence: "confirmed" | "recalled";
}

export interface IndicatorEntry {
  code: string;
  name: Localized;
  level: Level;
  dimension: string;
  unit: Localized;
  decimals: number;
  direction: "higher" | "lower" | "none";
  target: Target | null;
  department: Localized;
  explanation: Localized;
  formula: Record<string, unknown> & { operator: string };
  formula_text: Localized;
  method: string;
  by: By[];
  proxy: boolean;
  digest: string;
  value: ValueEntry;
}

export interface InputUsed {
  role: string;
  title: Localized;
  layer: string;
  version: number | null;
  date: string | null;
  features: number;
}

export interface Run extends RunSummary {
  dimensions: Record<string, Localized>;
  inputs: InputUsed[];
  indicators: IndicatorEntry[];
}

export interface UnitEntry extends ValueEntry {
  id: string;
  name: Localized;
  layer: string;
}

export interface UnitPage {
  by: By;
  units: UnitEntry[];
}

/** The units of a map, with their shapes. */
export interface UnitMap {
  type: "FeatureCollection";
  features: { type: "Feature"; id?: string; geometry: Geometry | null; properties: Omit<UnitEntry, "layer" | "reason" | "reason_text"> }[];
}

export interface EvidenceFeature {
  layer: string;
  id: string;
  name: string | null;
  class: string | null;
  value: number | null;
  bbox: number[] | null;
}

export interface Evidence {
  features: EvidenceFeature[];
  /** How many there are; the worst are named. */
  total: number;
  unserved: Geometry | null;
  inputs: InputUsed[];
  receipt: string | null;
}

export interface ProblemEvent {
  recorded: number;
  name: string | null;
  change: Record<string, unknown>;
}

export interface Problem {
  id: string;
  version: number;
  code: string;
  by: By;
  unit: string;
  name: Localized;
  value: number;
  target: number;
  department: Localized;
  place: [number, number];
  state: ProblemState;
  /** The renewal project that answers it, and those whose boundary meets its place. */
  project: string | null;
  projects: string[];
  note: string;
  confidence: Target["confidence"];
  history: ProblemEvent[];
}

export interface Change {
  code: string;
  name: Localized;
  unit: Localized;
  decimals: number;
  from: ValueEntry | null;
  to: ValueEntry | null;
  change: number | null;
  better: boolean | null;
  method_changed: boolean;
  what: Localized | null;
}

export type SignState = "normal" | "attention" | "alarm" | "unknown";

/** A vital sign: an indicator on a clock. */
export interface Sign {
  code: string;
  name: Localized;
  unit: Localized;
  decimals: number;
  value: number | null;
  status: Status;
  reason_text: Localized | null;
  state: SignState;
  thresholds: { attention: number | null; alarm: number | null; direction: "higher" | "lower" } | null;
  trend: [number, number | null][];
  change: number | null;
  explanation: Localized | null;
  method: string;
  source: string | Localized | null;
}

export interface SignBoard {
  at: number | string;
  signs: Sign[];
}

/** A role that layers play in formulas. */
export interface Role {
  role: string;
  title: Localized;
  geometry: string;
  columns: { name: string; unit: string }[];
  layer: string;
  present: boolean;
}

/** An indicator as a set has it. */
export interface IndicatorDocument {
  code: string;
  name: Localized;
  level: Level;
  dimension: string;
  unit: string;
  unit_zh: string;
  decimals: number;
  direction: "higher" | "lower" | "none";
  target?: Target | null;
  department: Localized;
  explanation: Localized;
  formula: Record<string, unknown> & { operator: string };
  by: By[];
  proxy?: boolean;
}

export interface SetDocument {
  id: string;
  system: string;
  year: number;
  name: Localized;
  source: string;
  dimensions: Record<string, Localized>;
  base?: string | null;
  without?: string[];
  indicators: IndicatorDocument[];
}
