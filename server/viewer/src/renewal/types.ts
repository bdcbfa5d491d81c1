/** What the server tells of renewal. Days are ISO text, moments milliseconds since 1970, areas m², money CNY, shares 0–1. */
import type { Localized } from "../data/types";
import type { Geometry } from "../districtMap/outlines";

export const LIGHTS = ["red", "yellow", "green"] as const;
export type Light = (typeof LIGHTS)[number];

/** A word with the colour it has on the map. */
export interface Coloured extends Localized {
  color: string;
}

export interface Words {
  project_types: Record<string, Localized>;
  modes: Record<string, Localized>;
  parcel_uses: Record<string, Coloured>;
  building_states: Record<string, Coloured>;
  household_states: Record<string, Localized>;
  order_states: Record<string, Localized>;
  periods: Record<string, Localized>;
}

export interface Metric {
  id: string;
  title: Localized;
  unit: string;
  /** What people see: so many `factor` of the unit. */
  shown: { factor: number; decimals: number; unit: Localized };
  source: "records" | "households" | "buildings";
}

export interface Titled {
  id: string;
  title: Localized;
}

export interface Template extends Titled {
  types: string[];
  modes: string[];
  stages: Titled[];
}

export interface LightRule extends Titled {
  light: Light;
  text: Localized;
  source: string;
  confidence: string;
}

export interface Unit extends Titled {
  kind: "town" | "department";
}

/** For all towns, or for some. */
export type Scope = "all" | string[];
export type Right = "report" | "order" | "edit" | "manage" | "households" | "export";

/** What `GET /renewal` answers. */
export interface Overview {
  words: Words;
  metrics: Metric[];
  templates: Template[];
  lights: { rules: LightRule[] };
  towns: Titled[];
  units: Unit[];
  span: { from: string; to: string } | null;
  revision: number;
  rights: Record<Right, Scope>;
}

/** How far something is and should be. */
export interface Shares {
  share_planned: number | null;
  share_actual: number | null;
  /** Actual less planned, in percentage points. */
  points: number | null;
}

export interface Standing extends Shares {
  target: number | null;
  planned: number | null;
  actual: number;
}

export interface ProjectMetric extends Standing {
  period_plan: number | null;
  period_actual: number | null;
  light: Light | null;
}

export interface Signing {
  due: number;
  signed: number;
  rate: number | null;
  gate: number;
  met: boolean;
}

export interface Open {
  open: number;
  overdue: number;
}

/** Its shares are those that its light follows from. */
export interface Project extends Shares {
  id: string;
  version: number;
  name: string;
  type: string;
  mode: string;
  town: string;
  village: string;
  entity: string;
  partner: string;
  lead: string;
  template: string;
  stage: string | null;
  light: Light;
  reasons: { rule: string; light: Light; text: Localized }[];
  signing: Signing;
  metrics: Record<string, ProjectMetric>;
  buildings: Record<string, number>;
  households: Record<string, number>;
  land_area: number | null;
  floor_area_existing: number | null;
  floor_area_planned: number | null;
  far: number | null;
  investment: number | null;
  approval: { number: string; date?: string } | null;
  orders: Open;
  boundary: Geometry | null;
  /** The floor area by the twin and as reported; `difference` only where the twin knows all of it. */
  demolished: { twin: number | null; reported: number; difference: number | null };
}

/** Some projects together; shares are the means of theirs. */
export interface Sums extends Shares {
  projects: number;
  lights: Record<Light, number>;
  metrics: Record<string, Standing>;
  signing: Signing;
  orders: Open;
}

export interface Town extends Sums, Titled {
  rank: number | null;
  boundary: Geometry | null;
}

export interface ProjectPage {
  at: string;
  known: number | null;
  revision: number;
  projects: Project[];
  totals: Sums;
}

export interface TownPage {
  at: string;
  towns: Town[];
  totals: Sums;
}

export interface StageStanding extends Titled {
  planned_start: string | null;
  planned_end: string | null;
  started: string | null;
  ended: string | null;
  state: "done" | "running" | "late" | "waiting";
}

export interface Task {
  id: string;
  version: number;
  project: string;
  title: string;
  unit?: string;
  stage?: string | null;
  start?: string | null;
  due?: string | null;
  done?: string | null;
  note?: string;
}

export interface Series {
  ends: string[];
  plan: (number | null)[];
  actual: (number | null)[];
}

/** One project with all there is. */
export interface ProjectDetail extends Project {
  document: Record<string, unknown>;
  parcels: { type: "Feature"; id?: string; geometry: Geometry | null; properties: Record<string, unknown> }[];
  stages: StageStanding[];
  tasks: Task[];
  series: Record<string, Series>;
}

/** The campaign from day to day; lists go by `days`. */
export interface Replay {
  days: string[];
  projects: Record<string, { lights: (Light | null)[]; shares: (number | null)[]; stages: (string | null)[] }>;
  towns: Record<string, { points: (number | null)[]; shares: (number | null)[]; red: number[] }>;
}

/** The states of the twin's buildings; `states` are places in the building states, `projects` in `projects` below. */
export interface BuildingPage {
  at: string;
  layers: { layer: string; features: string[]; states: number[]; projects: number[] }[];
  projects: string[];
}
