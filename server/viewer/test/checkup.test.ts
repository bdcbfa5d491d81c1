import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_CHOICES, readAddress, writeAddress } from "../src/checkup/address";
import { classesOf, colourOf, courseOf } from "../src/checkup/classes";
import { courseOfChange } from "../src/checkup/compareTable";
import { conditionsOf, documentOf, draftOf, whereOf } from "../src/checkup/composing";
import { dimensionSums, shownIndicators } from "../src/checkup/filters";
import { gridOf, trendOf } from "../src/checkup/signTrend";
import type { IndicatorDocument, IndicatorEntry, UnitEntry, ValueEntry } from "../src/checkup/types";
import { ranked } from "../src/checkup/unitList";
import { bandsOf, INNER, OUTER, ringPath, sectorsOf } from "../src/checkup/wheelShape";
import { shareText, standingOf, targetText, withUnit } from "../src/checkup/words";
import { inOrder } from "../src/ui/sorting";

const text = (en: string) => ({ en, zh: `中${en}` });
const value = (change: Partial<ValueEntry> = {}): ValueEntry => ({
  value: 50, numerator: 1, denominator: 2, surveyed: 1, status: "ready", reason: "", reason_text: null, met: true, ...change,
});
const entry = (code: string, change: Partial<IndicatorEntry> = {}): IndicatorEntry => ({
  code, name: text(`name ${code}`), level: "city", dimension: "a", unit: { en: "%", zh: "%" }, decimals: 1, direction: "higher",
  target: { value: 85, source: "", confidence: "recalled" }, department: text("Parks"), explanation: text(""), formula: { operator: "total" },
  formula_text: text(""), method: "count", by: ["district", "town"], proxy: false, digest: "", value: value(), ...change,
});
const missed = value({ value: 10, met: false });
const without = value({ value: null, met: null, status: "unavailable" });

test("an address brings back what it was written from", () => {
  const choices = { ...NO_CHOICES, view: "map" as const, run: "2026-1", indicator: "21a", by: "community", unit: "社区 1&2", q: "a=b" };
  assert.deepEqual(readAddress(`#${writeAddress(choices, "zh")}`), { choices, lang: "zh" });
  assert.equal(writeAddress(readAddress("").choices), "");
  assert.equal(readAddress("#view=cinema").choices.view, "board");
});

test("indicators are listed by what was asked for, in the order of their numbers", () => {
  const all = [entry("10"), entry("9", { value: missed }), entry("21a", { level: "block", value: without }), entry("x", { department: text("Schools") })];
  const codes = (change: object) => shownIndicators(all, { ...NO_CHOICES, ...change }).map(({ code }) => code);
  assert.deepEqual(codes({}), ["9", "10", "21a", "x"]);
  assert.deepEqual(codes({ sort: "-code" }), ["x", "21a", "10", "9"]);
  assert.deepEqual(codes({ status: "failed" }), ["9"]);
  assert.deepEqual(codes({ status: "unavailable" }), ["21a"]);
  assert.deepEqual(codes({ q: "schools" }), ["x"]);
  assert.deepEqual(codes({ q: "中name 9" }), ["9"]);
  assert.deepEqual(codes({ level: "block" }), ["21a"]);
  // What has no distance comes last, whichever way.
  assert.deepEqual(codes({ sort: "distance" }).at(-1), "21a");
  assert.deepEqual(codes({ sort: "-distance" }).at(-1), "21a");
});

test("rows without a key come last either way", () => {
  const rows = [{ id: "a", n: null }, { id: "b", n: 2 }, { id: "c", n: 1 }];
  const order = (down: boolean) => inOrder(rows, ({ n }) => n, down, ({ id }) => id).map(({ id }) => id).join("");
  assert.deepEqual([order(false), order(true)], ["cba", "bca"]);
});

