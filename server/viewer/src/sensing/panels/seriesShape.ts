/** The shape of a series: what is joined by a line, what is not, and how far it swings. */

/** Consecutive points that a line may join: the first and the one after the last. */
export type Piece = readonly [from: number, to: number];

type Points = { readonly times: readonly number[]; readonly values: readonly (number | null)[] };
type Gaps = readonly (readonly [number, number])[];

/** Splits a series wherever a gap lies between two of its points, or a point has no value. */
export function pieces({ times, values }: Points, gaps: Gaps): Piece[] {
  const found: Piece[] = [];
  let from = -1;
  let gap = 0;
  for (let i = 0; i < times.length; i++) {
    if (!Number.isFinite(values[i] ?? NaN)) {
      if (from >= 0) found.push([from, i]);
      from = -1;
      continue;
    }
    if (from < 0) from = i;
    while (gap < gaps.length && gaps[gap]![1] <= times[i]!) gap++;
    const next = times[i + 1];
    if (next === undefined || (gap < gaps.length && gaps[gap]![0] < next)) {
      found.push([from, i + 1]);
      from = -1;
    }
  }
  return found;
}

/** A column of a band: where it stands, and how far up and down. */
export interface Swing {
  x: number;
  low: number;
  high: number;
}

/** How far the points of a piece swing in each column of so many pixels. */
export function swings(
  { times, values }: Points,
  [from, to]: Piece,
  x: (time: number) => number,
  width: number,
): Swing[] {
  const found: Swing[] = [];
  let column = NaN;
  for (let i = from; i < to; i++) {
    const [at, value] = [x(times[i]!), values[i]!];
    const last = found.at(-1);
    if (last && Math.floor(at / width) === column) {
      last.low = Math.min(last.low, value);
      last.high = Math.max(last.high, value);
    } else {
      column = Math.floor(at / width);
      found.push({ x: at, low: value, high: value });
    }
  }
  return found;
}

/** The place of the point that is nearest to a time, of times in order; -1 where there is none. */
export function nearest(times: readonly number[], time: number): number {
  if (times.length === 0) return -1;
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time - times[low - 1]! <= times[low]! - time ? low - 1 : low;
}

/** Whether a time lies within a gap. */
export function inGap(gaps: Gaps, time: number): boolean {
  return gaps.some(([from, to]) => time > from && time < to);
}

/** The time between two neighbours that is usual: the median of the last intervals. */
export function usualInterval(times: readonly number[], of = 50): number {
  const last = times.slice(-of - 1);
  const steps = last.slice(1).map((time, i) => time - last[i]!).sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

/** Whether a series only ever says yes or no. */
export function isSwitch(values: readonly (number | null)[]): boolean {
  return values.length > 0 && values.every((value) => value === null || value === 0 || value === 1);
}
