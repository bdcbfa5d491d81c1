/** H3 cells as flat polygons, coloured by their values. */
import {
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  GeometryInstance,
  PerInstanceColorAppearance,
  PolygonGeometry,
  PolygonHierarchy,
  Primitive,
  type Scene,
} from "cesium";

/** Corners as longitude and latitude in degrees. */
export type Outline = readonly (readonly [number, number])[];

const ALPHA = 0.55;

export class Cells {
  private primitive: Primitive | null = null;

  constructor(private readonly scene: Scene) {}

  /** Draws cells in front of everything, at a height above the ellipsoid; none removes them. */
  show(outlines: readonly Outline[], colours: readonly string[], height: number): void {
    if (this.primitive) this.scene.primitives.remove(this.primitive);
    this.primitive = null;
    if (outlines.length > 0) {
      const instances = outlines.map((outline, i) => cell(outline, colours[i]!, height));
      this.primitive = this.scene.primitives.add(
        new Primitive({
          geometryInstances: instances,
          // The ground of a city is never quite flat; what is hidden below it would say nothing.
          appearance: new PerInstanceColorAppearance({
            flat: true,
            translucent: true,
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

function cell(outline: Outline, css: string, height: number): GeometryInstance {
  const positions = outline.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat, height));
  return new GeometryInstance({
    geometry: new PolygonGeometry({
      polygonHierarchy: new PolygonHierarchy(positions),
      perPositionHeight: true,
      vertexFormat: PerInstanceColorAppearance.FLAT_VERTEX_FORMAT,
    }),
    attributes: {
      color: ColorGeometryInstanceAttribute.fromColor(Color.fromCssColorString(css).withAlpha(ALPHA)),
    },
  });
}
