import {
  BoundingSphere,
  Cartesian3,
  Cartesian4,
  Color,
  ComponentDatatype,
  Ellipsoid,
  Geometry,
  GeometryAttribute,
  GeometryAttributes,
  GeometryInstance,
  Globe,
  IntersectionTests,
  Material,
  MaterialAppearance,
  Matrix4,
  Primitive,
  PrimitiveType,
  Ray,
  type Scene,
} from "cesium";
import { InPass, PASS_GLOBE } from "./inPass";
import { HORIZON_COLOUR, NIGHT_HORIZON_COLOUR } from "./sky";

export const GROUND_COLOUR = "#dde1e5";
const LINE_COLOUR = "#a9b4be";
/** What the ground is drawn for: a model, a map with signs on it, a map on a dark screen. */
export type GroundLook = "model" | "map" | "night";
export const GROUND_COLOURS: Record<GroundLook, { ground: string; line: string; horizon: string }> = {
  model: { ground: GROUND_COLOUR, line: LINE_COLOUR, horizon: HORIZON_COLOUR },
  map: { ground: "#eef1f3", line: "#e0e5ea", horizon: HORIZON_COLOUR },
  night: { ground: "#14212f", line: "#1d2e40", horizon: NIGHT_HORIZON_COLOUR },
};
const RADIUS = 60_000;
const EARTH_RADIUS = 6_371_000;

/**
 * A metric grid: lines every 10 m and 100 m close by, 1 km and 10 km from further away,
 * fading before they get denser than the pixels and where the ground meets the sky.
 *
 * The anchor and the axes are given in eye coordinates, computed in double precision
 * on every frame: earth-fixed coordinates in single precision would jitter by half a metre.
 */
const GRID = `
uniform vec3 anchor;
uniform vec3 east;
uniform vec3 north;
uniform float cameraHeight;
uniform vec4 groundColour;
uniform vec4 lineColour;
uniform vec4 horizonColour;

float lines(vec2 metres, float spacing, float width)
{
    vec2 cell = metres / spacing;
    vec2 pixel = fwidth(cell);
    vec2 distance = abs(fract(cell - 0.5) - 0.5) / max(pixel, vec2(1e-6));
    vec2 line = 1.0 - smoothstep(vec2(width * 0.5), vec2(width * 0.5 + 1.0), distance);
    vec2 fade = 1.0 - smoothstep(vec2(0.03), vec2(0.14), pixel);
    return max(line.x * fade.x, line.y * fade.y);
}

czm_material czm_getMaterial(czm_materialInput materialInput)
{
    czm_material material = czm_getDefaultMaterial(materialInput);
    vec3 fromAnchor = -materialInput.positionToEyeEC - anchor;
    vec2 metres = vec2(dot(fromAnchor, east), dot(fromAnchor, north));
    float grid = 0.4 * lines(metres, 10.0, 0.3);
    grid = max(grid, 0.7 * lines(metres, 100.0, 0.6));
    grid = max(grid, 0.7 * lines(metres, 1000.0, 0.8));
    grid = max(grid, 0.7 * lines(metres, 10000.0, 0.8));

    float away = length(materialInput.positionToEyeEC);
    float reach = 500.0 + 10.0 * cameraHeight;
    float haze = 1.0 - exp(-pow(away / reach, 1.5));
    haze = max(haze, smoothstep(0.5, 0.95, length(metres) / ${RADIUS.toFixed(1)}));
    vec3 colour = mix(groundColour.rgb, lineColour.rgb, grid * (1.0 - haze));
    material.diffuse = mix(colour, horizonColour.rgb, haze);
    material.alpha = 1.0;
    return material;
}`;

const VERTICES = `
in vec3 position3DHigh;
in vec3 position3DLow;
in float batchId;
out vec3 v_positionEC;
void main()
{
    vec4 position = czm_computePosition();
    v_positionEC = (czm_modelViewRelativeToEye * position).xyz;
    gl_Position = czm_modelViewProjectionRelativeToEye * position;
}`;

/** Only the ground's own colour, whatever the light. */
const FLAT = `
in vec3 v_positionEC;
void main()
{
    czm_materialInput materialInput;
    materialInput.positionToEyeEC = -v_positionEC;
    out_FragColor = vec4(czm_getMaterial(materialInput).diffuse, 1.0);
}`;

/** What the engine's own globe answers under that name. */
const ENGINE = Globe.prototype as unknown as {
  pickWorldCoordinates: (
    this: Globe,
    ray: Ray,
    scene: Scene,
    cull: boolean,
    result?: Cartesian3,
  ) => Cartesian3 | undefined;
};

/**
 * The engine's globe. Without terrain or pictures on it, it is hidden and level: nothing to load, but
 * known to the mouse, which moves and turns around the point of the ground under it.
 */
export class LevelGround extends Globe {
  private surface = Ellipsoid.WGS84;
  private level = 0;

  constructor() {
    super(Ellipsoid.WGS84);
    this.show = false;
  }

  /** Metres above the ellipsoid. */
  set height(height: number) {
    this.level = height;
    const { x, y, z } = Ellipsoid.WGS84.radii;
    this.surface = new Ellipsoid(x + height, y + height, z + height);
  }

