/** From one frame to the next: where each vehicle is on the way. */
import type { VehicleFrame } from "../frames";
import { type Shape, SHAPES, userOf } from "./looks";

/** Metres between two frames over which nobody drives: they are put there. */
const JUMP = 80;

/** Metres from which on the way tells the heading, where the frame does not. */
const WAY = 0.4;

const RADIANS = Math.PI / 180;

/** Vehicles in columns: where they are when a way begins, and what is added until it ends. */
export interface Ways {
  count: number;
  id: Uint32Array;
  /** Metres and radians. */
  east: Float32Array;
  north: Float32Array;
  heading: Float32Array;
  toEast: Float32Array;
  toNorth: Float32Array;
  toHeading: Float32Array;
  /** Metres per second at the end. */
  speed: Float32Array;
  kind: Float32Array;
  age: Float32Array;
}

export function noWays(count = 0): Ways {
  const floats = () => new Float32Array(count);
  return {
    count, id: new Uint32Array(count), east: floats(), north: floats(), heading: floats(), toEast: floats(),
    toNorth: floats(), toHeading: floats(), speed: floats(), kind: floats(), age: floats(),
  };
}

/** The angle that turns to another the shorter way round, radians. */
export function turn(from: number, to: number): number {
  const around = 2 * Math.PI;
  return ((((to - from + Math.PI) % around) + around) % around) - Math.PI;
}

/** From where they are on their way, by a share of it, to where a frame has them; who is not in it is gone. */
export function onwards(ways: Ways, share: number, frame: VehicleFrame): Ways {
  const before = new Map<number, number>();
  for (let i = 0; i < ways.count; i++) before.set(ways.id[i]!, i);
  const next = noWays(frame.id.length);
  next.id.set(frame.id);
  next.speed.set(frame.speed);
  next.kind.set(frame.kind);
  next.age.set(frame.age);
  for (let i = 0; i < next.count; i++) {
    const at = before.get(frame.id[i]!);
    const [east, north, told] = [frame.east[i]!, frame.north[i]!, frame.heading[i]! * RADIANS];
    const known = at !== undefined;
    const [e, n] = known ? [ways.east[at]! + ways.toEast[at]! * share, ways.north[at]! + ways.toNorth[at]! * share] : [east, north];
    const was = known ? ways.heading[at]! + ways.toHeading[at]! * share : NaN;
    const far = Math.hypot(east - e, north - n);
    const driven = far > WAY ? Math.atan2(east - e, north - n) : was;
    const heading = Number.isFinite(told) ? told : Number.isFinite(driven) ? driven : 0;
    const still = !known || far > JUMP;
    next.east[i] = still ? east : e;
    next.north[i] = still ? north : n;
    next.toEast[i] = still ? 0 : east - e;
    next.toNorth[i] = still ? 0 : north - n;
    next.heading[i] = still || !Number.isFinite(was) ? heading : was;
    next.toHeading[i] = still || !Number.isFinite(was) ? 0 : turn(was, heading);
  }
  return next;
}

/** Where a vehicle is by a share of its way. */
export function placeOf(ways: Ways, i: number, share: number): { east: number; north: number; heading: number } {
  return {
    east: ways.east[i]! + ways.toEast[i]! * share,
    north: ways.north[i]! + ways.toNorth[i]! * share,
    heading: ways.heading[i]! + ways.toHeading[i]! * share,
  };
}

export const shapeOf = (kind: number): Shape => SHAPES[userOf(kind)];
