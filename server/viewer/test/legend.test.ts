import assert from "node:assert/strict";
import { test } from "node:test";
import { isolate } from "../src/ui/legend";

const keys = ["a", "b", "c"];

test("isolating one hides the others, and again brings back the usual ones", () => {
  const hidden = new Set<string>(["c"]);
  isolate(hidden, keys, "a", new Set(["c"]));
  assert.deepEqual([...hidden], ["b", "c"]);
  isolate(hidden, keys, "a", new Set(["c"]));
  assert.deepEqual([...hidden], ["c"]);
});

test("isolating a hidden one shows it alone", () => {
  const hidden = new Set<string>(["a", "b"]);
  isolate(hidden, keys, "a", new Set());
  assert.deepEqual([...hidden], ["b", "c"]);
});
