/** The geometry of an approach diagram: arms as they lie on the ground, flows as ribbons as wide as their volume. */
import type { Turn } from "../types";
import { apart, turned, TURNS } from "./directions";

/** Degrees clockwise from north, in which those drive who come in by a link. */
export interface Arm {
  link: string;
  bearing: number;
}

/** A movement; `out` is the direction in which it leaves. */
export interface Flow {
  link: string;
  turn: Turn;
  volume: number | null;
  out: number;
}

export type Point = readonly [x: number, y: number];

export interface ArmShape {
  /** The approach, null for an arm that only leads out. */
  link: string | null;
  /** Where the arm lies, seen from the middle: degrees clockwise from north. */
  at: number;
  road: Point[];
  /** Where the middle line of the road begins and ends. */
  middle: [Point, Point];
}

export interface Ribbon {
  flow: Flow;
  width: number;
  path: string;
  head: Point[];
  /** Where it comes in, for a mark. */
  from: Point;
}

/** Where the figures of an approach stand: the corner at the right of those who come in. */
export interface Block {
  link: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface DiagramShape {
  width: number;
  height: number;
  arms: ArmShape[];
  ribbons: Ribbon[];
  blocks: Block[];
}

/** Of one direction of an arm, pixels: its width, what is kept free in the middle and between ribbons. */
const SIDE = 44;
const MEDIAN = 3;
const BETWEEN = 2;
const THINNEST = 1;
/** From the middle to the stop lines, and what an arrow's head takes. */
const CORE = 62;
const HEAD = 9;
const HEAD_SIDE = 3.5;
/** Arms nearer than this are one, degrees. */
const SAME = 35;
const EDGE = 4;

export const LINE_HEIGHT = 16;
export const BLOCK_WIDTH = 104;

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** A direction on the picture, whose y points down. */
function towards(degrees: number): Point {
  return [Math.sin(radians(degrees)), -Math.cos(radians(degrees))];
}

function nearestArm(arms: readonly { at: number }[], at: number): number {
  let best = -1;
  arms.forEach((arm, i) => {
    if (apart(arm.at, at) <= SAME && (best < 0 || apart(arm.at, at) < apart(arms[best]!.at, at))) best = i;
  });
  return best;
}

/** Wide enough for the busiest side of any arm, and no wider than one side has room. */
function scaleOf(sides: readonly (readonly Flow[])[]): number {
  let scale = Infinity;
  for (const flows of sides) {
    const sum = flows.reduce((total, { volume }) => total + (volume ?? 0), 0);
    const room = SIDE - MEDIAN - BETWEEN * flows.length;
    if (sum > 0) scale = Math.min(scale, room / sum);
  }
  return Number.isFinite(scale) ? scale : 0;
}

const inOrder = (a: Flow, b: Flow) => TURNS.indexOf(a.turn) - TURNS.indexOf(b.turn);

/** Where each flow lies on one side of an arm: pixels from its middle. */
function stacked(flows: readonly Flow[], widthOf: (flow: Flow) => number): Map<Flow, number> {
  const found = new Map<Flow, number>();
  let at = MEDIAN;
  for (const flow of [...flows].sort(inOrder)) {
    const width = widthOf(flow);
    found.set(flow, at + width / 2);
    at += width + BETWEEN;
  }
  return found;
}

/** Driving is on the right. `lines` tells how many lines of figures each approach has. */
export function diagramShape(
  arms: readonly Arm[],
  flows: readonly Flow[],
  [width, height]: readonly [number, number],
  lines: (link: string) => number = () => 4,
): DiagramShape {
  const middle: Point = [width / 2, height / 2];
  const sides: { link: string | null; at: number; into: Flow[]; out: Flow[] }[] = arms.map(({ link, bearing }) => ({
    link,
    at: turned(bearing + 180),
    into: flows.filter((flow) => flow.link === link),
    out: [],
  }));
  const exits = new Map<Flow, number>();
  for (const flow of flows) {
    let arm = nearestArm(sides, flow.out);
    if (arm < 0) arm = sides.push({ link: null, at: turned(flow.out), into: [], out: [] }) - 1;
    sides[arm]!.out.push(flow);
    exits.set(flow, arm);
  }
  const scale = scaleOf(sides.flatMap(({ into, out }) => [into, out]));
  const widthOf = ({ volume }: Flow) => Math.max(THINNEST, (volume ?? 0) * scale);
  const reach = (at: number) => {
    const [x, y] = towards(at);
    const across = Math.abs(x) > 1e-9 ? (width / 2 - EDGE) / Math.abs(x) : Infinity;
    const down = Math.abs(y) > 1e-9 ? (height / 2 - EDGE) / Math.abs(y) : Infinity;
    return Math.min(across, down, Math.max(width, height) / 2 - EDGE);
  };
  /** So far out along an arm and so far to the right of those who drive out. */
  const on = (at: number, far: number, right: number): Point => {
    const [ox, oy] = towards(at);
    const [rx, ry] = towards(at + 90);
    return [middle[0] + ox * far + rx * right, middle[1] + oy * far + ry * right];
  };
  const into = sides.map((side) => stacked(side.into, widthOf));
  const out = sides.map((side) => stacked(side.out, widthOf));
  const ribbons = sides.flatMap((side, i) =>
    side.into.map((flow): Ribbon => {
      const exit = exits.get(flow)!;
      const leaving = sides[exit]!.at;
      // Those who come in are at the left of those who drive out.
      const [here, there] = [-into[i]!.get(flow)!, out[exit]!.get(flow)!];
      const tip = reach(leaving) - 2;
      const [a, b] = [on(side.at, reach(side.at), here), on(side.at, CORE, here)];
      const [c, d] = [on(leaving, CORE, there), on(leaving, tip - HEAD, there)];
      const bend = CORE * (flow.turn === "right" ? 0.45 : 0.85);
      const [b2, c2] = [on(side.at, CORE - bend, here), on(leaving, CORE - bend, there)];
      const half = widthOf(flow) / 2 + HEAD_SIDE;
      return {
        flow,
        width: widthOf(flow),
        path: `M${p(a)}L${p(b)}C${p(b2)} ${p(c2)} ${p(c)}L${p(d)}`,
        head: [on(leaving, tip - HEAD, there - half), on(leaving, tip, there), on(leaving, tip - HEAD, there + half)],
        from: a,
      };
    }),
  );
  const shapes = sides.map(({ link, at }): ArmShape => {
    const far = reach(at);
    return {
      link,
      at,
      road: [on(at, 0, -SIDE), on(at, far, -SIDE), on(at, far, SIDE), on(at, 0, SIDE)],
      middle: [on(at, CORE, 0), on(at, far, 0)],
    };
  });
  const blocks = sides
    .filter(({ link }) => link !== null)
    .map(({ link, at }): Block => {
      const high = lines(link!) * LINE_HEIGHT + 6;
      const [rx, ry] = towards(at - 90);
      const beside = SIDE + 5 + (Math.abs(rx) * BLOCK_WIDTH + Math.abs(ry) * high) / 2;
      const [ox, oy] = towards(at);
      const far = reach(at) - (Math.abs(ox) * BLOCK_WIDTH + Math.abs(oy) * high) / 2;
      const [x, y] = on(at, far, -beside);
      return { link: link!, x: x - BLOCK_WIDTH / 2, y: y - high / 2, width: BLOCK_WIDTH, height: high };
    });
  return { width, height, arms: shapes, ribbons, blocks: spread(blocks, width, height) };
}

const ROUNDS = 60;

/** Moves blocks into the picture and off each other, where there is room. */
export function spread(blocks: readonly Block[], width: number, height: number): Block[] {
  const moved = blocks.map((block) => ({ ...block }));
  const inside = (block: Block) => {
    block.x = Math.min(Math.max(block.x, EDGE), width - EDGE - block.width);
    block.y = Math.min(Math.max(block.y, EDGE), height - EDGE - block.height);
  };
  moved.forEach(inside);
  for (let round = 0; round < ROUNDS; round++) {
    let clear = true;
    for (let i = 0; i < moved.length; i++) {
      for (let j = i + 1; j < moved.length; j++) {
        const [a, b] = [moved[i]!, moved[j]!];
        const x = overlap(a.x, a.width, b.x, b.width);
        const y = overlap(a.y, a.height, b.y, b.height);
        if (x <= 0 || y <= 0) continue;
        clear = false;
        if (x < y) push(a, b, "x", x);
        else push(a, b, "y", y);
        inside(a);
        inside(b);
      }
    }
    if (clear) break;
  }
  return moved;
}

function overlap(a: number, wide: number, b: number, broad: number): number {
  return Math.min(a + wide, b + broad) - Math.max(a, b);
}

function push(a: Block, b: Block, along: "x" | "y", by: number): void {
  const [first, second] = a[along] <= b[along] ? [a, b] : [b, a];
  first[along] -= by / 2 + 1;
  second[along] += by / 2 + 1;
}

const p = ([x, y]: Point) => `${x.toFixed(1)},${y.toFixed(1)}`;
