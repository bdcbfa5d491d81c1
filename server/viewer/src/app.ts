/** The parts of a running viewer, handed to every panel. */
import type { CesiumWidget } from "cesium";
import type { Account } from "./account";
import type { Analysis } from "./analysis";
import type { Base } from "./base";
import type { Camera } from "./camera";
import type { CellMap } from "./cellMap";
import type { Charts } from "./charts";
import type { Clouds } from "./clouds";
import type { Comparison } from "./comparison";
import type { City } from "./data/types";
import type { Highlights } from "./highlights";
import type { Imports } from "./imports";
import type { Layers } from "./layers";
import type { Live } from "./live";
import type { Link } from "./permalink";
import type { Flow } from "./scene/flow";
import type { Motion } from "./scene/motion";
import type { Quality } from "./scene/quality";
import type { Surroundings } from "./scene/surroundings";
import type { Selection } from "./selection";
import type { FeatureTable } from "./table";
import type { Themes } from "./themes";
import type { Toolbox } from "./tools/toolbox";
import type { Versions } from "./versions";

export interface App {
  city: City;
  account: Account;
  /** The link that the page shows, as it was given. */
  opened: Link;
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
  base: Base;
  toolbox: Toolbox;
  themes: Themes;
  analysis: Analysis;
  cellMap: CellMap;
  charts: Charts;
  flow: Flow;
  highlights: Highlights;
  table: FeatureTable;
  clouds: Clouds;
}
