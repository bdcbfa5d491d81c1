/** Classes of a map: which values share a colour, apart by target where there is one. */
import { RAMP } from "../theme";
import type { IndicatorEntry } from "./types";

type Direction = IndicatorEntry["direction"];

export interface ValueClass {
  /** Both included; the next class begins where one ends. */
  from: number;
  to: number;
  colour: string;
  /** Whether its values meet the target; null without one. */
  met: boolean | null;
  count: number;
}

/** Blue and orange are told apart with any kind of colour vision; the darker, the further from the target. */
const MET = ["#9ecae1", "#4a98c9", "#1764ab"];
const FAILED = ["#fdb97d", "#f07818", "#a63603"];

/** Classes of about as many values each; fewer where values repeat, as they are read. */
function quantiles(sorted: readonly number[], most: number, decimals: number): [number, number][] {
  const classes: [number, number][] = [];
  const alike = new Map<string, [number, number]>();
  for (const value of sorted) {
    const read = value.toFixed(decimals);
    alike.set(read, [alike.get(read)?.[0] ?? value, value]);
  }
  const distinct = [...alike.values()];
  const count = Math.min(most, distinct.length);
  for (let i = 0, begin = 0; i < count; i++) {
    const rest = distinct.length - begin;
    const size = Math.ceil(rest / (count - i));
    classes.push([distinct[begin]![0], distinct[begin + size - 1]![1]]);
    begin += size;
  }
  return classes;
}

/** Classes in ascending order; those that meet the target never share one with those that fail. */
export function classesOf(values: readonly number[], target: number | null, direction: Direction, decimals = 6): ValueClass[] {
  const sorted = [...values].sort((a, b) => a - b);
  const count = (from: number, to: number) => sorted.filter((value) => value >= from && value <= to).length;
  if (target === null || direction === "none") {
    const found = quantiles(sorted, 5, decimals);
    return found.map(([from, to], i) => ({
      from, to, met: null, count: count(from, to),
      colour: RAMP[found.length === 1 ? 2 : Math.round((i * (RAMP.length - 1)) / (found.length - 1))]!,
    }));
  }
  const meets = (value: number) => (direction === "higher" ? value >= target : value <= target);
  const side = (met: boolean) => {
    const found = quantiles(sorted.filter((value) => meets(value) === met), 3, decimals);
    // The class next to the target is the lightest.
    const nearestFirst = (direction === "higher") === met;
    const colours = (met ? MET : FAILED).slice(0, found.length);
    if (!nearestFirst) colours.reverse();
    return found.map(([from, to], i): ValueClass => ({ from, to, met, count: count(from, to), colour: colours[i]! }));
  };
  return [...side(false), ...side(true)].sort((a, b) => a.from - b.from);
}

/** The colour of a value; null for one that no class has. */
export function colourOf(classes: readonly ValueClass[], value: number): string | null {
  return classes.find(({ from, to }) => value >= from && value <= to)?.colour ?? null;
}

export type Course = "better" | "worse" | "same" | "up" | "down" | "unknown";

export const COURSE_COLOURS: Record<Course, string> = {
  better: "#2f7fc1", worse: "#d9691a", same: "#c9ced4", up: "#8073ac", down: "#b5a46b", unknown: "#8a94a0",
};

/** What became of a value from one year to the next. */
export function courseOf(before: number | null | undefined, after: number | null, direction: Direction): Course {
  if (before === null || before === undefined || after === null) return "unknown";
  if (before === after) return "same";
  const risen = after > before;
  if (direction === "none") return risen ? "up" : "down";
  return risen === (direction === "higher") ? "better" : "worse";
}
