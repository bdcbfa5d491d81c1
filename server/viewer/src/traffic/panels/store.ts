/** What the panels of an intersection show: which intersection, which window, by what, compared with what. */
import { Signal } from "../../signal";
import type { Chosen, Cycles, Extent, Grouping, Intersection, Measures, Queues, TrafficContext, TrafficEvent } from "../types";
import type { MeasuresQuestion } from "../api";
import { Answer } from "./answer";
import { Names } from "./words";
import { type Bin, binOf, type Other, otherStart, type SpanName, whole, windowOf } from "./windows";

/** Points of a queue chart. */
const QUEUE_POINTS = 360;

export class PanelStore {
  /** Anything that is shown, but for the time that is looked at. */
  readonly changed = new Signal();
  readonly timed = new Signal();
  what: Chosen | null = null;
  span: SpanName | "own" = "1h";
  by: Grouping = "movement";
  bin: Bin = 0;
  other: Other = "none";
  /** Where another window begins that somebody typed. */
  otherOwn: number | null = null;
  /** The approach whose charts are shown; null for the first. */
  approach: string | null = null;
  /** Milliseconds since 1970; null for live. */
  time: number | null = null;
  readonly detail: Answer<Intersection>;
  readonly total: Answer<Measures>;
  readonly table: Answer<Measures>;
  readonly delays: Answer<Measures>;
  readonly queues: Answer<Queues>;
  readonly cycles: Answer<Cycles>;
  readonly events: Answer<TrafficEvent[]>;
  /** Measures that were asked for already: the diagram, the table and the chart may want the same. */
  private readonly kept = new Map<string, Promise<Measures>>();
  private own: Extent | null = null;
  private shown: Extent | null = null;

  constructor(readonly context: TrafficContext) {
    const tell = () => this.changed.emit();
    this.detail = new Answer(() => {
      this.shown = null;
      tell();
    });
    this.total = new Answer(tell);
    this.table = new Answer(tell);
    this.delays = new Answer(tell);
    this.queues = new Answer(tell);
    this.cycles = new Answer(tell);
    this.events = new Answer(tell);
  }

  open(what: Chosen | null): void {
    if (what?.id === this.what?.id && what?.layer === this.what?.layer) return;
    this.what = what;
    this.approach = null;
    this.own = this.shown = null;
    if (this.span === "own") this.span = "1h";
    this.kept.clear();
    for (const answer of this.answers) answer.forget();
    this.detail.forget();
    this.changed.emit();
  }

  get names(): Names | null {
    return this.detail.value && new Names(this.detail.value);
  }

  /** What was recorded here; null where nothing was. */
  get recorded(): Extent | null {
    const recorded = this.detail.value?.recorded;
    return recorded ? whole(recorded.positions, recorded.signals) : null;
  }

  /** The window that is asked about; null while there is nothing to ask about. */
  get window(): Extent | null {
    if (this.span === "own") return this.own;
    const { recorded, time } = this;
    if (!recorded) return null;
    const left = time !== null && this.shown !== null && (time < this.shown[0] || time > this.shown[1]);
    if (!this.shown || left) this.shown = windowOf(this.span, recorded, time);
    return this.shown;
  }

  show(span: SpanName | Extent): void {
    this.own = typeof span === "string" ? null : span;
    this.span = typeof span === "string" ? span : "own";
    this.shown = null;
    this.changed.emit();
  }

  set(change: Partial<Pick<PanelStore, "by" | "bin" | "other" | "otherOwn" | "approach">>): void {
    Object.assign(this, change);
    this.changed.emit();
  }

  setTime(time: number | null): void {
    const before = this.shown;
    this.time = time;
    const now = this.what && this.window;
    if (now !== before && before !== null) this.changed.emit();
    else this.timed.emit();
  }

  /** The time of the cursor and of the plans: what is looked at, else now. */
  get now(): number {
    return this.time ?? Date.now();
  }

  get compare(): number | null {
    return this.window && otherStart(this.other, this.window, this.otherOwn);
  }

  /** The question of the table, for its files as well. */
  question() {
    const { what, window } = this;
    if (!what || !window) return null;
    return { ...this.place(what, window), bin: binOf(this.bin, window), by: this.by };
  }

  /** Asks for an intersection; all else waits for it. */
  wantDetail(): void {
    const { what } = this;
    if (what) this.detail.want(JSON.stringify(what), () => this.context.api.intersection(what.id, what.layer));
  }

  /** The movements of the whole window. */
  wantTotal(): void {
    this.ask(this.total, (place, window) => {
      const question = { ...place, bin: binOf(0, window), by: "movement" as const };
      return [question, () => this.measures(question)];
    });
  }

  wantTable(): void {
    const { compare } = this;
    this.ask(this.table, () => {
      const question = { ...this.question()!, compare };
      return [question, () => this.measures(question)];
    });
  }

  /** The movements through the window. */
  wantDelays(): void {
    this.ask(this.delays, (place, window) => {
      const question = { ...place, bin: Math.min(300, binOf(0, window)), by: "movement" as const };
      return [question, () => this.measures(question)];
    });
  }

  wantQueues(): void {
    this.ask(this.queues, (place, [start, end]) => {
      const step = Math.max(1, Math.round((end - start) / 1000 / QUEUE_POINTS));
      return [{ ...place, step }, () => this.context.api.queues({ ...place, step })];
    });
  }

  wantCycles(): void {
    this.ask(this.cycles, (place) => [place, () => this.context.api.cycles(place)]);
  }

  wantEvents(): void {
    this.ask(this.events, ({ layer }, [start, end]) => {
      const question = { layer, state: "all", start, end };
      return [question, () => this.context.api.events(question)];
    });
  }

  /** Asks everything anew, for what came since. */
  refresh(): void {
    this.detail.stale();
    this.kept.clear();
    for (const answer of this.answers) answer.stale();
    this.changed.emit();
  }

  private get answers() {
    return [this.total, this.table, this.delays, this.queues, this.cycles, this.events];
  }

  private place({ id, layer }: Chosen, [start, end]: Extent) {
    return { intersection: id, layer, start: Math.round(start), end: Math.round(end) };
  }

  private measures(question: MeasuresQuestion): Promise<Measures> {
    const key = JSON.stringify({ ...question, compare: question.compare ?? null });
    let found = this.kept.get(key);
    if (!found) {
      found = this.context.api.measures(question);
      this.kept.set(key, found);
      found.catch(() => this.kept.delete(key)); // it may be asked for again
    }
    return found;
  }

  private ask<T>(answer: Answer<T>, make: (place: ReturnType<PanelStore["place"]>, window: Extent) => [unknown, () => Promise<T>]): void {
    const { what, window } = this;
    if (!what || !window) return;
    const [key, ask] = make(this.place(what, window), window);
    answer.want(JSON.stringify(key), ask);
  }
}
