/** What the server tells of roads and traffic, as far as the viewer reads it. Times are milliseconds since 1970. */
import type { App } from "../app";
import type { Signal } from "../signal";
import type { trafficApi } from "./api";

/** Degrees, and where known metres. */
export type LonLat = readonly [number, number, number?];
export type Extent = readonly [number, number];

/** In the order of the numbers of T/CSAE 53. */
export const LIGHTS = [
  "unknown", "dark", "flashing-red", "red", "flashing-green", "permissive-green", "protected-green", "yellow", "flashing-yellow",
] as const;
export type Light = (typeof LIGHTS)[number];

/** In the order of the live channel's numbers. */
export const ROAD_USERS = [
  "unknown", "passenger", "light-truck", "truck", "motorcycle", "bus", "emergency", "bicycle", "pedestrian", "other",
] as const;
export type RoadUser = (typeof ROAD_USERS)[number];

export type Turn = "left" | "straight" | "right" | "uturn";

export interface TrafficLayer {
  layer: string;
  title: string;
  positions: Extent | null;
  signals: Extent | null;
  controller: Extent | null;
  live: boolean;
}

export interface Lane {
  id: string;
  link: string;
  number: number;
  type?: "driving" | "bus" | "bike" | "sidewalk" | "crosswalk" | "tram" | "parking" | "shoulder";
  turns?: Turn[];
  width: number;
  speed: number;
  line: LonLat[];
}

export interface Connection {
  id: string;
  intersection: string;
  from_lane: string;
  to_lane: string;
  turn: Turn;
  group?: string | null;
  line: LonLat[];
  conflicts?: string[];
}

export interface Crosswalk {
  id: string;
  intersection: string;
  link?: string | null;
  group?: string | null;
  area: LonLat[];
}

export interface SignalGroup {
  id: string;
  intersection: string;
  kind?: "vehicle" | "pedestrian" | "bike" | "tram";
  number?: number | null;
}

export interface Phase {
  duration: number;
  /** Of each group; others are red. */
  lights: Record<string, Light>;
  name?: string;
  shortest?: number | null;
  longest?: number | null;
}

export interface Plan {
  id: string;
  intersection: string;
  /** Seconds after midnight UTC modulo the cycle. */
  offset?: number;
  phases: Phase[];
}

export interface Device {
  id: string;
  kind: string;
  place: LonLat;
  model?: string;
  status?: "online" | "offline" | "unknown";
  thing?: string | null;
}

/** What a group shows: since when, and for how many seconds more, where that is known. */
export interface GroupState {
  light: Light;
  remaining: number | null;
  since: number | string | null;
}

export interface IntersectionSummary {
  layer: string;
  id: string;
  name: string;
  name_en: string;
  control: "signal" | "priority" | "none";
  place: LonLat;
  approaches: number;
  lanes: number;
  completeness: number | null;
  has_state: boolean;
}

export interface Intersection {
  layer: string;
  id: string;
  name: string;
  name_en: string;
  control: "signal" | "priority" | "none";
  place: LonLat;
  area: LonLat[];
  approaches: { link: string; name: string; bearing: number; lanes: string[] }[];
  exits: string[];
  lanes: Lane[];
  connections: Connection[];
  crosswalks: Crosswalk[];
  groups: SignalGroup[];
  plans: Plan[];
  /** The plan in force. */
  plan: string | null;
  devices: Device[];
  restrictions: Record<string, unknown>[];
  works: Record<string, unknown>[];
  report: { score: number; missing: { what: string; where: string; message: string }[] } | null;
  state: { at: number; age: number; lights: Record<string, GroupState>; vehicles: number } | null;
  recorded: { positions: Extent | null; signals: Extent | null };
}

export type Grouping = "movement" | "approach" | "lane" | "phase";
export type Cell = string | number | boolean | null;

export interface MeasureColumn {
  name: string;
  title: string;
  title_zh: string;
  type: string;
  unit: string | null;
}

export interface Measures {
  intersection: string;
  layer: string;
  start: number;
  end: number;
  bin: number;
  by: Grouping;
  columns: MeasureColumn[];
  rows: Cell[][];
  compared: { start: number; rows: Cell[][] } | null;
}

