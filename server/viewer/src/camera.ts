/** Where the user looks from, and how to get somewhere. */
import {
  BoundingSphere,
  Cartesian3,
  Cartographic,
  HeadingPitchRange,
  Math as CesiumMath,
  Matrix4,
  PerspectiveFrustum,
  Transforms,
  type CesiumWidget,
} from "cesium";
import type { Bbox3D, Place } from "./data/types";
import type { Layers } from "./layers";
import type { CameraView } from "./permalink";
import type { Covered } from "./ui/covered";

const START_HEADING = 30;
const START_PITCH = -32;
const FLIGHT_SECONDS = 1.1;

/** Metres; layers further apart than this are not shown at once. */
const CITY = 40_000;

/** Metres; what is seen at once and larger is much wider than high. */
const DISTRICT = 500;

/** Metres around a feature that are shown with it. */
const SURROUNDINGS = 3.5;

/** Reads a bounding box with or without heights. */
export function toBbox3D(numbers: readonly number[] | null | undefined): Bbox3D | null {
  if (!numbers || !numbers.every((n) => Number.isFinite(n))) return null;
  if (numbers.length === 6) return numbers as unknown as Bbox3D;
  if (numbers.length === 4) {
    const [w, s, e, n] = numbers as [number, number, number, number];
    return [w, s, 0, e, n, 0];
  }
  return null;
}

export function corners([w, s, low, e, n, high]: Bbox3D): Cartesian3[] {
  return [low, high].flatMap((height) =>
    [
      [w, s],
      [e, s],
      [e, n],
      [w, n],
    ].map(([lon, lat]) => Cartesian3.fromDegrees(lon!, lat!, height)),
  );
}

export function centre([w, s, low, e, n, high]: Bbox3D): Cartesian3 {
  return Cartesian3.fromDegrees((w + e) / 2, (s + n) / 2, (low + high) / 2);
}

export class Camera {
  constructor(
    private readonly widget: CesiumWidget,
    private readonly layers: Layers,
    private readonly anchor: () => Place,
    private readonly covered: () => Covered,
  ) {}

  get view(): CameraView {
    const { camera } = this.widget;
    const { longitude, latitude, height } = camera.positionCartographic;
    const degrees = CesiumMath.toDegrees;
    return {
      lon: degrees(longitude),
      lat: degrees(latitude),
      height,
      heading: degrees(camera.heading) % 360,
      pitch: degrees(camera.pitch),
      roll: degrees(CesiumMath.negativePiToPi(camera.roll)),
    };
  }

  set view(view: CameraView) {
    const radians = CesiumMath.toRadians;
    this.widget.camera.cancelFlight();
    this.widget.camera.setView({
      destination: Cartesian3.fromDegrees(view.lon, view.lat, view.height),
      orientation: { heading: radians(view.heading), pitch: radians(view.pitch), roll: radians(view.roll) },
    });
    this.widget.scene.requestRender();
  }

  /** Looks at a box from the present side (or from the south-west, obliquely, when `reset`). */
  async flyTo(bbox: Bbox3D, options: { seconds?: number; reset?: boolean } = {}): Promise<void> {
    const sphere = BoundingSphere.fromPoints(corners(bbox));
    // A single door says little without the wall around it.
    if (!options.reset) sphere.radius = Math.max(SURROUNDINGS, sphere.radius * 1.4);
    await this.flyToSphere(sphere, options);
  }

  /** All visible layers of the city; its anchor while there are none. */
  async home(seconds = FLIGHT_SECONDS): Promise<void> {
    const { lon, lat, height } = this.anchor();
    const anchor = Cartesian3.fromDegrees(lon, lat, height);
    const boxes = [...this.layers.all.values()]
      .filter((layer) => layer.view.visible)
      .map((layer) => toBbox3D(layer.collection.extent?.spatial.bbox[0]))
      .filter((box) => box !== null)
      .sort((a, b) => Cartesian3.distance(centre(a), anchor) - Cartesian3.distance(centre(b), anchor));
    const [nearest] = boxes;
    // A model that stands in another country would shrink the city to a dot.
    const together =
      nearest && boxes.filter((box) => Cartesian3.distance(centre(box), centre(nearest)) < CITY);
    const sphere = together
      ? BoundingSphere.fromPoints(together.flatMap(corners))
      : new BoundingSphere(anchor, 60);
    // A district is flat: the ball around it is mostly air.
    if (sphere.radius > DISTRICT) sphere.radius *= 0.72;
    await this.flyToSphere(sphere, { seconds, reset: true });
  }

