/** Paint on the ground: lines and areas in one mesh, in the order they are put there. */
import { BoundingSphere, Cartesian3, Color, Matrix4, type Scene } from "cesium";
import { type Drawing, Drawn, NEARER } from "./engine";
import type { Plane, Spot } from "./plane";

const COLUMNS = [
  { name: "place", width: 3 },
  { name: "aside", width: 2 },
  { name: "wide", width: 2 },
  { name: "colour", width: 4 },
] as const;
const WIDTH = 11;

const VERTEX = `
in vec3 place;
in vec2 aside;
in vec2 wide;
in vec4 colour;
out vec4 v_colour;
${NEARER}
void main()
{
    float metres = max(wide.x, wide.y * czm_metersPerPixel(czm_modelView * vec4(place, 1.0)));
    v_colour = colour;
    gl_Position = czm_projection * nearer(czm_modelView * vec4(place.xy + aside * metres, place.z, 1.0));
}`;
const FRAGMENT = `
in vec4 v_colour;
void main()
{
    out_FragColor = v_colour;
}`;
const DRAWING: Drawing = { vertex: VERTEX, fragment: FRAGMENT, columns: COLUMNS, uniforms: {}, solid: false };

/** Half the width of a line: metres, and pixels it has at least. */
export interface Width {
  metres: number;
  pixels?: number;
}

export type Rgba = readonly [number, number, number, number];

export function rgba(css: string, alpha = 1): Rgba {
  const { red, green, blue } = Color.fromCssColorString(css);
  return [red, green, blue, alpha];
}

/** How far a mitred corner may stick out, in half widths. */
const MITRE = 2.5;

/** Which way is aside at each place of a line, and how far for the same width: (n,) east and north. */
export function sideways(line: readonly (readonly [number, number, ...number[]])[]): [number, number][] {
  const normals = line.slice(1).map(([e, n], i): [number, number] => {
    const [de, dn] = [e - line[i]![0], n - line[i]![1]];
    const length = Math.hypot(de, dn) || 1;
    return [dn / length, -de / length];
  });
  return line.map((_, i) => {
    const [before, after] = [normals[i - 1] ?? normals[i]!, normals[i] ?? normals[i - 1]!];
    const [e, n] = [before[0] + after[0], before[1] + after[1]];
    const length = Math.hypot(e, n);
    if (length < 1e-6) return after;
    // The cosine of half the turn.
    const stretch = Math.min(MITRE, 2 / length);
    return [(e / length) * stretch, (n / length) * stretch];
  });
}

export class Paint {
  private numbers: number[] = [];

  get empty(): boolean {
    return this.numbers.length === 0;
  }

  /** A line along places; `shift` metres to its right. */
  line(spots: readonly Spot[], width: Width, colour: Rgba, shift = 0): void {
    if (spots.length < 2) return;
    const asides = sideways(spots);
    const moved = shift === 0 ? spots : spots.map(([e, n, u], i): Spot => [e + asides[i]![0] * shift, n + asides[i]![1] * shift, u]);
    for (let i = 1; i < moved.length; i++) {
      const [a, b] = [moved[i - 1]!, moved[i]!];
      const [p, q] = [asides[i - 1]!, asides[i]!];
      const corner = (spot: Spot, [e, n]: [number, number], side: number) => this.vertex(spot, [e * side, n * side], width, colour);
      corner(a, p, 1);
      corner(a, p, -1);
      corner(b, q, 1);
      corner(b, q, 1);
      corner(a, p, -1);
      corner(b, q, -1);
    }
  }

  /** A convex ring, or one that is nearly so. */
  area(ring: readonly Spot[], colour: Rgba): void {
    const none: Width = { metres: 0 };
    for (let i = 2; i < ring.length; i++) {
      for (const spot of [ring[0]!, ring[i - 1]!, ring[i]!]) this.vertex(spot, [0, 0], none, colour);
    }
  }

  /** A ball around all of it, in the plane. */
  finish(): { data: Float32Array; count: number; sphere: BoundingSphere } {
    const data = new Float32Array(this.numbers);
    const places: Cartesian3[] = [];
    for (let i = 0; i < data.length; i += WIDTH * 3) places.push(new Cartesian3(data[i], data[i + 1], data[i + 2]));
    const sphere = BoundingSphere.fromPoints(places);
    sphere.radius += 50;
    return { data, count: data.length / WIDTH, sphere };
  }

  private vertex([e, n, u]: Spot, [x, y]: [number, number], { metres, pixels = 0 }: Width, colour: Rgba): void {
    this.numbers.push(e, n, u, x, y, metres, pixels, ...colour);
  }
}

/** Paint that can be put on anew. */
export class Painted {
  private readonly drawn = new Drawn(DRAWING);

  constructor(private readonly scene: Scene) {
    scene.primitives.add(this.drawn);
  }

  put(paint: Paint, plane: Plane): void {
    const { data, count, sphere } = paint.finish();
    this.drawn.fill(data, count, BoundingSphere.transform(sphere, plane.frame), Matrix4.clone(plane.frame));
    this.scene.requestRender();
  }

  clear(): void {
    this.drawn.fill(new Float32Array(0), 0, new BoundingSphere(), Matrix4.IDENTITY);
    this.scene.requestRender();
  }
}
