/** What is there and what is planned: one of them, both, or with a line between them. */
import { type Scene, SplitDirection } from "cesium";
import type { Base } from "../base";
import type { Comparison } from "../comparison";
import type { Layer, Layers } from "../layers";
import { Signal } from "../signal";
import type { Tool } from "./tool";

export type Phase = "present" | "planned" | "swipe";

const PHASES: readonly string[] = ["present", "planned", "swipe"];

/**
 * A planned layer takes the place of the present ones of its kind that stand at the same place in
 * the catalogue; every other present layer belongs to both sides.
 */
export class Phases implements Tool {
  readonly name = "phases";
  readonly icon = "phases";
  readonly letter = "p";
  readonly changed = new Signal();
  private now: Phase | null = null;
  private line = 0.5;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly base: Base,
    private readonly comparison: Comparison,
    private readonly middle: () => number,
  ) {
    layers.suppressed = (layer) => this.isOff(layer);
    base.sideOf = (layer) => (this.now === "swipe" ? this.side(layer) : SplitDirection.NONE);
    layers.listed.on(() => this.split());
    comparison.opened.on(() => {
      if (comparison.current) this.stop(); // there is one line only
    });
  }

  get on(): boolean {
    return this.now !== null;
  }

  get phase(): Phase | null {
    return this.now;
  }

  /** Where the line stands, a fraction of the picture from the left; null without one. */
  get swipe(): number | null {
    return this.now === "swipe" ? this.line : null;
  }

  set swipe(at: number | null) {
    if (at !== null) this.line = Number(at.toFixed(4));
    this.split();
    this.changed.emit();
  }

  /** How many layers are planned. */
  get planned(): number {
    return [...this.layers.all.values()].filter(({ collection }) => collection.lifecycle === "planned").length;
  }

  start(): void {
    this.line = this.middle();
    this.choose("swipe");
  }

  stop(): void {
    if (this.now) this.choose(null);
  }

  choose(phase: Phase | null): void {
    if (phase !== null) this.comparison.close();
    this.now = phase;
    for (const layer of this.layers.all.values()) this.layers.update(layer, () => undefined);
    this.split();
    this.changed.emit();
  }

  get link(): string | null {
    if (!this.now) return null;
    return this.now === "swipe" ? `swipe,${this.line}` : this.now;
  }

  set link(text: string | null) {
    const [phase, line] = text?.split(",") ?? [];
    if (phase === undefined || !PHASES.includes(phase)) {
      this.stop();
      return;
    }
    if (Number(line) >= 0 && Number(line) <= 1) this.line = Number(line);
    this.choose(phase as Phase);
  }

  private side({ collection }: Layer): SplitDirection {
    if (collection.lifecycle === "planned") return SplitDirection.RIGHT;
    const replaced = [...this.layers.all.values()].some(
      ({ collection: other }) =>
        other.lifecycle === "planned" && other.kind === collection.kind && other.place === collection.place,
    );
    return replaced ? SplitDirection.LEFT : SplitDirection.NONE;
  }

  private isOff(layer: Layer): boolean {
    if (this.now === null || this.now === "swipe") return false;
    const side = this.side(layer);
    return side === (this.now === "present" ? SplitDirection.RIGHT : SplitDirection.LEFT);
  }

  private split(): void {
    const apart = this.now === "swipe";
    for (const layer of this.layers.all.values()) {
      if (this.comparison.current?.layer === layer.collection.id) continue;
      for (const { tileset } of this.layers.drawn(layer)) {
        tileset.splitDirection = apart ? this.side(layer) : SplitDirection.NONE;
      }
    }
    if (apart) this.scene.splitPosition = this.line;
    this.base.sync();
    this.scene.requestRender();
  }
}
