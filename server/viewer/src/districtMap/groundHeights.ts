/** How high the ground is, as it is drawn now: of the terrain where there is one, else of the level city. */
import { Cartographic, Rectangle, type Scene } from "cesium";
import { toBbox3D } from "../camera";
import type { Layers } from "../layers";
import type { LevelGround } from "../scene/ground";

/** Radians of the earth (about 40 m); the engine takes long to tell a height, so one serves so much ground. */
const CELL = 6.3e-6;
/** Metres by which the ground may differ from the level of the city. */
const MOUNTAIN = 3_000;

export class GroundHeights {
  private readonly known = new Map<string, number>();
  private rectangles: Rectangle[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly layers: Layers,
  ) {
    const look = () => this.look();
    layers.listed.on(look);
    layers.viewed.on(look);
  }

  /** The ground has come, or got finer: what was told before is void. */
  forget(): void {
    this.known.clear();
  }

  /** Metres above the ellipsoid. */
  at({ longitude, latitude }: Cartographic): number {
    const level = (this.scene.globe as LevelGround).height;
    const cell = new Cartographic(Math.round(longitude / CELL) * CELL, Math.round(latitude / CELL) * CELL);
    if (!this.rectangles.some((rectangle) => Rectangle.contains(rectangle, cell))) return level;
    const key = `${cell.longitude} ${cell.latitude}`;
    let height = this.known.get(key);
    if (height === undefined) {
      const told = this.scene.globe.getHeight(cell);
      // At its rim the terrain answers what no ground has.
      height = told !== undefined && Math.abs(told - level) < MOUNTAIN ? told : level;
      this.known.set(key, height);
    }
    return height;
  }

  private look(): void {
    const terrain = [...this.layers.all.values()].filter(({ collection, view }) => collection.kind === "terrain" && view.visible);
    this.rectangles = terrain.flatMap(({ collection }) => {
      const box = toBbox3D(collection.extent?.spatial.bbox[0]);
      return box ? [Rectangle.fromDegrees(box[0], box[1], box[3], box[4])] : [];
    });
    this.forget();
  }
}
