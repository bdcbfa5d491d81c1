/** The sun and its shadows at a date and time, given in Beijing time. */
import {
  Cartesian3,
  type CesiumWidget,
  JulianDate,
  Math as CesiumMath,
  Matrix3,
  Matrix4,
  ShadowMode,
  Simon1994PlanetaryPositions,
  SunLight,
  Transforms,
} from "cesium";
import type { Base } from "../base";
import type { Layers } from "../layers";
import type { Surroundings } from "../scene/surroundings";
import { Signal } from "../signal";
import type { Tool } from "./tool";

/** Beijing time, which all of China keeps, is eight hours ahead of UTC; there is no summer time. */
const BEIJING = 8 * 3_600_000;
const DAY = 86_400_000;
const MINUTE = 60_000;

const INTENSITY = 2.4;
const SHADOWS_WITHIN = 4_000;
const STEP = 10;
const EVERY = 250;

export class Sun implements Tool {
  readonly name = "sun";
  readonly icon = "sun";
  readonly letter = "l";
  readonly changed = new Signal();
  private instant: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly widget: CesiumWidget,
    private readonly surroundings: Surroundings,
    private readonly layers: Layers,
    private readonly base: Base,
  ) {
    layers.listed.on(() => this.shade());
    layers.viewed.on(() => this.shade());
  }

  get on(): boolean {
    return this.instant !== null;
  }

  get playing(): boolean {
    return this.timer !== undefined;
  }

  /** The day in Beijing, as 2024-06-21. */
  get date(): string {
    return new Date((this.instant ?? 0) + BEIJING).toISOString().slice(0, 10);
  }

  /** Minutes since midnight in Beijing. */
  get minutes(): number {
    return Math.floor((((this.instant ?? 0) + BEIJING) % DAY) / MINUTE);
  }

  start(): void {
    const today = Math.floor((Date.now() + BEIJING) / DAY) * DAY - BEIJING;
    this.set(today + 10 * 60 * MINUTE);
  }

  stop(): void {
    this.pause();
    this.set(null);
  }

  /** `date` as 2024-06-21, `minutes` since midnight, both in Beijing; a date that is none is ignored. */
  at(date: string, minutes: number): void {
    const midnight = Date.parse(`${date}T00:00:00Z`) - BEIJING;
    if (Number.isFinite(midnight)) this.set(midnight + minutes * MINUTE);
  }

  play(): void {
    this.timer ??= setInterval(() => this.at(this.date, (this.minutes + STEP) % 1440), EVERY);
    this.changed.emit();
  }

  pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.changed.emit();
  }

  /** Where the sun stands at the city: degrees clockwise from north, and above the horizon. */
  get direction(): { azimuth: number; elevation: number } | null {
    if (this.instant === null) return null;
    const time = JulianDate.fromDate(new Date(this.instant));
    const inertial = Simon1994PlanetaryPositions.computeSunPositionInEarthInertialFrame(time);
    const turn = Transforms.computeTemeToPseudoFixedMatrix(time, new Matrix3());
    const sun = Matrix3.multiplyByVector(turn!, inertial, new Cartesian3());
    const { lon, lat, height } = this.surroundings.place;
    const frame = Transforms.eastNorthUpToFixedFrame(Cartesian3.fromDegrees(lon, lat, height));
    const local = Matrix4.multiplyByPoint(
      Matrix4.inverseTransformation(frame, new Matrix4()),
      sun,
      new Cartesian3(),
    );
    const azimuth = (CesiumMath.toDegrees(Math.atan2(local.x, local.y)) + 360) % 360;
    return { azimuth, elevation: CesiumMath.toDegrees(Math.asin(local.z / Cartesian3.magnitude(local))) };
  }

  get link(): string | null {
    return this.instant === null ? null : new Date(this.instant).toISOString().slice(0, 16) + "Z";
  }

  set link(text: string | null) {
    const instant = text === null ? Number.NaN : Date.parse(text);
    if (Number.isFinite(instant)) this.set(instant);
    else this.stop();
  }

  private set(instant: number | null): void {
    const turned = (instant === null) !== (this.instant === null);
    this.instant = instant;
    const { scene, clock } = this.widget;
    if (instant !== null) {
      clock.currentTime = JulianDate.fromDate(new Date(instant));
      if (turned) this.surroundings.sun = new SunLight({ intensity: INTENSITY });
    } else if (turned) this.surroundings.sun = null;
    if (turned) {
      scene.shadowMap.enabled = instant !== null;
      scene.shadowMap.maximumDistance = SHADOWS_WITHIN;
      scene.shadowMap.size = 2048;
      scene.shadowMap.darkness = 0.45;
      scene.globe.shadows = instant === null ? ShadowMode.DISABLED : ShadowMode.RECEIVE_ONLY;
      this.base.need(this.name, instant !== null);
      this.shade();
    }
    scene.requestRender();
    this.changed.emit();
  }

  private shade(): void {
    const mode = this.on ? ShadowMode.ENABLED : ShadowMode.DISABLED;
    for (const layer of this.layers.all.values()) {
      for (const { tileset } of this.layers.drawn(layer)) tileset.shadows = mode;
    }
  }
}
