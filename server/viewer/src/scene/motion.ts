import { Cartesian3, type Scene } from "cesium";
import { Signal } from "../signal";

const STILL_AFTER = 150;
const METRES = 1e-4;
const DIRECTION = 1e-9;

/**
 * Tells when the camera moves and when it has come to rest.
 *
 * The engine's own events compare to the last bit, and its rotations leave axes that are
 * renormalised a bit differently on every frame: a camera at rest then counts as moving for
 * many seconds, and is drawn all that time. At rest the axes are therefore set afresh.
 */
export class Motion {
  readonly started = new Signal();
  readonly rested = new Signal();
  private moving = false;
  private since = 0;
  private readonly position = new Cartesian3();
  private readonly direction = new Cartesian3();
  private readonly up = new Cartesian3();

  constructor(private readonly scene: Scene) {
    scene.preUpdate.addEventListener(() => this.look());
  }

  private look(): void {
    const { camera } = this.scene;
    const same =
      Cartesian3.equalsEpsilon(camera.positionWC, this.position, 0, METRES) &&
      Cartesian3.equalsEpsilon(camera.directionWC, this.direction, 0, DIRECTION) &&
      Cartesian3.equalsEpsilon(camera.upWC, this.up, 0, DIRECTION);
    const now = performance.now();
    if (!same) {
      Cartesian3.clone(camera.positionWC, this.position);
      Cartesian3.clone(camera.directionWC, this.direction);
      Cartesian3.clone(camera.upWC, this.up);
      this.since = now;
      if (!this.moving) {
        this.moving = true;
        this.started.emit();
      }
    } else if (this.moving && now - this.since > STILL_AFTER) {
      this.moving = false;
      this.straighten();
      this.rested.emit();
    }
  }

  private straighten(): void {
    const { camera } = this.scene;
    const { heading, pitch, roll } = camera;
    camera.setView({
      destination: Cartesian3.clone(camera.positionWC),
      orientation: { heading, pitch, roll },
    });
  }
}
