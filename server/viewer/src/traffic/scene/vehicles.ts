/** Vehicles and people as small solids with a pointed front, all in one drawing. */
import { BoundingSphere, Cartesian3, Matrix4, type Scene } from "cesium";
import { Drawn, NEARER } from "./engine";
import { onwards, noWays, placeOf, shapeOf, type Ways } from "./between";
import { rgba } from "./paint";
import { speedClass, SPEEDS, USER_COLOURS, userOf } from "./looks";
import type { VehicleFrame } from "../frames";
import type { Plane } from "./plane";

const INSTANCE = [
  { name: "start", width: 4 },
  { name: "move", width: 4 },
  { name: "size", width: 4 },
  { name: "look", width: 4 },
] as const;
const WIDTH = 16;

/** The front of a shape is told by its class: a corner at its shoulders has a 1 there. */
const VERTEX = `
in vec3 corner;
in vec2 edge;
in vec4 start;
in vec4 move;
in vec4 size;
in vec4 look;
uniform float share;
out vec3 v_colour;
out vec2 v_top;
${NEARER}
void main()
{
    vec3 place = start.xyz + move.xyz * share;
    float heading = start.w + move.w * share;
    float pixel = czm_metersPerPixel(czm_modelView * vec4(place, 1.0));
    float scale = max(1.0, look.w * pixel / size.x);
    float back = mix(corner.y, size.w, edge.x);
    float along = (0.5 - back) * size.x * scale - 0.5 * size.x;
    // From far a thing is drawn broader than it is: a line of a pixel has no colour.
    float across = corner.x * max(size.y * scale, min(0.52, 0.3 * scale) * size.x * scale);
    vec2 ahead = vec2(sin(heading), cos(heading));
    vec2 flat_place = place.xy + ahead * along + vec2(ahead.y, -ahead.x) * across;
    float up = corner.z * size.z * min(scale, 3.0);
    v_colour = look.rgb * edge.y;
    v_top = vec2(back - size.w, step(0.99, edge.y));
    gl_Position = czm_projection * nearer(czm_modelView * vec4(flat_place, place.z + up, 1.0));
}`;

/** A band behind the front of the roof is darker, as windscreens are. */
const FRAGMENT = `
in vec3 v_colour;
in vec2 v_top;
void main()
{
    float glass = v_top.y * step(0.02, v_top.x) * step(v_top.x, 0.16);
    out_FragColor = vec4(v_colour * (1.0 - 0.55 * glass), 1.0);
}`;

export type ColourBy = "speed" | "class";

export class Vehicles {
  ways: Ways = noWays();
  private by: ColourBy = "speed";
  private share = 1;
  private fresh = false;
  private plane: Plane | null = null;
  private readonly drawn: Drawn;

  constructor(scene: Scene) {
    this.drawn = new Drawn({
      vertex: VERTEX,
      fragment: FRAGMENT,
      columns: [{ name: "corner", width: 3 }, { name: "edge", width: 2 }],
      instance: INSTANCE,
      shape: solid(),
      uniforms: { share: () => this.share },
      solid: true,
    });
    scene.primitives.add(this.drawn);
  }

  set colourBy(by: ColourBy) {
    this.by = by;
    this.fill();
  }

  /** How much of the way is behind them, from 0 to 1. */
  get at(): number {
    return this.share;
  }

  set at(share: number) {
    this.fresh ||= share !== this.share;
    this.share = share;
  }

  /** Whether anything is another than when this was asked last: then a frame is due. */
  get due(): boolean {
    const due = this.fresh;
    this.fresh = false;
    return due;
  }

  /** Goes on from where they are now to where a frame has them. */
  follow(frame: VehicleFrame, plane: Plane): void {
    this.plane = plane;
    this.ways = onwards(this.ways, this.share, frame);
    this.share = 0;
    this.fill();
  }

  /** Goes from one frame of a recording to the next one. */
  between(from: VehicleFrame, to: VehicleFrame | null, plane: Plane): void {
    this.plane = plane;
    const there = onwards(noWays(), 1, from);
    this.ways = to ? onwards(there, 1, to) : there;
    this.share = 0;
    this.fill();
  }

