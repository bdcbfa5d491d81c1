import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { problemToError } from "../src/data/api";
import type { Lang, Problem } from "../src/data/types";
import { localized, said, setLanguage } from "../src/i18n";
import { errorText, problemText } from "../src/ui/errors";

// Setting the language marks the page, and there is none here.
Object.assign(globalThis, { document: { documentElement: {} } });

const inBoth = (text: () => string) =>
  (["en", "zh"] as Lang[]).map((lang) => {
    setLanguage(lang);
    return text();
  });

const empty: Problem = {
  type: "about:blank",
  title: "Invalid input",
  status: 422,
  detail: "a.ifc is empty; export it again",
  detail_zh: "a.ifc 是空文件；请重新导出",
};

beforeEach(() => setLanguage("zh"));

test("a refusal is said in the language of now, not of then", () => {
  const error = problemToError(422, JSON.stringify(empty));
  assert.deepEqual(
    inBoth(() => errorText(error)),
    [empty.detail, empty.detail_zh],
  );
  assert.equal(error.status, 422);
});

test("a job's problem is said in the language of now", () => {
  assert.deepEqual(
    inBoth(() => problemText(empty)),
    [empty.detail, empty.detail_zh],
  );
});

test("what has no Chinese is said in English", () => {
  const { detail_zh: _, ...older } = empty;
  assert.deepEqual(
    inBoth(() => problemText(older)),
    [empty.detail, empty.detail],
  );
  assert.equal(problemText({ title: "Not found", status: 404 }), "Not found");
  assert.equal(errorText(problemToError(502, "<html>")), "HTTP 502");
  assert.equal(said("a warning", null), "a warning");
  assert.equal(said("a warning", undefined), "a warning");
});

test("an unforeseen error keeps its number in the log", () => {
  const body = { title: "Internal error", status: 500, detail: "under 12ab", detail_zh: "编号 12ab", id: "12ab" };
  const error = problemToError(500, JSON.stringify(body));
  assert.equal(error.reference, "12ab");
  assert.equal(errorText(error), "编号 12ab");
});

test("a server out of reach is told in the page's own words", () => {
  assert.deepEqual(
    inBoth(() => errorText(problemToError(0, ""))),
    ["The server cannot be reached", "无法连接服务器"],
  );
});

test("notes that come in both languages follow the language", () => {
  const note = { en: "placed in EPSG:4547 as given", zh: "按给定坐标系 EPSG:4547 放置" };
  assert.deepEqual(
    inBoth(() => localized(note)),
    [note.en, note.zh],
  );
  assert.equal(localized(null), "");
});
