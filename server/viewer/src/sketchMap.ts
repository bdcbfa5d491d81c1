/** The sketch of an answer in space: what it is made of, and the part that one looks at. */
import { Cartesian3, type Scene } from "cesium";
import type { Analysis } from "./analysis";
import { type Cell, isSketch, type Sketch, type SketchFeature, type SketchGeometry } from "./data/processes";
import type { Bbox3D } from "./data/types";
import { languageChanged } from "./i18n";
import type { LevelGround } from "./scene/ground";
import { type Label, type Place, type Shape, Shapes } from "./scene/shapes";
import { Signal } from "./signal";
import { inLanguage } from "./ui/processForm";

/** Metres that what lies on the ground is lifted, so that the ground does not hide it. */
const ABOVE = 0.6;
/** More labels than these would hide one another. */
const MOST_LABELS = 12;

export class SketchMap {
  readonly changed = new Signal();
  sketch: Sketch | null = null;
  /** The shapes that are looked at; null for all. */
  focused: ReadonlySet<string> | null = null;
  private readonly shapes: Shapes;

  constructor(
    private readonly scene: Scene,
    analysis: Analysis,
    private readonly geoid: () => number,
  ) {
    this.shapes = new Shapes(scene);
    analysis.changed.on(() => {
      const sketch = Object.values(analysis.result ?? {}).find(isSketch) ?? null;
      if (sketch !== this.sketch) this.show(sketch);
    });
    languageChanged.on(() => this.draw());
  }

  /** How many of the shapes are drawn in full. */
  get count(): number {
    return this.focused?.size ?? this.sketch?.features.length ?? 0;
  }

  /** Looks at some shapes, or at all once more when these are looked at; where they are. */
  focus(ids: Cell | undefined): Bbox3D | null {
    const wanted = new Set(Array.isArray(ids) ? ids.map(String) : []);
    const same = this.focused !== null && [...wanted].every((id) => this.focused!.has(id)) && wanted.size === this.focused.size;
    this.focused = wanted.size === 0 || same ? null : wanted;
    this.draw();
    this.changed.emit();
    return this.focused ? this.boxOf((this.sketch?.features ?? []).filter(({ id }) => wanted.has(id))) : null;
  }

  /** Whether a row of a table names exactly what is looked at. */
  looksAt(ids: Cell | undefined): boolean {
    return this.focused !== null && Array.isArray(ids) && ids.length === this.focused.size && ids.every((id) => this.focused!.has(String(id)));
  }

  private show(sketch: Sketch | null): void {
    this.sketch = sketch;
    this.focused = null;
    this.draw();
    this.changed.emit();
  }

  private draw(): void {
    const shapes: Shape[] = [];
    const labels: Label[] = [];
    const features = this.sketch?.features ?? [];
    const named = features.filter(({ id, properties }) => properties.label !== null && (this.focused?.has(id) ?? true));
    for (const feature of features) {
      const faint = this.focused !== null && !this.focused.has(feature.id);
      for (const geometry of simple(feature.geometry)) shapes.push(...this.drawn(feature, geometry, faint));
    }
    if (named.length <= MOST_LABELS) for (const one of named) labels.push(this.label(one));
    this.shapes.show(shapes, labels);
  }

  private *drawn({ properties }: SketchFeature, geometry: SketchGeometry, faint: boolean): Generator<Shape> {
    const { color: colour, bottom, top } = properties;
    const at = (place: number[]) => this.place(place, bottom);
    if (geometry.type === "Point") yield { kind: "dot", colour, faint, place: at(geometry.coordinates) };
    else if (geometry.type === "LineString") yield { kind: "line", colour, faint, places: geometry.coordinates.map(at) };
    else if (geometry.type === "Polygon") {
      const rings = geometry.coordinates.map((ring) => ring.slice(0, -1).map(at));
      const solid = top !== null && bottom !== null;
      yield { kind: "area", colour, faint, rings, ...(solid ? { top: top + this.geoid() } : {}) };
    }
  }

  /** Metres above the ellipsoid; what says no height lies on the ground. */
  private place([lon, lat, height]: number[], bottom: number | null): Place {
    const level = bottom ?? height;
    if (level !== undefined) return [lon!, lat!, level + this.geoid() + (bottom === null ? 0 : ABOVE)];
    const globe = this.scene.globe as LevelGround;
    const at = this.scene.ellipsoid.cartesianToCartographic(Cartesian3.fromDegrees(lon!, lat!));
    return [lon!, lat!, ((globe.show ? globe.getHeight(at) : undefined) ?? globe.height) + ABOVE];
  }

  private label(feature: SketchFeature): Label {
    const { label, label_zh, bottom, top } = feature.properties;
    const places = [...corners(feature.geometry)].map((place) => this.place(place, bottom));
    const mean = (axis: 0 | 1 | 2) => places.reduce((sum, place) => sum + place[axis], 0) / places.length;
    const height = top === null ? mean(2) : top + this.geoid();
    return { place: [mean(0), mean(1), height], text: inLanguage(label ?? "", label_zh) };
  }

  private boxOf(features: readonly SketchFeature[]): Bbox3D | null {
    const box = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
    for (const { geometry, properties } of features) {
      for (const place of corners(geometry)) {
        const [lon, lat, height] = this.place(place, properties.bottom);
        const top = properties.top === null ? height : properties.top + this.geoid();
        [lon, lat, height].forEach((value, i) => (box[i] = Math.min(box[i]!, value)));
        [lon, lat, top].forEach((value, i) => (box[i + 3] = Math.max(box[i + 3]!, value)));
      }
    }
    return box.every(Number.isFinite) ? (box as unknown as Bbox3D) : null;
  }
}

/** A geometry in its single parts. */
function* simple(geometry: SketchGeometry): Generator<SketchGeometry> {
  if (geometry.type === "GeometryCollection") for (const part of geometry.geometries) yield* simple(part);
  else if (geometry.type === "MultiPoint") for (const coordinates of geometry.coordinates) yield { type: "Point", coordinates };
  else if (geometry.type === "MultiLineString") for (const coordinates of geometry.coordinates) yield { type: "LineString", coordinates };
  else if (geometry.type === "MultiPolygon") for (const coordinates of geometry.coordinates) yield { type: "Polygon", coordinates };
  else yield geometry;
}

/** The corners of a geometry, those of holes left out. */
function* corners(geometry: SketchGeometry): Generator<number[]> {
  for (const part of simple(geometry)) {
    if (part.type === "Point") yield part.coordinates;
    else if (part.type === "LineString") yield* part.coordinates;
    else if (part.type === "Polygon") yield* part.coordinates[0]!.slice(0, -1);
  }
}
