import { CubeMapPanorama, Matrix3, Matrix4, type Scene } from "cesium";

/** Where sky and ground meet: both fade into it. */
export const HORIZON_COLOUR = "#eef1f4";
export const NIGHT_HORIZON_COLOUR = "#0e1722";

const FACE = 128;
const ZENITH = [168, 190, 213] as const;
const MIDDLE = [212, 224, 236] as const;
const HORIZON = [238, 241, 244] as const;
const DAY = [HORIZON, MIDDLE, ZENITH] as const;
const NIGHT = [[14, 23, 34], [11, 18, 28], [8, 13, 21]] as const;
type Palette = typeof DAY | typeof NIGHT;

type Axis = readonly [number, number, number];

/** Sine of the elevation (0–1) to a colour: a pale haze that deepens towards the zenith. */
function skyColour(up: number, [horizon, middle, zenith]: Palette): [number, number, number] {
  const t = Math.max(0, up);
  const [from, to, k] = t < 0.35 ? [horizon, middle, t / 0.35] : [middle, zenith, (t - 0.35) / 0.65];
  const s = k * k * (3 - 2 * k);
  return [0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * s) as [number, number, number];
}

/** Paints one face of the cube: `s` and `t` are the axes of the image, right and down. */
function face(palette: Palette, centre: Axis, s: Axis, t: Axis): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = FACE;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(FACE, FACE);
  for (let row = 0; row < FACE; row++) {
    for (let column = 0; column < FACE; column++) {
      const a = ((column + 0.5) / FACE) * 2 - 1;
      const b = ((row + 0.5) / FACE) * 2 - 1;
      const v = [0, 1, 2].map((i) => centre[i]! + s[i]! * a + t[i]! * b);
      const up = v[2]! / Math.hypot(v[0]!, v[1]!, v[2]!);
      const at = (row * FACE + column) * 4;
      image.data.set([...skyColour(up, palette), 255], at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The faces of a cube map (OpenGL ES 3.0.6, table 8.27), turned over as the engine uploads them. */
function faces(palette: Palette): Record<string, HTMLCanvasElement> {
  return {
    positiveX: face(palette, [1, 0, 0], [0, 0, -1], [0, -1, 0]),
    negativeX: face(palette, [-1, 0, 0], [0, 0, 1], [0, -1, 0]),
    positiveY: face(palette, [0, 1, 0], [1, 0, 0], [0, 0, -1]),
    negativeY: face(palette, [0, -1, 0], [1, 0, 0], [0, 0, 1]),
    positiveZ: face(palette, [0, 0, 1], [1, 0, 0], [0, -1, 0]),
    negativeZ: face(palette, [0, 0, -1], [-1, 0, 0], [0, -1, 0]),
  };
}

/** A sky gradient that stands still over a place. */
export class Sky {
  private sources = faces(DAY);
  private panorama: CubeMapPanorama | null = null;
  private frame: Matrix4 | null = null;

  constructor(private readonly scene: Scene) {}

  set night(night: boolean) {
    this.sources = faces(night ? NIGHT : DAY);
    if (this.frame) this.place(this.frame);
  }

  /** `frame` is east-north-up at the place. A panorama cannot be turned, so there is a new one. */
  place(frame: Matrix4): void {
    this.frame = frame;
    if (this.panorama) this.scene.primitives.remove(this.panorama);
    const options = { sources: this.sources, transform: Matrix4.getMatrix3(frame, new Matrix3()) };
    this.panorama = this.scene.primitives.add(new CubeMapPanorama(options)) as CubeMapPanorama;
  }
}