  get height(): number {
    return this.level;
  }

  override pick(ray: Ray, scene: Scene, result?: Cartesian3): Cartesian3 | undefined {
    if (this.show) return super.pick(ray, scene, result);
    const hit = IntersectionTests.rayEllipsoid(ray, this.surface);
    return hit && hit.start > 0 ? Ray.getPoint(ray, hit.start, result) : undefined;
  }

  /** The name under which the camera controller asks. */
  pickWorldCoordinates(ray: Ray, scene: Scene, cull: boolean, result?: Cartesian3): Cartesian3 | undefined {
    if (this.show) return ENGINE.pickWorldCoordinates.call(this, ray, scene, cull, result);
    return this.pick(ray, scene, result);
  }
}

/** A disc that follows the curvature of the earth, in the axes of the anchor. */
function disc(): Geometry {
  const around = 72;
  const radii = [40, 150, 500, 1_500, 4_000, 9_000, 18_000, 30_000, 45_000, RADIUS];
  const positions: number[] = [0, 0, 0];
  const indices: number[] = [];
  for (const radius of radii) {
    for (let i = 0; i < around; i++) {
      const angle = (i / around) * 2 * Math.PI;
      positions.push(
        radius * Math.cos(angle),
        radius * Math.sin(angle),
        -(radius * radius) / (2 * EARTH_RADIUS),
      );
    }
  }
  for (let ring = 0; ring < radii.length; ring++) {
    for (let i = 0; i < around; i++) {
      const next = (i + 1) % around;
      const outer = 1 + ring * around;
      if (ring === 0) indices.push(0, outer + i, outer + next);
      else {
        const inner = outer - around;
        indices.push(inner + i, outer + i, outer + next, inner + i, outer + next, inner + next);
      }
    }
  }
  const attributes = new GeometryAttributes();
  attributes.position = new GeometryAttribute({
    componentDatatype: ComponentDatatype.DOUBLE,
    componentsPerAttribute: 3,
    values: new Float64Array(positions),
  });
  return new Geometry({
    attributes,
    indices: new Uint16Array(indices),
    primitiveType: PrimitiveType.TRIANGLES,
    boundingSphere: new BoundingSphere(Cartesian3.ZERO, RADIUS),
  });
}

/** A plain ground with a grid, drawn behind everything. */
export class Ground {
  private readonly primitive: Primitive;
  private readonly uniforms: { anchor: Cartesian3; east: Cartesian3; north: Cartesian3; cameraHeight: number; groundColour: Color; lineColour: Color; horizonColour: Color };
  private readonly origin = new Cartesian3();
  private readonly axes = [new Cartesian3(), new Cartesian3()] as const;
  private height = 0;

  constructor(scene: Scene) {
    const uniforms = {
      anchor: new Cartesian3(),
      east: new Cartesian3(),
      north: new Cartesian3(),
      cameraHeight: 0,
      groundColour: Color.fromCssColorString(GROUND_COLOUR),
      lineColour: Color.fromCssColorString(LINE_COLOUR),
      horizonColour: Color.fromCssColorString(HORIZON_COLOUR),
    };
    const material = new Material({
      fabric: { type: "CityGround", uniforms, source: GRID },
      translucent: false,
    });
    this.primitive = new Primitive({
      geometryInstances: new GeometryInstance({ geometry: disc() }),
      appearance: new MaterialAppearance({
        material,
        flat: true,
        translucent: false,
        vertexShaderSource: VERTICES,
        fragmentShaderSource: FLAT,
        renderState: { depthTest: { enabled: false }, depthMask: false, cull: { enabled: false } },
      }),
      asynchronous: false,
      allowPicking: false,
    });
    // Before tiles, so that it never covers a basement.
    scene.primitives.add(new InPass(this.primitive, PASS_GLOBE));
    this.uniforms = material.uniforms as typeof uniforms;
    scene.preRender.addEventListener(() => {
      const view = scene.camera.viewMatrix;
      const live = this.uniforms;
      Matrix4.multiplyByPoint(view, this.origin, live.anchor);
      Matrix4.multiplyByPointAsVector(view, this.axes[0], live.east);
      Matrix4.multiplyByPointAsVector(view, this.axes[1], live.north);
      live.cameraHeight = Math.max(0, scene.camera.positionCartographic.height - this.height);
    });
  }

  set show(show: boolean) {
    this.primitive.show = show;
  }

  set look(look: GroundLook) {
    const { ground, line, horizon } = GROUND_COLOURS[look];
    this.uniforms.groundColour = Color.fromCssColorString(ground);
    this.uniforms.lineColour = Color.fromCssColorString(line);
    this.uniforms.horizonColour = Color.fromCssColorString(horizon);
  }

  /** `frame` is east-north-up at the place, `height` its height above the ellipsoid. */
  place(frame: Matrix4, height: number): void {
    this.height = height;
    this.primitive.modelMatrix = frame;
    Matrix4.getTranslation(frame, this.origin);
    this.axes.forEach((axis, column) => {
      const { x, y, z } = Matrix4.getColumn(frame, column, new Cartesian4());
      Cartesian3.fromElements(x, y, z, axis);
    });
  }
}
