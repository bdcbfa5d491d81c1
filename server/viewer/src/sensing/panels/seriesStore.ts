/** What the chart of series shows: which datastreams, over which time, and what the server has of them. */
import { Signal } from "../../signal";
import { askSeries, type Series } from "./seriesApi";
import { usualInterval } from "./seriesShape";
import { DAY } from "./when";

/** The last so many milliseconds, or from one time to another. */
export type Range = { span: number } | { start: number; end: number };

/** As many as can be told apart. */
export const MOST = 8;

/** Milliseconds, by the names that links have for them. */
export const SPANS = { "1h": 3_600_000, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY } as const;
export type SpanName = keyof typeof SPANS;

const POINTS = 1_000;
/** Milliseconds: the shortest range, and how long what came live may stand before the server is asked again. */
const SHORTEST = 10_000;
const STALE = 60_000;
const DRAWN_EVERY = 500;
/** Milliseconds: times of the live channel are this exact at worst. */
const SAME = 25;
/** A step this many times the usual one is a gap until the server says otherwise. */
const TOO_LONG = 3;

export class SeriesStore {
  /** What is picked, shown or known changed. */
  readonly changed = new Signal();
  /** One more observation at the end of a series that is shown. */
  readonly grown = new Signal();
  open = false;
  picks: number[] = [];
  range: Range = { span: SPANS["24h"] };
  series: Series[] = [];
  error: unknown = null;
  private readonly before: Range[] = [];
  private asked: AbortController | null = null;
  private refreshed = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** Whether there is such a datastream for whoever looks. */
    private readonly exists: (id: number) => boolean,
  ) {}

  get busy(): boolean {
    return this.asked !== null;
  }

  get full(): boolean {
    return this.picks.length >= MOST;
  }

  /** Whether the end of the range is now, and moves with it. */
  get follows(): boolean {
    return "span" in this.range;
  }

  get zoomed(): boolean {
    return this.before.length > 0;
  }

  /** From when to when. */
  extentAt(now: number): readonly [number, number] {
    if ("span" in this.range) return [now - this.range.span, now];
    return [this.range.start, this.range.end];
  }

  has(id: number): boolean {
    return this.picks.includes(id);
  }

  add(...ids: number[]): void {
    const fresh = ids.filter((id) => !this.has(id)).slice(0, MOST - this.picks.length);
    this.open = true;
    this.picks = [...this.picks, ...fresh];
    void this.load();
  }

  remove(id: number): void {
    this.picks = this.picks.filter((pick) => pick !== id);
    this.series = this.series.filter((one) => one.datastream.id !== id);
    if (this.picks.length === 0) this.open = false;
    this.changed.emit();
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.asked?.abort();
    this.changed.emit();
  }

  /** Shows another range; what was zoomed into is forgotten. */
  show(range: Range): void {
    this.before.length = 0;
    this.set(range);
  }

  /** Looks closer, or further; `back` returns. */
  zoom(start: number, end: number): void {
    const middle = (start + end) / 2;
    const half = Math.max(SHORTEST, end - start) / 2;
    this.before.push(this.range);
    this.set({ start: Math.round(middle - half), end: Math.round(middle + half) });
  }

  back(): void {
    const range = this.before.pop();
    if (range) this.set(range);
  }

  private set(range: Range): void {
    this.range = range;
    void this.load();
  }

  /** An observation that has just come. */
  grow(id: number, time: number, value: number): void {
    if (!this.open || !this.follows) return;
    const found = this.series.find(({ datastream }) => datastream.id === id);
    const last = found?.times.at(-1);
    if (!found || (last !== undefined && time - last < SAME)) return;
    if (last !== undefined && time - last > TOO_LONG * usualInterval(found.times)) {
      const known = found.gaps.at(-1);
      if (!known || known[1] < time) found.gaps.push([last, time]);
    }
    found.times.push(time);
    found.values.push(value);
    found.rows++;
    if (Date.now() - this.refreshed > STALE) void this.load();
    else this.tellLater();
  }

  /** Asks again, as when the connection is back. */
  async load(): Promise<void> {
    this.asked?.abort();
    this.asked = null;
    this.picks = this.picks.filter(this.exists);
    if (this.picks.length === 0) this.open = false;
    if (!this.open) return this.changed.emit();
    const asked = (this.asked = new AbortController());
    this.changed.emit();
    this.refreshed = Date.now();
    const [start, end] = this.extentAt(this.refreshed);
    try {
      const answer = await askSeries(this.picks, start, end, POINTS, asked.signal);
      if (this.asked !== asked) return;
      this.series = this.inOrder(answer.series);
      this.picks = this.series.map(({ datastream }) => datastream.id);
      this.error = null;
    } catch (error) {
      if (this.asked !== asked) return;
      this.error = error;
    }
    this.asked = null;
    this.changed.emit();
  }

  private inOrder(series: Series[]): Series[] {
    const place = (one: Series) => this.picks.indexOf(one.datastream.id);
    return series.filter((one) => place(one) >= 0).sort((a, b) => place(a) - place(b));
  }

  /** Many at once are drawn once. */
  private tellLater(): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.grown.emit();
    }, DRAWN_EVERY);
  }

  /** As a link has it: `3,17;24h`, or `3,17;1700000000000..1700003600000`. */
  get link(): string | null {
    if (!this.open || this.picks.length === 0) return null;
    const { range } = this;
    const name = "span" in range && Object.entries(SPANS).find(([, span]) => span === range.span)?.[0];
    return `${this.picks.join(",")};${"span" in range ? (name ?? "24h") : `${range.start}..${range.end}`}`;
  }

  set link(text: string | null) {
    const [ids, range] = text?.split(";") ?? [];
    const picks = (ids ?? "").split(",").filter((id) => /^\d{1,15}$/.test(id)).map(Number);
    this.picks = [...new Set(picks)].slice(0, MOST);
    if (picks.length === 0) this.close();
    else {
      this.open = true;
      this.show(rangeOf(range ?? "") ?? { span: SPANS["24h"] });
    }
  }
}

function rangeOf(text: string): Range | null {
  if (text in SPANS) return { span: SPANS[text as SpanName] };
  const found = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  const [start, end] = [Number(found?.[1]), Number(found?.[2])];
  return found && start < end ? { start, end } : null;
}
