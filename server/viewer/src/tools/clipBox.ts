/** A box beyond which nothing is drawn. */
import { Cartesian3, Math as CesiumMath, Matrix4, type Scene } from "cesium";
import type { Point } from "../geodesy";
import type { Layers } from "../layers";
import { Signal } from "../signal";
import type { Clipping, Cut } from "./clipping";
import { frameAt, toPoint, toWorld, viewedSphere } from "./place";
import { numbers, short, type Tool } from "./tool";

/** Metres; `turn` in degrees clockwise. */
export interface BoxState {
  middle: Point;
  width: number;
  depth: number;
  /** Below and above the middle. */
  bottom: number;
  top: number;
  turn: number;
  /** As large as makes sense. */
  reach: number;
}

const SMALLEST = 5;

export class ClipBox implements Tool {
  readonly name = "clip";
  readonly icon = "box";
  readonly letter = "b";
  readonly changed = new Signal();
  private now: BoxState | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly clipping: Clipping,
  ) {}

  get on(): boolean {
    return this.now !== null;
  }

  get state(): BoxState | null {
    return this.now;
  }

  start(): void {
    const sphere = viewedSphere(this.scene, this.layers);
    if (!sphere) return;
    const reach = Math.max(SMALLEST, Math.round(sphere.radius));
    this.set({
      middle: toPoint(sphere.center), width: reach, depth: reach, bottom: -reach, top: reach, turn: 0, reach,
    });
  }

  stop(): void {
    this.set(null);
  }

  change(part: Partial<BoxState>): void {
    if (!this.now) return;
    const next = { ...this.now, ...part };
    next.top = Math.max(next.top, next.bottom);
    this.set(next);
  }

  get link(): string | null {
    if (!this.now) return null;
    const { middle, width, depth, bottom, top, turn, reach } = this.now;
    const place = [short(middle[0], 7), short(middle[1], 7)];
    return [...place, ...[middle[2], width, depth, bottom, top, turn, reach].map((n) => short(n))].join(",");
  }

  set link(text: string | null) {
    const found = text === null ? null : numbers(text, 9);
    if (!found) {
      this.stop();
      return;
    }
    const [lon, lat, height, width, depth, bottom, top, turn, reach] = found as [
      number, number, number, number, number, number, number, number, number,
    ];
    this.set({ middle: [lon, lat, height], width, depth, bottom, top, turn, reach });
  }

  /** The bottom's corners, then those of the top, in the same order; for the sketch. */
  get corners(): Cartesian3[] {
    if (!this.now) return [];
    const { middle, width, depth, bottom, top, turn } = this.now;
    const frame = frameAt(middle);
    const a = CesiumMath.toRadians(turn);
    return [bottom, top].flatMap((up) =>
      ([[-1, -1], [1, -1], [1, 1], [-1, 1]] as const).map(([u, v]) => {
        const [x, y] = [(u * width) / 2, (v * depth) / 2];
        return toWorld(frame, x * Math.cos(a) + y * Math.sin(a), y * Math.cos(a) - x * Math.sin(a), up);
      }),
    );
  }

  private set(next: BoxState | null): void {
    this.now = next;
    this.clipping.set(this.name, next ? cutsOf(next) : []);
    this.changed.emit();
  }
}

function cutsOf({ middle, width, depth, bottom, top, turn }: BoxState): Cut[] {
  const frame = frameAt(middle);
  const a = CesiumMath.toRadians(turn);
  const [sine, cosine] = [Math.sin(a), Math.cos(a)];
  const cut = (normal: [number, number, number], away: number): Cut => {
    const [x, y, z] = normal;
    const [east, north] = [x * cosine + y * sine, y * cosine - x * sine];
    return {
      at: toWorld(frame, -east * away, -north * away, -z * away),
      normal: Matrix4.multiplyByPointAsVector(frame, new Cartesian3(east, north, z), new Cartesian3()),
      // A box that floats or is sunk still stands on its ground.
      ground: z === 0,
    };
  };
  return [
    cut([1, 0, 0], width / 2),
    cut([-1, 0, 0], width / 2),
    cut([0, 1, 0], depth / 2),
    cut([0, -1, 0], depth / 2),
    cut([0, 0, 1], -bottom),
    cut([0, 0, -1], top),
  ];
}
