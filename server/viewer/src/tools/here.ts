/** Asking what is at a point, within a radius or in a polygon that one clicks. */
import { Cartesian3, type Cartesian2, Matrix4, type Scene } from "cesium";
import type { Analysis, Inputs } from "../analysis";
import type { Point } from "../geodesy";
import { Signal } from "../signal";
import { frameAt, pointAt, toWorld } from "./place";
import type { Tool } from "./tool";

export type HereMode = "point" | "polygon";

/** The process that answers, unless another one was chosen. */
export const WHAT_IS_HERE = "what-is-here";

const AROUND = 64;

export class Here implements Tool {
  readonly name = "here";
  readonly icon = "here";
  readonly letter = "w";
  readonly changed = new Signal();
  mode: HereMode = "point";
  points: Point[] = [];
  private started = false;

  constructor(
    private readonly scene: Scene,
    private readonly analysis: Analysis,
  ) {
    analysis.changed.on(() => this.changed.emit());
  }

  get on(): boolean {
    return this.started;
  }

  start(): void {
    this.started = true;
    this.changed.emit();
    void this.analysis.list();
    if (!this.analysis.process) void this.analysis.choose(WHAT_IS_HERE);
  }

  stop(): void {
    this.started = false;
    this.points = [];
    this.analysis.clear();
    this.changed.emit();
  }

  choose(mode: HereMode): void {
    this.mode = mode;
    this.points = [];
    this.analysis.clear();
    this.changed.emit();
  }

  click(pixel: Cartesian2): void {
    const point = pointAt(this.scene, pixel);
    if (point) this.add(point);
  }

  /** A point is asked at once; a polygon when it is closed. */
  add(point: Point): void {
    this.points = this.mode === "point" ? [point] : [...this.points, point];
    this.changed.emit();
    if (this.mode === "point") void this.ask();
  }

  undo(): void {
    this.points = this.points.slice(0, -1);
    this.changed.emit();
  }

  async ask(): Promise<void> {
    const { placeInput } = this.analysis;
    const place = this.geometry;
    if (placeInput && place) this.analysis.set(placeInput, place);
    await this.analysis.run();
  }

  /** As GeoJSON; null while there are too few points. */
  get geometry(): { type: "Point" | "Polygon"; coordinates: unknown } | null {
    const places = this.points.map(([lon, lat]) => [Number(lon.toFixed(8)), Number(lat.toFixed(8))]);
    if (this.mode === "point") return places[0] ? { type: "Point", coordinates: places[0] } : null;
    return places.length < 3 ? null : { type: "Polygon", coordinates: [[...places, places[0]]] };
  }

  /** The circle of the radius, if there is one; for the sketch. */
  get circle(): Cartesian3[] {
    const radius = Number(this.analysis.inputs["radius"] ?? 0);
    const [middle] = this.points;
    if (this.mode !== "point" || !middle || !(radius > 0)) return [];
    const frame: Matrix4 = frameAt(middle);
    return Array.from({ length: AROUND }, (_, i) => {
      const angle = (i / AROUND) * 2 * Math.PI;
      return toWorld(frame, radius * Math.sin(angle), radius * Math.cos(angle), 0);
    });
  }

  get link(): string | null {
    if (!this.started || !this.analysis.process) return null;
    return `${this.analysis.process.id};${JSON.stringify(this.analysis.inputs)}`;
  }

  set link(text: string | null) {
    if (text === null) {
      if (this.started) this.stop();
      return;
    }
    const at = text.indexOf(";");
    void this.restore(text.slice(0, at), text.slice(at + 1));
  }

  private async restore(process: string, written: string): Promise<void> {
    let inputs: Inputs;
    try {
      inputs = JSON.parse(written) as Inputs;
    } catch {
      inputs = {}; // cut off when it was pasted
    }
    this.started = true;
    void this.analysis.list();
    await this.analysis.choose(process);
    for (const [name, value] of Object.entries(inputs)) this.analysis.set(name, value);
    const { placeInput } = this.analysis;
    this.read(placeInput ? inputs[placeInput] : undefined);
    this.changed.emit();
    if (Object.keys(inputs).length > 0) await this.analysis.run();
  }

  private read(place: unknown): void {
    const { type, coordinates } = (place ?? {}) as { type?: string; coordinates?: unknown };
    const { scene } = this;
    const raised = ([lon, lat]: number[]): Point => {
      const at = scene.ellipsoid.cartesianToCartographic(Cartesian3.fromDegrees(lon!, lat!));
      return [lon!, lat!, scene.globe.show ? (scene.globe.getHeight(at) ?? 0) : 0];
    };
    if (type === "Point") {
      this.mode = "point";
      this.points = [raised(coordinates as number[])];
    } else if (type === "Polygon") {
      this.mode = "polygon";
      this.points = (coordinates as number[][][])[0]!.slice(0, -1).map(raised);
    }
  }
}
