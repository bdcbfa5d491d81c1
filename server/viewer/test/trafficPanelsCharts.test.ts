import assert from "node:assert/strict";
import { test } from "node:test";
import { diagramWindow, nearestTo } from "../src/traffic/panels/corridorTab";
import { causesOf, eventsAt } from "../src/traffic/panels/eventsTab";
import { fromZero, linePath, penOf } from "../src/traffic/panels/lines";
import { delayLines, queueLines } from "../src/traffic/panels/linesTab";
import { cyclesOf } from "../src/traffic/panels/phaseDiagram";
import { colourOf, countArrivals, cycleOf, greenShare, positionOf, stretches } from "../src/traffic/panels/signalTimes";
import { meanSpeed, placeAt } from "../src/traffic/panels/timeSpace";
import { binOf, otherStart, whole, windowOf } from "../src/traffic/panels/windows";
import { knownInputs, numberGiven, triedInputs } from "../src/traffic/panels/whatIf";
import { Names } from "../src/traffic/panels/words";
import type { Intersection, IntersectionSummary, Measures, Phase, TrafficEvent } from "../src/traffic/types";

const MINUTE = 60_000;

test("a window is the last of what was recorded, or what is around a time, and never more", () => {
  const recorded = [0, 180 * MINUTE] as const;
  assert.deepEqual(windowOf("1h", recorded, null), [120 * MINUTE, 180 * MINUTE]);
  assert.deepEqual(windowOf("4h", recorded, null), [0, 180 * MINUTE]);
  assert.deepEqual(windowOf("15min", [30_000, 5 * MINUTE + 1], null), [0, 6 * MINUTE]);
  for (let time = 0; time <= 180; time += 7) {
    const [start, end] = windowOf("1h", recorded, time * MINUTE);
    assert.ok(start >= 0 && end <= 180 * MINUTE && end - start === 60 * MINUTE, `${time}`);
    assert.ok(start <= time * MINUTE && time * MINUTE <= end, `${time}`);
  }
});

test("bins, other windows, and what several spans cover", () => {
  assert.equal(binOf(0, [0, 90 * MINUTE]), 5400);
  assert.equal(binOf(3600, [0, 10 * MINUTE]), 600);
  assert.equal(binOf(300, [0, 90 * MINUTE]), 300);
  assert.equal(binOf(0, [0, 10_000]), 60);
  assert.equal(otherStart("before", [100, 150], null), 50);
  assert.equal(otherStart("none", [100, 150], 7), null);
  assert.equal(otherStart("own", [100, 150], 7), 7);
  assert.equal(otherStart("day", [86_400_000, 86_400_001], null), 0);
  assert.deepEqual(whole([3, 9], null, [1, 4]), [1, 9]);
  assert.equal(whole(null, undefined), null);
});

const green: Phase["lights"] = { a: "protected-green", b: "red" };
const PLAN = {
  offset: 10,
  phases: [
    { duration: 20, lights: green },
    { duration: 10, lights: { a: "permissive-green" as const } },
    { duration: 3, lights: { a: "yellow" as const } },
    { duration: 27, lights: { b: "protected-green" as const } },
  ],
};

test("a plan stands where its offset and the time since midnight UTC put it", () => {
  assert.equal(cycleOf(PLAN), 60);
  const midnight = Date.parse("2026-11-23T00:00:00Z");
  assert.equal(positionOf(PLAN, midnight), 50);
  assert.equal(positionOf(PLAN, midnight + 10_000), 0);
  assert.equal(positionOf(PLAN, midnight + 3_600_000 + 12_500), 2.5);
  assert.equal(positionOf({ phases: [] }, midnight), null);
});

test("what a group shows fills the cycle, and what is not named is red", () => {
  for (const group of ["a", "b", "nobody"]) {
    const found = stretches(PLAN, group);
    assert.equal(found[0]!.from, 0);
    assert.equal(found.at(-1)!.to, 60);
    found.slice(1).forEach((one, i) => assert.equal(one.from, found[i]!.to));
  }
  assert.deepEqual(stretches(PLAN, "a").map(({ light, to }) => [light, to]), [["protected-green", 20], ["permissive-green", 30], ["yellow", 33], ["red", 60]]);
  assert.equal(greenShare(PLAN, "a"), 0.5);
  assert.equal(greenShare(PLAN, "nobody"), 0);
  assert.deepEqual((["unknown", "dark", "flashing-red", "permissive-green", "flashing-yellow"] as const).map(colourOf), ["dark", "dark", "red", "green", "yellow"]);
});

