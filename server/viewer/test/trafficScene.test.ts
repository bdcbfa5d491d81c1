import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeChoice, encodeChoice, FIRST } from "../src/traffic/choice";
import { tracksOf } from "../src/traffic/events";
import type { Recording, VehicleFrame } from "../src/traffic/frames";
import { instantOf, lastBefore } from "../src/traffic/replay";
import { noWays, onwards, placeOf, turn } from "../src/traffic/scene/between";
import { speedClass } from "../src/traffic/scene/looks";
import type { TrafficEvent } from "../src/traffic/types";

function frame(rows: [id: number, east: number, north: number, heading: number][], base = 0): VehicleFrame {
  const column = (i: 1 | 2 | 3) => new Float32Array(rows.map((row) => row[i]));
  const none = new Float32Array(rows.length);
  return {
    what: "vehicles", sequence: 1, base, id: new Uint32Array(rows.map(([id]) => id)),
    east: column(1), north: column(2), heading: column(3), speed: none, kind: none, age: none,
  };
}
const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-4, `${found} is not ${wanted}`);

test("vehicles go on from where they are, without a jump, to where the next frame has them", () => {
  let ways = onwards(noWays(), 1, frame([[1, 0, 0, 90], [2, 5, 5, 0]]));
  ways = onwards(ways, 1, frame([[1, 10, 0, 90], [2, 5, 5, 0]]));
  near(placeOf(ways, 0, 0).east, 0);
  near(placeOf(ways, 0, 1).east, 10);
  // The next frame comes early: who is on the way goes on from there, and who is not in it is gone.
  const half = placeOf(ways, 0, 0.5);
  ways = onwards(ways, 0.5, frame([[1, 20, 0, 90]]));
  assert.equal(ways.count, 1);
  near(placeOf(ways, 0, 0).east, half.east);
  near(placeOf(ways, 0, 1).east, 20);
  // Nobody drives over the whole city between two frames.
  ways = onwards(ways, 1, frame([[1, 500, 0, 90]]));
  near(placeOf(ways, 0, 0).east, 500);
});

test("a heading turns the shorter way, and is that of the way where none is told", () => {
  near(turn((350 * Math.PI) / 180, (10 * Math.PI) / 180), (20 * Math.PI) / 180);
  near(turn((10 * Math.PI) / 180, (350 * Math.PI) / 180), (-20 * Math.PI) / 180);
  let ways = onwards(noWays(), 1, frame([[1, 0, 0, NaN]]));
  assert.equal(ways.heading[0], 0);
  ways = onwards(ways, 1, frame([[1, 5, 0, NaN]]));
  near(placeOf(ways, 0, 1).heading, Math.PI / 2);
  // Who stands keeps it.
  ways = onwards(ways, 1, frame([[1, 5, 0, NaN]]));
  near(placeOf(ways, 0, 1).heading, Math.PI / 2);
});

test("an instant of a recording lies between two frames", () => {
  const head = { layer: "roads", anchor: [0, 0] as [number, number], kinds: [], signals: [], lights: [] };
  const vehicles = [1_000, 1_500, 2_000].map((base) => frame([], base));
  const recording: Recording = { head, vehicles, signals: [] };
  assert.deepEqual([500, 1_000, 1_499, 1_500, 9_000].map((time) => lastBefore(vehicles, time)), [-1, 0, 0, 1, 2]);
  assert.equal(instantOf(recording, 999), null);
  const found = instantOf(recording, 1_750)!;
  assert.deepEqual([found.from.base, found.to!.base, found.share], [1_500, 2_000, 0.5]);
  assert.equal(instantOf(recording, 2_500)!.to, null);
});

test("a link keeps what is chosen, ids with its own signs as well", () => {
  const choice = { ...FIRST, layer: "a;b%&", roads: "h3" as const, intersection: "路口 1", at: 1_790_000_000_000 };
  assert.deepEqual(decodeChoice(encodeChoice(choice)), choice);
  assert.deepEqual(decodeChoice(""), FIRST);
  assert.deepEqual(decodeChoice("x;nonsense;y;z;;;not a time"), { ...FIRST, layer: "x" });
  assert.equal(encodeChoice(FIRST), ";vehicles;speed;off");
});

test("the track of an event is a line for each vehicle, in the order of time", () => {
  const track = [[2, "a", 1.1, 2, 5], [1, "a", 1, 2, 5], [1, "b", 3, 4, null]] as TrafficEvent["track"];
  assert.deepEqual(tracksOf({ track } as TrafficEvent), [[[1, 2], [1.1, 2]]]);
  assert.deepEqual(tracksOf({} as TrafficEvent), []);
});

test("speeds are told apart in classes of kilometres per hour", () => {
  assert.deepEqual([0, 1.3, 1.4, 5.6, 11.2, 16.7, NaN].map(speedClass), [0, 0, 1, 2, 3, 4, 0]);
});
