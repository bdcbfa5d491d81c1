import assert from "node:assert/strict";
import { test } from "node:test";
import { spanOf, tickLabel, ticks } from "../src/renewal/chosen/axis";
import { roundUp } from "../src/renewal/chosen/cumulative";
import { inkOn } from "../src/renewal/chosen/statesBar";
import { taskState } from "../src/renewal/chosen/stages";
import { lastEnd, periodOf } from "../src/renewal/dialogs/periods";
import { asTyped, inUnit } from "../src/renewal/dialogs/progress";
import { nameIn } from "../src/renewal/orders/api";
import { placeOf } from "../src/renewal/orders/course";
import { byUrgency, fits } from "../src/renewal/orders/list";
import type { Order } from "../src/renewal/orders/types";
import type { Metric } from "../src/renewal/types";

test("weeks begin on Monday and months end where the calendar says", () => {
  assert.deepEqual(periodOf("2026-11-22", "week"), ["2026-11-16", "2026-11-22"]);
  assert.deepEqual(periodOf("2026-11-23", "week"), ["2026-11-23", "2026-11-29"]);
  assert.deepEqual(periodOf("2024-02-10", "month"), ["2024-02-01", "2024-02-29"]);
  assert.deepEqual(periodOf("2025-12-31", "month"), ["2025-12-01", "2025-12-31"]);
  assert.equal(lastEnd("2026-11-23", "week"), "2026-11-22");
  assert.equal(lastEnd("2026-11-22", "week"), "2026-11-22");
  assert.equal(lastEnd("2026-03-01", "month"), "2026-02-28");
});

test("an axis names few days, and only within its span", () => {
  assert.deepEqual(ticks(["2024-05-01", "2026-02-01"], 5), ["2024-07-01", "2025-01-01", "2025-07-01", "2026-01-01"]);
  assert.deepEqual(ticks(["2025-03-02", "2025-03-20"], 5), []);
  assert.equal(tickLabel("2025-01-01"), "2025");
  assert.deepEqual(spanOf([null, "2025-02-01", undefined, "2024-01-01"]), ["2024-01-01", "2025-02-01"]);
  assert.equal(spanOf([null]), null);
});

test("the top of a chart is round and not below what is drawn", () => {
  for (const value of [0.003, 1, 1.2, 7.9, 13.96, 999, 1001, 4.5e8]) {
    const top = roundUp(value);
    assert.ok(top >= value && top <= 2 * value, String(value));
  }
  assert.equal(roundUp(0), 1);
});

test("ink on a colour is what is read better", () => {
  assert.equal(inkOn("#d9cf5b"), "#1c2733");
  assert.equal(inkOn("#b8483f"), "#ffffff");
});

test("a task is late from the day after it was due", () => {
  const task = { start: "2025-01-01", due: "2025-02-01", done: null };
  assert.equal(taskState(task, "2024-12-31"), "waiting");
  assert.equal(taskState(task, "2025-02-01"), "running");
  assert.equal(taskState(task, "2025-02-02"), "late");
  assert.equal(taskState({ ...task, done: "2025-03-01" }, "2025-02-15"), "late");
  assert.equal(taskState({ ...task, done: "2025-03-01" }, "2025-03-01"), "done");
});

test("what is typed in ten thousand square metres is sent in square metres, and back", () => {
  const metric = { shown: { factor: 10_000, decimals: 2, unit: { en: "", zh: "" } } } as Metric;
  assert.equal(inUnit(metric, "0.35"), 3500);
  assert.equal(inUnit(metric, " "), null);
  assert.equal(inUnit(metric, "1.2345678"), 12345.678);
  assert.equal(asTyped(metric, 12345.678), "1.2345678");
  assert.equal(asTyped(metric, null), "");
});

const order = (more: Partial<Order>): Order => ({ state: "issued", unit: "a", urgency: "yellow", deadline: "2025-02-01", ...more }) as Order;

test("what is due first comes first, then drafts, then what has ended", () => {
  const all = [order({ id: "closed", state: "closed", closed: "2025-01-01" }), order({ id: "draft", state: "draft" }), order({ id: "late" }), order({ id: "later", deadline: "2025-03-01" })];
  assert.deepEqual(all.sort(byUrgency).map(({ id }) => id), ["late", "later", "draft", "closed"]);
});

test("filters of orders: without a state what has not ended, and a unit that only helps counts too", () => {
  const any = { state: "", urgency: "", unit: "" };
  assert.ok(fits(order({}), any));
  assert.ok(!fits(order({ state: "withdrawn" }), any));
  assert.ok(fits(order({ state: "closed" }), { ...any, state: "all" }));
  assert.ok(fits(order({ cooperating: ["b"] }), { ...any, unit: "b" }));
  assert.ok(!fits(order({ urgency: "blue" }), { ...any, urgency: "red" }));
});

test("what was returned is in hand again", () => {
  assert.equal(placeOf("returned"), placeOf("handling"));
  assert.ok(placeOf("answered") < placeOf("closed"));
});

test("a file keeps the name that the server gives it", () => {
  assert.equal(nameIn('attachment; filename="progress-week-2026-11-22.xlsx"'), "progress-week-2026-11-22.xlsx");
  assert.equal(nameIn("attachment; filename=\"x.docx\"; filename*=UTF-8''%E6%8B%86.docx"), "拆.docx");
  assert.equal(nameIn(null), "");
});