test("cycles are columns with their lights one above the other, arrivals counted by what they met", () => {
  const cycles = [
    { group: "a", start: 60_000, green: 30, yellow: 3, red: 27, end: 120_000 },
    { group: "b", start: 0, green: 10, yellow: 3, red: 47, end: 60_000 },
    { group: "a", start: 0, green: 25, yellow: null, red: 35, end: 60_000 },
  ];
  const arrivals = [
    { group: "a", at: 61_000, in_cycle: 1, light: "protected-green" as const },
    { group: "a", at: 5_000, in_cycle: 5, light: "red" as const },
    { group: "b", at: 5_000, in_cycle: 5, light: "red" as const },
  ];
  const own = cyclesOf({ cycles, arrivals }, "a");
  assert.deepEqual(own.columns.map(({ start }) => start), [0, 60_000]);
  assert.deepEqual(own.columns[0]!.bands, [{ from: 0, to: 25, colour: "green" }, { from: 25, to: 60, colour: "red" }]);
  assert.deepEqual(own.columns[1]!.bands.at(-1), { from: 33, to: 60, colour: "red" });
  assert.deepEqual(own.arrivals.map(({ at }) => at), [5_000, 61_000]);
  assert.deepEqual(countArrivals(arrivals), { green: 1, yellow: 0, red: 2, all: 3 });
});

test("a line is broken where a value is missing, and a value that holds is level", () => {
  const x = (time: number) => time;
  const y = (value: number) => -value;
  assert.equal(linePath([0, 10, 20, 30], [1, 2, null, 3], x, y, 0), "M0.0,-1.0L10.0,-2.0M30.0,-3.0");
  assert.equal(linePath([0, 10, 20], [1, 2, null], x, y, 10), "M0.0,-1.0H10.0V-2.0H20.0");
  assert.equal(linePath([], [], x, y, 0), "");
  assert.deepEqual(fromZero([null, undefined]), [0, 1]);
  assert.ok(fromZero([50])[1] > 50);
  const pens = Array.from({ length: 20 }, (_, n) => JSON.stringify(penOf(n)));
  assert.equal(new Set(pens).size, 20);
});

const OF = {
  id: "X", name: "路口", name_en: "Crossing", groups: [{ id: "g", intersection: "X", number: 4 }],
  approaches: [{ link: "S", name: "", bearing: 0, lanes: [] }, { link: "T", name: "", bearing: 5, lanes: [] }],
  lanes: [
    { id: "S_2", link: "S", number: 2, width: 3, speed: 10, line: [] },
    { id: "S_1", link: "S", number: 1, width: 3, speed: 10, line: [] },
  ],
} as unknown as Intersection;

test("queues are those of the lanes of an approach, from the middle of the road outwards", () => {
  const queues = { lanes: ["other", "S_2", "S_1"], times: [0], metres: [[1], [2], [3]], vehicles: [[0], [1], [null]] };
  assert.deepEqual(queueLines(queues, OF, "S", new Names(OF), "metres").map(({ values }) => values), [[3], [2]]);
  assert.deepEqual(queueLines(queues, OF, "S", new Names(OF), "vehicles").map(({ values }) => values), [[null], [1]]);
  assert.deepEqual(queueLines(queues, OF, "T", new Names(OF), "metres"), []);
});

test("approaches from the same side are told apart", () => {
  const names = new Names(OF);
  assert.notEqual(names.approach("S"), names.approach("T"));
  assert.equal(names.approach("unknown"), "unknown");
});

test("delays are a line for each turn, with nothing where nobody drove", () => {
  const columns = ["start", "movement", "link", "turn", "delay_s"].map((name) => ({ name, title: "", title_zh: "", type: "text", unit: null }));
  const rows = [[0, "x", "S", "right", 4], [300_000, "x", "S", "left", 9], [300_000, "x", "T", "left", 1], [300_000, "x", "S", "right", null]];
  const measures: Measures = { intersection: "X", layer: "l", start: 0, end: 600_000, bin: 300, by: "movement", columns, rows, compared: null };
  const { times, lines } = delayLines(measures, "S");
  assert.deepEqual(times, [0, 300_000]);
  assert.deepEqual(lines.map(({ values }) => values), [[null, 9], [4, null]]);
});

