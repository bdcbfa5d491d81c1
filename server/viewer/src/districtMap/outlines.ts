/** Boundaries as rings, and what follows from them: a box, a place for a name. */

/** As GeoJSON has it; degrees. */
export interface Geometry {
  type: "Polygon" | "MultiPolygon";
  coordinates: unknown[];
}

/** Longitude and latitude, degrees. */
export type Point = readonly [number, number];
/** An outer ring and its holes. */
export type Part = readonly (readonly Point[])[];
/** West, south, east, north. */
export type Box = readonly [number, number, number, number];

export function partsOf(geometry: Geometry | null): readonly Part[] {
  if (!geometry) return [];
  return (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates) as readonly Part[];
}

export function boxOf(geometries: readonly (Geometry | null)[]): Box | null {
  const points = geometries.flatMap((geometry) => partsOf(geometry).flatMap((part) => part[0] ?? []));
  if (points.length === 0) return null;
  const [lons, lats] = [points.map(([lon]) => lon), points.map(([, lat]) => lat)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Twice the signed area of a ring and its centroid, in degrees. */
function momentOf(ring: readonly Point[]): { area: number; centroid: Point } {
  const [x0, y0] = ring[0]!;
  let [area, x, y] = [0, 0, 0];
  for (let i = 1; i < ring.length; i++) {
    const [ax, ay] = [ring[i - 1]![0] - x0, ring[i - 1]![1] - y0];
    const [bx, by] = [ring[i]![0] - x0, ring[i]![1] - y0];
    const cross = ax * by - bx * ay;
    area += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return { area, centroid: area === 0 ? [x0, y0] : [x0 + x / (3 * area), y0 + y / (3 * area)] };
}

/** The northernmost point, above which a name stands that is not to cover what is inside. */
export function topOf(geometry: Geometry | null): Point | null {
  const points = partsOf(geometry).flatMap((part) => part[0] ?? []);
  return points.reduce<Point | null>((best, point) => (best === null || point[1] > best[1] ? point : best), null);
}

/** Where a name stands: in the middle of the largest part. */
export function middleOf(geometry: Geometry | null): Point | null {
  const rings = partsOf(geometry).flatMap((part) => (part[0] && part[0].length > 2 ? [part[0]] : []));
  const moments = rings.map(momentOf).sort((a, b) => Math.abs(b.area) - Math.abs(a.area));
  return moments[0]?.centroid ?? null;
}

/** Whether a point lies inside, by how often a line from it crosses the rings; holes are outside. */
export function holds(geometry: Geometry | null, [lon, lat]: Point): boolean {
  return partsOf(geometry).some((rings) => {
    let inside = false;
    for (const ring of rings)
      for (let i = 1; i < ring.length; i++) {
        const [[ax, ay], [bx, by]] = [ring[i - 1]!, ring[i]!];
        if (ay > lat !== by > lat && lon < ax + ((lat - ay) / (by - ay)) * (bx - ax)) inside = !inside;
      }
    return inside;
  });
}
