/** A plane that cuts the model open: upright, turned as one likes, or level. */
import { Cartesian3, Math as CesiumMath, Matrix4, type Scene } from "cesium";
import type { Point } from "../geodesy";
import type { Layers } from "../layers";
import { Signal } from "../signal";
import type { Clipping } from "./clipping";
import { frameAt, toPoint, toWorld, viewedSphere } from "./place";
import { numbers, short, type Tool } from "./tool";

export interface SectionState {
  /** The middle of what is cut; `shift` is counted from there. */
  middle: Point;
  level: boolean;
  /** Degrees clockwise from north into which the plane looks; of an upright plane. */
  azimuth: number;
  /** Metres along that direction, or up. */
  shift: number;
  /** Which side is taken away. */
  flipped: boolean;
  /** Metres from the middle to where nothing is cut any more. */
  reach: number;
}

const SMALLEST = 5;

export class Section implements Tool {
  readonly name = "section";
  readonly icon = "section";
  readonly letter = "x";
  readonly changed = new Signal();
  private now: SectionState | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly clipping: Clipping,
  ) {}

  get on(): boolean {
    return this.now !== null;
  }

  get state(): SectionState | null {
    return this.now;
  }

  start(): void {
    const sphere = viewedSphere(this.scene, this.layers);
    if (!sphere) return;
    // Across the view: what is between the eye and the middle goes.
    const azimuth = Math.round(CesiumMath.toDegrees(this.scene.camera.heading)) % 360;
    this.set({
      middle: toPoint(sphere.center),
      level: false,
      azimuth,
      shift: 0,
      flipped: false,
      reach: Math.max(SMALLEST, Math.round(sphere.radius)),
    });
  }

  stop(): void {
    this.set(null);
  }

  change(part: Partial<SectionState>): void {
    if (this.now) this.set({ ...this.now, ...part });
  }

  get link(): string | null {
    if (!this.now) return null;
    const { middle, level, azimuth, shift, flipped, reach } = this.now;
    const place = [short(middle[0], 7), short(middle[1], 7), short(middle[2])];
    return [...place, Number(level), short(azimuth), short(shift), Number(flipped), short(reach)].join(",");
  }

  set link(text: string | null) {
    const found = text === null ? null : numbers(text, 8);
    if (!found) {
      this.stop();
      return;
    }
    const [lon, lat, height, level, azimuth, shift, flipped, reach] = found as [
      number, number, number, number, number, number, number, number,
    ];
    this.set({
      middle: [lon, lat, height],
      level: level === 1,
      azimuth,
      shift,
      flipped: flipped === 1,
      reach: Math.max(SMALLEST, reach),
    });
  }

  /** The corners of the plane, as far as it cuts something; for the sketch. */
  get corners(): Cartesian3[] {
    if (!this.now) return [];
    const { middle, level, azimuth, shift, reach } = this.now;
    const frame = frameAt(middle);
    const a = CesiumMath.toRadians(azimuth);
    const signs = [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const;
    return signs.map(([u, v]) =>
      level
        ? toWorld(frame, u * reach, v * reach, shift)
        : toWorld(
            frame,
            Math.sin(a) * shift + Math.cos(a) * u * reach,
            Math.cos(a) * shift - Math.sin(a) * u * reach,
            v * reach,
          ),
    );
  }

  private set(next: SectionState | null): void {
    this.now = next;
    this.clipping.set(this.name, next ? [cutOf(next)] : []);
    this.changed.emit();
  }
}

function cutOf({ middle, level, azimuth, shift, flipped }: SectionState) {
  const frame = frameAt(middle);
  const a = CesiumMath.toRadians(azimuth);
  const [east, north, up] = level ? [0, 0, -1] : [Math.sin(a), Math.cos(a), 0];
  const side = flipped ? -1 : 1;
  const local = new Cartesian3(side * east!, side * north!, side * up!);
  const at = toWorld(frame, east! * shift, north! * shift, level ? shift : 0);
  return { at, normal: Matrix4.multiplyByPointAsVector(frame, local, new Cartesian3()), ground: !level };
}
