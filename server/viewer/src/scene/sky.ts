import { CubeMapPanorama, Matrix3, Matrix4, type Scene } from "cesium";

/** Where sky and ground meet: both fade into it. */
export const HORIZON_COLOUR = "#eef1f4";

const FACE = 128;
const ZENITH = [168, 190, 213] as const;
const MIDDLE = [212, 224, 236] as const;
const HORIZON = [238, 241, 244] as const;

type Axis = readonly [number, number, number];

/** Sine of the elevation (0–1) to a colour: a pale haze that deepens towards the zenith. */
function skyColour(up: number): [number, number, number] {
  const t = Math.max(0, up);
  const [from, to, k] = t < 0.35 ? [HORIZON, MIDDLE, t / 0.35] : [MIDDLE, ZENITH, (t - 0.35) / 0.65];
  const s = k * k * (3 - 2 * k);
  return [0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * s) as [number, number, number];
}

/** Paints one face of the cube: `s` and `t` are the axes of the image, right and down. */
function face(centre: Axis, s: Axis, t: Axis): HTMLCanvasElement {
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
      image.data.set([...skyColour(up), 255], at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A sky gradient that stands still over a place. */
export class Sky {
  private readonly sources: Record<string, HTMLCanvasElement>;
  private panorama: CubeMapPanorama | null = null;

  constructor(private readonly scene: Scene) {
    // The faces of a cube map (OpenGL ES 3.0.6, table 8.27), turned over as the engine uploads them.
    this.sources = {
      positiveX: face([1, 0, 0], [0, 0, -1], [0, -1, 0]),
      negativeX: face([-1, 0, 0], [0, 0, 1], [0, -1, 0]),
      positiveY: face([0, 1, 0], [1, 0, 0], [0, 0, -1]),
      negativeY: face([0, -1, 0], [1, 0, 0], [0, 0, 1]),
      positiveZ: face([0, 0, 1], [1, 0, 0], [0, -1, 0]),
      negativeZ: face([0, 0, -1], [-1, 0, 0], [0, -1, 0]),
    };
  }

  /** `frame` is east-north-up at the place. A panorama cannot be turned, so there is a new one. */
  place(frame: Matrix4): void {
    if (this.panorama) this.scene.primitives.remove(this.panorama);
    const options = { sources: this.sources, transform: Matrix4.getMatrix3(frame, new Matrix3()) };
    this.panorama = this.scene.primitives.add(new CubeMapPanorama(options)) as CubeMapPanorama;
  }
}
