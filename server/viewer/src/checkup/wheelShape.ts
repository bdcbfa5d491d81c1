/** The dimension wheel as geometry: one sector for each dimension of each level, in bands by how its indicators stand. */
import { dimensionSums, type DimensionSum } from "./filters";
import { type IndicatorEntry, type Level, LEVELS } from "./types";

export interface Sector extends DimensionSum {
  level: Level;
  /** Radians from the top, clockwise. */
  begin: number;
  end: number;
}

export interface LevelArc {
  level: Level;
  begin: number;
  end: number;
}

export const BANDS = ["met", "failed", "undecided", "unavailable"] as const;
export type Band = (typeof BANDS)[number];

export const INNER = 45;
export const OUTER = 90;
/** Radians left free between levels. */
const GAP = 0.045;

export function sectorsOf(indicators: readonly IndicatorEntry[], dimensions: readonly string[]): { sectors: Sector[]; levels: LevelArc[] } {
  const byLevel = LEVELS.map((level) => ({ level, sums: dimensionSums(indicators, dimensions, level) })).filter(({ sums }) => sums.length > 0);
  const count = byLevel.reduce((sum, { sums }) => sum + sums.length, 0);
  const gap = byLevel.length > 1 ? GAP : 0;
  const each = (2 * Math.PI - gap * byLevel.length) / Math.max(1, count);
  const sectors: Sector[] = [];
  const levels: LevelArc[] = [];
  let at = gap / 2;
  for (const { level, sums } of byLevel) {
    levels.push({ level, begin: at, end: at + each * sums.length });
    for (const sum of sums) {
      sectors.push({ ...sum, level, begin: at, end: at + each });
      at += each;
    }
    at += gap;
  }
  return { sectors, levels };
}

/** The bands of a sector from the middle outwards: radii by how many indicators each has. */
export function bandsOf(sector: DimensionSum): { band: Band; from: number; to: number }[] {
  let radius = INNER;
  return BANDS.flatMap((band) => {
    if (sector[band] === 0) return [];
    const from = radius;
    radius += ((OUTER - INNER) * sector[band]) / sector.total;
    return [{ band, from, to: radius }];
  });
}

export function pointAt(angle: number, radius: number): [number, number] {
  return [Math.sin(angle) * radius, -Math.cos(angle) * radius];
}

/** A piece of a ring as an SVG path. */
export function ringPath(begin: number, end: number, from: number, to: number): string {
  // A whole turn begins where it ends, which would draw nothing.
  const last = Math.min(end, begin + 2 * Math.PI - 1e-4);
  const large = last - begin > Math.PI ? 1 : 0;
  const point = (angle: number, radius: number) => pointAt(angle, radius).map((n) => n.toFixed(3)).join(" ");
  return `M${point(begin, to)}A${to} ${to} 0 ${large} 1 ${point(last, to)}L${point(last, from)}A${from} ${from} 0 ${large} 0 ${point(begin, from)}Z`;
}
