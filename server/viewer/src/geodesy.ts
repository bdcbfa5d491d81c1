/** Lengths and areas on the ellipsoid of WGS 84. Points are longitude and latitude in degrees, height in metres. */
import { Cartesian3, Cartographic, EllipsoidGeodesic } from "cesium";

export type Point = readonly [lon: number, lat: number, height: number];

const A = 6_378_137;
const F = 1 / 298.257223563;
const E2 = F * (2 - F);
const E = Math.sqrt(E2);

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export interface Leg {
  /** Along the ellipsoid, heights left aside. */
  horizontal: number;
  /** Of the second point above the first. */
  vertical: number;
  /** As the crow flies. */
  direct: number;
}

export function leg(from: Point, to: Point): Leg {
  const [start, end] = [from, to].map(([lon, lat]) => Cartographic.fromDegrees(lon, lat)) as [
    Cartographic,
    Cartographic,
  ];
  // The method of Vincenty divides by the distance.
  const same = start.longitude === end.longitude && start.latitude === end.latitude;
  const horizontal = same ? 0 : new EllipsoidGeodesic(start, end).surfaceDistance;
  const direct = Cartesian3.distance(Cartesian3.fromDegrees(...from), Cartesian3.fromDegrees(...to));
  return { horizontal, vertical: to[2] - from[2], direct };
}

export function legs(points: readonly Point[]): Leg[] {
  return points.slice(1).map((point, i) => leg(points[i]!, point));
}

/** Snyder, Map Projections (1987), equation 3-12. */
function q(sine: number): number {
  return (1 - E2) * (sine / (1 - E2 * sine * sine) + Math.atanh(E * sine) / E);
}

const Q_POLE = q(1);
const AUTHALIC_RADIUS = A * Math.sqrt(Q_POLE / 2);

/**
 * The area of a ring in square metres, whichever way round it goes.
 *
 * The ring is taken to the sphere of equal area, where each side and the equator enclose a
 * spherical excess; over the few kilometres of a city great circles there and geodesics agree.
 */
export function area(ring: readonly Point[]): number {
  if (ring.length < 3) return 0;
  const halves = ring.map(([, lat]) => Math.tan(Math.asin(q(Math.sin(radians(lat))) / Q_POLE) / 2));
  let excess = 0;
  ring.forEach(([lon], i) => {
    const next = (i + 1) % ring.length;
    const across = Math.tan(radians(ring[next]![0] - lon) / 2);
    const [a, b] = [halves[i]!, halves[next]!];
    excess += 2 * Math.atan2(across * (a + b), 1 + a * b);
  });
  return Math.abs(excess) * AUTHALIC_RADIUS ** 2;
}
