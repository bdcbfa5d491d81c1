/** Makes the 3D scene: engine settings, light and background. Nothing here knows of layers. */
import { BoundingSphere, Cartesian3, CesiumWidget, Color, Ion, Matrix4, RequestScheduler } from "cesium";
import type { Place } from "../data/types";
import { addEdges } from "./edges";
import { GROUND_COLOUR, LevelGround } from "./ground";
import { Motion } from "./motion";
import { Outline } from "./outline";
import { Quality } from "./quality";
import { Resolution } from "./resolution";
import { HORIZON_COLOUR } from "./sky";
import { addSmooth } from "./smooth";
import { Surroundings } from "./surroundings";

export class NoWebGL extends Error {}

export interface SceneParts {
  widget: CesiumWidget;
  surroundings: Surroundings;
  motion: Motion;
  quality: Quality;
  resolution: Resolution;
  outline: Outline;
}

function detectRenderer(): { supported: boolean; software: boolean } {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return { supported: false, software: false };
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return { supported: true, software: /swiftshader|llvmpipe|software|basic render/i.test(name) };
}

/**
 * Builds the scene around a place.
 *
 * @throws NoWebGL when the browser cannot draw in 3D.
 */
export function createScene(container: HTMLElement, anchor: Place): SceneParts {
  const { supported, software } = detectRenderer();
  if (!supported) throw new NoWebGL();

  Ion.defaultAccessToken = "";
  RequestScheduler.maximumRequestsPerServer = 12;

  const nowhere = document.createElement("div"); // credits of services that are not used
  const ground = new LevelGround();
  const widget = new CesiumWidget(container, {
    baseLayer: false,
    skyBox: false,
    skyAtmosphere: false,
    globe: ground,
    creditContainer: nowhere,
    creditViewport: nowhere,
    scene3DOnly: true,
    requestRenderMode: true,
    maximumRenderTimeChange: Number.POSITIVE_INFINITY,
    shouldAnimate: false,
    showRenderLoopErrors: false,
    useBrowserRecommendedResolution: false,
    msaaSamples: software ? 1 : 4,
  });
  const resolution = new Resolution(widget);

  const { scene } = widget;
  scene.backgroundColor = Color.fromCssColorString(HORIZON_COLOUR);
  scene.fog.enabled = false;
  scene.highDynamicRange = false;
  ground.showGroundAtmosphere = false;
  ground.showWaterEffect = false;
  ground.depthTestAgainstTerrain = true;
  ground.baseColor = Color.fromCssColorString(GROUND_COLOUR);

  const controller = scene.screenSpaceCameraController;
  controller.minimumZoomDistance = 0.5;
  controller.maximumZoomDistance = 60_000;
  controller.inertiaZoom = 0.6;

  const surroundings = new Surroundings(scene, ground, anchor);
  const motion = new Motion(scene);
  const edges = addEdges(scene);
  const outline = new Outline(scene);
  const { fxaa } = scene.postProcessStages;
  fxaa.enabled = !software;
  const smooth = software ? addSmooth(scene) : fxaa;
  const quality = new Quality(scene, motion, software, [edges, outline, smooth, resolution]);

  const { lon, lat, height } = anchor;
  const start = new BoundingSphere(Cartesian3.fromDegrees(lon, lat, height), 120);
  widget.camera.viewBoundingSphere(start);
  widget.camera.lookAtTransform(Matrix4.IDENTITY);
  return { widget, surroundings, motion, quality, resolution, outline };
}
