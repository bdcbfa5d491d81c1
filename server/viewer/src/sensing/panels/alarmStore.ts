/** The alarms of the city: the list, how many are open, the one that is looked at. */
import { ApiError } from "../../data/api";
import type { Live } from "../../live";
import { Signal } from "../../signal";
import type { Level } from "../types";
import { type Alarm, alarmApi, type AlarmDetail, type Answers, isOpen, type Show } from "./alarmApi";

const PAGE = 100;
/** In one answer of the server. */
const MOST = 1_000;
/** Milliseconds after news before the server is asked what the whole is now. */
const SETTLE = 1_000;

export class AlarmStore {
  /** The list, the counts, what is shown of them. */
  readonly changed = new Signal();
  /** Another alarm is looked at, or it has changed. */
  readonly looked = new Signal();
  /** One that was not there before, or is worse than before. */
  readonly raised = new Signal<Alarm>();
  open = false;
  show: Show = "open";
  readonly levels = new Set<Level>();
  thingClass: string | null = null;
  all: Alarm[] = [];
  /** Whether there may be more than are listed. */
  more = false;
  counts = new Map<Level, number>();
  error: unknown = null;
  /** What is looked at: as the list knows it, then with all that is known of it. */
  looking: number | null = null;
  detail: AlarmDetail | null = null;
  detailError: unknown = null;
  loaded = false;
  private asked = 0;
  /** The highest number seen. */
  private newest = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly live: Live) {}

  /** Begins to look after the alarms for as long as the page is open. */
  async start(): Promise<void> {
    this.live.alarm.on((alarm) => this.take(alarm));
    this.live.resumed.on(() => {
      void this.load();
      if (this.looking !== null) void this.look(this.looking);
    });
    await this.load();
  }

  /** Those of the list that pass what is chosen. */
  get listed(): Alarm[] {
    return this.all.filter(
      ({ level, thing }) =>
        (this.levels.size === 0 || this.levels.has(level)) && (this.thingClass === null || thing.class === this.thingClass),
    );
  }

  /** The gravest open alarm of a thing, as far as they are listed. */
  openOf(thing: number): Alarm | undefined {
    const found = this.all.filter((alarm) => alarm.thing.id === thing && isOpen(alarm));
    return found.sort((a, b) => b.level - a.level)[0];
  }

  setOpen(open: boolean): void {
    if (open === this.open) return;
    this.open = open;
    this.changed.emit();
  }

  choose(change: { show?: Show; level?: Level; thingClass?: string | null }): void {
    if (change.level !== undefined && !this.levels.delete(change.level)) this.levels.add(change.level);
    if (change.thingClass !== undefined) this.thingClass = change.thingClass;
    if (change.show !== undefined && change.show !== this.show) {
      this.show = change.show;
      this.all = [];
      this.loaded = false;
      void this.load();
    }
    this.changed.emit();
  }

  async load(after?: number): Promise<void> {
    const asked = ++this.asked;
    clearTimeout(this.timer);
    // As many as are listed, so that nobody's list is cut off by news.
    const limit = after === undefined ? Math.min(MOST, Math.max(PAGE, this.all.length)) : PAGE;
    try {
      const { alarms, counts } = await alarmApi.list(this.show, limit, after);
      if (asked !== this.asked) return;
      this.all = after === undefined ? alarms : [...this.all, ...alarms];
      this.more = alarms.length === limit;
      this.newest = Math.max(this.newest, ...alarms.map(({ id }) => id));
      this.counts = new Map(Object.entries(counts.by_level).map(([level, n]) => [Number(level) as Level, n]));
      this.error = null;
    } catch (error) {
      if (asked !== this.asked) return;
      this.error = error;
    }
    this.loaded = true;
    this.changed.emit();
  }

  /** The page after those that are listed. */
  async next(): Promise<void> {
    await this.load(this.all.at(-1)?.id);
  }

  /** Looks at one alarm; null looks at the list again. */
  async look(id: number | null): Promise<void> {
    const other = id !== this.looking;
    this.looking = id;
    if (other) {
      this.detail = null;
      this.detailError = null;
      this.looked.emit();
    }
    if (id === null) return;
    try {
      const detail = await alarmApi.get(id);
      if (this.looking !== id) return;
      this.detail = detail;
      this.detailError = null;
    } catch (error) {
      if (this.looking !== id) return;
      this.detailError = error;
    }
    this.looked.emit();
  }

  /**
   * Acknowledges, shelves or closes an alarm. False where somebody was faster: it is asked again how
   * it stands then. Raises `ApiError` for whatever else the server refuses.
   */
  async answer<What extends keyof Answers>(alarm: Alarm, what: What, body: Answers[What]): Promise<boolean> {
    try {
      this.take(await alarmApi.answer(alarm.id, what, body, alarm.version));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      await this.look(alarm.id);
      if (this.detail) this.take(this.detail);
      return false;
    }
  }

  /** News of an alarm: at once where it can be told, and a while later as the server has it. */
  private take(alarm: Alarm): void {
    const known = this.all.find(({ id }) => id === alarm.id);
    if (known && known.version > alarm.version) return;
    const fits = this.show === "all" || isOpen(alarm) === (this.show === "open");
    const others = this.all.filter(({ id }) => id !== alarm.id);
    this.all = fits ? [...others, alarm].sort((a, b) => b.id - a.id) : others;
    if (isOpen(alarm) && alarm.id > this.newest) {
      this.newest = alarm.id;
      this.counts.set(alarm.level, (this.counts.get(alarm.level) ?? 0) + 1);
      this.raised.emit(alarm);
    } else if (known && alarm.level > known.level) this.raised.emit(alarm);
    this.changed.emit();
    if (this.looking === alarm.id && this.detail && this.detail.version < alarm.version) void this.look(alarm.id);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), SETTLE);
  }
}
