/** Where things stand in the scene: at their height, on top of their feature, or on the ground. */
import { Cartesian3, Cartographic, type Scene } from "cesium";
import { api } from "../data/api";
import type { LevelGround } from "../scene/ground";
import { debounce, Signal } from "../signal";
import type { Sensing } from "./things";
import type { Thing } from "./types";

/** Features asked for at once. */
const AT_ONCE = 150;

/** Metres above what a thing stands on, when nobody knows how high it hangs. */
const ABOVE = 1.5;

export class Places {
  readonly changed = new Signal();
  private readonly positions = new Map<number, Cartesian3>();
  /** The tops of features by layer and id, metres in the city's datum. */
  private readonly tops = new Map<string, number>();
  private pending = 0;

  constructor(
    private readonly scene: Scene,
    private readonly sensing: Sensing,
    private readonly geoid: () => number,
  ) {
    sensing.listed.on(() => void this.read());
    const settle = debounce(150, () => this.settle());
    scene.globe.tileLoadProgressEvent.addEventListener((left: number) => left === 0 && settle());
    scene.globe.terrainProviderChanged.addEventListener(settle);
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  /** Null where a thing has no place. */
  of(thing: Thing): Cartesian3 | null {
    return this.positions.get(thing.id) ?? null;
  }

  /** Metres above the ellipsoid, of the ground at a place. */
  ground(lon: number, lat: number): number {
    const globe = this.scene.globe as LevelGround;
    return (globe.show ? globe.getHeight(Cartographic.fromDegrees(lon, lat)) : undefined) ?? globe.height;
  }

  private async read(): Promise<void> {
    this.settle();
    const wanted = new Map<string, string[]>();
    for (const { layer, feature, height } of this.sensing.things.values()) {
      if (feature === null || height !== null || this.tops.has(`${layer} ${feature}`)) continue;
      wanted.set(layer, [...(wanted.get(layer) ?? []), feature]);
    }
    if (wanted.size === 0) return;
    this.pending++;
    try {
      for (const [layer, ids] of wanted) await this.ask(layer, [...new Set(ids)]);
    } finally {
      this.pending--;
      this.settle();
    }
  }

  private async ask(layer: string, ids: readonly string[]): Promise<void> {
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      // A layer that is not told of leaves its things on the ground.
      const page = await api.items(layer, ids.slice(i, i + AT_ONCE), AT_ONCE).catch(() => null);
      for (const { id, bbox } of page?.features ?? []) {
        if (bbox?.length === 6) this.tops.set(`${layer} ${id}`, bbox[5]!);
      }
    }
  }

  private settle(): void {
    this.positions.clear();
    for (const thing of this.sensing.things.values()) {
      const { id, lon, lat } = thing;
      if (lon !== null && lat !== null) this.positions.set(id, Cartesian3.fromDegrees(lon, lat, this.heightOf(thing, lon, lat)));
    }
    this.changed.emit();
  }

  private heightOf({ layer, feature, height }: Thing, lon: number, lat: number): number {
    if (height !== null) return height + this.geoid();
    const top = feature === null ? undefined : this.tops.get(`${layer} ${feature}`);
    return top === undefined ? this.ground(lon, lat) + ABOVE : top + this.geoid() + ABOVE;
  }
}
