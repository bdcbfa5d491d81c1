import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckinReport, type Finding, grouped, isPlaced, surroundings, whereabouts } from "../src/checkin";

const finding = (rule: string, severity: Finding["severity"], more: Partial<Finding> = {}): Finding => ({
  severity,
  rule,
  id: "a",
  class: "IfcWall",
  name: "W",
  storey: null,
  lon: 113,
  lat: 23,
  height: 5,
  en: "x",
  zh: "x",
  ...more,
});

const rule = (id: string, count: number) => ({ id, title: { en: id, zh: id }, refuse: false, count });

test("findings stand under their rules, the worst first, rules without any left out", () => {
  const report: CheckinReport = {
    file: "a.ifc",
    refused: false,
    counts: { error: 1, warning: 1200, note: 1 },
    rules: [rule("note", 1), rule("none", 0), rule("many", 1200), rule("bad", 1)],
    findings: [finding("bad", "error"), finding("many", "warning"), finding("note", "note")],
  };
  const groups = grouped(report);
  assert.deepEqual(
    groups.map((group) => [group.rule, group.severity, group.count, group.findings.length]),
    [
      ["bad", "error", 1, 1],
      ["many", "warning", 1200, 1],
      ["note", "note", 1, 1],
    ],
  );
});

test("what has a place can be gone to, whether or not it became a feature", () => {
  assert.equal(isPlaced(finding("a", "note")), true);
  assert.equal(isPlaced(finding("a", "note", { id: null })), true);
  assert.equal(isPlaced(finding("a", "note", { lon: null, lat: null })), false);
  const [west, south, low, east, north, high] = surroundings(finding("a", "note")) ?? [];
  assert.ok(west! < 113 && 113 < east! && south! < 23 && 23 < north!);
  assert.deepEqual([low, high], [5, 5]);
  assert.equal(surroundings(finding("a", "note", { lon: null, lat: null })), null);
});

test("a finding says its storey, or its table and line", () => {
  assert.equal(whereabouts(finding("a", "note", { storey: "1F" })), "1F");
  assert.equal(whereabouts(finding("a", "note", { table: "JSLine.csv", line: 12 })), "JSLine.csv:12");
  assert.equal(whereabouts(finding("a", "note", { table: "JSLine.csv", line: null })), "JSLine.csv");
  assert.equal(whereabouts(finding("a", "note")), "");
});
