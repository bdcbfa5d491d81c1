import assert from "node:assert/strict";
import { test } from "node:test";
import type { Series } from "../src/sensing/panels/seriesApi";
import { csvOf } from "../src/sensing/panels/seriesFiles";
import { axisExtent, extentOf, timeTicks, valueTicks } from "../src/sensing/panels/seriesScale";
import { inGap, nearest, pieces, swings, usualInterval } from "../src/sensing/panels/seriesShape";
import { SeriesStore } from "../src/sensing/panels/seriesStore";

const series = (times: number[], values: (number | null)[], gaps: [number, number][] = []): Series => ({
  datastream: { id: 1, key: "=a", name: "a", property: "ch4", unit: "%LEL", thing: 1, thing_name: 'Pit "7", west' },
  times,
  values,
  rows: times.length,
  gaps,
  thresholds: [],
});

test("a line ends where a gap begins, however near the points are", () => {
  const times = [0, 10, 20, 80, 90];
  const values = [1, 2, 3, 4, 5];
  assert.deepEqual(pieces({ times, values }, [[20, 80]]), [[0, 3], [3, 5]]);
  assert.deepEqual(pieces({ times, values }, [[12, 15], [82, 84], [90, 200]]), [[0, 2], [2, 4], [4, 5]]);
  assert.deepEqual(pieces({ times, values }, [[-50, 0]]), [[0, 5]]);
  assert.deepEqual(pieces({ times, values: [1, null, 3, NaN, 5] }, []), [[0, 1], [2, 3], [4, 5]]);
  assert.deepEqual(pieces({ times: [], values: [] }, [[0, 1]]), []);
});

test("no piece holds both sides of a gap, for many series", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round++) {
    const times = Array.from({ length: 40 }, () => Math.floor(random() * 1000)).sort((a, b) => a - b);
    const gaps = Array.from({ length: 4 }, () => Math.floor(random() * 1000)).sort((a, b) => a - b).map((from): [number, number] => [from, from + 20]);
    const found = pieces({ times, values: times }, gaps);
    assert.equal(found.reduce((sum, [from, to]) => sum + to - from, 0), times.length);
    for (const [from, to] of found) {
      for (let i = from; i + 1 < to; i++) {
        assert.ok(!gaps.some(([a, b]) => Math.max(a, times[i]!) < Math.min(b, times[i + 1]!)), `${times} ${gaps}`);
      }
    }
  }
});

test("a band holds every value of its columns", () => {
  const times = Array.from({ length: 100 }, (_, i) => i);
  const values = times.map((time) => Math.sin(time) * time);
  const found = swings({ times, values }, [0, 100], (time) => time, 10);
  assert.equal(found.length, 10);
  assert.equal(Math.max(...found.map(({ high }) => high)), Math.max(...values));
  assert.equal(Math.min(...found.map(({ low }) => low)), Math.min(...values));
});

test("the nearest point is found at both ends and between", () => {
  assert.equal(nearest([], 5), -1);
  assert.deepEqual([-3, 0, 4, 6, 11, 99].map((time) => nearest([0, 10, 20], time)), [0, 0, 0, 1, 1, 2]);
  assert.ok(inGap([[0, 10]], 5) && !inGap([[0, 10]], 10));
  assert.equal(usualInterval([0, 10, 20, 500, 510]), 10);
});

test("thresholds are on the axis unless they press the curve flat", () => {
  const [low, high] = axisExtent([10, 20], [25, 1000]);
  assert.ok(low < 10 && high > 25 && high < 100);
  assert.deepEqual(extentOf([null, NaN]), null);
  const flat = axisExtent([5, 5], []);
  assert.ok(flat[0] < 5 && flat[1] > 5);
});

test("ticks are round, in order, and inside", () => {
  assert.deepEqual(valueTicks([0, 50], 5), [0, 10, 20, 30, 40, 50]);
  assert.deepEqual(valueTicks([0.13, 0.41], 3), [0.2, 0.3, 0.4]);
  for (const span of [60_000, 3_600_000, 86_400_000, 30 * 86_400_000]) {
    const ticks = timeTicks([1_700_000_000_000, 1_700_000_000_000 + span], 6);
    assert.ok(ticks.length >= 2 && ticks.length <= 8, `${span}: ${ticks.length}`);
    assert.ok(ticks.every(({ time }) => time >= 1_700_000_000_000 && time <= 1_700_000_000_000 + span));
  }
});

test("CSV has what is shown, quoted, and runs no formula", () => {
  const text = csvOf([series([0, 1_000, 2_000], [1.5, null, 3])], [0, 1_500]);
  assert.equal(
    text,
    '\ufefftime,datastream,thing,property,unit,value\r\n1970-01-01T00:00:00.000Z,\'=a,"Pit ""7"", west",ch4,%LEL,1.5\r\n' +
      '1970-01-01T00:00:01.000Z,\'=a,"Pit ""7"", west",ch4,%LEL,\r\n',
  );
});

test("a link of a chart that is not understood opens none", () => {
  const store = new SeriesStore(() => false); // nothing is there, so nothing is asked
  for (const text of [null, "", "a,b", ";24h", "1,2;9..3"]) {
    store.link = text;
    assert.equal(store.open, false, String(text));
    assert.equal(store.link, null);
  }
});
