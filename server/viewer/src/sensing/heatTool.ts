/** The heat map as a tool. */
import { Signal } from "../signal";
import type { Tool } from "../tools/tool";
import type { Heat } from "./heat";
import type { Sensing } from "./things";

/** What is shown first where it is observed: everybody knows what it means. */
const FIRST = "air-temperature";

export class HeatTool implements Tool {
  readonly name = "heat";
  readonly icon = "heat";
  readonly letter = "e";
  readonly changed = new Signal();
  /** While nothing can be shown, the card says so. */
  private empty = false;

  constructor(
    readonly heat: Heat,
    private readonly sensing: Sensing,
  ) {
    heat.changed.on(() => this.changed.emit());
  }

  get on(): boolean {
    return this.heat.choice !== null || this.empty;
  }

  /** What is observed, by how many datastreams; the most first. */
  get properties(): string[] {
    const counts = new Map<string, number>();
    for (const { datastream } of this.sensing.streams.values()) {
      counts.set(datastream.property, (counts.get(datastream.property) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([property]) => property);
  }

  start(): void {
    const known = this.properties;
    const property = known.find((code) => code === FIRST) ?? known[0];
    this.empty = property === undefined;
    if (property === undefined) return this.changed.emit();
    this.heat.choice = { property, statistic: "mean", window: 3_600, resolution: null, extruded: false, fitted: false };
  }

  stop(): void {
    this.empty = false;
    this.heat.choice = null;
  }

  get link(): string | null {
    return this.heat.link;
  }

  set link(text: string | null) {
    this.heat.link = text;
  }
}
