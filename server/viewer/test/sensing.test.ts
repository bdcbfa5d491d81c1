import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped } from "../src/sensing/cluster";
import { Filter } from "../src/sensing/filter";
import { readFrame } from "../src/sensing/frames";
import { markOf } from "../src/sensing/marks";
import { roundSteps, Scale } from "../src/sensing/scale";
import type { Thing } from "../src/sensing/types";

function frame(count: number, magic = 0x314d4943): ArrayBuffer {
  const buffer = new ArrayBuffer(24 + 16 * count);
  const view = new DataView(buffer);
  [magic, 1, 7, count].forEach((word, i) => view.setUint32(4 * i, word, true));
  view.setFloat64(16, 1_790_000_000_123, true);
  for (let i = 0; i < count; i++) {
    view.setUint32(24 + 4 * i, i * 3, true);
    [20.5 + i, i === 0 ? NaN : 1.5, 41].forEach((value, c) => view.setFloat32(24 + 4 * (count * (c + 1) + i), value, true));
  }
  return buffer;
}

test("a frame is read by its columns, and what is none is left out", () => {
  const read = readFrame(frame(3))!;
  assert.equal(read.full, false);
  assert.equal(read.sequence, 7);
  assert.equal(read.base, 1_790_000_000_123);
  assert.deepEqual([...read.index], [0, 3, 6]);
  assert.deepEqual([...read.value], [20.5, 21.5, 22.5]);
  assert.deepEqual([...read.age], [NaN, 1.5, 1.5]);
  assert.deepEqual([...read.state], [41, 41, 41]);
  assert.equal(readFrame(frame(3, 1)), null);
  assert.equal(readFrame(frame(3).slice(0, -1)), null);
  assert.equal(readFrame(new ArrayBuffer(5)), null);
});

test("no two symbols are nearer than asked for, and each thing is in one", () => {
  let seed = 4;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const x = Array.from({ length: 3_000 }, () => random() * 900);
  const y = x.map(() => random() * 500);
  x[5] = NaN;
  const groups = grouped(x, y, 34);
  assert.deepEqual([...groups.flat()].sort((a, b) => a - b), [...x.keys()].filter((i) => i !== 5));
  for (const [a] of groups) {
    for (const [b] of groups) if (a !== b) assert.ok(Math.hypot(x[a!]! - x[b!]!, y[a!]! - y[b!]!) >= 34);
  }
  for (const [leader, ...others] of groups) {
    for (const i of others) assert.ok(Math.hypot(x[leader!]! - x[i]!, y[leader!]! - y[i]!) < 34);
  }
});

test("the classes of a heat map are steps of round numbers", () => {
  assert.deepEqual(roundSteps(0, 50), [10, 20, 30, 40]);
  assert.deepEqual(roundSteps(5, 40), [10, 15, 20, 25, 30, 35]);
  assert.deepEqual(roundSteps(0, 0.6), [0.1, 0.2, 0.3, 0.4, 0.5]);
  assert.deepEqual(roundSteps(3, 3), []);
  for (const [low, high] of [[0, 2.5], [-2, 35], [18, 22], [1_000, 4_000], [0, 250], [12.3, 12.9], [0, 110], [7, 1_234]] as const) {
    const steps = roundSteps(low, high);
    assert.ok(steps.length >= 4 && steps.length <= 7, `${low} to ${high}: ${steps.join(" ")}`);
    assert.ok(steps[0]! > low && steps.at(-1)! < high);
  }
  const scale = Scale.over([0, 50], []);
  assert.deepEqual([-3, 0, 9.99, 10, 40, 70].map((value) => scale.indexOf(value)), [0, 0, 0, 1, 4, 4]);
  assert.deepEqual(scale.counts([1, 2, 15, 99]), [2, 1, 0, 0, 1]);
  assert.equal(new Set(scale.bins.map(({ colour }) => colour)).size, 5);
  assert.deepEqual([scale.bins[0]!.colour, scale.bins[4]!.colour], ["#440154", "#fde725"]);
  assert.equal(Scale.over(null, [3, 3]).bins.length, 1);
});

test("an alarm is told before a state, and the filter leaves out what has it", () => {
  const thing = (more: Partial<Thing>): Thing => ({
    id: 1, layer: "things", feature: null, name: "", class: "gas", lon: 0, lat: 0, height: null,
    state: "ok", alarm: null, updated: null, datastreams: [], ...more,
  });
  assert.equal(markOf(thing({ state: "stale" })), "stale");
  assert.equal(markOf(thing({ state: "stale", alarm: 3 })), "a3");
  const filter = new Filter();
  assert.ok(filter.whole && filter.passes(thing({})));
  filter.set(filter.marks, "a3", false);
  filter.set(filter.classes, "lamp", false);
  assert.deepEqual([thing({}), thing({ alarm: 3 }), thing({ class: "lamp" })].map((one) => filter.passes(one)), [true, false, false]);
  const other = new Filter();
  other.link = filter.link;
  assert.deepEqual(other.link, ["1", "lamp", "a3", ""]);
  other.link = ["0"];
  assert.ok(!other.passes(thing({})) && !other.whole);
});
