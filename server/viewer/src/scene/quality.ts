import type { Scene } from "cesium";
import type { Motion } from "./motion";

/** Anything that makes the picture finer and takes time, such as a pass over all pixels, or more of them. */
interface Nicety {
  set enabled(on: boolean);
}

const STILL = 200;

/**
 * Switches costly passes off while something moves or loads, where the processor draws the
 * picture, and on again for one last frame. A graphics card keeps them on.
 */
export class Quality {
  private fine: boolean;
  private moving = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly scene: Scene,
    motion: Motion,
    private readonly software: boolean,
    private readonly niceties: Nicety[],
  ) {
    this.fine = !software;
    this.apply();
    if (!software) return;
    motion.started.on(() => {
      this.moving = true;
      this.set(false);
    });
    motion.rested.on(() => {
      this.moving = false;
      this.later();
    });
    this.later();
  }

  /** Something is about to change for a while, such as tiles that are loading. */
  disturb(): void {
    if (!this.software) return;
    this.set(false);
    this.later();
  }

  /** True when the next frame is drawn with everything. */
  get final(): boolean {
    return this.fine;
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.moving) this.set(true);
    }, STILL);
  }

  private set(fine: boolean): void {
    if (fine === this.fine) return;
    this.fine = fine;
    this.apply();
    if (fine) this.scene.requestRender();
  }

  private apply(): void {
    for (const nicety of this.niceties) nicety.enabled = this.fine;
  }
}
