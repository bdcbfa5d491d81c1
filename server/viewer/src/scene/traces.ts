/** Lines and dots of features in front of everything, whatever lies over them. */
import {
  ArcType,
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  GeometryInstance,
  PointPrimitiveCollection,
  PolylineColorAppearance,
  PolylineGeometry,
  Primitive,
  type Scene,
} from "cesium";
import type { FeatureSummary } from "../data/types";

const WIDTH = 5;
const DOT = 10;

/** Elevations of a feature's line at its start and its end, else of its box. */
export function lineOf(feature: FeatureSummary, geoid: number): Cartesian3[] {
  const { geometry, properties, bbox } = feature;
  if (!geometry || !bbox) return [];
  const level = bbox.length === 6 ? (bbox[2]! + bbox[5]!) / 2 : 0;
  const number = (name: string) => (typeof properties[name] === "number" ? (properties[name] as number) : level);
  const places =
    geometry.type === "LineString"
      ? (geometry.coordinates as number[][])
      : geometry.type === "Point"
        ? [geometry.coordinates as number[]]
        : [];
  const last = Math.max(1, places.length - 1);
  const [from, to] = [number("elevation_start"), number("elevation_end")];
  return places.map(([lon, lat, height], i) =>
    Cartesian3.fromDegrees(lon!, lat!, (height ?? from + ((to - from) * i) / last) + geoid),
  );
}

export class Traces {
  private lines: Primitive | null = null;
  private readonly dots: PointPrimitiveCollection;

  constructor(
    private readonly scene: Scene,
    private readonly geoid: () => number,
  ) {
    this.dots = scene.primitives.add(new PointPrimitiveCollection()) as PointPrimitiveCollection;
  }

  /** Draws features, each in its colour; none removes them. */
  show(features: readonly (readonly [FeatureSummary, string])[]): void {
    if (this.lines) this.scene.primitives.remove(this.lines);
    this.lines = null;
    this.dots.removeAll();
    const instances: GeometryInstance[] = [];
    for (const [feature, css] of features) {
      const places = lineOf(feature, this.geoid());
      const color = Color.fromCssColorString(css);
      if (places.length === 1) this.dot(places[0]!, color);
      else if (places.length > 1) instances.push(line(places, color));
    }
    if (instances.length > 0) {
      this.lines = this.scene.primitives.add(
        new Primitive({
          geometryInstances: instances,
          appearance: new PolylineColorAppearance({
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

  private dot(position: Cartesian3, color: Color): void {
    this.dots.add({
      position,
      color,
      pixelSize: DOT,
      outlineColor: Color.WHITE,
      outlineWidth: 2,
      disableDepthTestDistance: Number.POSITIVE_INFINITY,
    });
  }
}

function line(positions: Cartesian3[], color: Color): GeometryInstance {
  return new GeometryInstance({
    geometry: new PolylineGeometry({ positions, width: WIDTH, arcType: ArcType.NONE, vertexFormat: PolylineColorAppearance.VERTEX_FORMAT }),
    attributes: { color: ColorGeometryInstanceAttribute.fromColor(color.withAlpha(0.85)) },
  });
}
