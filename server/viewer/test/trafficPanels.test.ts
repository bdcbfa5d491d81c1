import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../src/traffic/panels/answer";
import { apart, turned, usualExit } from "../src/traffic/panels/directions";
import { BLOCK_WIDTH, diagramShape, type Flow, spread } from "../src/traffic/panels/diagramShape";
import { csvOf, difference, nextOrder, ordered, rowsOf, timeOf } from "../src/traffic/panels/measureRows";
import { exitOf, movementsOf, windOf } from "../src/traffic/panels/words";
import type { Intersection, MeasureColumn, Measures, Turn } from "../src/traffic/types";

const SIZE = [440, 360] as const;

let seed = 11;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;

const crossing = (bearings: readonly number[]) => bearings.map((bearing, i) => ({ link: `L${i}`, bearing }));
const allFlows = (arms: readonly { link: string; bearing: number }[], volume: () => number | null): Flow[] =>
  arms.flatMap(({ link, bearing }) =>
    (["left", "straight", "right"] as const).map((turn) => ({ link, turn, volume: volume(), out: usualExit(bearing, turn) })),
  );

test("directions turn around the circle", () => {
  assert.deepEqual([0, 359, 361, -90].map(turned), [0, 359, 1, 270]);
  assert.equal(apart(350, 10), 20);
  assert.equal(apart(10, 350), 20);
  assert.equal(usualExit(0, "left"), 270);
  assert.equal(usualExit(300, "right"), 30);
  assert.equal(usualExit(90, "uturn"), 270);
});

test("who drives north comes from the south", () => {
  assert.deepEqual([0, 90, 180, 270, 44, 337.4].map(windOf), ["s", "w", "n", "e", "sw", "se"]);
});

test("a ribbon is as wide as its volume, and both sides of every arm have room for theirs", () => {
  for (let round = 0; round < 40; round++) {
    const arms = crossing([0, 90, 180, 270].map((bearing) => turned(bearing + random() * 30 - 15)));
    const flows = allFlows(arms, () => Math.round(random() * 900));
    const { ribbons } = diagramShape(arms, flows, SIZE);
    assert.equal(ribbons.length, flows.length);
    const wide = ribbons.filter(({ flow, width }) => (flow.volume ?? 0) > 0 && width > 1.01);
    const scales = wide.map(({ flow, width }) => width / flow.volume!);
    assert.ok(wide.length > 3);
    assert.ok(Math.max(...scales) - Math.min(...scales) < 1e-9);
    for (const { link } of arms) {
      const taken = ribbons.filter(({ flow }) => flow.link === link).reduce((sum, { width }) => sum + width, 0);
      assert.ok(taken <= 44, `${taken}`);
    }
  }
});

test("those who come in keep to the right of the road", () => {
  const arms = crossing([0, 90, 180, 270]);
  const { ribbons, arms: shapes } = diagramShape(arms, allFlows(arms, () => 100), SIZE);
  const [x, y] = [SIZE[0] / 2, SIZE[1] / 2];
  assert.equal(shapes.length, 4);
  const from = (link: string, turn: Turn) => ribbons.find(({ flow }) => flow.link === link && flow.turn === turn)!.from;
  // From the south the right side is the east of the picture, and who turns right is outermost.
  assert.ok(from("L0", "left")[0] > x && from("L0", "right")[0] > from("L0", "straight")[0]);
  assert.ok(from("L0", "right")[1] > y);
  assert.ok(from("L2", "left")[0] < x && from("L2", "left")[1] < y);
  assert.ok(from("L1", "left")[1] > y && from("L1", "left")[0] < x);
  assert.ok(from("L3", "left")[1] < y && from("L3", "left")[0] > x);
});

