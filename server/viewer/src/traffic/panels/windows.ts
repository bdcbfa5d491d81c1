/** Which window of time the panels are about. */
import type { Extent } from "../types";

const MINUTE = 60_000;
/** Diagrams are drawn of four hours at most. */
export const SPANS = { "15min": 15 * MINUTE, "1h": 60 * MINUTE, "4h": 240 * MINUTE } as const;
export type SpanName = keyof typeof SPANS;
export const SPAN_NAMES = Object.keys(SPANS) as SpanName[];

/** Seconds; 0 is one bin for the whole window. */
export const BINS = [300, 900, 3600, 0] as const;
export type Bin = (typeof BINS)[number];

/** What is compared with. */
export const OTHERS = ["none", "before", "day", "own"] as const;
export type Other = (typeof OTHERS)[number];

const DAY = 24 * 60 * MINUTE;

/** From the first to the last of several; null where there is none. */
export function whole(...extents: readonly (Extent | null | undefined)[]): Extent | null {
  const known = extents.filter((one): one is Extent => !!one);
  return known.length === 0 ? null : [Math.min(...known.map(([a]) => a)), Math.max(...known.map(([, b]) => b))];
}

/** The last so many minutes of what was recorded, or those around a time; to whole minutes. */
export function windowOf(span: SpanName, recorded: Extent, time: number | null): Extent {
  const first = Math.floor(recorded[0] / MINUTE) * MINUTE;
  const last = Math.ceil(recorded[1] / MINUTE) * MINUTE;
  if (last - first <= SPANS[span]) return [first, Math.max(last, first + MINUTE)];
  const about = time === null ? last : Math.ceil((time + SPANS[span] / 2) / MINUTE) * MINUTE;
  const end = Math.min(Math.max(about, first + SPANS[span]), last);
  return [end - SPANS[span], end];
}

/** The server has no bins that are shorter, seconds. */
const SHORTEST = 60;

/** The length of a bin in seconds; one that is longer than the window is the window. */
export function binOf(bin: Bin, [start, end]: Extent): number {
  const seconds = Math.max(SHORTEST, Math.ceil((end - start) / 1000));
  return bin === 0 ? seconds : Math.min(bin, seconds);
}

/** Where the other window begins; null where nothing is compared. */
export function otherStart(other: Other, [start, end]: Extent, own: number | null): number | null {
  if (other === "before") return start - (end - start);
  if (other === "day") return start - DAY;
  return other === "own" ? own : null;
}