  clear(): void {
    this.ways = noWays();
    this.fill();
  }

  /** Whether anything moves on the way. */
  get moving(): boolean {
    const { count, toEast, toNorth, toHeading } = this.ways;
    for (let i = 0; i < count; i++) if (toEast[i] !== 0 || toNorth[i] !== 0 || toHeading[i] !== 0) return true;
    return false;
  }

  placeOf(i: number): { east: number; north: number; heading: number } {
    return placeOf(this.ways, i, this.share);
  }

  /** The colour of a vehicle. */
  colourOf(i: number): string {
    const { speed, kind } = this.ways;
    return this.by === "class" ? USER_COLOURS[userOf(kind[i]!)] : SPEEDS[speedClass(speed[i]!)]![1];
  }

  /** The ground, or what colours mean, is another. */
  fill(): void {
    const { ways, plane } = this;
    this.fresh = true;
    if (!plane || ways.count === 0) {
      this.drawn.fill(new Float32Array(0), 0, new BoundingSphere(), Matrix4.IDENTITY);
      return;
    }
    const data = new Float32Array(ways.count * WIDTH);
    const low = new Cartesian3(Infinity, Infinity, Infinity);
    const high = new Cartesian3(-Infinity, -Infinity, -Infinity);
    for (let i = 0; i < ways.count; i++) {
      const [e, n] = [ways.east[i]!, ways.north[i]!];
      const up = plane.up(e, n);
      const { length, width, height, nose, pixels } = shapeOf(ways.kind[i]!);
      const [red, green, blue] = coloured(this.colourOf(i));
      const climb = ways.toEast[i] === 0 && ways.toNorth[i] === 0 ? 0 : plane.up(e + ways.toEast[i]!, n + ways.toNorth[i]!) - up;
      data.set(
        [e, n, up, ways.heading[i]!, ways.toEast[i]!, ways.toNorth[i]!, climb, ways.toHeading[i]!, length, width, height, nose, red, green, blue, pixels],
        i * WIDTH,
      );
      Cartesian3.minimumByComponent(low, new Cartesian3(e, n, up), low);
      Cartesian3.maximumByComponent(high, new Cartesian3(e, n, up), high);
    }
    const sphere = BoundingSphere.fromCornerPoints(low, high);
    sphere.radius += 100;
    this.drawn.fill(data, ways.count, BoundingSphere.transform(sphere, plane.frame), Matrix4.clone(plane.frame));
  }
}

const known = new Map<string, readonly [number, number, number, number]>();

function coloured(css: string): readonly [number, number, number, number] {
  const found = known.get(css) ?? rgba(css);
  known.set(css, found);
  return found;
}

/** A house seen from above, its gable ahead: corners with across, back, up; shoulder, shade. */
function solid(): { vertices: Float32Array; indices: Uint16Array } {
  // Right shoulder, tip, left shoulder, left rear, right rear.
  const ring: readonly [number, number, number][] = [[0.5, 0, 1], [0, 0, 0], [-0.5, 0, 1], [-0.5, 1, 0], [0.5, 1, 0]];
  const shades = [0.85, 0.85, 0.6, 0.5, 0.7];
  const vertices: number[] = [];
  const indices: number[] = [];
  const add = ([x, y, shoulder]: readonly [number, number, number], z: number, shade: number) =>
    vertices.push(x, y, z, shoulder, shade) / 5 - 1;
  const top = ring.map((corner) => add(corner, 1, 1));
  for (let i = 2; i < top.length; i++) indices.push(top[0]!, top[i - 1]!, top[i]!);
  ring.forEach((corner, i) => {
    const next = ring[(i + 1) % ring.length]!;
    const shade = shades[i]!;
    const [a, b, c, d] = [add(corner, 0, shade), add(next, 0, shade), add(next, 1, shade), add(corner, 1, shade)];
    indices.push(a, b, c, a, c, d);
  });
  return { vertices: new Float32Array(vertices), indices: new Uint16Array(indices) };
}
