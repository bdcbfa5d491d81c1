/** Measuring between points that one clicks. */
import type { Cartesian2, Scene } from "cesium";
import { area, type Leg, leg, legs, type Point } from "../geodesy";
import { Signal } from "../signal";
import { pointAt } from "./place";
import { numbers, short, type Tool } from "./tool";

export type Measured = "distance" | "area" | "height";

/** A height is between two points. */
const MOST: Record<Measured, number> = { distance: 200, area: 200, height: 2 };
const ICONS = { distance: "ruler", area: "polygon", height: "height" } as const;
const LETTERS: Record<Measured, string> = { distance: "d", area: "a", height: "v" };

export class Measure implements Tool {
  readonly changed = new Signal();
  readonly icon: (typeof ICONS)[Measured];
  readonly letter: string;
  points: Point[] = [];
  private started = false;

  constructor(
    readonly name: Measured,
    private readonly scene: Scene,
  ) {
    this.icon = ICONS[name];
    this.letter = LETTERS[name];
  }

  get on(): boolean {
    return this.started;
  }

  start(): void {
    this.started = true;
    this.changed.emit();
  }

  stop(): void {
    this.started = false;
    this.points = [];
    this.changed.emit();
  }

  click(pixel: Cartesian2): void {
    const point = pointAt(this.scene, pixel);
    if (point) this.add(point);
  }

  /** Begins anew where as many points are set as can be. */
  add(point: Point): void {
    this.points = this.points.length >= MOST[this.name] ? [point] : [...this.points, point];
    this.changed.emit();
  }

  undo(): void {
    this.points = this.points.slice(0, -1);
    this.changed.emit();
  }

  clear(): void {
    this.points = [];
    this.changed.emit();
  }

  get legs(): Leg[] {
    return legs(this.points);
  }

  /** Along all legs; the vertical part is from the first point to the last. */
  get total(): Leg | null {
    if (this.points.length < 2) return null;
    const all = this.legs;
    const sum = (key: "horizontal" | "direct") => all.reduce((total, one) => total + one[key], 0);
    const vertical = this.points.at(-1)![2] - this.points[0]![2];
    return { horizontal: sum("horizontal"), direct: sum("direct"), vertical };
  }

  /** Square metres on the ellipsoid, and metres around. */
  get surface(): { area: number; around: number } | null {
    if (this.points.length < 3) return null;
    const around = (this.total?.horizontal ?? 0) + leg(this.points.at(-1)!, this.points[0]!).horizontal;
    return { area: area(this.points), around };
  }

  get link(): string | null {
    if (!this.started) return null;
    return this.points
      .map(([lon, lat, height]) => [short(lon, 8), short(lat, 8), short(height, 3)].join(","))
      .join(";");
  }

  set link(text: string | null) {
    if (text === null) {
      if (this.started) this.stop();
      return;
    }
    const found = text.split(";").map((point) => numbers(point, 3));
    this.points = found.filter((point) => point !== null).map(([a, b, c]) => [a!, b!, c!] as const);
    this.start();
  }
}
