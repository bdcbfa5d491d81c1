/** What happened on the roads: events that are going on, or that were in the window that is replayed. */
import { Signal } from "../signal";
import { trafficApi } from "./api";
import type { Extent, TrafficEvent } from "./types";

/** Milliseconds between two questions while now is looked at, and how far back closed ones are told of. */
const AGAIN = 5_000;
const BACK = 3_600_000;

export class Events {
  readonly changed = new Signal();
  all: TrafficEvent[] = [];
  /** The one that is chosen, with its evidence. */
  chosen: TrafficEvent | null = null;
  error: unknown = null;
  private question: { layer: string; window: Extent | null } | null = null;
  private wanted = "";
  private asking = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get busy(): boolean {
    return this.asking > 0;
  }

  of(layer: string | null, window: Extent | null): void {
    const next = layer === null ? null : { layer, window };
    if (JSON.stringify(next) === JSON.stringify(this.question)) return;
    this.question = next;
    this.all = [];
    this.error = null;
    clearTimeout(this.timer);
    if (next) void this.ask();
    this.changed.emit();
  }

  /** Looks at one closely; an empty id looks at none. */
  async choose(id: string): Promise<void> {
    if (id === this.wanted) return;
    this.wanted = id;
    this.chosen = this.all.find((one) => String(one.id) === id) ?? null;
    this.changed.emit();
    if (id === "") return;
    this.asking++;
    try {
      const found = await trafficApi.event(id);
      if (this.wanted === id) this.chosen = found;
    } catch (error) {
      if (this.wanted === id) this.error = error;
    } finally {
      this.asking--;
      this.changed.emit();
    }
  }

  /** Says that one is over, and why. */
  async close(id: string, note: string): Promise<void> {
    const found = await trafficApi.closeEvent(id, note);
    if (this.wanted === id) this.chosen = { ...this.chosen!, ...found };
    clearTimeout(this.timer);
    await this.ask();
  }

  private async ask(): Promise<void> {
    const { question } = this;
    if (!question) return;
    clearTimeout(this.timer);
    this.asking++;
    try {
      const now = Date.now();
      const [start, end] = question.window ?? [now - BACK, now];
      const all = document.hidden ? this.all : await trafficApi.events({ layer: question.layer, start, end });
      if (question !== this.question) return;
      this.all = [...all].sort((a, b) => b.begun - a.begun);
      this.error = null;
    } catch (error) {
      if (question === this.question) this.error = error;
    } finally {
      this.asking--;
      if (question === this.question && !question.window) this.timer = setTimeout(() => void this.ask(), AGAIN);
      this.changed.emit();
    }
  }
}

/** Where those drove whom an event is about: a line for each of them, degrees. */
export function tracksOf({ track = [] }: TrafficEvent): [number, number][][] {
  const lines = new Map<string, [number, number][]>();
  for (const [, who, lon, lat] of [...track].sort((a, b) => a[0] - b[0])) {
    const line = lines.get(who) ?? [];
    line.push([lon, lat]);
    lines.set(who, line);
  }
  return [...lines.values()].filter((line) => line.length > 1);
}
