/** Boundaries of towns: read from files, and drawn small. */
import type { Boundary } from "./types";

/** Why a file is no boundary; the word after "boundary." among the texts. */
export type BoundaryFault = "notJson" | "noArea" | "notDegrees" | "otherSystem";

export class NoBoundary extends Error {
  constructor(readonly fault: BoundaryFault) {
    super(fault);
  }
}

type Position = [number, number];
type Ring = Position[];

/**
 * The area of a GeoJSON file: of a geometry, a feature, or all the areas of a collection.
 * Heights are dropped. Raises `NoBoundary` for what is none.
 */
export function boundaryOf(text: string): Boundary {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new NoBoundary("notJson");
  }
  if (namesOtherSystem(document)) throw new NoBoundary("otherSystem");
  const polygons = polygonsOf(document);
  if (polygons.length === 0) throw new NoBoundary("noArea");
  return polygons.length === 1
    ? { type: "Polygon", coordinates: polygons[0]! }
    : { type: "MultiPolygon", coordinates: polygons };
}

/** Files of before RFC 7946 may name a system of their own. */
function namesOtherSystem(document: unknown): boolean {
  const name = (document as { crs?: { properties?: { name?: unknown } } } | null)?.crs?.properties?.name;
  return typeof name === "string" && !/CRS84|EPSG:{1,2}(.*:)?(4326|4490)$/i.test(name);
}

function polygonsOf(document: unknown): Ring[][] {
  if (document === null || typeof document !== "object") return [];
  const { type, coordinates, geometry, features, geometries } = document as Record<string, unknown>;
  if (type === "FeatureCollection" && Array.isArray(features)) return features.flatMap(polygonsOf);
  if (type === "GeometryCollection" && Array.isArray(geometries)) return geometries.flatMap(polygonsOf);
  if (type === "Feature") return polygonsOf(geometry);
  if (type === "Polygon" && Array.isArray(coordinates)) return [coordinates.map(ringOf)];
  if (type === "MultiPolygon" && Array.isArray(coordinates)) {
    return coordinates.map((polygon: unknown) => (Array.isArray(polygon) ? polygon.map(ringOf) : []));
  }
  return [];
}

function ringOf(ring: unknown): Ring {
  if (!Array.isArray(ring) || ring.length < 4) throw new NoBoundary("noArea");
  return ring.map((position: unknown): Position => {
    const [lon, lat] = Array.isArray(position) ? (position as unknown[]) : [];
    if (typeof lon !== "number" || typeof lat !== "number") throw new NoBoundary("noArea");
    if (Math.abs(lon) > 180 || Math.abs(lat) > 90) throw new NoBoundary("notDegrees");
    return [lon, lat];
  });
}

function ringsOf(boundary: Boundary): Ring[] {
  return boundary.type === "Polygon" ? boundary.coordinates : boundary.coordinates.flat();
}

/** Kilometres of a degree of latitude, on the sphere of the mean radius of the earth. */
const DEGREE = 6371.0088 * (Math.PI / 180);

/** Square kilometres of an area; of a town that is within a few thousandths. */
export function squareKilometres(boundary: Boundary): number {
  const polygons = boundary.type === "Polygon" ? [boundary.coordinates] : boundary.coordinates;
  return polygons.reduce(
    (sum, [outer, ...holes]) => sum + Math.abs(ringArea(outer ?? [])) - holes.reduce((gone, hole) => gone + Math.abs(ringArea(hole)), 0),
    0,
  );
}

/** By the surveyor's formula, in a plane that is true at the middle latitude. */
function ringArea(ring: Ring): number {
  const middle = ring.reduce((sum, [, lat]) => sum + lat, 0) / Math.max(ring.length, 1);
  const shrink = Math.cos((middle * Math.PI) / 180);
  const [x0, y0] = ring[0] ?? [0, 0];
  let twice = 0;
  ring.forEach(([lon, lat], i) => {
    const [lon2, lat2] = ring[(i + 1) % ring.length]!;
    twice += (lon - x0) * (lat2 - y0) - (lon2 - x0) * (lat - y0);
  });
  return (twice / 2) * shrink * DEGREE * DEGREE;
}

export interface DrawnArea {
  /** The `d` of an SVG path. */
  path: string;
  /** Where a label stands: the middle of the largest ring's box. */
  label: Position;
}

/** Areas fitted into a picture of some pixels, north up, each degree of longitude as short as it is there. */
export function drawn(boundaries: readonly (Boundary | null)[], width: number, height: number, margin = 12): (DrawnArea | null)[] {
  const all = boundaries.flatMap((boundary) => (boundary ? ringsOf(boundary).flat() : []));
  if (all.length === 0) return boundaries.map(() => null);
  const lons = all.map(([lon]) => lon);
  const lats = all.map(([, lat]) => lat);
  const [west, east, south, north] = [least(lons), -least(lons.map((v) => -v)), least(lats), -least(lats.map((v) => -v))];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(
    (width - 2 * margin) / Math.max((east - west) * shrink, 1e-9),
    (height - 2 * margin) / Math.max(north - south, 1e-9),
  );
  const place = ([lon, lat]: Position): Position => [
    width / 2 + (lon - (west + east) / 2) * shrink * scale,
    height / 2 - (lat - (south + north) / 2) * scale,
  ];
  return boundaries.map((boundary) => {
    if (!boundary) return null;
    const rings = ringsOf(boundary).map((ring) => ring.map(place));
    const path = rings
      .map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}Z`)
      .join("");
    return { path, label: middle(rings) };
  });
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function middle(rings: Ring[]): Position {
  let best: Position = [0, 0];
  let size = -1;
  for (const ring of rings) {
    const xs = ring.map(([x]) => x);
    const ys = ring.map(([, y]) => y);
    const [left, right, top, bottom] = [least(xs), -least(xs.map((v) => -v)), least(ys), -least(ys.map((v) => -v))];
    if ((right - left) * (bottom - top) > size) {
      size = (right - left) * (bottom - top);
      best = [(left + right) / 2, (top + bottom) / 2];
    }
  }
  return best;
}
