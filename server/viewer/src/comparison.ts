/** Two versions of a layer in one scene: which, and what of them is shown. */
import { Color, type Cesium3DTileFeature, type Scene, SplitDirection } from "cesium";
import { api, type Compared } from "./data/api";
import type { ComparisonPage, VersionEntry } from "./data/types";
import { drawnAs, type Kind, type KindsById, kindsById, KINDS, type Legend, LEGEND, LOOKS } from "./differences";
import type { Drawn, Layer, Layers } from "./layers";
import type { Live } from "./live";
import type { ComparisonLink } from "./permalink";
import { Painter } from "./scene/painter";
import { loadTileset, removeTileset, SEE_THROUGH_ERROR } from "./scene/tilesets";
import { Signal } from "./signal";
import { toLinear } from "./style";

/** How many rows of the table come at once. */
export const PAGE = 100;

/** As a link writes it: a tenth of a pixel. */
const SWIPE_DIGITS = 4;

/** What is compared, while it is. */
export interface Open extends Compared {
  older: VersionEntry;
  newer: VersionEntry;
  counts: ComparisonPage["counts"];
  /** Kinds that are switched off. */
  off: Set<Legend>;
  /** Where older and newer part: a fraction of the picture from the left; `null` lays them over each other. */
  swipe: number | null;
}

interface Scenery {
  layer: Layer;
  kinds: KindsById;
  drawn: [older: Drawn, newer: Drawn];
  painters: Painter[];
}

