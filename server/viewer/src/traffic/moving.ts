/** Who is where now, or was at the time that is looked at: from the live channel, or from a recording. */
import { Signal } from "../signal";
import { TrafficChannel, type ChannelState } from "./channel";
import type { TrafficFrame, TrafficHead, VehicleFrame } from "./frames";
import { Lights } from "./lights";
import type { Replay } from "./replay";
import type { Plane } from "./scene/plane";
import type { Vehicles } from "./scene/vehicles";

/** Milliseconds after which a channel that says nothing is stale. */
export const STALE = 3_000;

/** Milliseconds that a way from frame to frame lasts, at least and at most. */
const SHORTEST = 60;
const LONGEST = 1_200;

export class Moving {
  readonly lights = new Lights();
  /** Lights are others than before, or their countdown is told anew. */
  readonly lit = new Signal<boolean>();
  /** A frame came, or the channel came or went. */
  readonly status = new Signal();
  head: TrafficHead | null = null;
  /** Milliseconds since 1970, of the newest frame, and when it came by the clock of this machine. */
  heard: { base: number; at: number; youngest: number } | null = null;
  private channel: TrafficChannel | null = null;
  private plane: Plane | null = null;
  private arrived = 0;
  private interval = 100;
  private shown: VehicleFrame | null = null;
  private lightsOf: unknown = null;

  constructor(
    private readonly vehicles: Vehicles,
    private readonly replay: Replay,
    /** The plane around an anchor. */
    private readonly planeAt: (lon: number, lat: number) => Plane,
  ) {}

  get state(): ChannelState | "none" {
    return this.channel?.state ?? "none";
  }

  /** Whether it is said to be live and nothing came for a while, or what came is old. */
  get stale(): boolean {
    if (!this.channel) return false;
    return this.age === null || this.age > STALE;
  }

  /** Milliseconds since something was heard of anybody; null before. */
  get age(): number | null {
    if (!this.heard) return null;
    return performance.now() - this.heard.at + this.heard.youngest;
  }

  /** Listens to a layer, or to none. */
  listen(layer: string | null): void {
    this.channel?.close();
    this.heard = this.shown = null;
    this.head = null;
    this.vehicles.clear();
    this.lights.clear();
    this.lit.emit(true);
    this.channel = layer === null ? null : new TrafficChannel(layer, {
      head: (head) => this.take(head),
      frame: (frame) => this.hear(frame),
      state: () => this.status.emit(),
    });
    this.status.emit();
  }

  /** Moves on by the time that passed. */
  step(): void {
    if (this.replay.at !== null) return this.replayed();
    if (this.vehicles.moving) this.vehicles.at = Math.min(1, (performance.now() - this.arrived) / this.interval);
  }

  private take(head: TrafficHead): void {
    this.head = head;
    this.plane = this.planeAt(...head.anchor);
  }

  private hear(frame: TrafficFrame): void {
    if (!this.head || !this.plane) return;
    const now = performance.now();
    if (frame.what === "signals") {
      this.lit.emit(this.lights.take(this.head, frame));
    } else {
      const youngest = frame.age.reduce((least, age) => Math.min(least, age), Infinity);
      const gap = now - this.arrived;
      // The frames' usual distance: what comes late for once does not slow all down.
      if (gap < LONGEST) this.interval = Math.min(LONGEST, Math.max(SHORTEST, this.interval * 0.8 + gap * 0.2));
      this.arrived = now;
      this.vehicles.follow(frame, this.plane);
      // A frame of nobody tells of nobody.
      if (Number.isFinite(youngest)) this.heard = { base: frame.base, at: now, youngest: youngest * 1000 };
    }
    this.status.emit();
  }

  private replayed(): void {
    const found = this.replay.now;
    if (!found) return;
    if (found.head !== this.head) this.take(found.head);
    if (found.from !== this.shown) {
      this.shown = found.from;
      this.vehicles.between(found.from, found.to, this.plane!);
    }
    this.vehicles.at = found.share;
    if (found.signals && found.signals !== this.lightsOf) {
      this.lightsOf = found.signals;
      this.lit.emit(this.lights.take(found.head, found.signals));
    }
  }
}
