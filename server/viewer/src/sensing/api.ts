/** What the viewer asks the server of sensors. */
import { problemToError, request } from "../data/api";
import type { Heat, SensorClass, Statistic, Thing } from "./types";

/** So many things are listed at most. */
const MOST = 10_000;

export interface HeatQuestion {
  property: string;
  statistic: Statistic;
  resolution: number;
  /** Seconds. */
  window: number;
  /** The end of the window, milliseconds since 1970; null for now. */
  end: number | null;
}

export const sensingApi = {
  classes: () => request<{ classes: SensorClass[] }>("/sensor-classes").then((r) => r.classes),
  things: () => request<{ things: Thing[]; total: number }>(`/things?limit=${MOST}`),
  count: () => request<{ total: number }>("/things?limit=1").then((r) => r.total),
  /** A heat map with what it is known by; null where it is still the one known by `known`. */
  heat: async (
    { property, statistic, resolution, window, end }: HeatQuestion,
    known: string | null,
  ): Promise<{ heat: Heat; etag: string | null } | null> => {
    const when = end === null ? `window=${window}` : `start=${end - window * 1000}&end=${end}`;
    const response = await fetch(
      `/heat/${encodeURIComponent(property)}?${when}&resolution=${resolution}&statistic=${statistic}`,
      { headers: { Accept: "application/json", ...(known === null ? {} : { "If-None-Match": known }) } },
    );
    if (response.status === 304) return null;
    if (!response.ok) throw problemToError(response.status, await response.text());
    return { heat: (await response.json()) as Heat, etag: response.headers.get("ETag") };
  },
};
