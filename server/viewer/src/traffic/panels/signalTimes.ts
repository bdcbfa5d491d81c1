/** Times of signals: where a plan stands, and where cycles and arrivals lie in a phase diagram. */
import type { Cycles, Light, Phase, Plan } from "../types";
import { timeOf } from "./measureRows";

type Phased = { phases: readonly Pick<Phase, "duration" | "lights">[] };

const DAY_S = 86_400;

export function cycleOf({ phases }: Phased): number {
  return phases.reduce((sum, { duration }) => sum + duration, 0);
}

/** Seconds since the cycle began, at a time in milliseconds; null for a plan without a cycle. */
export function positionOf(plan: Phased & Pick<Plan, "offset">, time: number): number | null {
  const cycle = cycleOf(plan);
  if (cycle <= 0) return null;
  const second = (time / 1000) % DAY_S;
  return (((second - (plan.offset ?? 0)) % cycle) + cycle) % cycle;
}

/** A time in which a group shows one light: seconds in the cycle. */
export interface Stretch {
  from: number;
  to: number;
  light: Light;
}

/** What a group shows through the cycle; phases that go on with the same light are one stretch. */
export function stretches({ phases }: Phased, group: string): Stretch[] {
  const found: Stretch[] = [];
  let at = 0;
  for (const { duration, lights } of phases) {
    const light = lights[group] ?? "red";
    const last = found.at(-1);
    if (last && last.light === light) last.to = at + duration;
    else if (duration > 0) found.push({ from: at, to: at + duration, light });
    at += duration;
  }
  return found;
}

export type Colour = "green" | "yellow" | "red" | "dark";

/** What a light tells a driver. */
export function colourOf(light: string): Colour {
  if (light.includes("green")) return "green";
  if (light.includes("yellow")) return "yellow";
  if (light.includes("red")) return "red";
  return "dark";
}

/** The share of a cycle that is green. */
export function greenShare(plan: Phased, group: string): number {
  const green = stretches(plan, group).filter(({ light }) => colourOf(light) === "green");
  const cycle = cycleOf(plan);
  return cycle > 0 ? green.reduce((sum, { from, to }) => sum + to - from, 0) / cycle : 0;
}

/** A cycle as a column of a phase diagram: when, and the seconds at which its lights begin and end. */
export interface CycleColumn {
  start: number;
  end: number;
  bands: { from: number; to: number; colour: Colour }[];
}

/** A cycle begins with its green, as the server tells it. */
export function columnOf({ start, end, green, yellow, red }: Omit<Cycles["cycles"][number], "end"> & { end: number | null }): CycleColumn {
  const bands: CycleColumn["bands"] = [];
  let at = 0;
  for (const [colour, seconds] of [["green", green], ["yellow", yellow], ["red", red]] as const) {
    if (seconds === null || seconds <= 0) continue;
    bands.push({ from: at, to: at + seconds, colour });
    at += seconds;
  }
  const begun = timeOf(start);
  // One that has not ended yet is as long as what is known of it.
  return { start: begun, end: end === null ? begun + at * 1000 : timeOf(end), bands };
}

export interface ArrivalCounts {
  green: number;
  yellow: number;
  red: number;
  all: number;
}

/** How many arrived at each light. */
export function countArrivals(arrivals: readonly { light: string }[]): ArrivalCounts {
  const found = { green: 0, yellow: 0, red: 0, all: arrivals.length };
  for (const { light } of arrivals) {
    const colour = colourOf(light);
    if (colour !== "dark") found[colour]++;
  }
  return found;
}
