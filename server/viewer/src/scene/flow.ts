/** Arrows along pipes in the way they flow, near the camera. */
import {
  ArcType,
  Cartesian3,
  Color,
  Material,
  Math as CesiumMath,
  PolylineCollection,
  type Scene,
} from "cesium";
import { api } from "../data/api";
import type { FeatureSummary } from "../data/types";
import { isNetwork } from "../kinds";
import type { Layers } from "../layers";
import { debounce } from "../signal";
import { lineOf } from "./traces";

/** Higher above the ground no arrow could be told from a dot. */
const HIGHEST = 900;
const MOST = 400;
const ARROW = 11;
/** The middle of a pipe, so that arrows of neighbours do not run into each other. */
const [FROM, TO] = [0.25, 0.75];
const COLOUR = Color.fromCssColorString("#0d47a1");

export class Flow {
  private readonly arrows: PolylineCollection;
  private wanted = false;
  private asked = 0;

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
    private readonly geoid: () => number,
    private readonly ground: () => number,
  ) {
    this.arrows = scene.primitives.add(new PolylineCollection()) as PolylineCollection;
    const refresh = debounce(250, () => void this.refresh());
    scene.camera.moveEnd.addEventListener(refresh);
    layers.viewed.on(refresh);
    layers.listed.on(refresh);
  }

  get count(): number {
    return this.arrows.length;
  }

  set on(on: boolean) {
    this.wanted = on;
    void this.refresh();
  }

  get on(): boolean {
    return this.wanted;
  }

  private async refresh(): Promise<void> {
    const asked = ++this.asked;
    const seen = this.wanted ? this.box() : null;
    const found: FeatureSummary[] = [];
    if (seen) {
      const shown = [...this.layers.all.values()].filter(
        ({ collection, view }) => isNetwork(collection) && view.visible,
      );
      const pages = await Promise.all(shown.map(({ collection }) => api.itemsIn(collection.id, seen, MOST).catch(() => null)));
      if (asked !== this.asked) return;
      found.push(...pages.flatMap((page) => page?.features ?? []));
    }
    if (found.length === 0 && this.arrows.length === 0) return;
    this.arrows.removeAll();
    for (const feature of found.slice(0, 2 * MOST)) this.add(feature);
    this.scene.requestRender();
  }

  private add(feature: FeatureSummary): void {
    const { flow } = feature.properties;
    if (flow !== "forward" && flow !== "backward") return;
    const line = lineOf(feature, this.geoid());
    if (line.length < 2) return;
    const ends = [line[0]!, line.at(-1)!];
    if (flow === "backward") ends.reverse();
    const at = (share: number) => Cartesian3.lerp(ends[0]!, ends[1]!, share, new Cartesian3());
    this.arrows.add({
      positions: [at(FROM), at(TO)],
      width: ARROW,
      material: Material.fromType(Material.PolylineArrowType, { color: COLOUR }),
      arcType: ArcType.NONE,
    } as never);
  }

  /** West, south, east, north of what is seen; null from too high above. */
  private box(): [number, number, number, number] | null {
    const { camera } = this.scene;
    const place = camera.positionCartographic;
    const above = place.height - this.ground();
    if (above > HIGHEST) return null;
    // Around the place under the middle of the picture rather than to the horizon.
    const reach = Math.max(80, Math.abs(above) * 1.2) / 111_000;
    const ahead = Math.abs(above) * Math.min(3, Math.tan(Math.max(0, Math.PI / 2 + camera.pitch))) / 111_000;
    const [lon, lat] = [CesiumMath.toDegrees(place.longitude), CesiumMath.toDegrees(place.latitude)];
    const wide = Math.cos(place.latitude);
    const [x, y] = [lon + (Math.sin(camera.heading) * ahead) / wide, lat + Math.cos(camera.heading) * ahead];
    return [x - reach / wide, y - reach, x + reach / wide, y + reach];
  }
}
