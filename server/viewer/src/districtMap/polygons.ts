/**
 * Polygons on the ground: a fill and a line each, drawn after the ground and before the
 * buildings, so that they lie on whatever ground there is and never cover what stands on it. Their
 * corners have the height of the ground, so that they lie in the right place from every side.
 */
import {
  ArcType,
  Cartesian3,
  Cartographic,
  Color,
  ColorGeometryInstanceAttribute,
  Geometry,
  GeometryInstance,
  PerInstanceColorAppearance,
  PolygonGeometry,
  PolygonHierarchy,
  PolylineColorAppearance,
  PolylineGeometry,
  Primitive,
  type Scene,
} from "cesium";
import { InPass, PASS_ON_GLOBE } from "../scene/inPass";
import { type Geometry as Boundary, partsOf, type Point } from "./outlines";

/** Radians of the earth (about 50 m) after which a corner more follows the ground. */
const GRAIN = 8e-6;
const LINE_WIDTH = 2;
const CHOSEN_WIDTH = 4.5;
const BORDER_WIDTH = 1.5;

/** How one is drawn. */
export interface Look {
  /** CSS. */
  colour: string;
  /** From 0 to 1. */
  fill: number;
  line: number;
}

/** Metres above the ellipsoid. */
export type HeightAt = (position: Cartographic) => number;

/** What the engine hands out for a part of a primitive, to change its colour in place. */
interface PartAttributes {
  color: Uint8Array;
}

export interface Drawn {
  id: string;
  boundary: Boundary;
  /** Whether its fill is hatched. */
  hatched?: boolean;
}

export class Polygons {
  private fills: Primitive | null = null;
  private hatches: Primitive | null = null;
  private lines: Primitive | null = null;
  private chosenLines: Primitive | null = null;
  private borders: Primitive | null = null;
  private readonly inScene = new Map<Primitive, InPass>();
  private drawn: readonly Drawn[] = [];
  /** How many rings each has: the engine knows every one of them by an id of its own. */
  private parts = new Map<string, number>();
  private looks = new Map<string, Look>();
  private chosen: string | null = null;
  private stopColouring: () => void = () => undefined;

  constructor(
    private readonly scene: Scene,
    private readonly heightAt: HeightAt,
    /** Of the line around the chosen one. */
    private readonly chosenColour: () => string,
  ) {}

  /** Draws others, or the same anew where the ground has come. */
  show(drawn: readonly Drawn[]): void {
    const before = [this.fills, this.hatches, this.lines];
    this.drawn = drawn;
    this.parts = new Map(drawn.map(({ id, boundary }) => [id, partsOf(boundary).reduce((sum, rings) => sum + rings.length, 0)]));
    const fills = drawn.filter(({ hatched }) => !hatched).flatMap((one) => this.fillsOf(one));
    const hatches = drawn.filter(({ hatched }) => hatched).flatMap((one) => this.fillsOf(one));
    const lines = drawn.flatMap((one) => this.linesOf(one, LINE_WIDTH));
    this.fills = this.add(fills, new PerInstanceColorAppearance({ flat: true, translucent: true, renderState: ON_TOP }));
    this.hatches = this.add(hatches, new PerInstanceColorAppearance({ flat: true, translucent: true, renderState: ON_TOP, fragmentShaderSource: HATCHED }));
    this.lines = this.add(lines, new PolylineColorAppearance({ translucent: true, renderState: ON_TOP }));
    for (const primitive of before) this.remove(primitive);
    this.drawChosen();
  }

  /** Draws the boundaries of towns as thin lines, under what is drawn after them. */
  showBorders(borders: readonly Drawn[], css: string): void {
    const before = this.borders;
    const colour = Color.fromCssColorString(css);
    const lines = borders.flatMap((one) => this.linesOf(one, BORDER_WIDTH, colour));
    this.borders = this.add(lines, new PolylineColorAppearance({ translucent: true, renderState: ON_TOP }), true);
    this.remove(before);
    this.scene.requestRender();
  }

  /** Colours what is drawn, in place. */
  colour(looks: Map<string, Look>): void {
    this.looks = looks;
    // The parts of a primitive can be changed only after it has been drawn once.
    const apply = () => {
      for (const [primitive, what] of [[this.fills, "fill"], [this.hatches, "fill"], [this.lines, "line"]] as const) {
        if (!primitive) continue;
        if (!primitive.ready) return this.scene.requestRender();
        for (const { id } of this.drawn) {
          const look = this.looks.get(id);
          for (let part = 0; look && part < (this.parts.get(id) ?? 0); part++) {
            const attributes = primitive.getGeometryInstanceAttributes(partId(id, part)) as PartAttributes | undefined;
            if (attributes) attributes.color = ColorGeometryInstanceAttribute.toValue(colourOf(look, what));
          }
        }
      }
      this.stopColouring();
      this.stopColouring = () => undefined;
      this.scene.requestRender();
    };
    this.stopColouring();
    this.stopColouring = this.scene.postRender.addEventListener(apply);
    apply();
  }

  /** The colour on the map of a fill, as CSS; for tests. */
  colourOf(id: string): string | null {
    const inHatches = this.drawn.some((one) => one.id === id && one.hatched);
    const attributes = (inHatches ? this.hatches : this.fills)?.getGeometryInstanceAttributes(id) as PartAttributes | undefined;
    if (!attributes) return null;
    const [red, green, blue] = attributes.color;
    return new Color(red! / 255, green! / 255, blue! / 255).toCssHexString();
  }

