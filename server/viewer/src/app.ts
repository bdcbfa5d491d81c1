/** The parts of a running viewer, handed to every panel. */
import type { CesiumWidget } from "cesium";
import type { Camera } from "./camera";
import type { Comparison } from "./comparison";
import type { City } from "./data/types";
import type { Imports } from "./imports";
import type { Layers } from "./layers";
import type { Live } from "./live";
import type { Motion } from "./scene/motion";
import type { Quality } from "./scene/quality";
import type { Surroundings } from "./scene/surroundings";
import type { Selection } from "./selection";
import type { Versions } from "./versions";

export interface App {
  city: City;
  widget: CesiumWidget;
  surroundings: Surroundings;
  layers: Layers;
  motion: Motion;
  quality: Quality;
  camera: Camera;
  selection: Selection;
  live: Live;
  imports: Imports;
  versions: Versions;
  comparison: Comparison;
}
