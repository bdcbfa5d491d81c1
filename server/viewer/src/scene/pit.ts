/** The hole of an excavation: a translucent block from the ground down. */
import {
  Color,
  ColorGeometryInstanceAttribute,
  GeometryInstance,
  PerInstanceColorAppearance,
  PolygonGeometry,
  PolygonHierarchy,
  Cartesian3,
  Primitive,
  type Scene,
} from "cesium";
import type { Point } from "../geodesy";

const COLOUR = Color.fromCssColorString("#ffb300").withAlpha(0.28);

export class Pit {
  private block: Primitive | null = null;
  private shown = "";

  constructor(private readonly scene: Scene) {}

  /** Shows a block under corners on the ground; fewer than three take it away. */
  show(corners: readonly Point[], depth: number): void {
    const key = JSON.stringify([corners, depth]);
    if (key === this.shown) return;
    this.shown = key;
    if (this.block) this.scene.primitives.remove(this.block);
    this.block = null;
    if (corners.length >= 3 && depth > 0) {
      const top = corners.reduce((sum, [, , height]) => sum + height, 0) / corners.length;
      const geometry = new PolygonGeometry({
        polygonHierarchy: new PolygonHierarchy(corners.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat))),
        height: top,
        extrudedHeight: top - depth,
        vertexFormat: PerInstanceColorAppearance.FLAT_VERTEX_FORMAT,
      });
      this.block = this.scene.primitives.add(
        new Primitive({
          geometryInstances: new GeometryInstance({
            geometry,
            attributes: { color: ColorGeometryInstanceAttribute.fromColor(COLOUR) },
          }),
          // Seen through the ground, in which it lies.
          appearance: new PerInstanceColorAppearance({
            flat: true,
            translucent: true,
            closed: false,
            renderState: { depthTest: { enabled: false }, depthMask: false },
          }),
          asynchronous: false,
          allowPicking: false,
        }),
      ) as Primitive;
    }
    this.scene.requestRender();
  }
}