export class Comparison {
  /** Opened, closed, or something of it was chosen anew. */
  readonly changed = new Signal();
  /** The two versions that are compared were opened or closed. */
  readonly opened = new Signal();
  /** One of them is not kept any more. */
  readonly gone = new Signal();
  private open_: Open | null = null;
  private scenery: Scenery | null = null;
  /** Only the last of several calls of `open` counts. */
  private asked = 0;
  private pending = 0;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    live: Live,
    private readonly selectedId: () => string | null,
  ) {
    layers.viewed.on((layer) => {
      if (layer === this.scenery?.layer) this.apply();
    });
    layers.listed.on(() => {
      if (this.open_ && !layers.get(this.open_.layer)) this.close();
    });
    live.layer.on(({ id, version }) => {
      if (id === this.open_?.layer && version !== null) void this.closeIfGone(this.open_);
    });
  }

  get current(): Open | null {
    return this.open_;
  }

  /** What is shown now, as a link holds it. */
  get link(): ComparisonLink | undefined {
    if (!this.open_) return undefined;
    const { layer, from, to, swipe, off } = this.open_;
    return { layer, from, to, swipe, off: LEGEND.filter((kind) => off.has(kind)) };
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  /** Shows two versions of a layer; raises `ApiError` when one of them is not kept. */
  async open(link: ComparisonLink): Promise<void> {
    const asked = ++this.asked;
    this.pending++;
    try {
      const [listed, first, ids] = await Promise.all([
        api.versions(link.layer),
        api.comparison(link, KINDS, 1),
        api.changedIds(link),
      ]);
      const [older, newer] = [link.from, link.to].map(
        (number) => listed.versions.find((entry) => entry.version === number)!,
      ) as [VersionEntry, VersionEntry];
      const tilesets = await Promise.all(
        [older, newer].map(({ tileset }) => loadTileset(this.layers.file(tileset), SEE_THROUGH_ERROR)),
      );
      const layer = this.layers.get(link.layer);
      if (asked !== this.asked || !layer) {
        for (const tileset of tilesets) tileset.destroy();
        return;
      }
      this.clear();
      const drawn = tilesets.map((tileset, i) => ({ tileset, version: i === 0 ? link.from : link.to }));
      const off = new Set(LEGEND.filter((kind) => link.off.includes(kind)));
      this.open_ = { ...link, off, older, newer, counts: first.counts };
      this.show(layer, kindsById(ids), drawn as [Drawn, Drawn]);
    } finally {
      this.pending--;
    }
  }

  close(): void {
    this.asked++;
    if (!this.open_) return;
    this.clear();
    this.opened.emit();
    this.changed.emit();
  }

  /** Switches a kind on or off, in the picture and in the table. */
  toggle(kind: Legend): void {
    const { off } = this.open_!;
    if (!off.delete(kind)) off.add(kind);
    this.apply();
    this.changed.emit();
  }

  /** Moves the line between the versions; `null` lays them over each other. */
  set swipe(position: number | null) {
    this.open_!.swipe = position === null ? null : Number(position.toFixed(SWIPE_DIGITS));
    this.apply();
    this.changed.emit();
  }

  /** The version that has a feature of some kinds; the newer where both have it. */
  versionWith(kinds: readonly Kind[]): number {
    return kinds.includes("removed") ? this.open_!.from : this.open_!.to;
  }

  /** The selection changed: what is selected is shown even in a hidden class. */
  repaint(): void {
    for (const painter of this.scenery?.painters ?? []) painter.repaint();
    this.scene.requestRender();
  }

  /** A new version may have pushed out one of the two. */
  private async closeIfGone(open: Open): Promise<void> {
    const { versions } = await api.versions(open.layer).catch(() => ({ versions: [open.older, open.newer] }));
    const kept = versions.map((entry) => entry.version);
    if (this.open_ !== open || (kept.includes(open.from) && kept.includes(open.to))) return;
    this.close();
    this.gone.emit();
  }

  private show(layer: Layer, kinds: KindsById, drawn: [Drawn, Drawn]): void {
    const sides = ["older", "newer"] as const;
    const painters = drawn.map(
      ({ tileset }, i) => new Painter(tileset, (feature) => this.look(feature, sides[i]!)),
    );
    this.scenery = { layer, kinds, drawn, painters };
    const changed = () => this.layers.tilesChanged.emit(layer);
    for (const { tileset } of drawn) {
      tileset.preloadWhenHidden = false;
      tileset.tileLoad.addEventListener(changed);
      tileset.tileUnload.addEventListener(changed);
      this.scene.primitives.add(tileset);
    }
    layer.view.visible = true;
    this.layers.standIn(layer, drawn);
    this.opened.emit();
    this.changed.emit();
  }

  private clear(): void {
    const { scenery } = this;
    this.open_ = null;
    this.scenery = null;
    if (!scenery) return;
    for (const painter of scenery.painters) painter.destroy();
    this.layers.standIn(scenery.layer, null);
    for (const { tileset } of scenery.drawn) removeTileset(this.scene, tileset);
  }

  private apply(): void {
    if (!this.open_ || !this.scenery) return;
    const { swipe, off, counts } = this.open_;
    const { layer, drawn } = this.scenery;
    const [older, newer] = drawn;
    const apart = swipe !== null;
    older.tileset.show = layer.view.visible && (apart || (counts.removed > 0 && !off.has("removed")));
    newer.tileset.show = layer.view.visible;
    older.tileset.splitDirection = apart ? SplitDirection.LEFT : SplitDirection.NONE;
    newer.tileset.splitDirection = apart ? SplitDirection.RIGHT : SplitDirection.NONE;
    if (apart) this.scene.splitPosition = swipe;
    this.repaint();
  }

  private look(feature: Cesium3DTileFeature, version: "older" | "newer"): Color | null {
    const { layer, kinds } = this.scenery!;
    const { hiddenClasses, hiddenStoreys, hiddenFeatures, opacity } = layer.view;
    // Far tiles know the id alone.
    const [id, name, storey] = ["id", "class", "storey"].map((key) => feature.getProperty(key) as string);
    const hidden = hiddenClasses.has(name!) || hiddenStoreys.has(storey!) || hiddenFeatures.has(id!);
    if (hidden && id !== this.selectedId()) return null;
    const as = drawnAs(kinds.get(id!) ?? [], version, this.open_!.swipe !== null, this.open_!.off);
    if (!as) return null;
    return as === "unchanged" ? pale(opacity) : SOLID[as];
  }
}

function solid(kind: Legend, alpha = 1): Color {
  return Color.fromCssColorString(toLinear(LOOKS[kind].colour)).withAlpha(alpha);
}

const SOLID = Object.fromEntries(KINDS.map((kind) => [kind, solid(kind)])) as Record<Kind, Color>;

function pale(opacity: number): Color {
  return solid("unchanged", LOOKS.unchanged.alpha * opacity);
}