  private flyToSphere(
    sphere: BoundingSphere,
    { seconds = FLIGHT_SECONDS, reset = false }: { seconds?: number; reset?: boolean },
  ): Promise<void> {
    const { camera, scene } = this.widget;
    sphere.radius = Math.max(sphere.radius, 2);
    const heading = reset ? CesiumMath.toRadians(START_HEADING) : camera.heading;
    const pitch = reset
      ? CesiumMath.toRadians(START_PITCH)
      : CesiumMath.clamp(camera.pitch, CesiumMath.toRadians(-80), CesiumMath.toRadians(-15));
    const free = this.freeView();
    const range = this.range(sphere.radius, free.width);
    const offset = new HeadingPitchRange(heading, pitch, range);
    this.shiftAside(sphere.center, heading, range * free.aside);
    scene.requestRender();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (seconds === 0 || still) {
      camera.cancelFlight();
      camera.viewBoundingSphere(sphere, offset);
      camera.lookAtTransform(Matrix4.IDENTITY);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      camera.flyToBoundingSphere(sphere, {
        offset,
        duration: seconds,
        complete: () => resolve(),
        cancel: () => resolve(),
      });
    });
  }

  /** The middle of the part that no panel covers, as a fraction of the canvas' width. */
  get freeMiddle(): number {
    const whole = Math.max(1, this.widget.canvas.clientWidth);
    const { left, right } = this.covered();
    return left + right < whole ? 0.5 + (left - right) / whole / 2 : 0.5;
  }

  /**
   * The part of the view that no panel covers: its width (a fraction of the whole) and how far
   * its middle lies to the right of the middle of the canvas (tangent of the angle).
   */
  private freeView(): { width: number; aside: number } {
    const whole = Math.max(1, this.widget.canvas.clientWidth);
    const { left, right } = this.covered();
    const width = (whole - left - right) / whole;
    if (width < 0.4) return { width: 1, aside: 0 }; // a small screen: panels come and go
    return { width, aside: ((left - right) / whole) * Math.tan(this.horizontalAngle() / 2) };
  }

  /** Moves the point that is looked at against the view's right, so that the target stands in the free part. */
  private shiftAside(point: Cartesian3, heading: number, metres: number): void {
    const frame = Transforms.eastNorthUpToFixedFrame(point);
    const aside = new Cartesian3(-metres * Math.cos(heading), metres * Math.sin(heading), 0);
    Matrix4.multiplyByPoint(frame, aside, point);
  }

  private verticalAngle(): number {
    const { frustum } = this.widget.camera;
    return frustum instanceof PerspectiveFrustum ? (frustum.fovy ?? 1) : 1;
  }

  private horizontalAngle(): number {
    const { canvas } = this.widget;
    const aspect = canvas.clientWidth / Math.max(1, canvas.clientHeight);
    return 2 * Math.atan(Math.tan(this.verticalAngle() / 2) * aspect);
  }

  /** The distance from which a sphere fills most of the free part of the view. */
  private range(radius: number, width: number): number {
    const horizontal = 2 * Math.atan(Math.tan(this.horizontalAngle() / 2) * width);
    return (radius * 0.95) / Math.sin(Math.min(this.verticalAngle(), horizontal) / 2);
  }

  /** Moves along the ground (fractions of the height above it) or turns (degrees). */
  nudge(step: { forward?: number; right?: number; up?: number; turn?: number; tilt?: number }): void {
    const { camera, scene } = this.widget;
    const height = Math.max(3, camera.positionCartographic.height - this.anchor().height);
    const heading = camera.heading;
    const east = (step.right ?? 0) * Math.cos(heading) + (step.forward ?? 0) * Math.sin(heading);
    const north = (step.forward ?? 0) * Math.cos(heading) - (step.right ?? 0) * Math.sin(heading);
    const metresPerDegree = 111_320;
    const position = Cartographic.clone(camera.positionCartographic);
    const cos = Math.max(0.01, Math.cos(position.latitude));
    position.longitude += CesiumMath.toRadians((east * height) / (metresPerDegree * cos));
    position.latitude += CesiumMath.toRadians((north * height) / metresPerDegree);
    position.height = Math.max(this.anchor().height + 1, position.height + (step.up ?? 0) * height);
    const limit = CesiumMath.toRadians(89.5);
    camera.setView({
      destination: Cartographic.toCartesian(position),
      orientation: {
        heading: heading + CesiumMath.toRadians(step.turn ?? 0),
        pitch: CesiumMath.clamp(camera.pitch + CesiumMath.toRadians(step.tilt ?? 0), -limit, limit),
        roll: 0,
      },
    });
    scene.requestRender();
  }
}
