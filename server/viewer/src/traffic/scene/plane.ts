/** The plane that traffic is drawn in: metres east and north of an anchor, on the ground. */
import { Cartesian3, Math as CesiumMath, Matrix4, Transforms } from "cesium";
import type { LonLat } from "../types";

const EARTH_RADIUS = 6_371_000;

/** Metres between places whose height is asked for; between them the ground is taken to be even. */
const GRID = 16;

/** Metres over the ground that the paint of roads is drawn. */
const ABOVE = 0.15;

/** Metres of a line between two places that are put on the ground. */
const STEP = 20;

export type Spot = [east: number, north: number, up: number];

export class Plane {
  readonly frame: Matrix4;
  private readonly inverse: Matrix4;
  private readonly heights = new Map<number, number>();
  private readonly perLat: number;
  private readonly perLon: number;

  /** `ground` tells the height above the ellipsoid at a place in degrees. */
  constructor(
    readonly lon: number,
    readonly lat: number,
    private readonly ground: (lon: number, lat: number) => number,
  ) {
    this.frame = Transforms.eastNorthUpToFixedFrame(Cartesian3.fromDegrees(lon, lat, 0));
    this.inverse = Matrix4.inverseTransformation(this.frame, new Matrix4());
    const north = Cartesian3.fromDegrees(lon, lat + 0.001, 0);
    const east = Cartesian3.fromDegrees(lon + 0.001, lat, 0);
    const here = Cartesian3.fromDegrees(lon, lat, 0);
    this.perLat = 0.001 / Cartesian3.distance(here, north);
    this.perLon = 0.001 / Cartesian3.distance(here, east);
  }

  /** The ground is another. */
  forget(): void {
    this.heights.clear();
  }

  /** Metres east and north. */
  flat([lon, lat]: LonLat): [number, number] {
    const local = Matrix4.multiplyByPoint(this.inverse, Cartesian3.fromDegrees(lon, lat, 0), new Cartesian3());
    return [local.x, local.y];
  }

  /** Degrees; exact enough to ask for heights and to fly there. */
  degrees(east: number, north: number): [number, number] {
    const lat = this.lat + north * this.perLat;
    const wide = Math.cos(CesiumMath.toRadians(this.lat)) / Math.cos(CesiumMath.toRadians(lat));
    return [this.lon + east * this.perLon * wide, lat];
  }

  /** Where the ground is: metres above the plane, which the earth curves away from. */
  up(east: number, north: number): number {
    const [x, y] = [east / GRID, north / GRID];
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [x - column, y - row];
    const lower = this.height(column, row) * (1 - u) + this.height(column + 1, row) * u;
    const upper = this.height(column, row + 1) * (1 - u) + this.height(column + 1, row + 1) * u;
    return lower * (1 - v) + upper * v - (east * east + north * north) / (2 * EARTH_RADIUS) + ABOVE;
  }

  /** A line on the ground, with places between those that are far apart. */
  line(places: readonly LonLat[]): Spot[] {
    const corners = places.map((place) => this.flat(place));
    const spots: Spot[] = [];
    corners.forEach(([east, north], i) => {
      const before = corners[i - 1];
      const parts = before ? Math.ceil(Math.hypot(east - before[0], north - before[1]) / STEP) : 1;
      for (let part = before ? 1 : parts; part <= parts; part++) {
        const [e, n] = before ? [before[0] + ((east - before[0]) * part) / parts, before[1] + ((north - before[1]) * part) / parts] : [east, north];
        spots.push([e, n, this.up(e, n)]);
      }
    });
    return spots;
  }

  /** Earth-fixed metres of a place of the plane. */
  world([east, north, up]: Spot, result = new Cartesian3()): Cartesian3 {
    result.x = east;
    result.y = north;
    result.z = up;
    return Matrix4.multiplyByPoint(this.frame, result, result);
  }

  /** Earth-fixed metres of a place on the ground, so many metres above it. */
  at(place: LonLat, above = 0): Cartesian3 {
    const [east, north] = this.flat(place);
    return this.world([east, north, this.up(east, north) + above]);
  }

  private height(column: number, row: number): number {
    const key = (column + 32_768) * 65_536 + row + 32_768;
    const known = this.heights.get(key);
    if (known !== undefined) return known;
    const height = this.ground(...this.degrees(column * GRID, row * GRID));
    this.heights.set(key, height);
    return height;
  }
}
