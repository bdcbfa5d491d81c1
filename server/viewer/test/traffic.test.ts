import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../src/traffic/api";
import { readRecording, readTrafficFrame } from "../src/traffic/frames";

function frame(kind: number, columns: number[][], magic = 0x544d4943): ArrayBuffer {
  const count = columns[0]!.length;
  const buffer = new ArrayBuffer(24 + 4 * count * columns.length);
  const view = new DataView(buffer);
  [magic, kind, 7, count].forEach((word, i) => view.setUint32(4 * i, word, true));
  view.setFloat64(16, 1_790_000_000_123, true);
  columns.forEach((values, c) =>
    values.forEach((value, i) => {
      const at = 24 + 4 * (count * c + i);
      if (c === 0) view.setUint32(at, value, true);
      else view.setFloat32(at, value, true);
    }),
  );
  return buffer;
}

const VEHICLES = [[4_000_000_000, 2], [1.5, -20], [3, 4], [90, NaN], [13.5, 0], [1, 5], [0, 0.5]];
const SIGNALS = [[0, 3], [6, 3], [12.5, NaN]];

test("frames of vehicles and of signals are read by their columns, and what is none is left out", () => {
  const cars = readTrafficFrame(frame(2, VEHICLES))!;
  assert.ok(cars.what === "vehicles");
  assert.equal(cars.sequence, 7);
  assert.equal(cars.base, 1_790_000_000_123);
  assert.deepEqual([cars.id, cars.east, cars.north, cars.heading, cars.speed, cars.kind, cars.age].map((c) => [...c]), VEHICLES);
  const lights = readTrafficFrame(frame(3, SIGNALS))!;
  assert.ok(lights.what === "signals");
  assert.deepEqual([lights.index, lights.light, lights.remaining].map((c) => [...c]), SIGNALS);
  for (const none of [frame(2, VEHICLES, 1), frame(3, VEHICLES), frame(9, SIGNALS), frame(2, VEHICLES).slice(0, -1), new ArrayBuffer(5)]) {
    assert.equal(readTrafficFrame(none), null);
  }
});

test("a recording is a head and frames, each after its length", () => {
  const head = { layer: "roads", anchor: [113.5, 23.1], kinds: [], signals: [], lights: [] };
  const records = [new TextEncoder().encode(JSON.stringify(head) + " ").buffer as ArrayBuffer, frame(2, VEHICLES), frame(3, SIGNALS), frame(2, VEHICLES)];
  const whole = new Uint8Array(records.reduce((sum, record) => sum + 4 + record.byteLength, 0));
  let at = 0;
  for (const record of records) {
    new DataView(whole.buffer).setUint32(at, record.byteLength, true);
    whole.set(new Uint8Array(record), at + 4);
    at += 4 + record.byteLength;
  }
  const read = readRecording(whole.buffer);
  assert.deepEqual(read.head, head);
  assert.deepEqual([read.vehicles.length, read.signals.length], [2, 1]);
  assert.deepEqual([...read.vehicles[1]!.east], VEHICLES[1]);
  assert.throws(() => readRecording(whole.buffer.slice(4 + records[0]!.byteLength)), /without a head/);
});

test("only what is given is asked for", () => {
  assert.equal(asked("/x", { a: 1, b: null, c: undefined, d: "路 1" }), "/x?a=1&d=%E8%B7%AF+1");
  assert.equal(asked("/x", {}), "/x");
});
