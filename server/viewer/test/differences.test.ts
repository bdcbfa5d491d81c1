import assert from "node:assert/strict";
import { test } from "node:test";
import { drawnAs, type Kind, kindsById, KINDS, LEGEND, type Legend, LOOKS } from "../src/differences";

const nothing = new Set<Legend>();
const one = (kinds: Kind[], off: Legend[] = []) => [
  drawnAs(kinds, "older", false, new Set(off)),
  drawnAs(kinds, "newer", false, new Set(off)),
];

test("in one picture the older version gives only what was removed", () => {
  assert.deepEqual(one([]), [null, "unchanged"]);
  assert.equal(drawnAs(["removed"], "older", false, nothing), "removed");
  assert.deepEqual(one(["added"])[1], "added");
  assert.deepEqual(one(["moved"]), [null, "moved"]);
});

test("side by side both versions stand whole", () => {
  for (const version of ["older", "newer"] as const) {
    assert.equal(drawnAs([], version, true, nothing), "unchanged");
    assert.equal(drawnAs(["geometry"], version, true, nothing), "geometry");
  }
  assert.equal(drawnAs(["removed"], "older", true, nothing), "removed");
});

test("of several kinds the weightiest that is switched on gives the colour", () => {
  const kinds: Kind[] = ["moved", "properties"];
  assert.equal(one(kinds)[1], "moved");
  assert.equal(one(kinds, ["moved"])[1], "properties");
  assert.equal(one(kinds, ["moved", "properties"])[1], "unchanged");
  assert.equal(one(kinds, ["moved", "properties", "unchanged"])[1], null);
});

test("what was removed vanishes when its kind is switched off, but stands where it stood side by side", () => {
  assert.equal(drawnAs(["removed"], "older", false, new Set<Legend>(["removed"])), null);
  assert.equal(drawnAs(["removed"], "older", true, new Set<Legend>(["removed"])), "unchanged");
});

test("every id keeps all its kinds", () => {
  const ids = { added: ["a"], removed: [], moved: ["b", "c"], geometry: [], properties: ["c"] };
  const found = kindsById(ids);
  assert.deepEqual(found.get("c"), ["moved", "properties"]);
  assert.equal(found.size, 3);
});

test("each kind has a colour and a sign of its own", () => {
  assert.equal(new Set(LEGEND.map((kind) => LOOKS[kind].colour)).size, LEGEND.length);
  assert.equal(new Set(LEGEND.map((kind) => LOOKS[kind].sign)).size, LEGEND.length);
  assert.equal(LEGEND.length, KINDS.length + 1);
});
