/** All that is drawn of traffic, and what stands where on the screen. */
import { Cartesian2, SceneTransforms } from "cesium";
import type { App } from "../../app";
import type { Lights, Shown } from "../lights";
import type { Intersection, IntersectionSummary, LonLat, TrafficEvent } from "../types";
import { paintIntersection } from "./laneMap";
import { Paint, Painted, rgba } from "./paint";
import { Plane } from "./plane";
import { type Head, headsOf, paintLights } from "./signals";
import { type Sign, Signs } from "./signs";
import { paintCells, paintRoads } from "./statesMap";
import { Vehicles } from "./vehicles";
import type { RoadStatesStore } from "../roadStates";

/** Metres above the ground that signs stand. */
const ABOVE = 1;

/** Pixels from a vehicle at which it is still meant. */
const REACH = 12;

const TRACK = rgba("#ff9f1c", 0.95);
const TRACK_RIM = rgba("#1c2733", 0.85);

export interface Shows {
  intersections: readonly IntersectionSummary[];
  /** Those whose lanes are drawn. */
  near: readonly Intersection[];
  chosen: string;
  marked: ReadonlySet<string>;
  events: readonly TrafficEvent[];
  event: string;
  tracks: readonly (readonly LonLat[])[];
  letterOf: (kind: string) => string;
  nameOf: (one: IntersectionSummary) => string;
}

export class TrafficScene {
  readonly vehicles: Vehicles;
  readonly signs: Signs;
  plane: Plane;
  private readonly roads: Painted;
  private readonly lit: Painted;
  private readonly states: Painted;
  private readonly track: Painted;
  private heads: Head[] = [];
  private shows: Shows | null = null;

  constructor(
    private readonly app: App,
    private readonly lights: () => Lights,
    now: () => number,
  ) {
    const { scene } = app.widget;
    const { lon, lat } = app.surroundings.place;
    this.plane = this.planeAt(lon, lat);
    this.states = new Painted(scene);
    this.roads = new Painted(scene);
    this.lit = new Painted(scene);
    this.track = new Painted(scene);
    this.vehicles = new Vehicles(scene);
    this.signs = new Signs(app.widget, now);
  }

  /** The plane around an anchor; the same one for the same anchor. */
  planeAt(lon: number, lat: number): Plane {
    const { plane } = this;
    if (plane?.lon === lon && plane.lat === lat) return plane;
    this.plane = new Plane(lon, lat, (x, y) => this.app.places.ground(x, y));
    this.redraw();
    return this.plane;
  }

  /** The ground is another. */
  settle(): void {
    this.plane.forget();
    this.redraw();
  }

  show(shows: Shows | null): void {
    this.shows = shows;
    this.redraw();
  }

  congest(store: RoadStatesStore): void {
    const paint = new Paint();
    const { answer, rows } = store;
    if (answer?.by === "h3") paintCells(paint, this.plane, store.outlines, rows);
    else if (answer) paintRoads(paint, this.plane, answer.lines, rows);
    put(this.states, paint, this.plane);
  }

  /** Lights are others than before. */
  light(): void {
    const paint = new Paint();
    const lights = this.lights();
    for (const one of this.shows?.near ?? []) paintLights(paint, this.plane, one, lights.of(one.id));
    put(this.lit, paint, this.plane);
    this.sign();
  }

  /** Signs are drawn with what lights show now. */
  sign(): void {
    const { shows, plane } = this;
    if (!shows) {
      this.signs.all = [];
      return;
    }
    const lights = this.lights();
    const shown = (head: Head): Shown | undefined => lights.of(head.intersection).get(head.group);
    this.signs.all = [
      ...this.heads.map((head): Sign => ({ what: "head", head, shown: shown(head), place: plane.world([head.spot[0], head.spot[1], head.spot[2] + ABOVE]) })),
      ...shows.intersections.map((one): Sign => ({
        what: "intersection", id: one.id, name: shows.nameOf(one), signal: one.control === "signal", chosen: one.id === shows.chosen, place: plane.at(one.place, ABOVE),
      })),
      ...shows.events.map((one): Sign => ({
        what: "event", id: String(one.id), letter: shows.letterOf(one.kind), open: one.ended === null, chosen: String(one.id) === shows.event, place: plane.at(one.place, 2 * ABOVE),
      })),
    ];
  }

  /** The number in the columns of the vehicle that stands at a place of the canvas; -1 for none. */
  vehicleAt(x: number, y: number): number {
    let [nearest, least] = [-1, REACH];
    for (let i = 0; i < this.vehicles.ways.count; i++) {
      const at = this.screenOf(i);
      const distance = at ? Math.hypot(at.x - x, at.y - y) : Infinity;
      if (distance < least) [nearest, least] = [i, distance];
    }
    return nearest;
  }

  /** Where a vehicle is on the screen. */
  screenOf(i: number): { x: number; y: number } | null {
    const { east, north } = this.vehicles.placeOf(i);
    const world = this.plane.world([east, north, this.plane.up(east, north) + ABOVE]);
    const at = SceneTransforms.worldToWindowCoordinates(this.app.widget.scene, world, new Cartesian2());
    return at ? { x: at.x, y: at.y } : null;
  }

  /** Flies to a place, as near as lanes and signals are read well. */
  async goTo([lon, lat]: LonLat, around = 45): Promise<void> {
    const [dy, dx] = [around / 111_320, around / (111_320 * Math.cos((lat * Math.PI) / 180))];
    const height = this.app.places.ground(lon, lat);
    await this.app.camera.flyTo([lon - dx, lat - dy, height, lon + dx, lat + dy, height + 5]);
  }

  private redraw(): void {
    if (!this.roads) return; // not made yet
    const { plane, shows } = this;
    const roads = new Paint();
    for (const one of shows?.near ?? []) paintIntersection(roads, plane, one, shows!.marked);
    put(this.roads, roads, plane);
    const track = new Paint();
    const lines = (shows?.tracks ?? []).map((line) => plane.line(line));
    for (const line of lines) track.line(line, { metres: 0.7, pixels: 3.2 }, TRACK_RIM);
    for (const line of lines) track.line(line, { metres: 0.45, pixels: 2 }, TRACK);
    put(this.track, track, plane);
    this.heads = (shows?.near ?? []).flatMap((one) => headsOf(one, plane));
    this.vehicles.fill();
    this.light();
  }
}

function put(painted: Painted, paint: Paint, plane: Plane): void {
  if (paint.empty) painted.clear();
  else painted.put(paint, plane);
}
