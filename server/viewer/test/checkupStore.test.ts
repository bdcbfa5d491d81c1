import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/checkup/store";
import type { Overview } from "../src/checkup/types";

const overview = (...ids: string[]) => ({ runs: ids.map((id) => ({ id, system: "own", year: 2026 })), sets: [], rights: {} }) as unknown as Overview;
/** Questions for all check-ups that wait for their answer. */
const asked: ((told: Overview) => void)[] = [];
const json = (told: unknown) => new Response(JSON.stringify(told), { headers: { "content-type": "application/json" } });

globalThis.fetch = (async (path: string) => {
  if (path === "/checkup") return json(await new Promise<Overview>((answer) => asked.push(answer)));
  const [, run] = /^\/checkup\/runs\/([^/]+)$/.exec(path) ?? [];
  return json(run ? { id: run, indicators: [], dimensions: {}, inputs: [] } : { problems: [], changes: [] });
}) as typeof fetch;

test("a newer run takes nobody away, and news from before a choice do not take it back", async () => {
  const store = new Store(overview("2026-1"));
  const [first, second] = [store.refresh(), store.refresh()];
  await new Promise(setImmediate);
  asked[1]!(overview("2026-2", "2026-1"));
  await second;
  assert.equal(store.summary?.id, "2026-1");
  store.chooseRun("2026-2");
  asked[0]!(overview("2026-2", "2026-1"));
  await first;
  assert.equal(store.summary?.id, "2026-2");
});
