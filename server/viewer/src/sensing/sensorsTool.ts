/** The symbols of things as a tool: its card has the legend, the filter and the list. */
import { Signal } from "../signal";
import type { Tool } from "../tools/tool";
import { type Reach, REACHES } from "./clock";
import type { Filter } from "./filter";
import type { Sensing } from "./things";

export class SensorsTool implements Tool {
  readonly name = "sensors";
  readonly icon = "sensor";
  readonly letter = "s";
  readonly changed = new Signal();
  private shown = false;
  /** A thing that a link named before it was known. */
  private wanted: number | null = null;

  constructor(
    readonly sensing: Sensing,
    readonly filter: Filter,
  ) {
    const tell = () => this.changed.emit();
    filter.changed.on(tell);
    sensing.picked.on(tell);
    sensing.clock.changed.on(tell);
    sensing.listed.on(() => {
      if (this.wanted !== null && sensing.things.has(this.wanted)) sensing.select(this.wanted);
      this.wanted = null;
      tell();
    });
  }

  /** While its card is open; the symbols themselves stay. */
  get on(): boolean {
    return this.shown;
  }

  start(): void {
    this.shown = true;
    this.changed.emit();
  }

  stop(): void {
    this.shown = false;
    this.changed.emit();
  }

  leave(): void {
    this.shown = false;
  }

  /** What is left out, the selected thing, and the time where it is not now. */
  get link(): string | null {
    const { filter, sensing } = this;
    const { at, reach } = sensing.clock;
    if (filter.whole && sensing.selected === null && at === null) return null;
    const time = at === null ? ["", ""] : [new Date(at).toISOString().slice(0, 16) + "Z", reach];
    return [...filter.link, String(sensing.selected?.id ?? ""), ...time].join(";").replace(/;+$/, "");
  }

  set link(text: string | null) {
    const [shown = "1", classes = "", marks = "", layers = "", selected = "", time = "", reach = ""] = (text ?? "").split(";");
    const { filter, sensing } = this;
    filter.link = [shown, classes, marks, layers];
    this.wanted = /^\d+$/.test(selected) ? Number(selected) : null;
    if (this.wanted === null || sensing.things.has(this.wanted)) sensing.select(this.wanted);
    if (reach in REACHES) sensing.clock.reach = reach as Reach;
    const at = Date.parse(time);
    sensing.clock.at = Number.isFinite(at) ? at : null;
  }
}
