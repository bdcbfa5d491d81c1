/** Directions in degrees clockwise from north, and turns. */
import type { Turn } from "../types";

/** From the middle of the road outwards where driving is on the right. */
export const TURNS: readonly Turn[] = ["uturn", "left", "straight", "right"];

/** Degrees from 0 to 360. */
export function turned(degrees: number): number {
  return ((degrees % 360) + 360) % 360;
}

/** How far two directions lie apart: degrees, from 0 to 180. */
export function apart(a: number, b: number): number {
  const between = turned(a - b);
  return Math.min(between, 360 - between);
}

/** Where a movement leaves if no way through the intersection tells. */
export function usualExit(bearing: number, turn: Turn): number {
  return turned(bearing + { left: -90, straight: 0, right: 90, uturn: 180 }[turn]);
}
