import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Account } from "../src/account";
import { api, problemToError } from "../src/data/api";
import { layersNamed } from "../src/data/processes";
import { lifetime } from "../src/data/session";
import { drawing, isNetwork, isPlan, partKey, shownAtFirst } from "../src/kinds";
import type { Collection } from "../src/data/types";
import type { Person, Session } from "../src/office/types";
import { carried, decodeLink, encodeLink, splitToken, type Link } from "../src/permalink";
import { prefixOf, throughPrefix, withoutPrefix } from "../src/prefix";
import { may } from "../src/rights";

const person = (id: string): Person => ({
  id, name: id, title: "", roles: ["viewer"], towns: [], department: null, active: true, sso: false,
  has_password: true, totp: false, locked: false, created: "", last_signed_in: null,
});
const session = (who: string | null, ...verbs: string[]): Session => ({
  person: who === null ? null : person(who), may: verbs, via: who === null ? "stranger" : "session", policy: "own",
  oidc: null, expires: null, second_factor: "none",
});

/** What the server answers next, by the beginning of the path; a number is a refusal. */
let answers: Record<string, unknown> = {};
const asked: string[] = [];
globalThis.fetch = (async (path: string) => {
  asked.push(path);
  const found = Object.entries(answers).find(([start]) => path.startsWith(start))?.[1];
  if (found === undefined) throw new TypeError("no network");
  const refused = typeof found === "number";
  return new Response(JSON.stringify(refused ? { title: "no", detail: "no" } : found), { status: refused ? found : 200 });
}) as typeof fetch;
beforeEach(() => {
  answers = {};
  asked.length = 0;
});

test("what may be done is what the session says", () => {
  new Account(session("editor", "read", "edit"));
  assert.deepEqual([may("read"), may("edit"), may("manage")], [true, true, false]);
  new Account(session(null, "read"));
  assert.equal(may("edit"), false);
});

test("a session that another request finds ended is noticed once, and the rights stay", async () => {
  const account = new Account(session("editor", "read", "edit"));
  let told = 0;
  account.changed.on(() => told++);
  answers = { "/session": session(null, "read"), "/city": 401 };
  await assert.rejects(api.city());
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(account.ended, true);
  assert.equal(told, 1);
  assert.equal(account.person?.name, "editor");
  assert.equal(may("edit"), true);
  asked.length = 0;
  assert.equal(await account.check(), false);
  assert.deepEqual(asked, []);
});

test("somebody else in the same browser is not who opened the page", async () => {
  const account = new Account(session("editor", "read"));
  answers = { "/session": session("auditor", "read", "audit") };
  assert.equal(await account.check(), false);
  assert.equal(may("audit"), false);
});

test("while the server is away nobody is signed out, and strangers are not asked about", async () => {
  assert.equal(await new Account(session("editor", "read")).check(), true);
  asked.length = 0;
  assert.equal(await new Account(session(null, "read")).check(), true);
  assert.deepEqual(asked, []);
});

test("a refusal for want of a code is told apart from others", () => {
  assert.equal(problemToError(401, '{"title":"x","code":"second-factor"}').code, "second-factor");
  assert.equal(problemToError(401, '{"title":"x"}').code, null);
});

test("the prefix of protected files is found, left out and put before", () => {
  const file = "/c/AbC-_9/t/pipes/3/tileset.json";
  assert.equal(prefixOf(file), "/c/AbC-_9");
  assert.equal(prefixOf(`https://city.example${file}`), "/c/AbC-_9");
  assert.equal(prefixOf("/c/AbC/tiles/a/1/{z}/{x}/{y}.png"), "/c/AbC");
  assert.equal(prefixOf("/t/c/1/t/x.glb"), null);
  assert.equal(prefixOf("/t/pipes/3/tileset.json"), null);
  assert.equal(prefixOf(null), null);
  assert.equal(withoutPrefix(`lost: ${file} and ${file}`), "lost: /t/pipes/3/tileset.json and /t/pipes/3/tileset.json");
  const guarded = new Set(["pipes", "管 线"]);
  assert.equal(throughPrefix("/t/pipes/3/a.glb", "/c/X", guarded), "/c/X/t/pipes/3/a.glb");
  assert.equal(throughPrefix("http://h:1/t/pipes/3/a.glb?b", "/c/X", guarded), "http://h:1/c/X/t/pipes/3/a.glb?b");
  assert.equal(throughPrefix("/tiles/%E7%AE%A1%20%E7%BA%BF/1/0/0/0.png", "/c/X", guarded), "/c/X/tiles/%E7%AE%A1%20%E7%BA%BF/1/0/0/0.png");
  assert.equal(throughPrefix("/t/roads/3/pipes/t/pipes/a.glb", "/c/X", guarded), "/t/roads/3/pipes/t/pipes/a.glb");
  assert.equal(throughPrefix("data:text/plain,/t/pipes/", "/c/X", guarded), "data:text/plain,/t/pipes/");
  // Put before once more after it was taken out, it is the same again, with what is valid by now.
  assert.equal(throughPrefix(withoutPrefix(file), "/c/new", guarded), "/c/new/t/pipes/3/tileset.json");
});

