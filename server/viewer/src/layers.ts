/** The layers of the city: what the server publishes, what the user chose, what is on the screen. */
import {
  Cartesian3,
  Cesium3DTileset,
  Cesium3DTileStyle,
  Cesium3DTileColorBlendMode,
  type Scene,
  ShadowMode,
} from "cesium";
import { api } from "./data/api";
import type { Collection } from "./data/types";
import type { LayerLink } from "./permalink";
import { Signal } from "./signal";
import { buildStyle, defaultHiddenClasses, defaultView, type LayerView } from "./style";

export interface Layer {
  collection: Collection;
  view: LayerView;
  tileset: Cesium3DTileset | null;
  /** The version on the screen; behind `collection.version` while a new one is being loaded. */
  shownVersion: number | null;
  error: string | null;
}

/**
 * Ambient light as spherical harmonics: brighter from above, a little from the east,
 * so that walls the sun does not reach still differ by orientation.
 */
const AMBIENT = [
  new Cartesian3(0.62, 0.63, 0.65),
  new Cartesian3(0.06, 0.06, 0.06),
  new Cartesian3(0.2, 0.2, 0.21),
  new Cartesian3(0.09, 0.09, 0.09),
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
] as Cartesian3[];

/** How long a new version may load unseen before it replaces the old one anyway. */
const SWAP_TIMEOUT = 20_000;

export class Layers {
  readonly all = new Map<string, Layer>();
  /** Layers came, went or have a new version. */
  readonly listed = new Signal();
  /** A user's choice for one layer changed. */
  readonly viewed = new Signal<Layer>();
  /** Tiles of a layer came or went. */
  readonly tilesChanged = new Signal<Layer>();
  private selected: { layer: string; id: string } | null = null;
  private readonly wanted = new Map<string, LayerLink>();
  private readonly onlyWanted: boolean;
  private pending = 0;

  constructor(
    private readonly scene: Scene,
    wanted: readonly LayerLink[],
  ) {
    for (const link of wanted) this.wanted.set(link.id, link);
    this.onlyWanted = wanted.length > 0;
  }

  get(id: string): Layer | undefined {
    return this.all.get(id);
  }

  /** The layer a tileset belongs to. */
  ofTileset(tileset: unknown): Layer | undefined {
    for (const layer of this.all.values()) if (layer.tileset === tileset) return layer;
    return undefined;
  }

  /** True when every visible layer is drawn at full detail for the current view. */
  tilesLoaded(): boolean {
    if (this.pending > 0) return false;
    for (const { tileset } of this.all.values()) {
      if (tileset?.show && !tileset.tilesLoaded) return false;
    }
    return true;
  }

  /** Brings the list in line with the server and loads what is new. Resolves when all are in the scene. */
  async refresh(): Promise<void> {
    const collections = (await api.collections()).filter((c) => c.tileset);
    const present = new Set(collections.map((c) => c.id));
    for (const id of [...this.all.keys()]) if (!present.has(id)) this.remove(id);
    const loads: Promise<void>[] = [];
    for (const collection of collections) {
      const known = this.all.get(collection.id);
      const layer = known ?? this.add(collection);
      this.keepNewDefaults(layer, collection);
      layer.collection = collection;
      if (layer.shownVersion !== collection.version) loads.push(this.load(layer));
    }
    this.listed.emit();
    await Promise.all(loads);
  }

  /** Applies a change of the user's choices. */
  update(layer: Layer, change: (view: LayerView) => void): void {
    change(layer.view);
    this.apply(layer);
    this.viewed.emit(layer);
  }

  /** Colours the selected feature, in whatever tile it is or will be. */
  setSelected(selection: { layer: string; id: string } | null): void {
    const before = this.selected;
    this.selected = selection;
    for (const id of new Set([before?.layer, selection?.layer])) {
      const layer = id === undefined ? undefined : this.all.get(id);
      if (layer) this.apply(layer);
    }
  }

