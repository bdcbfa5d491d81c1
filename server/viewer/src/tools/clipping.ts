/** The planes that cut away what several tools want cut away. */
import {
  Cartesian3,
  type Cesium3DTileset,
  ClippingPlane,
  ClippingPlaneCollection,
  Color,
  Matrix4,
  type Scene,
  Transforms,
} from "cesium";
import type { Layers } from "../layers";

/** Keeps what lies on the side the normal points to. */
export interface Cut {
  /** In earth-fixed axes. */
  at: Cartesian3;
  normal: Cartesian3;
  /** Whether the ground is cut as well. */
  ground: boolean;
}

const EDGE = Color.fromCssColorString("#c0392b");

export class Clipping {
  private readonly cuts = new Map<string, readonly Cut[]>();
  private readonly cut = new Map<Cesium3DTileset, number>();
  private generation = 0;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
  ) {
    layers.listed.on(() => this.apply());
    layers.viewed.on(() => this.apply());
  }

  /** Replaces the cuts of one tool; none ends them. */
  set(tool: string, cuts: readonly Cut[]): void {
    if (cuts.length === 0 && !this.cuts.has(tool)) return;
    if (cuts.length > 0) this.cuts.set(tool, cuts);
    else this.cuts.delete(tool);
    this.generation++;
    this.apply();
    const ground = this.all().filter((cut) => cut.ground);
    const origin = ground[0] ? Transforms.eastNorthUpToFixedFrame(ground[0].at) : Matrix4.IDENTITY;
    const planes = planesIn(origin, ground);
    if (planes) planes.modelMatrix = origin;
    this.scene.globe.clippingPlanes = planes as ClippingPlaneCollection;
    this.scene.requestRender();
  }

  private all(): Cut[] {
    return [...this.cuts.values()].flat();
  }

  private apply(): void {
    const drawn = [...this.layers.all.values()].flatMap((layer) => this.layers.drawn(layer));
    const present = new Set(drawn.map(({ tileset }) => tileset));
    for (const tileset of this.cut.keys()) if (!present.has(tileset)) this.cut.delete(tileset);
    const all = this.all();
    for (const tileset of present) {
      if ((this.cut.get(tileset) ?? 0) === this.generation) continue;
      this.cut.set(tileset, this.generation);
      const origin = (tileset as unknown as { clippingPlanesOriginMatrix: Matrix4 }).clippingPlanesOriginMatrix;
      tileset.clippingPlanes = planesIn(origin, all) as ClippingPlaneCollection;
    }
  }
}

/** Cuts in the axes of `origin`, in which single precision does for a city. */
function planesIn(origin: Matrix4, cuts: readonly Cut[]): ClippingPlaneCollection | undefined {
  if (cuts.length === 0) return undefined;
  const inverse = Matrix4.inverseTransformation(origin, new Matrix4());
  const local = cuts.map(({ at, normal }) => {
    const direction = Matrix4.multiplyByPointAsVector(inverse, normal, new Cartesian3());
    Cartesian3.normalize(direction, direction);
    const point = Matrix4.multiplyByPoint(inverse, at, new Cartesian3());
    return new ClippingPlane(direction, -Cartesian3.dot(direction, point));
  });
  return new ClippingPlaneCollection({
    planes: local,
    unionClippingRegions: true,
    edgeWidth: 1,
    edgeColor: EDGE,
  });
}
