/** Series of observations, as the server gives them. */
import { request } from "../../data/api";
import type { Level } from "../types";

/** A line that a value crosses when an alarm is raised. */
export interface Threshold {
  level: Level;
  value: number;
  direction: "above" | "below";
  rule: string;
}

export interface SeriesOf {
  id: number;
  key: string;
  name: string;
  property: string;
  unit: string | null;
  thing: number;
  thing_name: string;
}

/** Times are milliseconds since 1970, in order; a gap is a time in which observations were due and none came. */
export interface Series {
  datastream: SeriesOf;
  times: number[];
  values: (number | null)[];
  /** How many observations the times and values stand for. */
  rows: number;
  gaps: [number, number][];
  thresholds: Threshold[];
}

export interface SeriesAnswer {
  series: Series[];
  start: number;
  end: number;
}

/** The series of some datastreams, thinned to about so many points each without losing an extreme. */
export function askSeries(
  datastreams: readonly number[],
  start: number,
  end: number,
  points: number,
  signal?: AbortSignal,
): Promise<SeriesAnswer> {
  const query = `datastreams=${datastreams.join(",")}&start=${Math.round(start)}&end=${Math.round(end)}&points=${points}`;
  return request<SeriesAnswer>(`/observations/series?${query}`, signal ? { signal } : undefined);
}