  choose(id: string | null): void {
    this.chosen = id;
    this.drawChosen();
  }

  private drawChosen(): void {
    this.remove(this.chosenLines);
    const chosen = this.drawn.filter(({ id }) => id === this.chosen);
    const lines = chosen.flatMap((one) => this.linesOf(one, CHOSEN_WIDTH, Color.fromCssColorString(this.chosenColour())));
    this.chosenLines = this.add(lines, new PolylineColorAppearance({ translucent: true, renderState: ON_TOP }));
    this.scene.requestRender();
  }

  private add(instances: GeometryInstance[], appearance: PerInstanceColorAppearance | PolylineColorAppearance, under = false): Primitive | null {
    if (instances.length === 0) return null;
    const primitive = new Primitive({ geometryInstances: instances, appearance, asynchronous: false, allowPicking: !under });
    const wrapped = new InPass(primitive, PASS_ON_GLOBE);
    if (under) this.scene.primitives.add(wrapped, 0);
    else this.scene.primitives.add(wrapped);
    this.inScene.set(primitive, wrapped);
    return primitive;
  }

  private remove(primitive: Primitive | null): void {
    const wrapped = primitive && this.inScene.get(primitive);
    if (!wrapped) return;
    this.inScene.delete(primitive);
    this.scene.primitives.remove(wrapped);
  }

  private attributes(id: string, what: "fill" | "line", colour?: Color) {
    const look = this.looks.get(id) ?? { colour: "#8a94a0", fill: 0, line: 0 };
    return { color: ColorGeometryInstanceAttribute.fromColor(colour ?? colourOf(look, what)) };
  }

  private fillsOf({ id, boundary }: Drawn): GeometryInstance[] {
    return partsOf(boundary).flatMap(([outer, ...holes], part) => {
      if (!outer) return [];
      const hierarchy = new PolygonHierarchy(onEarth(outer), holes.map((hole) => new PolygonHierarchy(onEarth(hole))));
      const shape = new PolygonGeometry({
        polygonHierarchy: hierarchy,
        granularity: GRAIN,
        arcType: ArcType.GEODESIC,
        vertexFormat: PerInstanceColorAppearance.FLAT_VERTEX_FORMAT,
      });
      const geometry = PolygonGeometry.createGeometry(shape);
      if (!geometry) return [];
      this.settle(geometry);
      return [new GeometryInstance({ id: partId(id, part), geometry, attributes: this.attributes(id, "fill") })];
    });
  }

  private linesOf({ id, boundary }: Drawn, width: number, colour?: Color): GeometryInstance[] {
    return partsOf(boundary)
      .flat()
      .map((ring, part) => {
        const positions = subdivided(ring).map((position) => this.onGround(position));
        const geometry = new PolylineGeometry({
          positions,
          width,
          arcType: ArcType.NONE,
          vertexFormat: PolylineColorAppearance.VERTEX_FORMAT,
        });
        return new GeometryInstance({ id: partId(id, part), geometry, attributes: this.attributes(id, "line", colour) });
      });
  }

  /** Lets every corner down onto the ground. */
  private settle(geometry: Geometry): void {
    const values = geometry.attributes.position!.values as unknown as Float64Array;
    const at = new Cartesian3();
    for (let i = 0; i < values.length; i += 3) {
      Cartesian3.unpack(values as unknown as number[], i, at);
      const { x, y, z } = this.onGround(Cartographic.fromCartesian(at));
      values.set([x, y, z], i);
    }
  }

  private onGround(position: Cartographic): Cartesian3 {
    return Cartesian3.fromRadians(position.longitude, position.latitude, this.heightAt(position));
  }
}

/** The engine's id of a part; only the first has that of the whole. */
function partId(id: string, part: number): string {
  return part === 0 ? id : `${id}\n${part}`;
}

/** What a part belongs to, by its id. */
export function wholeOf(part: string): string {
  return part.split("\n", 1)[0]!;
}

/** Stripes of the screen, so that they are as dense everywhere. */
const HATCHED = `in vec4 v_color;
void main() {
  float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 9.0));
  out_FragColor = czm_gammaCorrect(vec4(v_color.rgb, v_color.a * mix(0.25, 1.0, stripe)));
}`;

/** In front of the ground and of whatever was drawn so far; tiles come later and cover it. */
const ON_TOP = { depthTest: { enabled: false }, depthMask: false };

function colourOf({ colour, fill, line }: Look, what: "fill" | "line"): Color {
  return Color.fromCssColorString(colour).withAlpha(what === "fill" ? fill : line);
}

function onEarth(ring: readonly Point[]): Cartesian3[] {
  return Cartesian3.fromDegreesArray(ring.flat());
}

/** A ring with a corner at least every grain. */
function subdivided(ring: readonly Point[]): Cartographic[] {
  const corners = ring.map(([lon, lat]) => Cartographic.fromDegrees(lon, lat));
  return corners.flatMap((to, i) => {
    const from = corners[i - 1];
    if (!from) return [to];
    const steps = Math.max(1, Math.ceil(Math.hypot(to.longitude - from.longitude, to.latitude - from.latitude) / GRAIN));
    return Array.from({ length: steps }, (_, k) => {
      const share = (k + 1) / steps;
      return new Cartographic(
        from.longitude + (to.longitude - from.longitude) * share,
        from.latitude + (to.latitude - from.latitude) * share,
      );
    });
  });
}
