/** From values and times to pixels, and the ticks along the way. */
import { language } from "../../i18n";
import { day } from "./when";

/** The two ends of what an axis shows. */
export type Extent = readonly [low: number, high: number];

/** How much of an axis the values keep when thresholds are to be seen as well. */
const KEPT = 0.3;
const MARGIN = 0.06;

/** Maps `from` to `to` in proportion. */
export function linear([low, high]: Extent, [start, end]: Extent): (value: number) => number {
  const factor = (end - start) / (high - low || 1);
  return (value) => start + (value - low) * factor;
}

/** The lowest and highest of what is there; null where nothing is. */
export function extentOf(values: Iterable<number | null>): Extent | null {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** What an axis shows: all values with a little air, and every threshold that does not press them flat. */
export function axisExtent(values: Extent | null, thresholds: readonly number[]): Extent {
  if (!values) return extentOf(thresholds) ? padded(extentOf(thresholds)!) : [0, 1];
  let [low, high] = values;
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const byDistance = [...thresholds].sort((a, b) => away(a, values) - away(b, values));
  for (const value of byDistance) {
    const [l, h] = [Math.min(low, value), Math.max(high, value)];
    if (span / (h - l || 1) >= KEPT || values[0] === values[1]) [low, high] = [l, h];
  }
  return padded([low, high]);
}

function away(value: number, [low, high]: Extent): number {
  return value < low ? low - value : Math.max(0, value - high);
}

function padded([low, high]: Extent): Extent {
  const air = (high - low || Math.abs(high) * 0.2 || 1) * MARGIN;
  return [low - air, high + air];
}

/** Round numbers inside an extent: steps of 1, 2 or 5 times a power of ten. */
export function valueTicks([low, high]: Extent, about: number): number[] {
  const rough = (high - low) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough * 0.999)!;
  const ticks: number[] = [];
  for (let n = Math.ceil(low / step); n * step <= high; n++) ticks.push(Number((n * step).toPrecision(12)));
  return ticks;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 30, 90, 180, 365].map((n) => n * DAY),
];

export interface TimeTick {
  time: number;
  label: string;
  /** Begins a day. */
  strong: boolean;
}

/** Ticks at round local times, about so many. */
export function timeTicks([start, end]: Extent, about: number): TimeTick[] {
  const rough = (end - start) / Math.max(1, about);
  const step = STEPS.find((size) => size >= rough) ?? STEPS.at(-1)!;
  // Days begin where the clock of whoever looks says so.
  const shift = new Date(start).getTimezoneOffset() * MINUTE;
  const ticks: TimeTick[] = [];
  for (let time = Math.ceil((start - shift) / step) * step + shift; time <= end; time += step) {
    const strong = (time - shift) % DAY === 0;
    ticks.push({ time, label: strong ? day(time) : hours(time, step < MINUTE), strong });
  }
  return ticks;
}

function hours(time: number, seconds: boolean): string {
  return new Date(time).toLocaleTimeString(language() === "zh" ? "zh-CN" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  });
}
