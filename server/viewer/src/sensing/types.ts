/** What the server tells of sensors, as far as the viewer reads it. Times are milliseconds since 1970. */
import type { Localized } from "../data/types";

/** How fresh what a datastream said last is, in the order of the live channel's codes. */
export const STATES = ["ok", "stale", "silent", "never"] as const;
export type State = (typeof STATES)[number];

/** General, rather grave, grave, especially grave: 一般, 较大, 重大, 特别重大. */
export const LEVELS = [1, 2, 3, 4] as const;
export type Level = (typeof LEVELS)[number];

export interface Datastream {
  id: number;
  /** How devices name it. */
  key: string;
  name: string;
  /** The code of what is observed. */
  property: string;
  unit: string | null;
  /** The latest one; null where there is none or it is no number. */
  value: number | null;
  time: number | null;
  state: State;
  alarm: Level | null;
}

export interface Thing {
  id: number;
  layer: string;
  /** The feature of that layer it stands on or in. */
  feature: string | null;
  name: string;
  class: string;
  /** Degrees; null where it has no place. */
  lon: number | null;
  lat: number | null;
  /** Metres in the city's vertical datum; null where nobody knows. */
  height: number | null;
  state: State;
  alarm: Level | null;
  /** When it last said anything. */
  updated: number | null;
  datastreams: Datastream[];
}

export interface SensorProperty {
  id: string;
  title: Localized;
  unit: string | null;
  /** Between what values it usually is. */
  range: [number, number] | null;
  palette: string | null;
}

export interface SensorClass {
  id: string;
  title: Localized;
  icon: string;
  color: string;
  properties: SensorProperty[];
}

export const STATISTICS = ["mean", "max", "min", "p95", "count"] as const;
export type Statistic = (typeof STATISTICS)[number];

export interface Heat {
  property: string;
  unit: string | null;
  statistic: Statistic;
  resolution: number;
  start: number;
  end: number;
  cells: string[];
  values: number[];
  counts: number[];
}