  private add(collection: Collection): Layer {
    const view = defaultView(collection.classes);
    const link = this.wanted.get(collection.id);
    if (link) {
      view.visible = link.visible;
      view.opacity = link.opacity;
      view.colourBy = link.colourBy;
      if (link.hiddenClasses) view.hiddenClasses = new Set(link.hiddenClasses);
      if (link.hiddenStoreys) view.hiddenStoreys = new Set(link.hiddenStoreys);
      if (link.hiddenFeatures) view.hiddenFeatures = new Set(link.hiddenFeatures);
    } else if (this.onlyWanted && !this.started) {
      view.visible = false;
    }
    const layer: Layer = { collection, view, tileset: null, shownVersion: null, error: null };
    this.all.set(collection.id, layer);
    return layer;
  }

  /** A link shows the layers it names; layers published after that appear by themselves. */
  private started = false;
  start(): void {
    this.started = true;
    this.wanted.clear();
  }

  /** Classes that a new version brings start as the server says. */
  private keepNewDefaults(layer: Layer, next: Collection): void {
    const known = new Set(layer.collection.classes.map((c) => c.class));
    for (const name of defaultHiddenClasses(next.classes)) {
      if (!known.has(name)) layer.view.hiddenClasses.add(name);
    }
  }

  private remove(id: string): void {
    const layer = this.all.get(id);
    if (!layer) return;
    this.all.delete(id);
    if (layer.tileset) this.scene.primitives.remove(layer.tileset);
    this.scene.requestRender();
  }

  private async load(layer: Layer): Promise<void> {
    const { version, tileset: source } = layer.collection;
    if (!source) return;
    this.pending++;
    try {
      const next = await Cesium3DTileset.fromUrl(source.href, {
        maximumScreenSpaceError: 12,
        cacheBytes: 384 * 1024 * 1024,
        maximumCacheOverflowBytes: 256 * 1024 * 1024,
        shadows: ShadowMode.DISABLED,
        show: false,
        preloadWhenHidden: true,
      });
      if (this.all.get(layer.collection.id) !== layer || layer.collection.version !== version) {
        next.destroy();
        return;
      }
      next.colorBlendMode = Cesium3DTileColorBlendMode.REPLACE;
      next.environmentMapManager.enabled = false;
      next.imageBasedLighting.sphericalHarmonicCoefficients = AMBIENT;
      this.scene.primitives.add(next);
      await this.swap(layer, next, version);
      layer.error = null;
    } catch (error) {
      layer.error = error instanceof Error ? error.message : String(error);
      this.listed.emit();
    } finally {
      this.pending--;
      this.scene.requestRender();
    }
  }

  /** Shows a new tileset; an old one stays until the new one has its tiles, so nothing flashes. */
  private async swap(layer: Layer, next: Cesium3DTileset, version: number): Promise<void> {
    const previous = layer.tileset;
    if (previous?.show) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SWAP_TIMEOUT);
        const stop = next.initialTilesLoaded.addEventListener(() => {
          clearTimeout(timer);
          stop();
          resolve();
        });
        this.scene.requestRender();
      });
    }
    next.preloadWhenHidden = false;
    layer.tileset = next;
    layer.shownVersion = version;
    this.apply(layer);
    if (previous) this.scene.primitives.remove(previous);
    const changed = () => this.tilesChanged.emit(layer);
    next.tileLoad.addEventListener(changed);
    next.tileUnload.addEventListener(changed);
    this.listed.emit();
    changed();
  }

  private apply(layer: Layer): void {
    const { tileset, view, collection } = layer;
    if (!tileset) return;
    const selected = this.selected?.layer === collection.id ? this.selected.id : null;
    tileset.show = view.visible;
    tileset.style = new Cesium3DTileStyle(buildStyle(view, collection.classes, selected));
    this.scene.requestRender();
  }
}
