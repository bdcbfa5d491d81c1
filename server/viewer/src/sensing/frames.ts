/** The binary frames of the live channel: what changed, in columns. */

/** "CIM1", little-endian. */
const MAGIC = 0x314d4943;
const HEAD = 24;

export interface Frame {
  /** All datastreams, or only those that changed. */
  full: boolean;
  sequence: number;
  /** Milliseconds since 1970. */
  base: number;
  /** Which of the channel's datastreams each row is about. */
  index: Uint32Array;
  value: Float32Array;
  /** Seconds before `base`. */
  age: Float32Array;
  /** The state's number, and ten times the level of an alarm. */
  state: Float32Array;
}

/** Reads a frame; null where it is none. The columns are views, and every browser is little-endian. */
export function readFrame(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength < HEAD) return null;
  const head = new DataView(buffer);
  const count = head.getUint32(12, true);
  if (head.getUint32(0, true) !== MAGIC || buffer.byteLength !== HEAD + 16 * count) return null;
  const floats = (column: number) => new Float32Array(buffer, HEAD + 4 * count * column, count);
  return {
    full: head.getUint32(4, true) === 0,
    sequence: head.getUint32(8, true),
    base: head.getFloat64(16, true),
    index: new Uint32Array(buffer, HEAD, count),
    value: floats(1),
    age: floats(2),
    state: floats(3),
  };
}
