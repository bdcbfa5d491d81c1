import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, writeAddress } from "../src/renewal/address";
import { query } from "../src/data/writing";
import { NO_FILTERS } from "../src/renewal/api";
import { addDays, daysBetween, isDay } from "../src/renewal/days";
import { boxOf, holds, middleOf, partsOf, topOf } from "../src/districtMap/outlines";
import { amount, area, percent, points } from "../src/renewal/words";
import { wallZoom } from "../src/renewal/wall";

const choices = { at: "2026-03-01", then: true, filters: { ...NO_FILTERS, town: "镇-1", q: "a&b" }, chosen: "LC-1", mode: "wall" as const };

test("an address brings back what it was written from", () => {
  assert.deepEqual(readAddress(`#${writeAddress({ choices, lang: "zh", rotate: true })}`), { choices, lang: "zh", rotate: true });
  const plain = readAddress("");
  assert.equal(writeAddress(plain), "");
});

test("an address that makes no sense is left out", () => {
  const { choices: read, lang } = readAddress("#at=2026-13-45&view=cinema&lang=fr&light=");
  assert.deepEqual([read.at, read.mode, lang, read.filters.light], [null, "map", undefined, ""]);
});

test("a question names only what is asked for", () => {
  assert.equal(query({ at: "2026-03-01", known: null, q: "" }), "?at=2026-03-01");
  assert.equal(query({}), "");
});

test("days are counted whatever the clocks do", () => {
  assert.equal(daysBetween("2024-02-28", "2024-03-01"), 2);
  assert.equal(addDays("2025-12-31", 1), "2026-01-01");
  assert.ok(isDay("2024-02-29"));
  assert.ok(!isDay("29.2.2024"));
});

test("a name stands in the middle of the largest part, a town's above it", () => {
  const square = (x: number, size: number) => [[[x, 0], [x + size, 0], [x + size, size], [x, size], [x, 0]]];
  const both = { type: "MultiPolygon" as const, coordinates: [square(0, 1), square(10, 4)] };
  assert.equal(partsOf(both).length, 2);
  assert.deepEqual(boxOf([both, null]), [0, 0, 14, 4]);
  assert.deepEqual(middleOf(both), [12, 2]);
  assert.equal(topOf(both)![1], 4);
  assert.equal(middleOf(null), null);
  const ring = { type: "Polygon" as const, coordinates: [...square(0, 4), [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]] };
  assert.deepEqual([holds(ring, [0.5, 2]), holds(ring, [2, 2]), holds(ring, [5, 2]), holds(both, [11, 1]), holds(null, [0, 0])], [true, false, false, true, false]);
  assert.equal(boxOf([]), null);
});

test("figures have the units and decimals of the reports", () => {
  const metric = { id: "m", title: { en: "", zh: "" }, unit: "m2", shown: { factor: 10_000, decimals: 2, unit: { en: "10⁴ m²", zh: "万㎡" } }, source: "records" as const };
  assert.equal(amount(metric, 1_234_567), "123.46");
  assert.equal(amount(metric, null), "–");
  assert.equal(area(15_000), "1.50万㎡");
  assert.deepEqual([percent(0.8), percent(null), points(-12.34), points(0.04), points(3)], ["80.0%", "–", "−12.3", "0.0", "+3.0"]);
});

test("a wall is as large as it is far", () => {
  assert.equal(wallZoom(1360, 820), 1);
  assert.ok(wallZoom(3840, 2160) > 2.5);
  assert.ok(wallZoom(3840, 1080) < 1.4);
});
