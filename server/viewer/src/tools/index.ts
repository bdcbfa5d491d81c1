/** All tools, in the order of the toolbar. */
import type { App } from "../app";
import { HeatTool } from "../sensing/heatTool";
import { SensorsTool } from "../sensing/sensorsTool";
import { TrafficTool } from "../traffic/trafficTool";
import { BaseTool } from "./baseTool";
import { ClipBox } from "./clipBox";
import { Clipping } from "./clipping";
import { Flat } from "./flat";
import { Here } from "./here";
import { Measure } from "./measure";
import { Phases } from "./phases";
import { Pipes } from "./pipes";
import { Section } from "./section";
import { Sun } from "./sun";
import { Toolbox } from "./toolbox";
import { Underground } from "./underground";
import { Views } from "./views";

type Parts = Pick<
  App,
  "widget" | "layers" | "surroundings" | "base" | "camera" | "comparison" | "analysis" | "flow" | "sensing" | "filter" | "heat"
>;

export function makeToolbox(parts: Parts): Toolbox {
  const { widget, layers, surroundings, base, camera, comparison, analysis, flow, sensing, filter, heat } = parts;
  const { scene } = widget;
  const clipping = new Clipping(scene, layers);
  const underground = new Underground(scene, surroundings, layers, clipping, base);
  return new Toolbox([
    new BaseTool(base),
    new Flat(widget),
    underground,
    new Section(scene, layers, clipping),
    new ClipBox(scene, layers, clipping),
    new Measure("distance", scene),
    new Measure("area", scene),
    new Measure("height", scene),
    new Phases(scene, layers, base, comparison, () => camera.freeMiddle),
    new Sun(widget, surroundings, layers, base),
    new Views(analysis),
    new Pipes(layers, analysis, underground, flow),
    new Here(scene, analysis, layers),
    new SensorsTool(sensing, filter),
    new HeatTool(heat, sensing),
    new TrafficTool(),
  ]);
}
