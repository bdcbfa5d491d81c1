import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, writeAddress } from "../src/office/address";
import { boundaryOf, drawn, NoBoundary, squareKilometres } from "../src/office/boundaries";
import { filtersOf, isFiltered, queryOf } from "../src/office/logFilters";
import { changes, inGroups, type PolicyDocument, putOnto, valueAt, withValue } from "../src/office/policyDocument";
import { excludeEachOther, inOrder } from "../src/office/roles";

type Ring = [number, number][];
const ring = (west: number, south: number, size: number): Ring => [
  [west, south],
  [west + size, south],
  [west + size, south + size],
  [west, south + size],
  [west, south],
];

const fault = (text: string): string => {
  try {
    boundaryOf(text);
  } catch (error) {
    if (error instanceof NoBoundary) return error.fault;
    throw error;
  }
  return "none";
};

test("administrator and auditor exclude each other, and nothing else does", () => {
  assert.equal(excludeEachOther(["security-administrator", "auditor"]), true);
  assert.equal(excludeEachOther(["security-administrator", "data-manager", "viewer"]), false);
  assert.equal(excludeEachOther(["auditor"]), false);
  assert.equal(excludeEachOther([]), false);
});

test("roles stand in one order, unknown ones last", () => {
  assert.deepEqual(inOrder(["new-role", "auditor", "viewer"]), ["viewer", "auditor", "new-role"]);
});

test("a boundary is read from geometries, features and collections, and loses its heights", () => {
  const one = { type: "Polygon", coordinates: [ring(113, 23, 0.1).map(([x, y]) => [x, y, 12])] };
  assert.deepEqual(boundaryOf(JSON.stringify(one)), { type: "Polygon", coordinates: [ring(113, 23, 0.1)] });
  const feature = { type: "Feature", properties: null, geometry: one };
  assert.deepEqual(boundaryOf(JSON.stringify(feature)).type, "Polygon");
  const two = { type: "FeatureCollection", features: [feature, { ...feature, geometry: { type: "Point", coordinates: [1, 2] } }, feature] };
  assert.deepEqual(boundaryOf(JSON.stringify(two)), {
    type: "MultiPolygon",
    coordinates: [[ring(113, 23, 0.1)], [ring(113, 23, 0.1)]],
  });
  const named = (name: string) => JSON.stringify({ ...feature, crs: { type: "name", properties: { name } } });
  assert.equal(fault(named("urn:ogc:def:crs:OGC:1.3:CRS84")), "none");
  assert.equal(fault(named("urn:ogc:def:crs:EPSG::4490")), "none");
  assert.equal(fault(named("EPSG:4547")), "otherSystem");
});

test("what is no boundary is refused for what is wrong with it", () => {
  assert.equal(fault("PK\u0003\u0004"), "notJson");
  assert.equal(fault("null"), "noArea");
  assert.equal(fault(JSON.stringify({ type: "LineString", coordinates: [[1, 2], [3, 4]] })), "noArea");
  assert.equal(fault(JSON.stringify({ type: "Polygon", coordinates: [[[1, 2], [3, 4]]] })), "noArea");
  assert.equal(fault(JSON.stringify({ type: "Polygon", coordinates: [ring(453_000, 2_556_000, 100)] })), "notDegrees");
});

test("an area is that of the sphere, without its holes", () => {
  // A degree of latitude on the sphere of 6371.0088 km is 111.195 km.
  const side = 111.195 * 0.1;
  const expected = side * side * Math.cos((23.05 * Math.PI) / 180);
  const whole = squareKilometres({ type: "Polygon", coordinates: [ring(113, 23, 0.1)] });
  assert.ok(Math.abs(whole - expected) / expected < 2e-3, `${whole} ${expected}`);
  const holed = squareKilometres({ type: "Polygon", coordinates: [ring(113, 23, 0.1), ring(113.02, 23.02, 0.05)] });
  assert.ok(Math.abs(holed / whole - 0.75) < 2e-3);
});

