/** What signal groups show, by intersection and group. */
import type { SignalFrame, TrafficHead } from "./frames";
import { type Light, LIGHTS } from "./types";

export interface Shown {
  light: Light;
  /** Seconds more at `at`; null where nobody knows. */
  remaining: number | null;
  /** Milliseconds since 1970. */
  at: number;
}

const NOBODY: ReadonlyMap<string, Shown> = new Map();

export class Lights {
  private readonly all = new Map<string, Map<string, Shown>>();

  of(intersection: string): ReadonlyMap<string, Shown> {
    return this.all.get(intersection) ?? NOBODY;
  }

  get known(): ReadonlyMap<string, ReadonlyMap<string, Shown>> {
    return this.all;
  }

  clear(): void {
    this.all.clear();
  }

  /** Takes what a frame says; whether any light is another than before. */
  take(head: TrafficHead, { index, light, remaining, base }: SignalFrame): boolean {
    let other = false;
    for (let i = 0; i < index.length; i++) {
      const signal = head.signals[index[i]!];
      if (!signal) continue;
      let groups = this.all.get(signal.intersection);
      if (!groups) this.all.set(signal.intersection, (groups = new Map<string, Shown>()));
      // The words of the head, where a later server has others.
      const word = head.lights[light[i]!] as Light | undefined;
      const shown = word !== undefined && LIGHTS.includes(word) ? word : "unknown";
      other ||= groups.get(signal.group)?.light !== shown;
      groups.set(signal.group, { light: shown, remaining: Number.isFinite(remaining[i]!) ? remaining[i]! : null, at: base });
    }
    return other;
  }
}
