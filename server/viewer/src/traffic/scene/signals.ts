/** Stop lines, open ways and crosswalks in the colours of their signals, and where the heads stand. */
import type { Shown } from "../lights";
import type { Connection, Intersection, Turn } from "../types";
import { endOf, openRing } from "./laneMap";
import { goes, LIGHT_LOOKS } from "./looks";
import { Paint, rgba } from "./paint";
import type { Plane, Spot } from "./plane";

/** A signal head as it is drawn: at the stop line of the lanes it is for. */
export interface Head {
  intersection: string;
  group: string;
  kind: "vehicle" | "pedestrian" | "bike" | "tram";
  turns: readonly Turn[];
  spot: Spot;
}

type Lit = ReadonlyMap<string, Shown>;

const ORDER: readonly Turn[] = ["uturn", "left", "straight", "right"];

/** The groups that a lane obeys, from the left to the right, each with its ways. */
function groupsOf(lane: string, ways: readonly Connection[]): [string, Connection[]][] {
  const found = new Map<string, Connection[]>();
  const own = ways.filter(({ from_lane, group }) => from_lane === lane && group);
  own.sort((a, b) => ORDER.indexOf(a.turn) - ORDER.indexOf(b.turn));
  for (const way of own) found.set(way.group!, [...(found.get(way.group!) ?? []), way]);
  return [...found];
}

/** Where the heads of an intersection are drawn: one for each group and approach, one for each crosswalk. */
export function headsOf(one: Intersection, plane: Plane): Head[] {
  const heads: Head[] = [];
  const kinds = new Map(one.groups.map(({ id, kind = "vehicle" }) => [id, kind]));
  const lanes = new Map(one.lanes.map((lane) => [lane.id, lane]));
  for (const approach of one.approaches) {
    const gathered = new Map<string, { at: [number, number][]; turns: Set<Turn> }>();
    for (const id of approach.lanes) {
      const lane = lanes.get(id);
      if (!lane || lane.line.length < 2) continue;
      const { at, ahead } = endOf(plane, lane);
      const groups = groupsOf(id, one.connections);
      groups.forEach(([group, ways], i) => {
        const known = gathered.get(group) ?? { at: [], turns: new Set<Turn>() };
        const right = ((i + 0.5) / groups.length - 0.5) * lane.width;
        known.at.push([at[0] + ahead[1] * right, at[1] - ahead[0] * right]);
        for (const { turn } of ways) known.turns.add(turn);
        gathered.set(group, known);
      });
    }
    for (const [group, { at, turns }] of gathered) {
      const [e, n] = [0, 1].map((axis) => at.reduce((sum, place) => sum + place[axis]!, 0) / at.length) as [number, number];
      heads.push({ intersection: one.id, group, kind: kinds.get(group) ?? "vehicle", turns: ORDER.filter((turn) => turns.has(turn)), spot: [e, n, plane.up(e, n)] });
    }
  }
  for (const { group, area } of one.crosswalks) {
    if (!group) continue;
    const ring = openRing(area).map((place) => plane.flat(place));
    const [e, n] = [0, 1].map((axis) => ring.reduce((sum, place) => sum + place[axis]!, 0) / ring.length) as [number, number];
    heads.push({ intersection: one.id, group, kind: "pedestrian", turns: [], spot: [e, n, plane.up(e, n)] });
  }
  return heads;
}

/** Stop lines, each part of one in the colour of the group that it is for; the ways that are open. */
export function paintLights(paint: Paint, plane: Plane, one: Intersection, lit: Lit): void {
  const lanes = new Map(one.lanes.map((lane) => [lane.id, lane]));
  for (const way of one.connections) {
    const shown = way.group ? lit.get(way.group) : undefined;
    if (shown && goes(shown.light)) paint.line(plane.line(way.line), { metres: 0.22, pixels: 0.8 }, rgba(LIGHT_LOOKS[shown.light].colour, 0.85));
  }
  for (const id of one.approaches.flatMap((approach) => approach.lanes)) {
    const lane = lanes.get(id);
    if (!lane || lane.line.length < 2) continue;
    const { at, ahead } = endOf(plane, lane);
    const groups = groupsOf(id, one.connections);
    groups.forEach(([group], i) => {
      const spots = [i / groups.length, (i + 1) / groups.length].map((share): Spot => {
        const right = (share - 0.5) * lane.width * 0.94;
        const [e, n] = [at[0] + ahead[1] * right, at[1] - ahead[0] * right];
        return [e, n, plane.up(e, n)];
      });
      const light = lit.get(group)?.light ?? "unknown";
      paint.line(spots, { metres: 0.6, pixels: 1.8 }, rgba(LIGHT_LOOKS[light].colour));
    });
  }
  for (const { group, area } of one.crosswalks) {
    const light = group ? lit.get(group)?.light : undefined;
    if (!light) continue;
    const ring = plane.line([...openRing(area), area[0]!]);
    paint.line(ring, { metres: 0.16, pixels: 0.8 }, rgba(LIGHT_LOOKS[light].colour, 0.95));
  }
}
