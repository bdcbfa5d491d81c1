/** The questions of light and view: sun, what is seen, the skyline, and plans held against their conditions. */
import type { Analysis } from "../analysis";
import { Signal } from "../signal";
import type { Tool } from "./tool";

/** Analyses as they stand in its card. */
export const VIEW_ANALYSES = ["sunlight", "viewshed", "skyline", "planning-check"] as const;

export class Views implements Tool {
  readonly name = "views";
  readonly icon = "eye";
  readonly letter = "o";
  readonly changed = new Signal();
  private started = false;

  constructor(private readonly analysis: Analysis) {
    analysis.changed.on(() => this.started && this.changed.emit());
  }

  get on(): boolean {
    return this.started;
  }

  start(): void {
    this.started = true;
    void this.analysis.list();
    this.changed.emit();
  }

  stop(): void {
    this.started = false;
    this.changed.emit();
  }

  get link(): string | null {
    return this.started ? "1" : null;
  }

  set link(text: string | null) {
    if (text !== null) this.start();
    else if (this.started) this.stop();
  }
}