test("a movement without vehicles or without figures is still there, as thin as can be", () => {
  const arms = crossing([0, 180]);
  const flows: Flow[] = [
    { link: "L0", turn: "straight", volume: 0, out: 0 },
    { link: "L1", turn: "straight", volume: null, out: 180 },
  ];
  assert.deepEqual(diagramShape(arms, flows, SIZE).ribbons.map(({ width }) => width), [1, 1]);
});

test("a road that only leads out has an arm as well", () => {
  const arms = crossing([0, 90]);
  const shape = diagramShape(arms, [{ link: "L0", turn: "straight", volume: 5, out: 0 }], SIZE);
  assert.deepEqual(shape.arms.map(({ link }) => link), ["L0", "L1", null]);
});

test("the figures of three to six arms stand in the picture and not on each other", () => {
  for (let count = 3; count <= 6; count++) {
    for (let round = 0; round < 25; round++) {
      const start = random() * 360;
      const arms = crossing(Array.from({ length: count }, (_, i) => turned(start + (i * 360) / count + random() * 20)));
      const { blocks } = diagramShape(arms, allFlows(arms, () => 50), SIZE, () => 4);
      assert.equal(blocks.length, count);
      blocks.forEach((a, i) => {
        assert.ok(a.x >= 0 && a.y >= 0 && a.x + BLOCK_WIDTH <= SIZE[0] && a.y + a.height <= SIZE[1]);
        for (const b of blocks.slice(i + 1)) {
          const clear = a.x + a.width <= b.x + 0.5 || b.x + b.width <= a.x + 0.5 || a.y + a.height <= b.y + 0.5 || b.y + b.height <= a.y + 0.5;
          assert.ok(clear, `${count} arms from ${start}`);
        }
      });
    }
  }
});

test("blocks that are apart stay where they are", () => {
  const blocks = [
    { link: "a", x: 10, y: 10, width: 50, height: 20 },
    { link: "b", x: 100, y: 10, width: 50, height: 20 },
  ];
  assert.deepEqual(spread(blocks, 300, 200), blocks);
});

const intersection = {
  id: "X",
  approaches: [{ link: "S", name: "", bearing: 0, lanes: [] }],
  lanes: [{ id: "S_1", link: "S", number: 1, width: 3, speed: 10, line: [] }],
  connections: [
    { id: "c", intersection: "X", from_lane: "S_1", to_lane: "E_1", turn: "right", line: [[113, 23], [113.0001, 23], [113.0002, 23.0001]] },
    { id: "d", intersection: "X", from_lane: "S_1", to_lane: "N_1", turn: "straight", line: [[113, 23], [112.9, 22.9]] },
  ],
} as unknown as Intersection;

test("a movement leaves as its way through the intersection does, unless that cannot be", () => {
  const east = Math.cos((23 * Math.PI) / 180);
  assert.ok(Math.abs(exitOf(intersection, "S", "right") - (Math.atan2(east, 1) * 180) / Math.PI) < 0.01);
  assert.equal(exitOf(intersection, "S", "straight"), 0);
  assert.equal(exitOf(intersection, "S", "left"), 270);
  assert.deepEqual(movementsOf(intersection), [{ link: "S", turn: "straight" }, { link: "S", turn: "right" }]);
});

const column = (name: string, type = "number", unit: string | null = null): MeasureColumn => ({ name, title: name, title_zh: name, type, unit });
const COLUMNS = [column("start", "time"), column("movement", "text"), column("link", "text"), column("turn", "text"), column("volume", "integer"), column("delay_s", "number", "s"), column("los", "text")];

const answer = (rows: Measures["rows"], compared: Measures["compared"] = null): Measures => ({
  intersection: "X", layer: "roads", start: 1_000_000, end: 2_800_000, bin: 900, by: "movement", columns: COLUMNS, rows, compared,
});

