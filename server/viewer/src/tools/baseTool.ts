/** The choice of the base as a tool: its card has the switch. */
import { type Base, BASES, type BaseName } from "../base";
import { Signal } from "../signal";
import type { Tool } from "./tool";

export class BaseTool implements Tool {
  readonly name = "base";
  readonly icon = "terrain";
  readonly letter = "g";
  readonly changed = new Signal();
  private shown = false;

  constructor(readonly base: Base) {
    base.changed.on(() => this.changed.emit());
  }

  /** While its card is open; the base itself stays. */
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

  get link(): string | null {
    return this.base.choice;
  }

  set link(text: string | null) {
    this.base.choice = BASES.find((name) => name === text) ?? (null as BaseName | null);
  }
}
