/** Shapes of a sketch: areas, prisms, lines and dots, with their labels. */
import {
  ArcType,
  BoundingSphere,
  Cartesian2,
  Cartesian3,
  Color,
  ColorGeometryInstanceAttribute,
  ComponentDatatype,
  CoplanarPolygonGeometry,
  Geometry,
  GeometryAttribute,
  GeometryAttributes,
  GeometryInstance,
  LabelCollection,
  PerInstanceColorAppearance,
  PointPrimitiveCollection,
  PolygonGeometry,
  PolygonHierarchy,
  PolylineColorAppearance,
  PolylineGeometry,
  Primitive,
  PrimitiveType,
  type Scene,
  VerticalOrigin,
} from "cesium";

/** Longitude, latitude, metres above the ellipsoid. */
export type Place = readonly [number, number, number];

/** Something to draw; `faint` leaves it as a shadow of itself. */
export type Shape = { colour: string; faint: boolean } & (
  | { kind: "area"; rings: Place[][]; top?: number }
  | { kind: "line"; places: Place[] }
  | { kind: "dot"; place: Place }
);

export interface Label {
  place: Place;
  text: string;
}

const ALPHA = 0.62;
const FAINT = 0.12;
/** Of solids behind something else: a proof is seen through the building that it is part of. */
const THROUGH = 0.34;
const WIDTH = 3;
const DOT = 11;
/** How much darker the sides of prisms are, one after the other. */
const SHADES = [0.62, 0.78, 0.7, 0.86];
/** No edge is divided: all are short. */
const WHOLE = Math.PI;

const world = ([lon, lat, height]: Place) => Cartesian3.fromDegrees(lon, lat, height);

export class Shapes {
  private primitives: Primitive[] = [];
  private readonly dots: PointPrimitiveCollection;
  private readonly labels: LabelCollection;

  constructor(private readonly scene: Scene) {
    this.dots = scene.primitives.add(new PointPrimitiveCollection()) as PointPrimitiveCollection;
    this.labels = scene.primitives.add(new LabelCollection({ scene })) as LabelCollection;
  }

  /** Draws shapes; none removes them. */
  show(shapes: readonly Shape[], labels: readonly Label[]): void {
    const before = this.primitives;
    const areas = shapes.filter((one) => one.kind === "area");
    const solids = areas.filter(({ top }) => top !== undefined);
    const lines = shapes.filter((one) => one.kind === "line");
    const drawn = [
      solids.length > 0 && surfaces(solids, THROUGH, false),
      areas.length > 0 && surfaces(areas, ALPHA, true),
      lines.length > 0 && strokes(lines),
    ].filter((one) => one !== false);
    this.primitives = drawn.map((one) => this.scene.primitives.add(one) as Primitive);
    for (const one of before) this.scene.primitives.remove(one);
    this.dots.removeAll();
    for (const shape of shapes) {
      if (shape.kind !== "dot") continue;
      this.dots.add({
        position: world(shape.place),
        color: Color.fromCssColorString(shape.colour).withAlpha(shape.faint ? FAINT : 1),
        pixelSize: DOT,
        outlineColor: Color.fromCssColorString("#1c1c1c").withAlpha(shape.faint ? FAINT : 1),
        outlineWidth: 2,
        disableDepthTestDistance: Number.POSITIVE_INFINITY,
      });
    }
    this.labels.removeAll();
    for (const { place, text } of labels) {
      this.labels.add({
        position: world(place),
        text,
        font: "13px system-ui, 'Noto Sans CJK SC', sans-serif",
        fillColor: Color.WHITE,
        showBackground: true,
        backgroundColor: Color.fromCssColorString("#14181d").withAlpha(0.78),
        backgroundPadding: new Cartesian2(6, 4),
        verticalOrigin: VerticalOrigin.BOTTOM,
        pixelOffset: new Cartesian2(0, -8),
        disableDepthTestDistance: Number.POSITIVE_INFINITY,
      });
    }
    this.scene.requestRender();
  }
}

type Area = Extract<Shape, { kind: "area" }>;

