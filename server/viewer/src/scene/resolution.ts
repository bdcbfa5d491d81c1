import type { CesiumWidget } from "cesium";

/** How many pixels are drawn: at most two for one of the page each way, and half as many while not `enabled`. */
export class Resolution {
  private most = 1;
  private whole = true;

  constructor(private readonly widget: CesiumWidget) {
    this.apply();
  }

  /** At most so many for each of the screen's, each way. */
  set limit(most: number) {
    this.most = most;
    this.apply();
  }

  set enabled(on: boolean) {
    this.whole = on;
    this.apply();
  }

  private apply(): void {
    this.widget.resolutionScale = Math.min(1, 2 / window.devicePixelRatio, this.most) / (this.whole ? 1 : 2);
  }
}
