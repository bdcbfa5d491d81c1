import type { Cesium3DTile, Cesium3DTileContent, Cesium3DTileFeature, Cesium3DTileset, Color } from "cesium";
import { contentFeatures } from "./features";

/** How a feature is drawn; `null` leaves it out. */
export type Look = (feature: Cesium3DTileFeature) => Color | null;

/**
 * Colours each feature of a tileset by a function, in whatever tile it is or will be.
 *
 * A style would have to name every id in one expression; here each feature costs one look-up,
 * when its tile is first seen and after each change.
 */
export class Painter {
  private painted = new WeakMap<Cesium3DTileContent, number>();
  private generation = 0;
  private readonly stop: () => void;

  constructor(
    tileset: Cesium3DTileset,
    private readonly look: Look,
  ) {
    // Raised in the frame that draws the tile, before it is drawn.
    this.stop = tileset.tileVisible.addEventListener((tile: Cesium3DTile) => {
      this.paint(tile.content as Cesium3DTileContent);
    });
  }

  /** What `look` answers has changed; the next frame shows it. */
  repaint(): void {
    this.generation++;
  }

  destroy(): void {
    this.stop();
  }

  private paint(content: Cesium3DTileContent): void {
    if (this.painted.get(content) === this.generation) return;
    this.painted.set(content, this.generation);
    for (const feature of contentFeatures(content)) {
      const colour = this.look(feature);
      feature.show = colour !== null;
      if (colour) feature.color = colour;
    }
  }
}
