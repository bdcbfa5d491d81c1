/** The things of the city that observe, what they said last, and which of them is selected. */
import { Signal } from "../signal";
import { sensingApi } from "./api";
import { Channels, type ChannelState } from "./channel";
import { Clock } from "./clock";
import type { Frame } from "./frames";
import { type Datastream, type Level, type SensorClass, type SensorProperty, STATES, type Thing } from "./types";

/** Milliseconds after which it is looked whether there are other things than before. */
const LOOK_AGAIN = 30_000;

/** A datastream with the thing it belongs to; both are kept up to date in place. */
export interface Known {
  thing: Thing;
  datastream: Datastream;
}

export class Sensing {
  /** By id; the objects stay the same while their values change. */
  readonly things = new Map<number, Thing>();
  /** By id of the datastream. */
  readonly streams = new Map<number, Known>();
  readonly classes = new Map<string, SensorClass>();
  /** By code; of properties that several classes have, the first. */
  readonly properties = new Map<string, SensorProperty>();
  /** Other things are there than before: read `things` anew. */
  readonly listed = new Signal();
  /** These things have new values or another state. */
  readonly changed = new Signal<ReadonlySet<number>>();
  /** Another thing is selected, or none. */
  readonly picked = new Signal<number | null>();
  /** The live channel came, went, or said something. */
  readonly status = new Signal();
  /** The time that is looked at: now, or a past one. */
  readonly clock = new Clock();
  /** When anything was observed last. */
  updated: number | null = null;
  private readonly channels: Channels;
  private chosen: number | null = null;
  /** How many things there are, which may be more than are listed. */
  private total = 0;
  private pending = 0;
  private again = Promise.resolve();

  constructor() {
    this.channels = new Channels({
      frame: (datastreams, frame) => this.take(datastreams, frame),
      head: (layer, datastreams) => {
        const listed = [...this.streams.values()].filter(({ thing }) => thing.layer === layer);
        const others = listed.length !== datastreams.length || datastreams.some((id) => !this.streams.has(id));
        if (others) void this.refresh();
      },
      state: () => this.status.emit(),
      gone: () => void this.refresh(),
    });
  }

  /** "none" while there is nothing to be told of. */
  get state(): ChannelState | "none" {
    return this.channels.state;
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  get selected(): Thing | null {
    return this.chosen === null ? null : (this.things.get(this.chosen) ?? null);
  }

  select(id: number | null): void {
    if (id === this.chosen) return;
    this.chosen = id;
    this.picked.emit(id);
  }

  /** What a class is called, drawn as and made of; undefined for words the city does not know. */
  classOf({ class: name }: Thing): SensorClass | undefined {
    return this.classes.get(name);
  }

  /** Begins to look after things for as long as the page is open. */
  async start(): Promise<void> {
    setInterval(() => void this.look(), LOOK_AGAIN);
    await this.refresh();
  }

  /** Lists the things anew; one after the other where it is asked for several times. */
  refresh(): Promise<void> {
    this.again = this.again.then(() => this.list());
    return this.again;
  }

  private async list(): Promise<void> {
    this.pending++;
    try {
      if (this.classes.size === 0) this.learn(await sensingApi.classes());
      const { things, total } = await sensingApi.things();
      this.total = total;
      this.things.clear();
      this.streams.clear();
      for (const thing of things) {
        this.things.set(thing.id, thing);
        for (const datastream of thing.datastreams) this.streams.set(datastream.id, { thing, datastream });
      }
      this.date();
      if (this.chosen !== null && !this.things.has(this.chosen)) this.select(null);
      this.channels.follow(new Set(things.map(({ layer }) => layer)));
      this.listed.emit();
    } catch {
      // Who may see no things has none; that the server is away, the badge tells.
    } finally {
      this.pending--;
    }
  }

  private learn(classes: readonly SensorClass[]): void {
    for (const one of classes) {
      this.classes.set(one.id, one);
      for (const property of one.properties) {
        if (!this.properties.has(property.id)) this.properties.set(property.id, property);
      }
    }
  }

  /** A thing that was added to a layer without any, no channel tells of. */
  private async look(): Promise<void> {
    if (document.hidden) return;
    const total = await sensingApi.count().catch(() => this.total);
    if (total !== this.total) await this.refresh();
  }

  private date(): void {
    let newest = 0;
    for (const { updated } of this.things.values()) if (updated !== null && updated > newest) newest = updated;
    this.updated = newest || null;
  }

  private take(datastreams: readonly number[], frame: Frame): void {
    const changed = new Set<number>();
    for (let i = 0; i < frame.index.length; i++) {
      const known = this.streams.get(datastreams[frame.index[i]!]!);
      if (!known) continue;
      const [value, age, code] = [frame.value[i]!, frame.age[i]!, frame.state[i]!];
      const { thing, datastream } = known;
      datastream.value = Number.isFinite(value) ? value : null;
      datastream.time = Number.isFinite(age) ? Math.round(frame.base - age * 1000) : null;
      datastream.state = STATES[code % 10] ?? "never";
      datastream.alarm = code >= 10 ? (Math.floor(code / 10) as Level) : null;
      changed.add(thing.id);
    }
    for (const id of changed) summarise(this.things.get(id)!);
    this.date();
    if (changed.size > 0) this.changed.emit(changed);
    this.status.emit();
  }
}

/** A thing is, as the server has it, as fresh as the freshest of its datastreams, and as grave as the gravest. */
function summarise(thing: Thing): void {
  thing.state = STATES[Math.min(...thing.datastreams.map(({ state }) => STATES.indexOf(state)))]!;
  const levels = thing.datastreams.map(({ alarm }) => alarm ?? 0);
  thing.alarm = (Math.max(0, ...levels) || null) as Level | null;
  const times = thing.datastreams.map(({ time }) => time ?? 0);
  thing.updated = Math.max(0, ...times) || null;
}
