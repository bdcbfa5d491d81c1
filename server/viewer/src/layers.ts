/** The layers of the city: what the server publishes, what the user chose, what is on the screen. */
import { type Cesium3DTileset, Cesium3DTileStyle, type Resource, type Scene } from "cesium";
import type { Capability } from "./capability";
import { api } from "./data/api";
import type { Collection } from "./data/types";
import type { LayerLink } from "./permalink";
import { drawing, partKey, shownAtFirst } from "./kinds";
import { withoutPrefix } from "./prefix";
import { loadTileset, removeTileset } from "./scene/tilesets";
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

/** A version of a layer in the scene. */
export interface Drawn {
  tileset: Cesium3DTileset;
  version: number;
}

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
  pointStyleOf: (layer: Layer) => Cesium3DTileStyle = () => new Cesium3DTileStyle();
  /** A style of somebody else for a layer, who knows more of its features; null for the usual one. */
  styledBy: (layer: Layer, selected: string | null) => Cesium3DTileStyle | null = () => null;
  /** What changes a style last: what an answer names, what lies too deep. */
  markedBy: (layer: Layer, style: Cesium3DTileStyle, selected: string | null) => Cesium3DTileStyle = (_, style) =>
    style;
  /** What leaves things out of a style. */
  cutBy: (layer: Layer, style: Cesium3DTileStyle) => Cesium3DTileStyle = (_, style) => style;
  /** Whether a layer that is switched on is left out all the same. */
  suppressed: (layer: Layer) => boolean = () => false;
  private selected: { layer: string; id: string } | null = null;
  private readonly wanted = new Map<string, LayerLink>();
  private readonly standIns = new Map<string, readonly Drawn[]>();
  private pending = 0;

  constructor(
    private readonly scene: Scene,
    wanted: readonly LayerLink[],
    private readonly capability: Capability,
    /** Whether layers that are not wanted stay hidden. */
    private readonly onlyWanted: boolean,
  ) {
    for (const link of wanted) this.wanted.set(link.id, link);
  }

  get(id: string): Layer | undefined {
    return this.all.get(id);
  }

  /** A file of a layer, by the address that the server gives it. */
  file(href: string): Resource {
    return this.capability.resource(href);
  }

  /** What is in the scene of a layer: its own tileset, or what stands in for it. */
  drawn(layer: Layer): readonly Drawn[] {
    const own = layer.tileset && layer.shownVersion !== null;
    return (
      this.standIns.get(layer.collection.id) ??
      (own ? [{ tileset: layer.tileset!, version: layer.shownVersion! }] : [])
    );
  }

  /** Draws other versions in place of a layer, whose own tileset is hidden; `null` ends that. */
  standIn(layer: Layer, drawn: readonly Drawn[] | null): void {
    const { id } = layer.collection;
    if (drawn) this.standIns.set(id, drawn);
    else this.standIns.delete(id);
    this.apply(layer);
    this.viewed.emit(layer);
  }

  /** The layer and version a tileset belongs to. */
  ofTileset(tileset: unknown): { layer: Layer; version: number } | undefined {
    for (const layer of this.all.values()) {
      const found = this.drawn(layer).find((drawn) => drawn.tileset === tileset);
      if (found) return { layer, version: found.version };
    }
    return undefined;
  }

  /** True when every visible layer is drawn at full detail for the current view. */
  tilesLoaded(): boolean {
    if (this.pending > 0) return false;
    const drawn = [...this.all.values()].flatMap((layer) => this.drawn(layer));
    return drawn.every(({ tileset }) => !tileset.show || tileset.tilesLoaded);
  }

  /** Brings the list in line with the server and loads what is new. Resolves when all are in the scene. */
  async refresh(): Promise<void> {
    const collections = (await api.collections()).filter((c) => c.tileset || drawing(c) !== "tileset");
    this.capability.cover(collections);
    const present = new Set(collections.map((c) => c.id));
    for (const id of [...this.all.keys()]) if (!present.has(id)) this.remove(id);
    const loads: Promise<void>[] = [];
    for (const collection of collections) {
      const known = this.all.get(collection.id);
      const layer = known ?? this.add(collection, collections);
      this.keepNewDefaults(layer, collection);
      const otherwise = partKey(layer.collection) !== partKey(collection);
      layer.collection = collection;
      if (otherwise) this.unload(layer);
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

  /** Colours a layer anew, by style or not. */
  restyle(layer: Layer): void {
    this.apply(layer);
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

  private add(collection: Collection, all: readonly Collection[]): Layer {
    const view = defaultView(collection.classes);
    const link = this.wanted.get(collection.id);
    if (link) {
      view.visible = link.visible;
      view.opacity = link.opacity;
      view.colourBy = link.colourBy;
      view.theme = link.theme ?? null;
      if (link.pointMode) view.pointMode = link.pointMode;
      view.hiddenPointClasses = new Set(link.hiddenPointClasses ?? []);
      if (link.hiddenClasses) view.hiddenClasses = new Set(link.hiddenClasses);
      if (link.hiddenStoreys) view.hiddenStoreys = new Set(link.hiddenStoreys);
      if (link.hiddenFeatures) view.hiddenFeatures = new Set(link.hiddenFeatures);
    } else if (!this.started) {
      view.visible = !this.onlyWanted && shownAtFirst(collection, all);
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
    this.standIns.delete(id);
    this.unload(layer);
  }

  /** Takes what is drawn of a layer out of the scene. */
  private unload(layer: Layer): void {
    if (layer.tileset) removeTileset(this.scene, layer.tileset);
    layer.tileset = null;
    layer.shownVersion = null;
  }

  private async load(layer: Layer): Promise<void> {
    const { version, tileset: source } = layer.collection;
    if (!source || drawing(layer.collection) !== "tileset") {
      layer.shownVersion = version; // laid on the ground, or the ground itself
      this.listed.emit();
      return;
    }
    this.pending++;
    try {
      const next = await loadTileset(this.file(source.href));
      if (this.all.get(layer.collection.id) !== layer || layer.collection.version !== version) {
        next.destroy();
        return;
      }
      this.scene.primitives.add(next);
      await this.swap(layer, next, version);
      layer.error = null;
    } catch (error) {
      this.fail(layer, error);
    } finally {
      this.pending--;
      this.scene.requestRender();
    }
  }

  /** Notes why a layer cannot be drawn. */
  fail(layer: Layer, error: unknown): void {
    layer.error = withoutPrefix(error instanceof Error ? error.message : String(error));
    this.listed.emit();
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
    // Meanwhile the layer may have gone, or gone back to the version before.
    if (this.all.get(layer.collection.id) !== layer || layer.collection.version !== version) {
      removeTileset(this.scene, next);
      return;
    }
    next.preloadWhenHidden = false;
    layer.tileset = next;
    layer.shownVersion = version;
    this.apply(layer);
    if (previous) removeTileset(this.scene, previous);
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
    tileset.show = view.visible && !this.standIns.has(collection.id) && !this.suppressed(layer);
    const style = () =>
      this.styledBy(layer, selected) ?? new Cesium3DTileStyle(buildStyle(view, collection.classes, selected));
    tileset.style =
      collection.kind === "points" ? this.pointStyleOf(layer) : this.cutBy(layer, this.markedBy(layer, style(), selected));
    this.scene.requestRender();
  }
}
