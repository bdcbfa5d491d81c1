/** What is shown of a thing's condition: the level of its alarm, else how fresh what it said is. */
import type { Level, State, Thing } from "./types";

export type Mark = State | `a${Level}`;

/** The gravest first. */
export const MARKS = ["a4", "a3", "a2", "a1", "silent", "stale", "ok", "never"] as const satisfies readonly Mark[];

export function markOf({ state, alarm }: Pick<Thing, "state" | "alarm">): Mark {
  return alarm === null ? state : `a${alarm}`;
}

/** The level that a mark is of; null for a state. */
export function levelOf(mark: Mark): Level | null {
  return mark.startsWith("a") ? (Number(mark.slice(1)) as Level) : null;
}

export const graver = (a: Mark, b: Mark): Mark => (MARKS.indexOf(a) < MARKS.indexOf(b) ? a : b);
