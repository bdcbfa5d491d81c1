/** What lies under the models: terrain, pictures of the ground, and layers of outlines drawn onto it. */
import {
  CesiumTerrainProvider,
  CustomHeightmapTerrainProvider,
  type Globe,
  ImageryLayer,
  Rectangle,
  type Resource,
  type Scene,
  SplitDirection,
  type TerrainProvider,
  UrlTemplateImageryProvider,
} from "cesium";
import { toBbox3D } from "./camera";
import type { Collection } from "./data/types";
import { drawing, isPlan, partKey } from "./kinds";
import type { Layer, Layers } from "./layers";
import type { LevelGround } from "./scene/ground";
import type { Surroundings } from "./scene/surroundings";
import { Signal } from "./signal";

export const BASES = ["imagery", "hillshade", "slope", "plain"] as const;
export type BaseName = (typeof BASES)[number];

/** Pictures finer than this are enlarged from this level on; a pixel is 4 cm there. */
const FINEST = 22;

/** Pixels by which the ground may be wrong, as the engine reckons. */
const ERROR = 2;
/** The same for a bare ground of one height: the engine takes it for hilly, and coarse tiles are as right. */
const LEVEL_ERROR = 32;

/** A picture that is laid on the ground. */
interface Cover {
  key: string;
  layer: Layer;
  url: string;
  opacity: number;
}

/** The pictures that the server draws of a layer, by the template of their addresses. */
const tiles = ({ links }: Collection, what = "") =>
  links?.find(({ rel }) => rel.endsWith("/tilesets-map"))?.href.replace("/{z}", `${what}/{z}`);

