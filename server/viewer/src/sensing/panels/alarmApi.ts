/** Alarms, as the server tells of them and is answered. Times are milliseconds since 1970. */
import { request } from "../../data/api";
import type { Localized } from "../../data/types";
import type { Level } from "../types";

/** 待处置, 处置中, 已完成, 已解除. */
export const ALARM_STATES = ["raised", "handling", "done", "cleared"] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

export interface Alarm {
  id: number;
  rule: string;
  title: Localized;
  level: Level;
  state: AlarmState;
  /** Whether its condition still holds. */
  active: boolean;
  raised: number;
  changed: number;
  ended: number | null;
  thing: {
    id: number;
    name: string;
    class: string;
    layer: string;
    feature: string | null;
    lon: number | null;
    lat: number | null;
  };
  datastreams: number[];
  value: number | null;
  unit: string | null;
  threshold: number | null;
  message: Localized;
  shelved_until: number | null;
  handler: string | null;
  version: number;
}

export interface AlarmEvent {
  at: number;
  /** Who did it; null for what came of itself. */
  who: string | null;
  what: string;
  note: string;
  /** Where the program itself noted something in words. */
  note_zh?: string;
}

/** Something near an alarm; metres. */
export interface NearFeature {
  layer: string;
  id: string;
  name: string | null;
  class: string;
  distance: number;
}

export interface NearThing {
  id: number;
  layer: string;
  name: string;
  class: string;
  distance: number;
}

export interface AlarmDetail extends Alarm {
  events: AlarmEvent[];
  near: Near;
}

export interface Near {
  /** Metres. */
  radius: number;
  people: Record<string, number>;
  facilities: NearFeature[];
  roads: NearFeature[];
  valves: NearFeature[];
  things: NearThing[];
}

export interface AlarmAnswer {
  alarms: Alarm[];
  counts: { open: number; by_level: Record<string, number> };
}

export type Show = "open" | "closed" | "all";

/** What somebody does about an alarm, with the version of it that they saw. */
export interface Answers {
  acknowledgement: { note?: string };
  shelving: { until: number; reason: string };
  closing: { reason: string };
}

export const alarmApi = {
  list: (state: Show, limit: number, after?: number) =>
    request<AlarmAnswer>(`/alarms?state=${state}&limit=${limit}${after === undefined ? "" : `&after=${after}`}`),
  get: (id: number) => request<AlarmDetail>(`/alarms/${id}`),
  answer: <What extends keyof Answers>(id: number, what: What, body: Answers[What], version: number) =>
    request<Alarm>(`/alarms/${id}/${what}`, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, version }),
    }),
};

/** Whether somebody has still to look at it. */
export function isOpen({ state }: Alarm): boolean {
  return state === "raised" || state === "handling";
}
