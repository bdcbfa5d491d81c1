/** Congestion on the map: roads as lines and cells as areas, larger and darker the worse it is. */
import type { LonLat, RoadState, RoadStateRow, RoadStates } from "../types";
import { NO_STATE, STATE_LOOKS } from "./looks";
import { Paint, rgba } from "./paint";
import type { Plane, Spot } from "./plane";

/** Metres beside the middle of a road, so that both directions are seen. */
const BESIDE = 3;

/** How much of its cell is filled. */
const FILLED: Record<RoadState, number> = { free: 0.5, "light-free": 0.62, light: 0.74, moderate: 0.86, severe: 0.97 };

/** Lines by the ids of links; what is worst lies on top. */
export function paintRoads(paint: Paint, plane: Plane, lines: RoadStates["lines"], rows: ReadonlyMap<string, RoadStateRow>): void {
  const order = Object.keys(STATE_LOOKS) as RoadState[];
  const ranked = Object.entries(lines).flatMap(([id, line]) => {
    const parts = line.type === "LineString" ? [line.coordinates] : line.coordinates;
    return parts.map((places) => ({ line: places, state: rows.get(id)?.state ?? null }));
  });
  ranked.sort((a, b) => (a.state ? order.indexOf(a.state) : -1) - (b.state ? order.indexOf(b.state) : -1));
  for (const { line, state } of ranked) {
    const { colour, pixels } = state ? STATE_LOOKS[state] : NO_STATE;
    const spots = plane.line(line);
    // A light rim sets it off from dark and from busy ground.
    paint.line(spots, { metres: 0.5 + pixels * 0.55, pixels: pixels + 1 }, rgba("#ffffff", 0.8), BESIDE);
    paint.line(spots, { metres: pixels * 0.55, pixels }, rgba(colour, 0.95), BESIDE);
  }
}

export function paintCells(paint: Paint, plane: Plane, outlines: ReadonlyMap<string, readonly LonLat[]>, rows: ReadonlyMap<string, RoadStateRow>): void {
  for (const [cell, { state }] of rows) {
    const outline = outlines.get(cell);
    if (!outline || !state) continue;
    const ring = outline.map((place) => plane.flat(place));
    const [x, y] = [0, 1].map((axis) => ring.reduce((sum, place) => sum + place[axis]!, 0) / ring.length) as [number, number];
    const at = (share: number) => ring.map(([e, n]): Spot => {
      const [east, north] = [x + (e - x) * share, y + (n - y) * share];
      return [east, north, plane.up(east, north)];
    });
    const whole = at(0.99);
    paint.line([...whole, whole[0]!], { metres: 0.5, pixels: 0.6 }, rgba("#45525f", 0.5));
    paint.area(at(FILLED[state]), rgba(STATE_LOOKS[state].colour, 0.48));
  }
}
