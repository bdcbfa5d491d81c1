/** The city as a map: straight down, north up, without perspective. */
import {
  BoundingSphere,
  Cartesian2,
  Cartesian3,
  type CesiumWidget,
  HeadingPitchRange,
  Math as CesiumMath,
  Matrix4,
  OrthographicFrustum,
} from "cesium";
import { Signal } from "../signal";
import { pointAt } from "./place";
import type { Tool } from "./tool";

/** How one looks again where nobody has looked in perspective before. */
const OBLIQUE = { heading: CesiumMath.toRadians(30), pitch: CesiumMath.toRadians(-35) };

export class Flat implements Tool {
  readonly name = "flat";
  readonly icon = "map";
  readonly letter = "2";
  readonly changed = new Signal();
  private before = OBLIQUE;

  constructor(private readonly widget: CesiumWidget) {}

  get on(): boolean {
    return this.widget.camera.frustum instanceof OrthographicFrustum;
  }

  start(): void {
    if (this.on) return;
    const { camera } = this.widget;
    this.before = { heading: camera.heading, pitch: camera.pitch };
    this.flatten();
    this.look(0, -CesiumMath.PI_OVER_TWO);
    this.changed.emit();
  }

  stop(): void {
    if (!this.on) return;
    const { camera, scene } = this.widget;
    const { heading, pitch } = this.before;
    this.look(heading, pitch);
    camera.switchToPerspectiveFrustum();
    scene.screenSpaceCameraController.enableTilt = true;
    scene.screenSpaceCameraController.enableLook = true;
    this.changed.emit();
  }

  get link(): string | null {
    return this.on ? "1" : null;
  }

  set link(text: string | null) {
    if (text === null) this.stop();
    else if (!this.on) {
      this.flatten();
      this.changed.emit();
    }
  }

  /** Turns around what is in the middle of the picture, and stays as far from it. */
  private look(heading: number, pitch: number): void {
    const { camera, canvas, scene } = this.widget;
    const middle = pointAt(scene, new Cartesian2(canvas.clientWidth / 2, canvas.clientHeight / 2));
    if (!middle) return;
    const sphere = new BoundingSphere(Cartesian3.fromDegrees(...middle), 1);
    const range = Cartesian3.distance(camera.positionWC, sphere.center);
    camera.cancelFlight();
    camera.viewBoundingSphere(sphere, new HeadingPitchRange(heading, pitch, range));
    camera.lookAtTransform(Matrix4.IDENTITY);
    scene.requestRender();
  }

  private flatten(): void {
    const { camera, scene } = this.widget;
    camera.switchToOrthographicFrustum();
    scene.screenSpaceCameraController.enableTilt = false;
    scene.screenSpaceCameraController.enableLook = false;
    scene.requestRender();
  }
}
