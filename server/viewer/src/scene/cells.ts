/** H3 cells as flat polygons or prisms, coloured by their values. */
import {
  BoundingSphere,
  Cartesian3,
  Color,
  ComponentDatatype,
  Geometry,
  GeometryAttribute,
  GeometryAttributes,
  GeometryInstance,
  PerInstanceColorAppearance,
  Primitive,
  PrimitiveType,
  type Scene,
} from "cesium";

/** Corners as longitude and latitude in degrees. */
export type Outline = readonly (readonly [number, number])[];

export interface Cell {
  outline: Outline;
  colour: string;
  /** Metres above the ellipsoid. */
  height: number;
  /** Of its upper side, where it stands as a prism. */
  top?: number;
}

const ALPHA = 0.55;
const PRISM_ALPHA = 0.88;
/** How much darker the sides of prisms are, one after the other: as if light came from the south-west. */
const SHADES = [0.62, 0.55, 0.62, 0.74, 0.82, 0.74];

export class Cells {
  private primitive: Primitive | null = null;

  constructor(private readonly scene: Scene) {}

  /** Draws cells, flat ones in front of everything; none removes them. */
  show(cells: readonly Cell[]): void {
    const before = this.primitive;
    this.primitive = cells.length === 0 ? null : (this.scene.primitives.add(drawing(cells)) as Primitive);
    // After the new one came, which shares its shaders.
    if (before) this.scene.primitives.remove(before);
    this.scene.requestRender();
  }
}

function drawing(cells: readonly Cell[]): Primitive {
  const solid = cells.some(({ top }) => top !== undefined);
  return new Primitive({
    geometryInstances: new GeometryInstance({ geometry: geometry(cells) }),
    appearance: new PerInstanceColorAppearance({
      flat: true,
      translucent: true,
      // The ground of a city is never quite flat; what is hidden below it would say nothing.
      renderState: solid
        ? { depthTest: { enabled: true }, depthMask: true, cull: { enabled: true } }
        : { depthTest: { enabled: false }, depthMask: false },
    }),
    asynchronous: false,
    allowPicking: false,
  });
}

/** All cells in one, each corner with its colour: quickly made anew when values change. */
function geometry(cells: readonly Cell[]): Geometry {
  const positions: number[] = [];
  const colours: number[] = [];
  const indices: number[] = [];
  const fan = (corners: readonly Cartesian3[], colour: Color, shade: number, alpha: number) => {
    const first = positions.length / 3;
    for (const { x, y, z } of corners) {
      positions.push(x, y, z);
      colours.push(colour.red * shade * 255, colour.green * shade * 255, colour.blue * shade * 255, alpha * 255);
    }
    for (let i = 2; i < corners.length; i++) indices.push(first, first + i - 1, first + i);
  };
  for (const { outline, colour: css, height, top } of cells) {
    const colour = Color.fromCssColorString(css);
    const ring = outline.length > 1 && same(outline[0]!, outline.at(-1)!) ? outline.slice(0, -1) : outline;
    const at = (level: number) => ring.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat, level));
    const lower = at(height);
    if (top === undefined) {
      fan(lower, colour, 1, ALPHA);
      continue;
    }
    const upper = at(top);
    fan(upper, colour, 1, PRISM_ALPHA);
    ring.forEach((_, i) => {
      const next = (i + 1) % ring.length;
      fan([lower[i]!, lower[next]!, upper[next]!, upper[i]!], colour, SHADES[i % SHADES.length]!, PRISM_ALPHA);
    });
  }
  const attributes = new GeometryAttributes();
  attributes.position = new GeometryAttribute({
    componentDatatype: ComponentDatatype.DOUBLE,
    componentsPerAttribute: 3,
    values: new Float64Array(positions),
  });
  attributes.color = new GeometryAttribute({
    componentDatatype: ComponentDatatype.UNSIGNED_BYTE,
    componentsPerAttribute: 4,
    normalize: true,
    values: new Uint8Array(colours),
  });
  return new Geometry({
    attributes,
    indices: positions.length / 3 < 65_536 ? new Uint16Array(indices) : new Uint32Array(indices),
    primitiveType: PrimitiveType.TRIANGLES,
    boundingSphere: BoundingSphere.fromVertices(positions),
  });
}

function same(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
