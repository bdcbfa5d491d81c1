/** The map to the lane: lanes with their markings, ways through intersections, crosswalks. */
import type { Connection, Crosswalk, Intersection, Lane, LonLat } from "../types";
import { Paint, rgba, type Rgba } from "./paint";
import type { Plane, Spot } from "./plane";

const ASPHALT = rgba("#515c67", 0.94);
const WAY = rgba("#5d6873", 0.9);
const WHITE = rgba("#ffffff", 0.85);
const MARK = rgba("#ff9f1c", 0.85);
const SURFACES: Partial<Record<NonNullable<Lane["type"]>, Rgba>> = {
  bus: rgba("#7d5242", 0.94),
  bike: rgba("#3f7362", 0.94),
  sidewalk: rgba("#c3c9cf", 0.94),
  crosswalk: rgba("#c3c9cf", 0.94),
  shoulder: rgba("#7b858f", 0.9),
  parking: rgba("#6f7f96", 0.9),
};
/** Half the width of a marking, and of a way through an intersection. */
const LINE = { metres: 0.07, pixels: 0.45 };
const HALF_WAY = 1.7;
/** Metres before the stop line that arrows are painted, and the stripes of crosswalks. */
const ARROW_BEFORE = 9;
const STRIPE = 0.45;

/** Draws an intersection; what is marked stands out. */
export function paintIntersection(paint: Paint, plane: Plane, one: Intersection, marked: ReadonlySet<string>): void {
  if (one.area.length > 2) areaAround(paint, plane.line(one.area), WAY);
  for (const way of one.connections) paint.line(plane.line(way.line), { metres: HALF_WAY }, WAY);
  const leads = new Set(one.approaches.flatMap(({ lanes }) => lanes));
  for (const lane of one.lanes) paintLane(paint, plane, lane, marked.has(lane.id));
  for (const crosswalk of one.crosswalks) paintCrosswalk(paint, plane, crosswalk);
  for (const lane of one.lanes) if (leads.has(lane.id)) paintArrow(paint, plane, lane);
  for (const way of one.connections) if (marked.has(way.id)) paintWay(paint, plane, way);
}

function paintLane(paint: Paint, plane: Plane, lane: Lane, marked: boolean): void {
  const spots = plane.line(lane.line);
  const half = lane.width / 2;
  paint.line(spots, { metres: half }, SURFACES[lane.type ?? "driving"] ?? ASPHALT);
  if (marked) paint.line(spots, { metres: half * 0.8, pixels: 2 }, MARK);
  if (lane.type === "sidewalk") return;
  for (const side of [-half, half]) paint.line(spots, LINE, WHITE, side);
}

function paintWay(paint: Paint, plane: Plane, way: Connection): void {
  paint.line(plane.line(way.line), { metres: 0.9, pixels: 2 }, MARK);
}

/** A ring that can be seen as a whole from its middle. */
function areaAround(paint: Paint, ring: readonly Spot[], colour: Rgba): void {
  const middle: Spot = [0, 1, 2].map((axis) => ring.reduce((sum, spot) => sum + spot[axis]!, 0) / ring.length) as Spot;
  ring.forEach((spot, i) => paint.area([middle, spot, ring[(i + 1) % ring.length]!], colour));
}

/** Stripes in the direction of those who drive: across the longer side. */
function paintCrosswalk(paint: Paint, plane: Plane, { area }: Crosswalk): void {
  const ring = openRing(area).map((place) => plane.flat(place));
  if (ring.length !== 4) return;
  const length = (i: number) => Math.hypot(ring[i]![0] - ring[(i + 1) % 4]![0], ring[i]![1] - ring[(i + 1) % 4]![1]);
  const first = length(0) >= length(1) ? 0 : 1;
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => ring[(first + i) % 4]!) as [[number, number], [number, number], [number, number], [number, number]];
  const count = Math.max(1, Math.floor(length(first) / (2 * STRIPE)));
  const between = (p: readonly [number, number], q: readonly [number, number], share: number): Spot => {
    const [e, n] = [p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share];
    return [e, n, plane.up(e, n)];
  };
  for (let i = 0; i < count; i++) {
    const share = (i + 0.5) / count;
    paint.line([between(a, b, share), between(d, c, share)], { metres: STRIPE / 2 }, WHITE);
  }
}

export function openRing(ring: readonly LonLat[]): readonly LonLat[] {
  const [first, last] = [ring[0], ring.at(-1)];
  return ring.length > 1 && first![0] === last![0] && first![1] === last![1] ? ring.slice(0, -1) : ring;
}

/** Where a lane ends, and where it leads: metres and a unit vector, east and north. */
export function endOf(plane: Plane, { line }: Lane): { at: [number, number]; ahead: [number, number] } {
  const [before, at] = [plane.flat(line.at(-2)!), plane.flat(line.at(-1)!)];
  const [e, n] = [at[0] - before[0], at[1] - before[1]];
  const length = Math.hypot(e, n) || 1;
  return { at, ahead: [e / length, n / length] };
}

/** What drivers are told before the stop line. */
function paintArrow(paint: Paint, plane: Plane, lane: Lane): void {
  const { turns = [], line, width } = lane;
  if (turns.length === 0 || line.length < 2 || width < 2.2) return;
  const { at, ahead } = endOf(plane, lane);
  const spot = (right: number, forward: number): Spot => {
    const along = forward - ARROW_BEFORE;
    const [e, n] = [at[0] + ahead[0] * along + ahead[1] * right, at[1] + ahead[1] * along - ahead[0] * right];
    return [e, n, plane.up(e, n)];
  };
  const stroke = (...places: [number, number][]) => paint.line(places.map(([r, f]) => spot(r, f)), { metres: 0.13 }, WHITE);
  const head = (r: number, f: number, [dr, df]: [number, number]) =>
    paint.area([spot(r + dr * 1.2, f + df * 1.2), spot(r - df * 0.42, f + dr * 0.42), spot(r + df * 0.42, f - dr * 0.42)], WHITE);
  stroke([0, -2.5], [0, 0.4]);
  if (turns.includes("straight")) {
    stroke([0, 0.4], [0, 1.6]);
    head(0, 1.6, [0, 1]);
  }
  for (const [turn, side] of [["left", -1], ["right", 1]] as const) {
    if (!turns.includes(turn)) continue;
    stroke([0, -0.4], [side * 0.5, 0.3]);
    head(side * 0.45, 0.25, [side * 0.9, 0.45]);
  }
  if (turns.includes("uturn")) {
    stroke([0, 0.4], [-0.5, 0.8], [-0.9, 0.2]);
    head(-0.9, 0.1, [0, -1]);
  }
}