test("a row is beside that of the other window which is about the same and as far from its beginning", () => {
  const now = [
    [1_000_000, "S:left", "S", "left", 10, 30, "C"],
    [1_900_000, "S:left", "S", "left", 20, 40, "D"],
    [1_900_000, "S:right", "S", "right", 5, null, null],
  ];
  const before = [
    [5_900_000, "S:left", "S", "left", 22, 44, "D"],
    [5_000_000, "S:left", "S", "left", 12, 20, "B"],
  ];
  const rows = rowsOf(answer(now, { start: 5_000_000, rows: before }));
  assert.deepEqual(rows.map((row) => row.before?.[4] ?? null), [12, 22, null]);
  assert.deepEqual(rowsOf(answer(now)).map((row) => row.before), [null, null, null]);
});

test("times come as numbers or as ISO 8601", () => {
  assert.equal(timeOf("1970-01-01T00:16:40Z"), 1_000_000);
  assert.equal(timeOf(1_000_000), 1_000_000);
});

test("less delay is better, more on green is better, more vehicles is neither", () => {
  const delay = column("delay_s", "number", "s");
  assert.deepEqual(difference(delay, 30, 42.5), { before: 42.5, change: -12.5, verdict: "better" });
  assert.deepEqual(difference(delay, 42.5, 30), { before: 30, change: 12.5, verdict: "worse" });
  assert.deepEqual(difference(delay, 30.01, 30.02), { before: 30.02, change: 0, verdict: "same" });
  assert.equal(difference(column("arrivals_on_green"), 0.6, 0.4).verdict, "better");
  assert.deepEqual(difference(column("volume", "integer"), 12, 10), { before: 10, change: 2, verdict: null });
  assert.deepEqual(difference(column("los", "text"), "B", "D"), { before: "D", change: -2, verdict: "better" });
  assert.deepEqual(difference(delay, null, 30), { before: 30, change: null, verdict: null });
});

test("rows are ordered by numbers, letters or names, those without a value last either way", () => {
  const rows = rowsOf(
    answer([
      [1_000_000, "S:left", "S", "left", 9, 30, "C"],
      [1_000_000, "S:right", "S", "right", 100, null, null],
      [1_000_000, "N:left", "N", "left", 20, 12, "A"],
    ]),
  );
  const by = (name: string, down: boolean) => ordered(rows, COLUMNS, { by: name, down }, (row) => row.about).map((row) => row.about);
  assert.deepEqual(by("volume", true), ["S:right", "N:left", "S:left"]);
  assert.deepEqual(by("delay_s", false), ["N:left", "S:left", "S:right"]);
  assert.deepEqual(by("delay_s", true), ["S:left", "N:left", "S:right"]);
  assert.deepEqual(by("los", false), ["N:left", "S:left", "S:right"]);
  assert.deepEqual(by("about", false), ["N:left", "S:left", "S:right"]);
  assert.deepEqual(by("start", false), ["S:left", "S:right", "N:left"]); // as they came
  assert.deepEqual(nextOrder({ by: "start", down: false }, "volume"), { by: "volume", down: true });
  assert.deepEqual(nextOrder({ by: "volume", down: true }, "volume"), { by: "volume", down: false });
});

test("CSV keeps numbers and runs no formula", () => {
  assert.equal(csvOf(["a", "b"], [["=1+1", -2.5], ['say "x", y', null]]), 'a,b\r\n\'=1+1,-2.5\r\n"say ""x"", y",\r\n');
});

test("only the last question's answer counts, and what was answered stays until then", async () => {
  let told = 0;
  const answers = new Answer<string>(() => told++);
  let first: (text: string) => void = () => undefined;
  answers.want("a", () => new Promise((resolve) => (first = resolve)));
  answers.want("b", () => Promise.resolve("second"));
  await new Promise((resolve) => setTimeout(resolve));
  first("first");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([answers.value, answers.busy, told], ["second", false, 1]);
  answers.want("b", () => assert.fail("asked twice"));
  answers.want("c", () => Promise.reject(new Error("no")));
  assert.deepEqual([answers.value, answers.busy], ["second", true]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([answers.value, (answers.error as Error).message], [null, "no"]);
});
