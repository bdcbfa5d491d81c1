import {
  Appearance,
  BoundingSphere,
  Cartesian3,
  Color,
  ComponentDatatype,
  Geometry,
  GeometryAttribute,
  GeometryAttributes,
  GeometryInstance,
  type Matrix4,
  Primitive,
  PrimitiveType,
  type Scene,
} from "cesium";

/** Where sky and ground meet: both fade into it. */
export const HORIZON_COLOUR = "#eef1f4";
export const NIGHT_HORIZON_COLOUR = "#0e1722";

const ZENITH = [168, 190, 213] as const;
const MIDDLE = [212, 224, 236] as const;
const HORIZON = [238, 241, 244] as const;
const DAY = [HORIZON, MIDDLE, ZENITH] as const;
const NIGHT = [[14, 23, 34], [11, 18, 28], [8, 13, 21]] as const;
type Palette = typeof DAY | typeof NIGHT;

/** Sine of the elevation (0–1) to a colour: a pale haze that deepens towards the zenith. */
function skyColour(up: number, [horizon, middle, zenith]: Palette): [number, number, number] {
  const t = Math.max(0, up);
  const [from, to, k] = t < 0.35 ? [horizon, middle, t / 0.35] : [middle, zenith, (t - 0.35) / 0.65];
  const s = k * k * (3 - 2 * k);
  return [0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * s) as [number, number, number];
}

/** Sines of the elevations between which the colours are straight enough. */
const RINGS = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];
const AROUND = 36;

/** Infinitely far away; below the horizon there is none. */
const VERTICES = `
in vec3 position3DHigh;
in vec3 position3DLow;
in vec4 color;
in float batchId;
out vec3 v_colour;
void main()
{
    vec3 towards = (czm_modelView * vec4(position3DHigh + position3DLow, 0.0)).xyz;
    gl_Position = czm_projection * vec4(towards, 1.0);
    gl_Position.z = czm_orthographicIn3D == 1.0 ? 2.0 * gl_Position.w : 0.0;
    v_colour = color.rgb;
}`;

const FRAGMENTS = `
in vec3 v_colour;
void main()
{
    out_FragColor = vec4(v_colour, 1.0);
}`;

/** The upper half of a ball in the axes of the place, its colours at its corners. */
function dome(palette: Palette): Geometry {
  const positions: number[] = [];
  const colours: number[] = [];
  const indices: number[] = [];
  for (const up of RINGS) {
    const out = Math.sqrt(1 - up * up);
    for (let i = 0; i < AROUND; i++) {
      const angle = (i / AROUND) * 2 * Math.PI;
      positions.push(out * Math.cos(angle), out * Math.sin(angle), up);
      colours.push(...skyColour(up, palette), 255);
    }
  }
  for (let ring = 1; ring < RINGS.length; ring++) {
    for (let i = 0; i < AROUND; i++) {
      const [upper, lower, next] = [ring * AROUND, (ring - 1) * AROUND, (i + 1) % AROUND];
      indices.push(lower + i, lower + next, upper + next, lower + i, upper + next, upper + i);
    }
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
    indices: new Uint16Array(indices),
    primitiveType: PrimitiveType.TRIANGLES,
    boundingSphere: new BoundingSphere(Cartesian3.ZERO, 1),
  });
}

/** What a primitive hands to the engine on every frame, and what is drawn before all of that. */
interface FrameState {
  commandList: object[];
  panoramaCommandList: object[];
}

/**
 * A sky gradient that stands still over a place.
 *
 * Where the processor draws, the engine's own panorama, which looks every pixel of the picture up
 * in a cube, takes longer than the ground and all that is not a building.
 */
export class Sky {
  private dome: Primitive | null = null;
  private commands: object[] = [];
  private palette: Palette = DAY;
  private frame: Matrix4 | null = null;

  constructor(private readonly scene: Scene) {
    scene.primitives.add(this);
  }

  set night(night: boolean) {
    this.palette = night ? NIGHT : DAY;
    this.scene.backgroundColor = Color.fromCssColorString(night ? NIGHT_HORIZON_COLOUR : HORIZON_COLOUR);
    this.dome?.destroy();
    this.dome = null;
  }

  /** `frame` is east-north-up at the place. */
  place(frame: Matrix4): void {
    this.frame = frame;
    if (this.dome) this.dome.modelMatrix = frame;
  }

  /** Called by the engine. */
  update(frame: FrameState): void {
    if (!this.frame) return;
    this.dome ??= this.made(this.frame);
    const before = frame.commandList.length;
    (this.dome as unknown as { update: (frame: FrameState) => void }).update(frame);
    const commands = frame.commandList.splice(before);
    if (!commands.length || commands.every((command) => this.commands.includes(command))) return;
    const others = frame.panoramaCommandList.filter((command) => !this.commands.includes(command));
    frame.panoramaCommandList.splice(0, Infinity, ...others, ...commands); // which the engine keeps
    this.commands = commands;
  }

  isDestroyed(): boolean {
    return false;
  }

  destroy(): void {
    this.dome?.destroy();
  }

  private made(frame: Matrix4): Primitive {
    return new Primitive({
      geometryInstances: new GeometryInstance({ geometry: dome(this.palette) }),
      modelMatrix: frame,
      appearance: new Appearance({
        translucent: false,
        vertexShaderSource: VERTICES,
        fragmentShaderSource: FRAGMENTS,
        renderState: { depthTest: { enabled: false }, depthMask: false, cull: { enabled: false } },
      }),
      asynchronous: false,
      allowPicking: false,
      cull: false,
    });
  }
}
