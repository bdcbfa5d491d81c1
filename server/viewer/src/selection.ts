/** The one selected feature: picking it, outlining it, telling everyone. */
import { Cartesian2, Cesium3DTileFeature, type Scene } from "cesium";
import type { Layer, Layers } from "./layers";
import { findFeatures, metadata } from "./scene/features";
import type { Outline } from "./scene/outline";
import { debounce, Signal } from "./signal";

export interface Picked {
  layer: string;
  id: string;
  /** Where it is not the served version that was picked. */
  version?: number | undefined;
}

/** A feature in a version of a layer. */
export function pickedOf({ collection }: Layer, id: string, version: number): Picked {
  return { layer: collection.id, id, ...(version === collection.version ? {} : { version }) };
}

function same(one: Picked | null, other: Picked | null): boolean {
  return one?.layer === other?.layer && one?.id === other?.id && one?.version === other?.version;
}

export class Selection {
  readonly changed = new Signal<Picked | null>();
  private picked: Picked | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly outline: Outline,
  ) {
    // The outline follows feature objects, which end with their tile.
    const refresh = debounce(60, () => this.refreshOutline());
    layers.tilesChanged.on((layer) => {
      if (layer.collection.id !== this.picked?.layer) return;
      refresh();
    });
    layers.viewed.on(refresh);
    layers.listed.on(() => {
      if (this.picked && !layers.get(this.picked.layer)) this.clear();
    });
  }

  get current(): Picked | null {
    return this.picked;
  }

  /** What is drawn at a position (CSS pixels from the top left of the canvas). */
  pickAt(x: number, y: number): Picked | null {
    const hit = this.scene.pick(new Cartesian2(x, y)) as unknown;
    return this.identify(hit);
  }

  /** Everything drawn at a position, the nearest first. */
  featuresAt(x: number, y: number): Picked[] {
    const hits = this.scene.drillPick(new Cartesian2(x, y), 20) as unknown[];
    return hits.map((hit) => this.identify(hit)).filter((hit) => hit !== null);
  }

  select(picked: Picked | null): void {
    if (same(picked, this.picked)) return;
    this.picked = picked;
    this.layers.setSelected(picked);
    this.refreshOutline();
    this.changed.emit(picked);
  }

  clear(): void {
    this.select(null);
  }

  private identify(hit: unknown): Picked | null {
    if (!(hit instanceof Cesium3DTileFeature)) return null;
    const found = this.layers.ofTileset(hit.tileset);
    const { id } = metadata(hit);
    if (!found || !id) return null;
    return pickedOf(found.layer, id, found.version);
  }

  private refreshOutline(): void {
    const layer = this.picked ? this.layers.get(this.picked.layer) : undefined;
    const drawn = layer?.view.visible ? this.layers.drawn(layer) : [];
    this.outline.features = drawn.flatMap(({ tileset }) => findFeatures(tileset, this.picked!.id));
    this.scene.requestRender();
  }
}