test("boundaries fill the picture north up, each in its place", () => {
  const [west, none, east] = drawn(
    [{ type: "Polygon", coordinates: [ring(113, 23, 0.1)] }, null, { type: "Polygon", coordinates: [ring(113.1, 23.1, 0.1)] }],
    400,
    300,
    10,
  );
  assert.equal(none, null);
  const numbers = (path: string) => [...path.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  const ys = [...numbers(west!.path), ...numbers(east!.path)].map(([, y]) => y);
  assert.deepEqual([Math.min(...ys), Math.max(...ys)], [10, 290]);
  assert.ok(west!.label[0] < east!.label[0] && west!.label[1] > east!.label[1]);
  assert.deepEqual(drawn([null], 400, 300), [null]);
});

const policy: PolicyDocument = {
  roles: {
    stranger: { read: { public: "all" }, city: [], hides: [] },
    reporter: { read: { public: "all", internal: "town" }, city: [], hides: ["depth"] },
    auditor: { city: ["audit"] },
  },
  hides: { depth: { attributes: ["*Depth*", "zmin"], heights: true }, owner: { attributes: ["*owner*"] } },
  limits: { export_km2: 25, second_factor: [] },
};

test("what a policy does not say is the least", () => {
  assert.equal(valueAt(policy, "roles/reporter/read/internal"), "town");
  assert.equal(valueAt(policy, "roles/reporter/read/sensitive"), "none");
  assert.equal(valueAt(policy, "roles/editor/edit/public"), "none");
  assert.equal(valueAt(policy, "roles/auditor/city"), "audit");
  assert.equal(valueAt(policy, "roles/editor/city"), "none");
  assert.equal(valueAt(policy, "roles/reporter/hides/depth"), true);
  assert.equal(valueAt(policy, "hides/owner/heights"), false);
});

test("a change is found where it was made, and taken back it is none", () => {
  const before = structuredClone(policy);
  const after = withValue(policy, "roles/stranger/read/internal", "all");
  assert.deepEqual(policy, before, "what was given stays as it was");
  assert.deepEqual(changes(policy, after), [{ place: "roles/stranger/read/internal", before: "none", after: "all" }]);
  assert.deepEqual(changes(policy, withValue(after, "roles/stranger/read/internal", "none")), []);
  const every = [
    ["roles/editor/city", "administer"],
    ["roles/editor/hides/owner", true],
    ["hides/owner/attributes", ["*owner*", "*权属*"]],
    ["limits/export_km2", 10],
    ["limits/second_factor", ["auditor"]],
  ] as const;
  const all = every.reduce((document, [place, value]) => withValue(document, place, value), policy);
  assert.deepEqual(new Set(changes(policy, all).map(({ place }) => place)), new Set(every.map(([place]) => place)));
});

test("changes of two people to different places are both kept", () => {
  const mine = changes(policy, withValue(policy, "roles/stranger/read/internal", "all"));
  const theirs = withValue(policy, "limits/export_km2", 10);
  const both = putOnto(theirs, mine);
  assert.equal(valueAt(both, "limits/export_km2"), 10);
  assert.equal(valueAt(both, "roles/stranger/read/internal"), "all");
});

test("hidden patterns are told by the name of the policy that hides them", () => {
  const { named, rest } = inGroups(["*depth*", "secret", "zmin"], policy.hides!);
  assert.deepEqual(named.map(([name]) => name), ["depth"]);
  assert.deepEqual(rest, ["secret"]);
});

test("filters survive the address; the server is told instants, the last minute included", () => {
  const filters = { since: "2026-11-22T08:00", until: "2026-11-22T09:30", person: " auditor ", q: "" };
  const { tab, lang, filters: back } = readAddress(`#${writeAddress({ tab: "log", lang: "zh", filters })}`);
  assert.deepEqual([tab, lang], ["log", "zh"]);
  assert.deepEqual(back, { since: filters.since, until: filters.until, person: "auditor" });
  const query = new URLSearchParams(queryOf(filters, { forServer: true }));
  assert.equal(Date.parse(query.get("until")!) - Date.parse(query.get("since")!), 90 * 60_000 + 59_999);
  assert.equal(queryOf({ since: "soon" }, { forServer: true }), "");
  assert.equal(isFiltered(filtersOf(new URLSearchParams("tab=log&lang=zh"))), false);
});

test("an address that is none opens what one usually sees", () => {
  assert.deepEqual(readAddress("#tab=everything&lang=fr"), { filters: {} });
  assert.deepEqual(readAddress(""), { filters: {} });
});
