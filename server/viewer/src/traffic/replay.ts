/** What was recorded, asked for by the minute as it is looked at, and the time that passes over it. */
import { Signal } from "../signal";
import { trafficApi } from "./api";
import type { Recording, SignalFrame, TrafficHead, VehicleFrame } from "./frames";
import type { Extent, TrafficClock } from "./types";

/** Milliseconds that are asked for at once, seconds between their frames, and how many minutes are kept. */
const PART = 60_000;
const STEP = 0.5;
const KEPT = 20;

/** Milliseconds between two words to those who follow the time while it passes. */
const TELL = 200;

export const PACES = [1, 2, 5, 10, 20] as const;
export type Pace = (typeof PACES)[number];

/** Minutes that the slider spans. */
export const SPANS = [5, 15, 60] as const;

/** An instant of a recording. */
export interface Instant {
  head: TrafficHead;
  from: VehicleFrame;
  to: VehicleFrame | null;
  share: number;
  signals: SignalFrame | null;
}

/** The place of the last frame that is not after a time; -1 where all are. */
export function lastBefore(frames: readonly { base: number }[], time: number): number {
  let [low, high] = [-1, frames.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if (frames[middle]!.base <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** An instant of what was recorded, null where nothing was. */
export function instantOf({ head, vehicles, signals }: Recording, time: number): Instant | null {
  const place = lastBefore(vehicles, time);
  const from = vehicles[place];
  if (!from) return null;
  const to = vehicles[place + 1] ?? null;
  const share = to ? (time - from.base) / (to.base - from.base) : 0;
  return { head, from, to, share, signals: signals[lastBefore(signals, time)] ?? null };
}

export class Replay implements TrafficClock {
  readonly changed = new Signal();
  /** What was asked for came, or did not. */
  readonly loaded = new Signal();
  error: unknown = null;
  private layer: string | null = null;
  private recorded: Extent | null = null;
  private instant: number | null = null;
  private first = 0;
  private minutes: number = 15;
  private speed: Pace = 1;
  private runs = false;
  private told = 0;
  private readonly parts = new Map<number, Recording | null>();
  private readonly asking = new Set<number>();

  get at(): number | null {
    return this.instant;
  }

  get playing(): boolean {
    return this.runs;
  }

  get window(): Extent | null {
    return this.instant === null ? null : [this.first, this.first + this.span * 60_000];
  }

  get pace(): Pace {
    return this.speed;
  }

  set pace(pace: Pace) {
    this.speed = pace;
    this.changed.emit();
  }

  get span(): number {
    return this.minutes;
  }

  set span(minutes: number) {
    this.minutes = minutes;
    if (this.instant !== null) this.begin(Math.min(this.first, this.instant));
    this.changed.emit();
  }

  get busy(): boolean {
    return this.asking.size > 0;
  }

  /** Whether the minute that is looked at is on its way. */
  get waiting(): boolean {
    return this.instant !== null && this.asking.has(partOf(this.instant));
  }

  /** Another layer, with the times between which it has positions. */
  of(layer: string | null, recorded: Extent | null): void {
    if (layer !== this.layer) {
      this.parts.clear();
      this.error = null;
    }
    const other = layer !== this.layer;
    this.layer = layer;
    this.recorded = recorded;
    if (other) this.ask();
  }

  go(at: number | null): void {
    if (at === null) this.runs = false;
    this.instant = at;
    if (at !== null) {
      if (this.first === 0 || at < this.first || at > this.first + this.span * 60_000) this.begin(at - (this.span * 60_000) / 3);
      this.ask();
    }
    this.changed.emit();
  }

  /** The window begins there, or as near as there is something. */
  begin(start: number): void {
    const [first, last] = this.recorded ?? [start, start];
    const latest = Math.max(first, last - this.span * 60_000);
    this.first = Math.floor(Math.min(Math.max(start, first), latest) / 1000) * 1000;
    const end = this.first + this.span * 60_000;
    if (this.instant !== null && (this.instant < this.first || this.instant > end)) this.instant = this.first;
    this.ask();
  }

  play(): void {
    if (this.instant === null) return;
    const [start, end] = this.window!;
    if (this.instant >= end - 500) this.instant = start;
    this.runs = true;
    this.ask();
    this.changed.emit();
  }

  pause(): void {
    this.runs = false;
    this.changed.emit();
  }

  /** So many milliseconds went by; the time waits for what is not there yet. */
  pass(elapsed: number): void {
    if (!this.runs || this.instant === null) return;
    if (!this.parts.has(partOf(this.instant))) return this.ask();
    const [start, end] = this.window!;
    // Over the end it begins anew: a loop is what one wants to look at.
    const next = this.instant + elapsed * this.speed;
    this.instant = next < end ? next : start;
    this.ask();
    const now = performance.now();
    if (now - this.told < TELL) return;
    this.told = now;
    this.changed.emit();
  }

  /** What was at the time that is looked at; null while nobody knows. */
  get now(): Instant | null {
    const part = this.instant === null ? null : this.parts.get(partOf(this.instant));
    return part ? instantOf(part, this.instant!) : null;
  }

  private ask(): void {
    if (this.instant === null || !this.layer) return;
    const here = partOf(this.instant);
    void this.load(here);
    if (this.runs) for (let n = 1; n <= (this.speed >= 10 ? 2 : 1); n++) void this.load(here + n * PART);
  }

  private async load(start: number): Promise<void> {
    const { layer, recorded } = this;
    if (!layer || this.parts.has(start) || this.asking.has(start)) return;
    if (recorded && (start > recorded[1] || start + PART < recorded[0])) return void this.keep(start, null);
    this.asking.add(start);
    try {
      // One frame more, towards which the last one goes.
      const found = await trafficApi.tracks({ layer, start, end: start + PART + STEP * 1_500, step: STEP });
      if (layer === this.layer) this.keep(start, found);
      this.error = null;
    } catch (error) {
      this.error = error;
      if (layer === this.layer) this.keep(start, null);
    } finally {
      this.asking.delete(start);
      this.loaded.emit();
    }
  }

  private keep(start: number, part: Recording | null): void {
    this.parts.set(start, part);
    for (const oldest of this.parts.keys()) {
      if (this.parts.size <= KEPT) break;
      this.parts.delete(oldest);
    }
  }
}

const partOf = (time: number) => Math.floor(time / PART) * PART;
