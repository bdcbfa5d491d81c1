/** The shapes of what is written about renewal: orders and the other subjects, each with its version. */
import type { Localized } from "../../data/types";

export type Urgency = "blue" | "yellow" | "red";
export type OrderState = "draft" | "issued" | "received" | "handling" | "answered" | "returned" | "closed" | "withdrawn";
export const ORDER_STATES: readonly OrderState[] = ["draft", "issued", "received", "handling", "answered", "returned", "closed", "withdrawn"];

export const STEPS = [
  "issue", "receive", "handle", "answer", "return", "close",
  "ask-extension", "grant-extension", "refuse-extension", "withdraw",
] as const;
export type Step = (typeof STEPS)[number];

export interface Feedback {
  date: string;
  text: string;
  by?: string;
  evidence?: string[];
}

export interface Extension {
  until: string;
  reason: string;
  state?: "asked" | "granted" | "refused";
  by?: string;
  /** What was said to it. */
  answer?: string;
}

/** What somebody who orders writes. */
export interface NewOrder {
  project: string;
  title: string;
  issue: string;
  unit: string;
  task?: string;
  cooperating?: string[];
  light: Urgency;
  days: number;
}

export interface Order extends Partial<NewOrder> {
  id: string;
  version: number;
  project: string;
  project_name: string;
  town: string;
  title: string;
  issue: string;
  unit: string;
  state: OrderState;
  number?: string;
  urgency: Urgency | null;
  overdue_days: number;
  /** The years of its time whose holidays were not known: there weekends alone were counted. */
  weekends_only: number[];
  /** What whoever looks may do with it now. */
  may: Step[];
  issued?: string;
  issued_by?: string;
  deadline?: string;
  feedback?: Feedback[];
  extensions?: Extension[];
  returned?: string;
  closed?: string;
  closed_by?: string;
  conclusion?: string;
}

export interface RenewalEvent {
  seq: number;
  /** Milliseconds since 1970. */
  recorded: number;
  effective: string;
  kind: Kind;
  id: string;
  version: number;
  /** A merge patch; null where it was removed. */
  change: Record<string, unknown> | null;
  /** Null for whoever is not told of people; empty for the program itself. */
  name: string | null;
}

export interface OrderDetail extends Order {
  events: RenewalEvent[];
}

export interface OrderPage {
  orders: Order[];
  counts: { open: number; overdue: number; by_state: Partial<Record<OrderState, number>> };
}

/** What is asked for with a step. */
export interface StepBody {
  text?: string;
  evidence?: string[];
  until?: string;
  deadline?: string;
}

export type Kind = "project" | "task" | "progress" | "building" | "household" | "order" | "evidence";

/** Anything that is kept, with its version. */
export interface Subject<Document> {
  kind: Kind;
  id: string;
  project: string;
  version: number;
  document: Document;
  /** Milliseconds since 1970. */
  changed: number;
  by: string | null;
}

export interface EvidenceDocument {
  name: string;
  media_type: string;
  size: number;
  note?: string;
  taken?: string;
  lon?: number;
  lat?: number;
}

export interface ProgressDocument {
  metric: string;
  period: "week" | "month";
  start: string;
  end: string;
  actual: number;
  plan?: number;
  note?: string;
  evidence?: string[];
  reporter?: string;
  verified_by?: string;
  verified?: string;
}

export interface BuildingDocument {
  state?: string;
  layer?: string;
  feature?: string;
  name?: string;
  floor_area?: number;
  storeys?: number;
  note?: string;
}

export interface HouseholdDocument {
  number: string;
  state?: string;
  building?: string;
  holder?: string;
  persons?: number;
  area_legal?: number;
  area_illegal?: number;
  note?: string;
}

/** What a plan has of a parcel, or a parcel has: m², ratios, m, and shares of its land from 0 to 1. */
export type Figures = Partial<Record<"land_area" | "footprint" | "floor_area" | "far" | "height" | "density" | "green_ratio", number | null>>;

export interface ParcelComparison {
  id: string;
  use: string;
  existing: Figures | null;
  planned: Figures | null;
  approved: Figures | null;
  /** The values that are above what was approved, or below where less is worse. */
  exceeds: string[];
}

export interface Comparison {
  parcels: ParcelComparison[];
  totals: Partial<Record<"existing" | "planned" | "approved", Figures>>;
}

/** A file that was brought, looked at row by row. */
export interface FileReport {
  rows: number;
  accepted: number;
  changes?: number;
  errors?: number;
  applied: boolean;
  findings: FileFinding[];
  projects?: unknown[];
}

export interface FileFinding {
  sheet: string;
  row: number;
  column: string;
  severity: "error" | "warning";
  text: Localized;
}

export interface CheckFinding {
  rule: string;
  severity: string;
  project: string | null;
  subject: string | null;
  text: Localized;
  values?: Record<string, unknown>;
}

export interface CheckReport {
  findings: CheckFinding[];
  counts: Record<string, number>;
}