test("a track is between its points in proportion, and nowhere before and after", () => {
  const [times, metres] = [[0, 10_000, 30_000], [0, 100, 100]];
  assert.deepEqual([-1, 0, 5_000, 10_000, 20_000, 30_000, 30_001].map((time) => placeAt(times, metres, time)), [null, 0, 50, 100, 100, 100, null]);
  assert.equal(placeAt([], [], 0), null);
  assert.equal(meanSpeed(times, metres), 12);
  assert.equal(meanSpeed([5], [1]), null);
});

test("a diagram shows ten minutes at most, those with the time that is looked at", () => {
  const hour = [0, 60 * MINUTE] as const;
  assert.deepEqual(diagramWindow(hour, null), [50 * MINUTE, 60 * MINUTE]);
  assert.deepEqual(diagramWindow([0, 5 * MINUTE], null), [0, 5 * MINUTE]);
  for (const time of [0, 10 * MINUTE, 33 * MINUTE, 60 * MINUTE]) {
    const [start, end] = diagramWindow(hour, time);
    assert.ok(start <= time && time <= end && end - start === 10 * MINUTE && start >= 0 && end <= hour[1], `${time}`);
  }
});

test("the other end of a corridor is the nearest intersection", () => {
  const at = (id: string, lon: number): IntersectionSummary => ({ id, place: [lon, 23] }) as unknown as IntersectionSummary;
  const all = [at("a", 113), at("b", 113.2), at("c", 113.1)];
  assert.equal(nearestTo(all[0]!, all)?.id, "c");
  assert.equal(nearestTo(all[0]!, [all[0]!]), null);
});

const event = (id: number, more: Partial<TrafficEvent>): TrafficEvent => ({
  id, layer: "l", kind: "speeding", state: "closed", begun: id, ended: null, place: [113, 23], link: null, lane: null, intersection: null, vehicles: [], confidence: 1, evidence: {}, causes: [], note: null, ...more,
});

test("events are those here and on the way here, the open ones first, then the newest", () => {
  const all = [event(1, { intersection: "X" }), event(2, { link: "S" }), event(3, { link: "elsewhere" }), event(4, { intersection: "X", state: "open", begun: 0 })];
  assert.deepEqual(eventsAt(all, OF).map(({ id }) => id), [4, 2, 1]);
});

test("each cause stands once, with the best that speaks for it", () => {
  const cause = (kind: string, score: number) => ({ kind, score, en: `${kind} ${score}`, zh: "", evidence: {} });
  const all = [event(1, { causes: [cause("demand", 0.3), cause("rain", 0.5)] }), event(2, { causes: [cause("demand", 0.8)] }), event(3, { causes: null })];
  assert.deepEqual(causesOf(all).map(({ kind, score }) => [kind, score]), [["demand", 0.8], ["rain", 0.5]]);
});

test("what may be tried are the numbers that the panel does not know", () => {
  const known = knownInputs({ intersection: "X", layer: "roads", start: 0, end: 60_000 }, "am");
  assert.deepEqual(known, { intersection: "X", layer: "roads", start: "1970-01-01T00:00:00.000Z", end: "1970-01-01T00:01:00.000Z", plan: "am" });
  assert.ok(!("plan" in knownInputs({ intersection: "X", layer: "roads", start: 0, end: 1 }, null)));
  const input = (type: "number" | "integer" | "string") => ({ title: type, schema: { type } });
  const inputs = { intersection: input("string"), start: input("number"), lost: input("number"), note: input("string"), steps: input("integer") };
  assert.deepEqual(triedInputs({ inputs }, known).map(([name]) => name), ["lost", "steps"]);
  assert.deepEqual([" 12.4 ", "", "x"].map((text) => numberGiven(text, { type: "number" })), [12.4, undefined, undefined]);
  assert.equal(numberGiven("12.4", { type: "integer" }), 12);
});