function strokes(lines: readonly Extract<Shape, { kind: "line" }>[]): Primitive {
  return new Primitive({
    geometryInstances: lines.map(
      ({ places, colour, faint }) =>
        new GeometryInstance({
          geometry: new PolylineGeometry({
            positions: places.map(world), width: WIDTH, arcType: ArcType.NONE,
            vertexFormat: PolylineColorAppearance.VERTEX_FORMAT,
          }),
          attributes: { color: ColorGeometryInstanceAttribute.fromColor(Color.fromCssColorString(colour).withAlpha(faint ? FAINT : 1)) },
        }),
    ),
    appearance: new PolylineColorAppearance({ translucent: true, renderState: { depthTest: { enabled: false }, depthMask: false } }),
    asynchronous: false,
    allowPicking: false,
  });
}

function surfaces(areas: readonly Area[], alpha: number, hidden: boolean): Primitive {
  return new Primitive({
    geometryInstances: new GeometryInstance({ geometry: geometry(areas, alpha) }),
    appearance: new PerInstanceColorAppearance({
      flat: true,
      translucent: true,
      renderState: { depthTest: { enabled: hidden }, depthMask: false },
    }),
    asynchronous: false,
    allowPicking: false,
  });
}

/** All areas in one, each corner with its colour. */
function geometry(areas: readonly Area[], alpha: number): Geometry {
  const positions: number[] = [];
  const colours: number[] = [];
  const indices: number[] = [];
  const put = (corners: readonly Cartesian3[], triangles: ArrayLike<number>, colour: Color, shade: number) => {
    const first = positions.length / 3;
    for (const { x, y, z } of corners) {
      positions.push(x, y, z);
      colours.push(colour.red * shade * 255, colour.green * shade * 255, colour.blue * shade * 255, colour.alpha * 255);
    }
    for (let i = 0; i < triangles.length; i++) indices.push(first + triangles[i]!);
  };
  for (const { rings, top, colour: css, faint } of areas) {
    const colour = Color.fromCssColorString(css).withAlpha(faint ? FAINT : alpha);
    const upper = top === undefined ? rings : rings.map((ring) => ring.map(([lon, lat]): Place => [lon, lat, top]));
    const [corners, triangles] = filled(upper);
    put(corners, triangles, colour, 1);
    if (top === undefined) continue;
    for (const ring of rings) {
      ring.forEach((from, i) => {
        const to = ring[(i + 1) % ring.length]!;
        const side = [from, to, [to[0], to[1], top] as const, [from[0], from[1], top] as const].map(world);
        put(side, [0, 1, 2, 0, 2, 3], colour, SHADES[i % SHADES.length]!);
      });
    }
  }
  const attributes = new GeometryAttributes();
  attributes.position = new GeometryAttribute({
    componentDatatype: ComponentDatatype.DOUBLE, componentsPerAttribute: 3, values: new Float64Array(positions),
  });
  attributes.color = new GeometryAttribute({
    componentDatatype: ComponentDatatype.UNSIGNED_BYTE, componentsPerAttribute: 4, normalize: true, values: new Uint8Array(colours),
  });
  return new Geometry({
    attributes,
    indices: positions.length / 3 < 65_536 ? new Uint16Array(indices) : new Uint32Array(indices),
    primitiveType: PrimitiveType.TRIANGLES,
    boundingSphere: BoundingSphere.fromVertices(positions),
  });
}

/** An area as triangles; four corners, which squares and panels have, need no search. */
function filled(rings: readonly (readonly Place[])[]): [Cartesian3[], ArrayLike<number>] {
  const [outer, ...holes] = rings.map((ring) => ring.map(world)) as [Cartesian3[], ...Cartesian3[][]];
  if (holes.length === 0 && outer.length === 4) return [outer, [0, 1, 2, 0, 2, 3]];
  const polygonHierarchy = new PolygonHierarchy(outer, holes.map((hole) => new PolygonHierarchy(hole)));
  const vertexFormat = PerInstanceColorAppearance.FLAT_VERTEX_FORMAT;
  const heights = rings[0]!.map(([, , height]) => height);
  const level = Math.max(...heights) - Math.min(...heights) < 0.01;
  const made = level
    ? PolygonGeometry.createGeometry(new PolygonGeometry({ polygonHierarchy, height: heights[0]!, granularity: WHOLE, vertexFormat }))
    : CoplanarPolygonGeometry.createGeometry(new CoplanarPolygonGeometry({ polygonHierarchy, vertexFormat }));
  if (!made) return [[], []]; // no area is left of it
  const values = made.attributes.position!.values as unknown as number[];
  return [Cartesian3.unpackArray([...values]), made.indices as unknown as ArrayLike<number>];
}
