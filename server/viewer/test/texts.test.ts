import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatUnit, initialLanguage } from "../src/i18n";
import { PANELS, TEXTS, type TextKey } from "../src/texts";

const keys = Object.keys(TEXTS) as TextKey[];
const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

test("both languages take the same parameters and leave nothing empty", () => {
  for (const key of keys) {
    assert.notEqual(TEXTS[key].zh.trim(), "", key);
    assert.deepEqual(parameters(TEXTS[key].zh), parameters(TEXTS[key].en), key);
  }
});

test("no text stands in two panels", () => {
  const all = PANELS.flatMap((panel) => Object.keys(panel));
  assert.equal(new Set(all).size, all.length);
});

test("Chinese texts are Chinese", () => {
  const same = keys.filter((key) => !/[\u4e00-\u9fff]/.test(TEXTS[key].zh));
  assert.deepEqual(same.sort(), ["app.title"]);
});

test("the language follows the browser, else Chinese", () => {
  assert.equal(initialLanguage("en-GB"), "en");
  assert.equal(initialLanguage("zh-CN"), "zh");
  assert.equal(initialLanguage("de"), "zh");
  assert.equal(initialLanguage(undefined), "zh");
});

test("units are written as they are printed", () => {
  assert.equal(formatUnit("W/(m2·K)"), "W/(m²⋅K)");
  assert.equal(formatUnit("m3"), "m³");
  assert.equal(formatUnit(null), "");
});

test("sizes keep to two or three digits", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(2_381_987), "2.4 MB");
  assert.equal(formatBytes(81_234), "81 kB");
});
