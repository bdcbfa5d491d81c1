/** A view through the ground: how much of it shows, and how deep one looks. */
import {
  Cartesian3,
  type Cesium3DTileFeature,
  Cesium3DTileStyle,
  Color,
  Matrix4,
  type Scene,
  type StyleExpression,
} from "cesium";
import type { Base } from "../base";
import { isNetwork } from "../kinds";
import type { Layer, Layers } from "../layers";
import type { Surroundings } from "../scene/surroundings";
import { Signal } from "../signal";
import type { Clipping } from "./clipping";
import { frameAt, shownSphere, toPoint } from "./place";
import { numbers, short, type Tool } from "./tool";

export interface UndergroundState {
  /** 0–1 */
  opacity: number;
  /** Metres below the ground under the middle of the view down to which things are drawn. */
  depth: number;
}

export const DEEPEST = 30;
const START: UndergroundState = { opacity: 0.35, depth: DEEPEST };

export class Underground implements Tool {
  readonly name = "underground";
  readonly icon = "underground";
  readonly letter = "u";
  readonly changed = new Signal();
  private now: UndergroundState | null = null;
  /** The networks that this tool switched on. */
  private brought: Layer[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly surroundings: Surroundings,
    private readonly layers: Layers,
    private readonly clipping: Clipping,
    private readonly base: Base,
  ) {
    layers.cutBy = (layer, style) => this.cut(layer, style);
  }

  get on(): boolean {
    return this.now !== null;
  }

  get state(): UndergroundState | null {
    return this.now;
  }

  start(): void {
    this.set(START);
    const networks = [...this.layers.all.values()].filter(({ collection }) => isNetwork(collection));
    if (networks.some(({ view }) => view.visible)) return;
    this.brought = networks;
    for (const layer of networks) this.layers.update(layer, (view) => (view.visible = true));
  }

  stop(): void {
    this.set(null);
    for (const layer of this.brought) this.layers.update(layer, (view) => (view.visible = false));
    this.brought = [];
  }

  change(part: Partial<UndergroundState>): void {
    if (this.now) this.set({ ...this.now, ...part });
  }

  get link(): string | null {
    return this.now && [this.now.opacity, this.now.depth].map((n) => short(n)).join(",");
  }

  set link(text: string | null) {
    const [opacity, depth] = (text !== null && numbers(text, 2)) || [];
    if (opacity === undefined || depth === undefined) this.stop();
    else this.set({ opacity: Math.min(1, Math.max(0, opacity)), depth: Math.max(0, depth) });
  }

  private set(next: UndergroundState | null): void {
    const { globe, screenSpaceCameraController: controller } = this.scene;
    const started = next !== null && this.now === null;
    const ended = next === null && this.now !== null;
    const otherDepth = (next?.depth ?? DEEPEST) !== (this.now?.depth ?? DEEPEST);
    this.now = next;
    for (const layer of otherDepth ? this.layers.all.values() : []) {
      if (layer.collection.kind === "network") this.layers.restyle(layer);
    }
    if (started || ended) {
      this.surroundings.underground = started;
      controller.enableCollisionDetection = ended;
      globe.undergroundColor = Color.fromCssColorString("#3a3f45");
      this.base.need(this.name, started);
    }
    globe.translucency.enabled = next !== null && next.opacity < 1;
    globe.translucency.frontFaceAlpha = next?.opacity ?? 1;
    globe.translucency.backFaceAlpha = next?.opacity ?? 1;
    this.clipping.set(this.name, next && next.depth < DEEPEST ? [this.floor(next.depth)] : []);
    this.scene.requestRender();
    this.changed.emit();
  }

  /** Pipes know how deep they lie: those that lie deeper go. */
  private cut({ collection }: Layer, style: Cesium3DTileStyle): Cesium3DTileStyle {
    const depth = this.now?.depth ?? DEEPEST;
    if (collection.kind !== "network" || depth >= DEEPEST) return style;
    const shown = style.show as unknown as { evaluate: (feature: Cesium3DTileFeature) => boolean };
    const cut = new Cesium3DTileStyle();
    cut.color = style.color as StyleExpression;
    cut.show = {
      evaluate: (feature: Cesium3DTileFeature) => {
        // Tiles have all values as text, and none where it is not known.
        const own = Number.parseFloat(String(feature.getProperty("depth_start")));
        return !(own > depth) && shown.evaluate(feature);
      },
    } as unknown as StyleExpression;
    return cut;
  }

  /** What is deeper than this goes. */
  private floor(depth: number) {
    const { lon, lat, height } = this.surroundings.place;
    const middle = shownSphere(this.layers);
    const [x, y] = middle ? toPoint(middle.center) : [lon, lat];
    const { globe } = this.scene;
    const at = Cartesian3.fromDegrees(x, y);
    const ground = globe.show ? (globe.getHeight(this.scene.ellipsoid.cartesianToCartographic(at)) ?? height) : height;
    const frame = frameAt([x, y, ground - depth]);
    return {
      at: Matrix4.getTranslation(frame, new Cartesian3()),
      normal: Matrix4.multiplyByPointAsVector(frame, Cartesian3.UNIT_Z, new Cartesian3()),
      ground: false,
      sparesPipes: true,
    };
  }
}
