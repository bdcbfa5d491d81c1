/** The classes of a heat map: steps of round numbers, which stay while values change. */
import { type Bin, RAMP } from "../theme";

const FEWEST = 5;
const MOST = 8;

/** Round numbers between two, so that they part what lies there into some five to eight classes. */
export function roundSteps(low: number, high: number): number[] {
  if (!(high > low)) return [];
  const power = 10 ** Math.floor(Math.log10(high - low));
  for (const factor of [1, 0.5, 0.25, 0.2, 0.1, 0.05]) {
    const step = power * factor;
    const first = Math.floor(low / step + 1e-9) + 1;
    const last = Math.ceil(high / step - 1e-9) - 1;
    const count = last - first + 2;
    if (count < FEWEST || count > MOST) continue;
    return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }
  return [];
}

export class Scale {
  readonly bins: readonly Bin[];

  constructor(private readonly steps: readonly number[]) {
    this.bins = Array.from({ length: steps.length + 1 }, (_, i) => {
      const bin: Bin = { colour: colourAt(steps.length === 0 ? 0.5 : i / steps.length) };
      if (i > 0) bin.from = steps[i - 1]!;
      if (i < steps.length) bin.to = steps[i]!;
      return bin;
    });
  }

  /** Over the range of what is observed, or over the values themselves. */
  static over(range: readonly [number, number] | null, values: readonly number[]): Scale {
    let [low, high] = range ?? [Infinity, -Infinity];
    if (!range) for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    return new Scale(roundSteps(low, high));
  }

  /** The class that a value is in; a step belongs to what is above it. */
  indexOf(value: number): number {
    const above = this.steps.findIndex((step) => value < step);
    return above < 0 ? this.steps.length : above;
  }

  colourOf(value: number): string {
    return this.bins[this.indexOf(value)]!.colour;
  }

  /** Where a value lies between the lowest and the highest step, and a step beyond them: 0 to 1. */
  shareOf(value: number): number {
    const [low, high] = [this.steps[0], this.steps.at(-1)];
    if (low === undefined || high === undefined) return 0.5;
    const step = (high - low) / Math.max(1, this.steps.length - 1) || 1;
    return Math.min(1, Math.max(0, (value - low + step) / (high - low + 2 * step)));
  }

  counts(values: readonly number[]): number[] {
    const counts = this.bins.map(() => 0);
    for (const value of values) counts[this.indexOf(value)]!++;
    return counts;
  }
}

/** Between the colours of the ramp, which begins with the lowest. */
function colourAt(share: number): string {
  const place = share * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(place));
  const part = (css: string, c: number) => parseInt(css.slice(1 + 2 * c, 3 + 2 * c), 16);
  const mixed = [0, 1, 2].map((c) => part(RAMP[i]!, c) * (1 - place + i) + part(RAMP[i + 1]!, c) * (place - i));
  return `#${mixed.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
}
