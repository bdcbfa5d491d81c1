/** The questions asked of pipe networks, and arrows in the way they flow. */
import type { Analysis } from "../analysis";
import { isNetwork } from "../kinds";
import type { Layers } from "../layers";
import type { Flow } from "../scene/flow";
import { Signal } from "../signal";
import type { Tool } from "./tool";
import type { Underground } from "./underground";

/** Analyses of the underground, as they stand in its card. */
export const PIPE_ANALYSES = [
  "trace",
  "isolation",
  "cross-section",
  "profile",
  "clearance",
  "cover",
  "excavation",
  "clash",
  "pipe-statistics",
] as const;

export class Pipes implements Tool {
  readonly name = "pipes";
  readonly icon = "pipes";
  readonly letter = "n";
  readonly changed = new Signal();
  private started = false;

  constructor(
    private readonly layers: Layers,
    private readonly analysis: Analysis,
    private readonly underground: Underground,
    private readonly flow: Flow,
  ) {
    analysis.changed.on(() => this.started && this.changed.emit());
  }

  get on(): boolean {
    return this.started;
  }

  /** Whether there is any network to ask. */
  get possible(): boolean {
    return [...this.layers.all.values()].some(({ collection }) => isNetwork(collection));
  }

  /** Pipes are looked for under the ground. */
  start(): void {
    this.started = true;
    void this.analysis.list();
    if (!this.underground.on && this.possible) this.underground.start();
    this.changed.emit();
  }

  stop(): void {
    this.started = false;
    this.flow.on = false;
    this.changed.emit();
  }

  get arrows(): boolean {
    return this.flow.on;
  }

  set arrows(on: boolean) {
    this.flow.on = on;
    this.changed.emit();
  }

  get link(): string | null {
    return this.started ? String(Number(this.flow.on)) : null;
  }

  set link(text: string | null) {
    if (text === null) {
      if (this.started) this.stop();
      return;
    }
    this.start();
    this.arrows = text === "1";
  }
}
