import {
  Cartesian3,
  Cartographic,
  Color,
  DirectionalLight,
  type Light,
  Math as CesiumMath,
  Matrix4,
  type Scene,
  Transforms,
} from "cesium";
import type { Place } from "../data/types";
import { Ground, GROUND_COLOURS, type GroundLook, type LevelGround } from "./ground";
import { Sky } from "./sky";

/** Where light comes from: south-west, 50° up, as on most plans. */
const LIGHT_AZIMUTH = 215;
const LIGHT_ELEVATION = 50;
const LIGHT_INTENSITY = 2.1;

const EYE_HEIGHT = 0.5;

/** A flat ground serves a city; further away down is another direction. */
const REACH = 40_000;

/** A unit vector in earth-fixed axes from an azimuth and an elevation (degrees) at a place. */
function directionAt(frame: Matrix4, azimuth: number, elevation: number): Cartesian3 {
  const a = (azimuth * Math.PI) / 180;
  const e = (elevation * Math.PI) / 180;
  const local = new Cartesian3(Math.sin(a) * Math.cos(e), Math.cos(a) * Math.cos(e), Math.sin(e));
  return Matrix4.multiplyByPointAsVector(frame, local, new Cartesian3());
}

/**
 * Ground, sky and light around the city's anchor; around a layer that lies far from it when
 * the camera is there.
 */
export class Surroundings {
  /** Where else there is something to see; the lowest point of each layer. */
  elsewhere: () => Place[] = () => [];
  /** Whether the camera may go below the ground. */
  underground = false;
  private readonly sky: Sky;
  private readonly ground: Ground;
  private readonly origin = new Cartesian3();
  private height = 0;
  private planLight: Light = new DirectionalLight({ direction: Cartesian3.UNIT_X });
  private sunLight: Light | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly level: LevelGround,
    private anchor: Place,
  ) {
    this.sky = new Sky(scene);
    this.ground = new Ground(scene);
    this.settle(anchor);
    scene.preUpdate.addEventListener(() => this.follow());
    scene.postUpdate.addEventListener(() => this.stayAbove());
  }

  /** The city is somewhere else than was thought. */
  move(anchor: Place): void {
    this.anchor = anchor;
    this.settle(anchor);
  }

  /** The place that ground, sky and light are made for now. */
  get place(): Place {
    const { longitude, latitude } = Cartographic.fromCartesian(this.origin);
    return { lon: CesiumMath.toDegrees(longitude), lat: CesiumMath.toDegrees(latitude), height: this.height };
  }

  /** Whether the engine's globe is drawn: with terrain or pictures, or plain; else a grid. */
  set globe(shown: boolean) {
    this.level.show = shown;
    this.ground.show = !shown;
  }

  /** Whether the grid shows around a globe that is drawn in part. */
  set grid(shown: boolean) {
    this.ground.show = shown || !this.level.show;
  }

  /** Ground and sky for another purpose; the light stays. */
  set look(look: GroundLook) {
    this.sky.night = look === "night";
    this.ground.look = look;
    this.level.baseColor = Color.fromCssColorString(GROUND_COLOURS[look].ground);
    this.scene.requestRender();
  }

  /** The light of another hour; `null` is that of a plan. */
  set sun(light: Light | null) {
    this.sunLight = light;
    this.light();
  }

  private light(): void {
    this.scene.light = this.sunLight ?? this.planLight;
    this.scene.requestRender();
  }

  private settle(place: Place): void {
    Cartesian3.fromDegrees(place.lon, place.lat, place.height, undefined, this.origin);
    this.height = place.height;
    const frame = Transforms.eastNorthUpToFixedFrame(this.origin);
    const towards = Cartesian3.negate(directionAt(frame, LIGHT_AZIMUTH, LIGHT_ELEVATION), new Cartesian3());
    this.planLight = new DirectionalLight({ direction: towards, intensity: LIGHT_INTENSITY });
    this.light();
    this.level.height = place.height;
    this.sky.place(frame);
    this.ground.place(frame, place.height);
    this.scene.requestRender();
  }

  private follow(): void {
    const eye = this.scene.camera.positionWC;
    if (Cartesian3.distance(eye, this.origin) < REACH) return;
    const distance = ({ lon, lat, height }: Place) =>
      Cartesian3.distance(eye, Cartesian3.fromDegrees(lon, lat, height));
    let nearest = this.anchor;
    for (const place of this.elsewhere()) if (distance(place) < distance(nearest)) nearest = place;
    const target = Cartesian3.fromDegrees(nearest.lon, nearest.lat, nearest.height);
    if (!Cartesian3.equalsEpsilon(target, this.origin, 0, 1)) this.settle(nearest);
  }

  /** Keeps the camera a step above the ground, however it is moved. */
  private stayAbove(): void {
    // With the globe, the engine's own controller minds the collisions.
    if (this.underground || this.level.show) return;
    const { camera } = this.scene;
    const { longitude, latitude, height } = camera.positionCartographic;
    const lowest = this.height + EYE_HEIGHT;
    if (height < lowest) Cartesian3.fromRadians(longitude, latitude, lowest, undefined, camera.position);
  }
}
