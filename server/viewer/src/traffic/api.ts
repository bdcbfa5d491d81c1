/** What the viewer asks the server of roads and traffic. */
import { answered, request } from "../data/api";
import { readRecording, type Recording } from "./frames";
import type {
  Cycles, Grouping, Intersection, IntersectionSummary, Measures, Queues, RoadStates, TimeSpace, TrafficEvent, TrafficLayer,
} from "./types";

type Parameter = string | number | null | undefined;

/** The address of a question; what is null or undefined is not asked. */
export function asked(path: string, parameters: Record<string, Parameter>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string | number] => pair[1] !== null && pair[1] !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === "" ? path : `${path}?${query}`;
}

/** Times in milliseconds since 1970, bins in seconds. */
export interface MeasuresQuestion {
  intersection: string;
  layer: string;
  start: number;
  end: number;
  bin?: number;
  by: Grouping;
  /** The start of another window of the same length. */
  compare?: number | null;
}

export interface WindowQuestion {
  intersection: string;
  layer: string;
  start: number;
  end: number;
}

const part = encodeURIComponent;
const intersectionPath = (id: string) => `/intersections/${part(id)}`;

export const trafficApi = {
  layers: () => request<{ layers: TrafficLayer[] }>("/traffic/layers").then((r) => r.layers),
  intersections: (layer: string | null) =>
    request<{ intersections: IntersectionSummary[] }>(asked("/intersections", { layer })).then((r) => r.intersections),
  intersection: (id: string, layer: string) => request<Intersection>(asked(intersectionPath(id), { layer })),
  /** The address of an intersection's map as a file. */
  mapOf: (id: string, layer: string, format: "map-json" | "geojson" | "roads") =>
    asked(`${intersectionPath(id)}/map`, { layer, format }),
  measures: (question: MeasuresQuestion) => request<Measures>(asked("/measures", { ...question })),
  /** The address of measures as a file. */
  measuresAs: (question: MeasuresQuestion, format: "csv" | "parquet") => asked("/measures", { ...question, format }),
  cycles: (question: WindowQuestion) => request<Cycles>(asked("/measures/cycles", { ...question })),
  queues: (question: WindowQuestion & { step?: number }) => request<Queues>(asked("/measures/queues", { ...question })),
  timeSpace: (question: { layer?: string; corridor?: string; from?: string; to?: string; start: number; end: number }) =>
    request<TimeSpace>(asked("/measures/time-space", { ...question })),
  states: (question: { layer: string; start: number; end: number; bin: number; by: "link" | "corridor" | "h3"; resolution?: number | null }) =>
    request<RoadStates>(asked("/roads/states", { ...question })),
  events: (question: { layer?: string; state?: string; kind?: string; start?: number; end?: number }) =>
    request<{ events: TrafficEvent[] }>(asked("/traffic/events", { ...question })).then((r) => r.events),
  event: (id: string | number) => request<TrafficEvent>(`/traffic/events/${part(String(id))}`),
  closeEvent: (id: string | number, note: string) =>
    request<TrafficEvent>(`/traffic/events/${part(String(id))}/closing`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ note }),
    }),
  /** Who was where, and what signals showed, in a window of at most 15 minutes; a frame each `step` seconds. */
  tracks: async (question: { layer: string; start: number; end: number; step: number }): Promise<Recording> => {
    const response = await answered(asked("/traffic/tracks", { ...question, format: "frames" }), {
      headers: { Accept: "application/octet-stream" },
    });
    return readRecording(await response.arrayBuffer());
  },
  /** The address of tracks as a file. */
  tracksAs: (question: { layer: string; start: number; end: number }, format: "moving-features" | "csv" | "parquet") =>
    asked("/traffic/tracks", { ...question, format }),
};
