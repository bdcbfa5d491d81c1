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
  /** Whether pipes are left whole, as they know by themselves how deep they lie. */
  sparesPipes?: boolean;
}

const EDGE = Color.fromCssColorString("#c0392b");

/** What the engine can clip. */
interface Clippable {
  clippingPlanes: ClippingPlaneCollection;
}

/**
 * The engine may still draw with planes that were taken from a tileset or the globe, so each keeps
 * its collection, which is switched off while nothing is cut.
 */
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
    const ground = this.all().filter((one) => one.ground);
    const origin = ground[0] ? Transforms.eastNorthUpToFixedFrame(ground[0].at) : Matrix4.IDENTITY;
    clip(this.scene.globe as unknown as Clippable, ground, origin, origin);
    this.scene.requestRender();
  }

  private all(): Cut[] {
    return [...this.cuts.values()].flat();
  }

  private apply(): void {
    const present = new Map(
      [...this.layers.all.values()].flatMap((layer) =>
        this.layers.drawn(layer).map(({ tileset }) => [tileset, layer.collection.kind === "network"] as const),
      ),
    );
    for (const tileset of this.cut.keys()) if (!present.has(tileset)) this.cut.delete(tileset);
    const all = this.all();
    for (const [tileset, pipes] of present) {
      if ((this.cut.get(tileset) ?? 0) === this.generation) continue;
      this.cut.set(tileset, this.generation);
      const origin = (tileset as unknown as { clippingPlanesOriginMatrix: Matrix4 }).clippingPlanesOriginMatrix;
      clip(tileset as Clippable, all.filter((cut) => !(pipes && cut.sparesPipes)), origin, Matrix4.IDENTITY);
    }
  }
}

/** Cuts in the axes of `origin`, in which single precision does for a city. */
function clip(target: Clippable, cuts: readonly Cut[], origin: Matrix4, model: Matrix4): void {
  let collection = target.clippingPlanes as ClippingPlaneCollection | undefined;
  if (!collection) {
    if (cuts.length === 0) return;
    collection = new ClippingPlaneCollection({ unionClippingRegions: true, edgeWidth: 1, edgeColor: EDGE });
    target.clippingPlanes = collection;
  }
  collection.enabled = cuts.length > 0;
  if (cuts.length === 0) return;
  collection.modelMatrix = Matrix4.clone(model);
  collection.removeAll();
  const inverse = Matrix4.inverseTransformation(origin, new Matrix4());
  for (const { at, normal } of cuts) {
    const direction = Matrix4.multiplyByPointAsVector(inverse, normal, new Cartesian3());
    Cartesian3.normalize(direction, direction);
    const point = Matrix4.multiplyByPoint(inverse, at, new Cartesian3());
    collection.add(new ClippingPlane(direction, -Cartesian3.dot(direction, point)));
  }
}
