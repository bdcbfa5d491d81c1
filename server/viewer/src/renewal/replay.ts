/** Replays the campaign week by week from one answer of the server; buildings follow every few weeks. */
import { Signal } from "../signal";
import { renewal } from "./api";
import { addDays } from "./days";
import type { Store } from "./store";
import { type Light, LIGHTS, type Replay } from "./types";

/** Milliseconds for a week. */
const PACE = 550;
/** Weeks after which the buildings are asked for. */
const BUILDINGS = 8;

export class Player {
  /** Another step is shown, or none any more. */
  readonly stepped = new Signal();
  /** The replay itself came. */
  readonly prepared = new Signal();
  replay: Replay | null = null;
  private at: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private asked = "";

  constructor(private readonly store: Store) {
    // When the figures of the day have come, they take over from the replay.
    store.loaded.on(() => {
      if (!this.playing && this.at !== null) this.leave();
      if (this.replay) void this.prepare();
    });
  }

  get playing(): boolean {
    return this.timer !== undefined;
  }

  /** The day that is replayed; null while the day of the store is shown. */
  get step(): string | null {
    return this.at === null ? null : this.replay!.days[this.at]!;
  }

  /** The place of the step, or null. */
  get index(): number | null {
    return this.at;
  }

  /** Asks for the replay where it is not known, or is older than what is. */
  async prepare(): Promise<void> {
    const { span } = this.store.overview;
    const key = `${span?.from} ${this.store.last} ${this.store.revision}`;
    if (!span || key === this.asked) return;
    this.asked = key;
    try {
      this.replay = await renewal.replay(span.from, this.store.last, "week");
    } catch (error) {
      this.asked = "";
      this.store.failed.emit(error);
      return;
    }
    if (this.at !== null) this.at = Math.min(this.at, this.replay.days.length - 1);
    this.prepared.emit();
  }

  /** From the day on, or anew from the beginning when it is the last. */
  async play(): Promise<void> {
    await this.prepare();
    const { replay } = this;
    if (!replay || this.playing || replay.days.length === 0) return;
    const now = this.nearest(this.store.at);
    this.at = now >= replay.days.length - 1 ? 0 : now;
    this.timer = setInterval(() => this.next(), PACE);
    this.stepped.emit();
    void this.store.showBuildings(this.step!);
  }

  /** Stops; the day of the step becomes the one that is looked at. */
  pause(): void {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.store.at = this.step!;
    this.stepped.emit();
  }

  /** Shows the week of a day without asking, as while the slider is dragged. */
  show(day: string): void {
    if (!this.replay) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.at = this.nearest(day);
    this.stepped.emit();
  }

  lightOf(project: string): Light | null {
    return this.at === null ? null : (this.replay?.projects[project]?.lights[this.at] ?? null);
  }

  /** How many projects have each light at every step. */
  counts(): Record<Light, number>[] {
    const { replay } = this;
    if (!replay) return [];
    const projects = Object.values(replay.projects);
    return replay.days.map((_, i) => {
      const of = (light: Light) => projects.filter(({ lights }) => lights[i] === light).length;
      return Object.fromEntries(LIGHTS.map((light) => [light, of(light)])) as Record<Light, number>;
    });
  }

  private next(): void {
    const last = this.replay!.days.length - 1;
    if (this.at! >= last) return this.pause();
    this.at = this.at! + 1;
    if (this.at % BUILDINGS === 0) void this.store.showBuildings(this.step!);
    this.stepped.emit();
  }

  private leave(): void {
    this.at = null;
    this.stepped.emit();
  }

  /** The place of the last step that is not after a day. */
  private nearest(day: string): number {
    const days = this.replay!.days;
    const after = days.findIndex((one) => one > day);
    return after < 0 ? days.length - 1 : Math.max(0, after - 1);
  }
}

/** A week earlier or later, within the campaign. */
export function weekFrom(store: Store, weeks: number): string {
  const day = addDays(store.at, 7 * weeks);
  const from = store.overview.span?.from ?? day;
  return day < from ? from : day > store.last ? store.last : day;
}
