/** Getting to a place or to all of them: north stays up, so that a place is found again. */
import { BoundingSphere, Cartesian3, type CesiumWidget, HeadingPitchRange, Math as CesiumMath, Matrix4, PerspectiveFrustum } from "cesium";
import type { Box } from "./outlines";

const OBLIQUE = -50;
/** For what is larger than a place with buildings to see, metres. */
const STEEP = -72;
const LARGE = 5_000;
/** A hair less than straight down, where north would have no direction. */
const ABOVE = -89.5;
const SECONDS = 1;
/** Of the view that is filled. */
const FILLED = 0.92;
/** Of the depth of a target, that is left free below it. */
const FOOT = 0.14;
/** Metres; a smaller target is shown with this much around it. */
const LEAST = 160;

const METRES_PER_DEGREE = 111_320;

export class Flight {
  /** Whether one looks straight down. */
  above = false;
  private last: Box | null = null;
  /** Whether it was sent somewhere while nothing could be seen, and has still to go there. */
  private waiting = false;

  constructor(
    private readonly widget: CesiumWidget,
    private readonly heightAt: (lon: number, lat: number) => number,
  ) {}

  /** Flies to a box of degrees; where nothing can be seen, as soon as something can. */
  to(box: Box, seconds = SECONDS): void {
    this.last = box;
    this.waiting = !this.seen;
    if (this.waiting) return;
    const [west, , east, north] = box;
    // The legend covers a strip at the foot of the map.
    const south = box[1] - FOOT * (north - box[1]);
    const [lon, lat] = [(west + east) / 2, (south + north) / 2];
    const width = Math.max(LEAST, (east - west) * METRES_PER_DEGREE * Math.cos(CesiumMath.toRadians(lat)));
    const depth = Math.max(LEAST, (north - south) * METRES_PER_DEGREE);
    const pitch = CesiumMath.toRadians(this.above ? ABOVE : Math.max(width, depth) > LARGE ? STEEP : OBLIQUE);
    const centre = Cartesian3.fromDegrees(lon, lat, this.heightAt(lon, lat));
    const offset = new HeadingPitchRange(0, pitch, this.range(width, depth, -pitch));
    const { camera, scene } = this.widget;
    const sphere = new BoundingSphere(centre, Math.max(width, depth) / 2);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (seconds === 0 || still) {
      camera.cancelFlight();
      camera.viewBoundingSphere(sphere, offset);
      camera.lookAtTransform(Matrix4.IDENTITY);
    } else camera.flyToBoundingSphere(sphere, { offset, duration: seconds });
    scene.requestRender();
  }

  /** The canvas has another size: from none it goes where it was sent meanwhile. */
  resized(): void {
    if (this.waiting && this.last) this.to(this.last, 0);
  }

  /** From how far away something is seen follows from the size of the picture. */
  private get seen(): boolean {
    const { clientWidth, clientHeight } = this.widget.canvas;
    return clientWidth > 0 && clientHeight > 0;
  }

  /** The same place from the other angle. */
  turn(): void {
    this.above = !this.above;
    if (this.last) this.to(this.last);
  }

  /** The distance from which a flat rectangle fills the view that looks down at an angle. */
  private range(width: number, depth: number, down: number): number {
    const { canvas, camera } = this.widget;
    const { frustum } = camera;
    const vertical = frustum instanceof PerspectiveFrustum ? (frustum.fovy ?? 1) : 1;
    const aspect = canvas.clientWidth / Math.max(1, canvas.clientHeight);
    const halfHigh = Math.tan(vertical / 2);
    const halfWide = halfHigh * aspect;
    // The near edge is closer than the middle, and is seen wider.
    const nearer = (depth / 2) * Math.cos(down);
    const forWidth = width / 2 / halfWide + nearer;
    const forDepth = ((depth / 2) * Math.sin(down)) / halfHigh + nearer;
    return Math.max(forWidth, forDepth) / FILLED;
  }
}