export interface Cycles {
  cycles: { group: string; start: number; green: number; yellow: number | null; red: number | null; end: number }[];
  arrivals: { group: string; at: number; in_cycle: number; light: Light }[];
}

export interface Queues {
  lanes: string[];
  times: number[];
  metres: (number | null)[][];
  vehicles: (number | null)[][];
}

export interface TimeSpace {
  length: number;
  stops: { intersection: string; at_m: number; name: string }[];
  greens: { intersection: string; start: number; end: number }[];
  tracks: { times: number[]; metres: number[] }[];
}

/** 畅通, 基本畅通, 轻度拥堵, 中度拥堵, 严重拥堵. */
export const ROAD_STATES = ["free", "light-free", "light", "moderate", "severe"] as const;
export type RoadState = (typeof ROAD_STATES)[number];

export interface RoadStateRow {
  /** Of the link or the corridor; a cell of H3 has `cell`. */
  layer?: string;
  id?: string;
  cell?: string;
  start: number;
  tti: number | null;
  dtp: number | null;
  tpi: number | null;
  /** Null where nobody drove. */
  state: RoadState | null;
  speed: number | null;
  free_speed: number | null;
  vehicles: number | null;
}

export interface RoadStates {
  by: "link" | "corridor" | "h3";
  start: number;
  end: number;
  bin: number;
  rows: RoadStateRow[];
  /** By layer and id with a stroke between them. */
  lines: Record<string, { type: "LineString"; coordinates: LonLat[] } | { type: "MultiLineString"; coordinates: LonLat[][] }>;
}

export interface TrafficEvent {
  id: string | number;
  layer: string;
  kind: string;
  state: string;
  begun: number;
  ended: number | null;
  place: LonLat;
  link: string | null;
  lane: string | null;
  intersection: string | null;
  vehicles: string[];
  confidence: number;
  /** What was measured, by name. */
  evidence: Record<string, unknown>;
  causes: { kind: string; score: number; en: string; zh: string; evidence: Record<string, unknown> }[] | null;
  /** Milliseconds since 1970, vehicle, degrees, metres per second; only of an event that is asked for by itself. */
  track?: [number, string, number, number, number | null][];
  note: string | null;
}

/** The time that is looked at: live, or an instant of what was recorded. */
export interface TrafficClock {
  /** Milliseconds since 1970; null for live. */
  readonly at: number | null;
  /** The window that is replayed; null while live. */
  readonly window: Extent | null;
  readonly playing: boolean;
  /** Looks at another instant of what was recorded, or live. */
  go(at: number | null): void;
  /** Another instant, or it runs otherwise; many times a second while it plays. */
  readonly changed: Signal;
}

/** An intersection of a layer. */
export interface Chosen {
  layer: string;
  id: string;
}

/** What the panels beside the map are given. Words: `t`, `language`, `languageChanged` of `../i18n`. */
export interface TrafficContext {
  readonly app: App;
  readonly api: typeof trafficApi;
  readonly clock: TrafficClock;
  /** What there is to look at and to replay. */
  readonly layers: readonly TrafficLayer[];
  /** The layer whose vehicles are shown. */
  readonly layer: string | null;
  /** The intersections of that layer. */
  readonly intersections: readonly IntersectionSummary[];
  readonly chosen: Chosen | null;
  /** What signal groups of an intersection show at the time that is looked at, by group. */
  lights(intersection: string): ReadonlyMap<string, { light: Light; remaining: number | null }>;
  /** Opens an intersection, as a click on the map does; null closes it. */
  choose(what: Chosen | null): void;
  /** An intersection with all that belongs to it; kept. */
  intersection(what: Chosen): Promise<Intersection>;
  /** Marks lanes and ways through the intersection on the map; null none. */
  mark(what: { lanes?: readonly string[]; connections?: readonly string[] } | null): void;
  /** Flies there. */
  goTo(place: LonLat): Promise<void>;
  /** What is chosen, or what there is, changed. */
  readonly changed: Signal;
}

/** What a panel in the frame of the tool is. */
export interface IntersectionPanel {
  show(id: string, layer: string): void;
  hide(): void;
  /** Milliseconds since 1970; null for live. */
  setTime(time: number | null): void;
}