test("every indicator is in one band of one sector", () => {
  const all = [entry("1"), entry("2", { value: missed }), entry("3", { value: value({ met: null }) }), entry("4", { value: without }), entry("5", { dimension: "b", level: "housing" })];
  const [sum] = dimensionSums(all, ["a"], "city");
  assert.deepEqual(sum, { id: "a", total: 4, met: 1, failed: 1, undecided: 1, unavailable: 1 });
  const { sectors, levels } = sectorsOf(all, ["a", "b"]);
  assert.deepEqual(sectors.map(({ level, id, total }) => [level, id, total]), [["housing", "b", 1], ["city", "a", 4]]);
  assert.deepEqual(levels.map(({ level }) => level), ["housing", "city"]);
  for (const sector of sectors) {
    const bands = bandsOf(sector);
    assert.equal(bands[0]!.from, INNER);
    assert.ok(Math.abs(bands.at(-1)!.to - OUTER) < 1e-9);
  }
  const turn = sectors.reduce((sum_, { begin, end }) => sum_ + end - begin, 0);
  assert.ok(turn < 2 * Math.PI && turn > 2 * Math.PI - 0.2);
  assert.doesNotMatch(ringPath(0, 2 * Math.PI, 1, 2), /NaN/);
});

test("values that meet the target never share a class with those that miss it", () => {
  for (const direction of ["higher", "lower"] as const) {
    const values = Array.from({ length: 40 }, (_, i) => i * 2.5);
    const classes = classesOf(values, 50, direction);
    for (const one of values) {
      const own = classes.find(({ from, to }) => one >= from && one <= to)!;
      assert.equal(own.met, direction === "higher" ? one >= 50 : one <= 50);
    }
    assert.equal(classes.reduce((sum, { count }) => sum + count, 0), values.length);
    assert.ok(classes.length <= 6);
    // The furthest from the target is the darkest of its side.
    const failed = classes.filter(({ met }) => met === false);
    assert.equal((direction === "higher" ? failed[0] : failed.at(-1))!.colour, "#a63603");
  }
  assert.equal(classesOf([3, 3, 3], null, "none").length, 1);
  assert.equal(colourOf(classesOf([1, 2], null, "none"), 9), null);
  assert.deepEqual(classesOf([], 1, "higher"), []);
  // What reads alike is one class.
  const alike = classesOf([99.9999, 100, 50], null, "none", 2);
  assert.deepEqual(alike.map(({ from, to, count }) => [from, to, count]), [[50, 50, 1], [99.9999, 100, 2]]);
});

test("a change is better or worse by the direction, and neither where the method changed", () => {
  assert.deepEqual([courseOf(1, 2, "higher"), courseOf(1, 2, "lower"), courseOf(2, 2, "lower"), courseOf(1, 2, "none"), courseOf(null, 2, "lower")], ["better", "worse", "same", "up", "unknown"]);
  assert.equal(courseOfChange({ change: 2, better: null }), "up");
  assert.equal(courseOfChange({ change: -2, better: true }), "better");
  assert.equal(courseOfChange({ change: null, better: null }), "unknown");
});

test("units that miss the target come first, the furthest from it on top", () => {
  const unit = (id: string, change: Partial<ValueEntry>): UnitEntry => ({ ...value(change), id, name: text(id), layer: "towns" });
  const units = [unit("met", { value: 95 }), unit("near", { value: 80, met: false }), unit("none", { value: null, met: null, status: "unavailable" }), unit("far", { value: 5, met: false })];
  assert.deepEqual(ranked(units, { direction: "higher" }).map(({ id }) => id), ["far", "near", "met", "none"]);
  assert.deepEqual(ranked(units, { direction: "lower" }).map(({ id }) => id), ["near", "far", "met", "none"]);
});