export class Base {
  readonly changed = new Signal();
  /** Which side of a swipe a layer is on. */
  sideOf: (layer: Layer) => SplitDirection = () => SplitDirection.NONE;
  private chosen: BaseName | null = null;
  private readonly covers = new Map<string, ImageryLayer>();
  private ground: { key: string; provider: TerrainProvider } | null = null;
  private wanted = "";
  private pending = 0;
  /** Others who need a ground that light falls on. */
  private readonly asked = new Set<string>();
  private readonly globe: Globe;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly surroundings: Surroundings,
  ) {
    this.globe = scene.globe;
    layers.listed.on(() => this.sync());
    layers.viewed.on(() => this.sync());
  }

  /** The base on the screen. */
  get current(): BaseName {
    const possible = this.possible;
    if (this.chosen && possible.includes(this.chosen)) return this.chosen;
    return possible[0]!;
  }

  get choice(): BaseName | null {
    return this.chosen;
  }

  set choice(base: BaseName | null) {
    this.chosen = base;
    this.sync();
    this.changed.emit();
  }

  /** The bases that the city has the layers for. */
  get possible(): BaseName[] {
    const kinds = new Set(this.shown().map(({ collection }) => collection.kind));
    return BASES.filter((base) =>
      base === "plain" ? true : kinds.has(base === "imagery" ? "imagery" : "terrain"),
    );
  }

  /** Whether terrain is drawn. */
  get hasTerrain(): boolean {
    return this.terrain() !== undefined;
  }

  get loaded(): boolean {
    return this.pending === 0 && (!this.globe.show || this.globe.tilesLoaded);
  }

  /** Draws a ground for a reason, even where nothing lies on it. */
  need(reason: string, needed: boolean): void {
    if (needed) this.asked.add(reason);
    else this.asked.delete(reason);
    this.sync();
  }

  sync(): void {
    const terrain = this.terrain();
    const covers = this.wantedCovers(terrain);
    this.surroundings.globe = terrain !== undefined || covers.length > 0 || this.asked.size > 0;
    this.limit(terrain ? [terrain] : covers.map(({ layer }) => layer));
    this.lay(covers);
    this.globe.maximumScreenSpaceError = terrain || covers.length > 0 ? ERROR : LEVEL_ERROR;
    this.shade();
    void this.settle(terrain);
    this.scene.requestRender();
  }

  /** Draws the globe where something is known of it; beyond lies the grid. */
  private limit(layers: readonly Layer[]): void {
    const known = layers.length > 0 && !this.asked.has("sun");
    this.globe.cartographicLimitRectangle = known
      ? layers.map(rectangleOf).reduce((a, b) => Rectangle.union(a, b))
      : Rectangle.MAX_VALUE;
    // A ground that one sees through has nothing behind it.
    this.surroundings.grid = known && !this.asked.has("underground");
  }

  /** Slopes are lit, unless the picture on them is shaded already; without normals nothing can be. */
  private shade(): void {
    const drawn = this.current === "imagery" || this.current === "plain";
    this.globe.enableLighting = drawn && (this.ground?.provider.hasVertexNormals ?? false);
  }

  private shown(): Layer[] {
    return [...this.layers.all.values()].filter(
      (layer) => layer.view.visible && layer.shownVersion !== null && !this.layers.suppressed(layer),
    );
  }

  private terrain(): Layer | undefined {
    const found = this.shown().filter(({ collection }) => drawing(collection) === "ground");
    return found.find(({ collection }) => collection.lifecycle === "present") ?? found[0];
  }

  private wantedCovers(terrain: Layer | undefined): Cover[] {
    const shown = this.shown();
    const cover = (layer: Layer, what = ""): Cover[] => {
      const { id, version } = layer.collection;
      const url = tiles(layer.collection, what);
      const key = `${id}/${version}${what}${partKey(layer.collection)}`;
      return url === undefined ? [] : [{ key, layer, url, opacity: layer.view.opacity }];
    };
    const base = this.current;
    const pictures = shown.filter(({ collection }) => collection.kind === "imagery");
    const outlines = shown.filter(({ collection }) => isPlan(collection));
    return [
      ...(base === "imagery" ? pictures.flatMap((layer) => cover(layer)) : []),
      ...((base === "hillshade" || base === "slope") && terrain ? cover(terrain, `/${base}`) : []),
      ...outlines.flatMap((layer) => cover(layer)),
    ];
  }

  private lay(covers: readonly Cover[]): void {
    const { imageryLayers } = this.globe;
    const keys = new Set(covers.map((cover) => cover.key));
    for (const [key, layer] of this.covers) {
      if (keys.has(key)) continue;
      this.covers.delete(key);
      imageryLayers.remove(layer);
    }
    covers.forEach((cover, index) => {
      let layer = this.covers.get(cover.key);
      if (!layer) {
        layer = picture(cover, this.layers.file(cover.url));
        this.covers.set(cover.key, layer);
        imageryLayers.add(layer, Math.min(index, imageryLayers.length));
      }
      layer.alpha = cover.opacity;
      layer.splitDirection = this.sideOf(cover.layer);
    });
  }

  private async settle(terrain: Layer | undefined): Promise<void> {
    const level = (this.globe as LevelGround).height;
    const key = terrain ? `${terrain.collection.id}/${terrain.collection.version}` : `level ${level}`;
    if (key === this.wanted) return;
    this.wanted = key;
    this.pending++;
    try {
      const provider = terrain
        ? await CesiumTerrainProvider.fromUrl(this.layers.file(`/t/${key}/files/terrain/`), { requestVertexNormals: true })
        : levelTerrain(level);
      if (this.wanted !== key) return;
      this.ground = { key, provider };
      if (terrain) terrain.error = null;
      this.scene.terrainProvider = provider;
      // Skirts hide cracks between slopes; on a level ground they would show at its rim.
      this.globe.showSkirts = terrain !== undefined;
      this.shade();
      this.changed.emit();
    } catch (error) {
      if (this.wanted === key && terrain) this.layers.fail(terrain, error);
    } finally {
      this.pending--;
      this.scene.requestRender();
    }
  }

  /** Which terrain the globe has now; for tests. */
  get terrainKey(): string | null {
    return this.ground?.key ?? null;
  }
}

function picture({ layer }: Cover, url: Resource): ImageryLayer {
  const rectangle = rectangleOf(layer);
  const provider = new UrlTemplateImageryProvider({
    url,
    rectangle,
    minimumLevel: coarsest(rectangle),
    maximumLevel: FINEST,
    enablePickFeatures: false,
  });
  return new ImageryLayer(provider, { maximumScreenSpaceError: 1 } as never);
}

function rectangleOf({ collection }: Layer): Rectangle {
  const box = toBbox3D(collection.extent?.spatial.bbox[0]);
  return box ? Rectangle.fromDegrees(box[0], box[1], box[3], box[4]) : Rectangle.MAX_VALUE;
}

/** The level at which a few tiles cover a rectangle; from further away nobody asks for more. */
function coarsest({ width, height }: Rectangle): number {
  const size = Math.max(width, height, 1e-6);
  return Math.min(FINEST, Math.max(0, Math.floor(Math.log2((2 * Math.PI) / size)) - 1));
}

/** A ground of one height everywhere. */
function levelTerrain(height: number): TerrainProvider {
  const side = 16;
  const heights = new Float32Array(side * side).fill(height);
  return new CustomHeightmapTerrainProvider({ width: side, height: side, callback: () => heights });
}
