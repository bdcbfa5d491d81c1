/** Local axes at a place, where tools measure in metres. */
import {
  BoundingSphere,
  Cartesian2,
  Cartesian3,
  Cartographic,
  Math as CesiumMath,
  Matrix4,
  type Scene,
  Transforms,
} from "cesium";
import { corners, toBbox3D } from "../camera";
import type { Point } from "../geodesy";
import type { Layers } from "../layers";
import { drawing } from "../kinds";

export function frameAt([lon, lat, height]: Point): Matrix4 {
  return Transforms.eastNorthUpToFixedFrame(Cartesian3.fromDegrees(lon, lat, height));
}

/** Metres east, north and up of a place in earth-fixed axes. */
export function toWorld(frame: Matrix4, east: number, north: number, up: number): Cartesian3 {
  return Matrix4.multiplyByPoint(frame, new Cartesian3(east, north, up), new Cartesian3());
}

export function toPoint(position: Cartesian3): Point {
  const { longitude, latitude, height } = Cartographic.fromCartesian(position);
  return [CesiumMath.toDegrees(longitude), CesiumMath.toDegrees(latitude), height];
}

/** What the picture shows at CSS pixels: a model, else the ground. */
export function pointAt(scene: Scene, pixel: Cartesian2): Point | null {
  const model = scene.pick(pixel) !== undefined ? scene.pickPosition(pixel) : undefined;
  const ray = scene.camera.getPickRay(pixel);
  const hit = model ?? (ray && scene.globe.pick(ray, scene));
  return hit ? toPoint(hit) : null;
}

/** Metres around what one looks at, as a part of how far away it is. */
const IN_VIEW = 0.35;

/** The sphere around what is in the middle of the picture, as large as the view shows of it. */
export function viewedSphere(scene: Scene, layers: Layers): BoundingSphere | null {
  const { clientWidth, clientHeight } = scene.canvas;
  const middle = pointAt(scene, new Cartesian2(clientWidth / 2, clientHeight / 2));
  const all = shownSphere(layers);
  if (!middle || !all) return all;
  const centre = Cartesian3.fromDegrees(...middle);
  const radius = Cartesian3.distance(scene.camera.positionWC, centre) * IN_VIEW;
  return radius < all.radius ? new BoundingSphere(centre, radius) : all;
}

/** The sphere around everything that is shown as bodies; around all there is where nothing is. */
export function shownSphere(layers: Layers): BoundingSphere | null {
  const boxes = (solid: boolean) =>
    [...layers.all.values()]
      .filter(({ view, collection }) => view.visible && (!solid || drawing(collection) === "tileset"))
      .map(({ collection }) => toBbox3D(collection.extent?.spatial.bbox[0]))
      .filter((box) => box !== null);
  const bodies = boxes(true);
  const found = bodies.length > 0 ? bodies : boxes(false);
  return found.length > 0 ? BoundingSphere.fromPoints(found.flatMap(corners)) : null;
}
