/** The binary frames of traffic: who is where, and what signals show, in columns. */

/** "CIMT", little-endian. */
const MAGIC = 0x544d4943;
const HEAD = 24;
const VEHICLES = 2;
const SIGNALS = 3;
/** Columns of 4 bytes that a row has, by the frame's kind. */
const WIDE: Record<number, number> = { [VEHICLES]: 7, [SIGNALS]: 3 };

/** What a channel or a recording is about. */
export interface TrafficHead {
  layer: string;
  /** Degrees; metres are told from there. */
  anchor: [number, number];
  kinds: string[];
  signals: { intersection: string; group: string }[];
  lights: string[];
}

interface Timed {
  sequence: number;
  /** Milliseconds since 1970. */
  base: number;
}

export interface VehicleFrame extends Timed {
  what: "vehicles";
  /** The same for a vehicle as long as it is seen. */
  id: Uint32Array;
  /** Metres east and north of the anchor. */
  east: Float32Array;
  north: Float32Array;
  /** Degrees clockwise from north. */
  heading: Float32Array;
  /** Metres per second. */
  speed: Float32Array;
  /** The place in the head's kinds. */
  kind: Float32Array;
  /** Seconds since it was heard of. */
  age: Float32Array;
}

export interface SignalFrame extends Timed {
  what: "signals";
  /** The place in the head's signals. */
  index: Uint32Array;
  light: Float32Array;
  /** Seconds until it is likely to change; NaN where nobody knows. */
  remaining: Float32Array;
}

export type TrafficFrame = VehicleFrame | SignalFrame;

/** Reads a frame; null where it is none. The columns are views, and every browser is little-endian. */
export function readTrafficFrame(buffer: ArrayBuffer): TrafficFrame | null {
  if (buffer.byteLength < HEAD) return null;
  const head = new DataView(buffer);
  const [magic, kind, sequence, count] = [0, 4, 8, 12].map((at) => head.getUint32(at, true)) as [number, number, number, number];
  if (magic !== MAGIC || buffer.byteLength !== HEAD + 4 * count * (WIDE[kind] ?? NaN)) return null;
  const floats = (column: number) => new Float32Array(buffer, HEAD + 4 * count * column, count);
  const numbers = new Uint32Array(buffer, HEAD, count);
  const timed = { sequence, base: head.getFloat64(16, true) };
  if (kind === SIGNALS) return { what: "signals", ...timed, index: numbers, light: floats(1), remaining: floats(2) };
  return {
    what: "vehicles", ...timed, id: numbers,
    east: floats(1), north: floats(2), heading: floats(3), speed: floats(4), kind: floats(5), age: floats(6),
  };
}

export interface Recording {
  head: TrafficHead;
  /** In the order of time. */
  vehicles: VehicleFrame[];
  signals: SignalFrame[];
}

/**
 * Reads a recorded window: records, each after its length. Those that are no frames are heads, as text.
 *
 * @throws Error where it has no head.
 */
export function readRecording(buffer: ArrayBuffer): Recording {
  const view = new DataView(buffer);
  const vehicles: VehicleFrame[] = [];
  const signals: SignalFrame[] = [];
  let head: TrafficHead | null = null;
  for (let at = 0; at + 4 <= buffer.byteLength; ) {
    const length = view.getUint32(at, true);
    // A copy: columns have to begin at multiples of four bytes.
    const record = buffer.slice(at + 4, at + 4 + length);
    at += 4 + length;
    const frame = readTrafficFrame(record);
    if (frame?.what === "vehicles") vehicles.push(frame);
    else if (frame) signals.push(frame);
    else head = JSON.parse(new TextDecoder().decode(record)) as TrafficHead;
  }
  if (!head) throw new Error("a recording without a head");
  return { head, vehicles, signals };
}