test("figures say their unit, targets which side counts, shares what is missing", () => {
  assert.equal(withUnit({ unit: { en: "km/km2", zh: "km/km2" }, decimals: 2 }, 7.456), "7.46km/km²");
  assert.equal(withUnit(entry("1"), -3), "−3.0%");
  assert.equal(withUnit(entry("1"), null), "–");
  assert.equal(targetText(entry("1")), "≥ 85%");
  assert.equal(targetText(entry("1", { direction: "lower", target: { value: 0.5, source: "", confidence: "confirmed" } })), "≤ 0.5%");
  assert.equal(shareText(0.9991), "99.91%");
  assert.equal(standingOf(without), "unavailable");
  assert.equal(standingOf(value({ met: null })), "undecided");
});

test("the composer writes what it read", () => {
  const document: IndicatorDocument = {
    code: "08", name: text("parks"), level: "city", dimension: "health", unit: "%", unit_zh: "%", decimals: 2, direction: "higher",
    target: { value: 85, source: "set in the composer", confidence: "recalled" }, department: text("Parks"), explanation: text("…"),
    formula: {
      operator: "coverage",
      demand: { input: "residential-land" },
      sites: [{ input: "parks", where: { shape_area: { min: 5000 } }, radius: 500 }, { input: "parks", where: { shape_area: { min: 2000, below: 5000 }, kind: ["a", "b"] }, radius: 300 }],
      within: { input: "built-up" }, on: "plane", every: true,
    },
    by: ["community"],
  };
  assert.deepEqual(documentOf(draftOf(document)), document);
  const gap: IndicatorDocument = { ...document, target: null, by: [], formula: { operator: "gap", what: { input: "estates" }, of: "households", ratio: 0.8, existing: "parking" } };
  assert.deepEqual(documentOf(draftOf(gap)), gap);
  const findings: IndicatorDocument = {
    ...document, proxy: true, by: ["town", "community", "building"],
    formula: { operator: "total", what: { input: "building-survey" }, within: { input: "built-up" }, about: { input: "buildings", where: { use: "residential" } }, measure: "count", scale: 1 },
  };
  assert.deepEqual(documentOf(draftOf(findings)), findings);
  const piles: IndicatorDocument = { ...gap, formula: { ...gap.formula, whole: true } };
  assert.deepEqual(documentOf({ ...draftOf(piles), by: "town", target: "3" }), { ...piles, by: ["town"], target: { value: 3, source: "set in the composer", confidence: "recalled" } });
  assert.deepEqual(whereOf([{ column: "", comparison: "=", value: "1" }, { column: "open", comparison: "=", value: "true" }]), { open: true });
  assert.deepEqual(conditionsOf({ year: { above: 2000 } }), [{ column: "year", comparison: ">", value: "2000" }]);
});

test("a trend breaks where nothing was measured, and has room for its thresholds", () => {
  const trend: [number, number | null][] = [[0, 1], [1, 2], [2, null], [3, 4]];
  const { curve, thresholds, end } = trendOf({ trend, thresholds: { attention: 10, alarm: null, direction: "lower" } }, 100, 50);
  assert.equal(curve.match(/M/g)!.length, 2);
  assert.equal(thresholds.length, 1);
  assert.ok(thresholds[0]!.y < end![1]);
  assert.equal(trendOf({ trend: [[0, null]], thresholds: null }, 100, 50).end, null);
  assert.doesNotMatch(trendOf({ trend: [[5, 7]], thresholds: null }, 100, 50).curve, /NaN/);
});

test("tiles fill the screen they are on", () => {
  for (const [width, height] of [[1280, 600], [1920, 960], [3840, 960]] as const)
    for (const tiles of [1, 2, 7, 11, 24]) {
      const { columns, rows } = gridOf(tiles, width, height);
      assert.ok(columns * rows >= tiles && columns * (rows - 1) < tiles, `${tiles} on ${width}`);
      const shape = width / columns / (height / rows);
      assert.ok(tiles < 3 || (shape > 0.7 && shape < 4), `${tiles} on ${width}: ${shape}`);
    }
});