test("time left is told by the server's clock, whatever the page's says", () => {
  assert.equal(lifetime("2031-05-01T12:10:00Z", "Thu, 01 May 2031 12:00:00 GMT"), 600_000);
  assert.ok(lifetime("2001-01-01T00:00:00Z", null) < 0);
});

test("a token is taken out of the fragment and the rest stays", () => {
  assert.deepEqual(splitToken("#sign-in=ab_-12"), { token: "ab_-12", rest: "" });
  assert.deepEqual(splitToken("#l=office&sign-in=ab&lang=zh"), { token: "ab", rest: "l=office&lang=zh" });
  assert.deepEqual(splitToken("#l=sign-in=x"), { token: null, rest: "l=sign-in=x" });
  assert.deepEqual(splitToken(""), { token: null, rest: "" });
  assert.deepEqual(decodeLink("#sign-in=ab"), { layers: [] });
});

const shown = (id: string) => ({ id, visible: true, opacity: 1, colourBy: "material" }) as const;

test("what a link named and a stranger could not see is in the link that they sign in with", () => {
  const opened = decodeLink("#l=roads&l=pipes;o=0.5&sel=pipes/a&cmp=pipes;1;2&table=pipes,a");
  const now: Link = { layers: [{ ...shown("roads"), visible: false }] };
  assert.equal(encodeLink(carried(now, opened)), "l=roads;v=0&l=pipes;o=0.5&cmp=pipes;1;2&sel=pipes/a&table=pipes,a");
});

test("what is chosen by now counts more than the link the page was opened with", () => {
  const opened = decodeLink("#l=roads&sel=roads/a&table=roads");
  const now: Link = { layers: [shown("roads")], selection: { layer: "roads", id: "b" } };
  assert.equal(encodeLink(carried(now, opened)), "l=roads&sel=roads/b");
});

test("who came without a link sees all there is for them, and only once more", () => {
  const first = carried({ layers: [shown("roads")] }, { layers: [] });
  assert.equal(encodeLink(first), "l=roads&more=1");
  assert.equal(decodeLink(encodeLink(first)).more, true);
  assert.equal(encodeLink(carried({ layers: [shown("roads"), shown("pipes")] }, first)), "l=roads&l=pipes&more=1");
});

const layer = (kind: string, part?: Collection["part"]) =>
  ({ id: kind, kind, lifecycle: "present", ...(part ? { part } : {}) }) as Collection;
const part = { hidden: ["*depth*"], heights: false, area: "town" };

test("what is seen only in part is a plan, whatever its kind", () => {
  for (const kind of ["network", "model", "vector"]) {
    assert.equal(drawing(layer(kind, part)), "draped");
    assert.equal(isPlan(layer(kind, part)), true);
  }
  assert.deepEqual(["network", "terrain", "imagery"].map((kind) => drawing(layer(kind))), ["tileset", "ground", "draped"]);
  assert.deepEqual([isNetwork(layer("network")), isNetwork(layer("network", part))], [true, false]);
  assert.notEqual(partKey(layer("network", part)), partKey(layer("network", { ...part, area: null })));
});

test("pipes seen as a plan stand there from the beginning, others come underground", () => {
  const all = [layer("terrain"), layer("network")];
  assert.equal(shownAtFirst(layer("network"), all), false);
  assert.equal(shownAtFirst(layer("network", part), all), true);
});

test("the layers that a question names are known by its description", () => {
  const inputs = {
    layers: { title: "", schema: { type: "array", items: { type: "string", format: "layer-id" } } },
    layer: { title: "", schema: { type: "string", format: "layer-id" } },
    radius: { title: "", schema: { type: "number" } },
  } as const;
  assert.deepEqual(layersNamed({ inputs }, { layers: ["a", "b"], layer: "c", radius: 5 }), ["a", "b", "c"]);
  assert.deepEqual(layersNamed({ inputs }, { radius: 5 }), []);
});
