import assert from "node:assert/strict";
import { test } from "node:test";
import { Classes, type Column, decodeTheme, encodeTheme, limits, type Theme } from "../src/theme";
import { decodeLink, encodeLink } from "../src/permalink";

const numbers: Column = {
  name: "height", kind: "number", unit: "m", count: 6, distinct: 5, minimum: 1, maximum: 30,
  ids: ["a", "b", "c", "d", "e", "f"], values: [1, 2, 2, 10, 20, 30],
};
const theme: Theme = { attribute: "height", method: "equal", off: new Set(), from: null, to: null };

test("every value is in one class, the largest in the last", () => {
  for (const method of ["equal", "quantiles", "categories"] as const) {
    const classes = new Classes(numbers, { ...theme, method }, 6);
    assert.equal(classes.counts().reduce((a, b) => a + b), 6);
    assert.ok(numbers.ids.every((id) => classes.colourOf(id) !== null));
  }
  assert.equal(new Classes(numbers, theme, 6).indexOf("f"), 5);
});

test("limits ascend and enclose all values, even when all are the same", () => {
  assert.deepEqual(limits([5, 5, 5], "quantiles"), [5]);
  const found = limits(numbers.values as number[], "quantiles");
  assert.equal(found[0], 1);
  assert.equal(found.at(-1), 30);
  assert.ok(found.every((limit, i) => i === 0 || limit > found[i - 1]!));
  const alone = new Classes({ ...numbers, values: [5, 5, 5, 5, 5, 5] }, theme, 6);
  assert.deepEqual(alone.counts(), [6]);
});

test("a range counts what is within it, and leaves out what has no value", () => {
  const classes = new Classes(numbers, { ...theme, from: 2, to: 20 }, 9);
  assert.equal(classes.counts().reduce((a, b) => a + b), 4);
  assert.equal(classes.colourOf("a"), null);
  assert.equal(classes.colourOf("without"), null);
  const open = new Classes(numbers, theme, 9);
  assert.equal(open.counts().at(-1), 3);
  assert.notEqual(open.colourOf("without"), null);
});

test("a class that is switched off is not drawn", () => {
  const classes = new Classes(numbers, { ...theme, method: "categories", off: new Set([0]) }, 6);
  assert.equal(classes.colourOf("b"), null); // 2 is the most frequent value
  assert.notEqual(classes.colourOf("a"), null);
});

test("a theme and the tools survive a link", () => {
  const chosen: Theme = { attribute: "a;b,c=d", method: "equal", off: new Set([2, 0]), from: -1.5, to: null };
  assert.deepEqual(decodeTheme(encodeTheme(chosen)), chosen);
  const link = {
    layers: [{ id: "x", visible: true, opacity: 1, colourBy: "attribute" as const, theme: chosen }],
    tools: { sun: "2026-06-21T01:00Z", distance: "1,2,3;4,5,6", here: 'what-is-here;{"radius":5}' },
    table: "x,a%2Cb",
  };
  assert.deepEqual(decodeLink(encodeLink(link)), link);
});
