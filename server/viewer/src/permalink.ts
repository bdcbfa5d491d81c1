/**
 * The state of the scene as the fragment of the address, readable and stable:
 *
 *     #c=113.46,23.1,120,0,-35,0&l=office;o=0.5;m=class;hc=IfcSpace&sel=office/2O2Fr…&lang=zh
 *
 * `c` camera (longitude, latitude, height, heading, pitch, roll), one `l` per layer
 * with what differs from its defaults, `cmp` two versions that are compared, `sel` the selection (of an older version with its number),
 * `chart` the datastreams of the chart and its range,
 * one `t.` per tool that is on with its state, `table` what the table shows, `lang` the language, `more`
 * that layers without an `l` are not hidden. A link that signs one in has its token in `sign-in`.
 */
import type { Compared } from "./data/api";
import type { Lang } from "./data/types";
import { POINT_MODES, type PointMode } from "./pointModes";
import type { ColourMode } from "./style";
import { decodeTheme, encodeTheme, type Theme } from "./theme";

const MODES: readonly ColourMode[] = ["material", "class", "attribute"];

/** Degrees and metres. */
export interface CameraView {
  lon: number;
  lat: number;
  height: number;
  heading: number;
  pitch: number;
  roll: number;
}

/** What a permalink says about a layer; `undefined` means "as the layer has it by default". */
export interface LayerLink {
  id: string;
  visible: boolean;
  opacity: number;
  colourBy: ColourMode;
  theme?: Theme | undefined;
  pointMode?: PointMode | undefined;
  hiddenPointClasses?: string[] | undefined;
  hiddenClasses?: string[] | undefined;
  hiddenStoreys?: string[] | undefined;
  hiddenFeatures?: string[] | undefined;
}

/** Two versions side by side: what is switched off, and where the line between them stands. */
export interface ComparisonLink extends Compared {
  off: string[];
  /** A fraction of the picture; `null` lays the versions over each other. */
  swipe: number | null;
}

export interface Link {
  camera?: CameraView | undefined;
  layers: LayerLink[];
  comparison?: ComparisonLink | undefined;
  selection?: { layer: string; id: string; version?: number | undefined } | undefined;
  /** The state of every tool that is on, by its name. */
  tools?: Record<string, string> | undefined;
  /** The layer of the table, and the ids in it if it is not the whole layer. */
  table?: string | undefined;
  /** The datastreams of the chart, and over which time. */
  chart?: string | undefined;
  lang?: Lang | undefined;
  /** Layers it does not name stand as they do without a link. */
  more?: boolean | undefined;
}

/** Escapes what has a meaning here, and leaves the rest readable. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(/%24/g, "$");
}

function list(values: string[]): string {
  return values.map(escape).join(",");
}

function round(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

export function encodeLink(link: Link): string {
  const parts: string[] = [];
  if (link.camera) {
    const c = link.camera;
    const numbers = [round(c.lon, 8), round(c.lat, 8), round(c.height, 2)];
    numbers.push(round(c.heading, 2), round(c.pitch, 2), round(c.roll, 2));
    parts.push(`c=${numbers.join(",")}`);
  }
  for (const layer of link.layers) {
    const fields = [escape(layer.id)];
    if (!layer.visible) fields.push("v=0");
    if (layer.opacity !== 1) fields.push(`o=${round(layer.opacity, 2)}`);
    if (layer.colourBy !== "material") fields.push(`m=${layer.colourBy}`);
    if (layer.theme) fields.push(`th=${list(encodeTheme(layer.theme))}`);
    if (layer.pointMode) fields.push(`pm=${layer.pointMode}`);
    if (layer.hiddenPointClasses) fields.push(`hp=${list(layer.hiddenPointClasses)}`);
    if (layer.hiddenClasses) fields.push(`hc=${list(layer.hiddenClasses)}`);
    if (layer.hiddenStoreys) fields.push(`hs=${list(layer.hiddenStoreys)}`);
    if (layer.hiddenFeatures) fields.push(`hf=${list(layer.hiddenFeatures)}`);
    parts.push(`l=${fields.join(";")}`);
  }
  if (link.comparison) {
    const { layer, from, to, off, swipe } = link.comparison;
    const fields = [escape(layer), String(from), String(to)];
    if (swipe !== null) fields.push(`s=${round(swipe, 4)}`);
    if (off.length > 0) fields.push(`off=${list(off)}`);
    parts.push(`cmp=${fields.join(";")}`);
  }
  if (link.selection) {
    const { layer, id, version } = link.selection;
    parts.push(`sel=${[escape(layer), escape(id), ...(version === undefined ? [] : [version])].join("/")}`);
  }
  for (const [name, state] of Object.entries(link.tools ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(`t.${name}=${escape(state).replace(/%(2C|3B|3A)/g, decodeURIComponent)}`);
  }
  if (link.table) parts.push(`table=${link.table}`);
  if (link.chart) parts.push(`chart=${link.chart}`);
  if (link.lang) parts.push(`lang=${link.lang}`);
  if (link.more) parts.push("more=1");
  return parts.join("&");
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // cut off in the middle of an escape when it was pasted
  }
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decodeCamera(text: string): CameraView | undefined {
  const n = text.split(",").map(Number);
  if (n.length !== 6 || n.some((value) => !Number.isFinite(value))) return undefined;
  const [lon, lat, height, heading, pitch, roll] = n as [number, number, number, number, number, number];
  if (Math.abs(lon) > 180 || Math.abs(lat) > 90) return undefined;
  return { lon, lat, height, heading, pitch, roll };
}

function decodeLayer(text: string): LayerLink | undefined {
  const [id, ...fields] = text.split(";");
  if (!id) return undefined;
  const layer: LayerLink = { id: unescape(id), visible: true, opacity: 1, colourBy: "material" };
  for (const field of fields) {
    const [key, value] = splitPair(field);
    const values = value === "" ? [] : value.split(",").map(unescape);
    if (key === "v") layer.visible = value !== "0";
    if (key === "o" && Number.isFinite(Number(value)))
      layer.opacity = Math.min(1, Math.max(0, Number(value)));
    if (key === "m" && MODES.some((mode) => mode === value)) layer.colourBy = value as ColourMode;
    if (key === "th") {
      const theme = decodeTheme(values);
      if (theme) layer.theme = theme;
    }
    const pointMode = POINT_MODES.find((mode) => key === "pm" && mode === value);
    if (pointMode) layer.pointMode = pointMode;
    if (key === "hp") layer.hiddenPointClasses = values;
    if (key === "hc") layer.hiddenClasses = values;
    if (key === "hs") layer.hiddenStoreys = values;
    if (key === "hf") layer.hiddenFeatures = values;
  }
  return layer;
}

function versionNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function decodeComparison(text: string): ComparisonLink | undefined {
  const [id, older, newer, ...fields] = text.split(";");
  const [from, to] = [versionNumber(older), versionNumber(newer)];
  if (!id || from === undefined || to === undefined) return undefined;
  const found: ComparisonLink = { layer: unescape(id), from, to, off: [], swipe: null };
  for (const field of fields) {
    const [key, value] = splitPair(field);
    if (key === "s" && value !== "" && Number(value) >= 0 && Number(value) <= 1) found.swipe = Number(value);
    if (key === "off") found.off = value.split(",").map(unescape);
  }
  return found;
}

/** Reads a fragment, with or without its `#`; what it does not understand it leaves out. */
export function decodeLink(fragment: string): Link {
  const link: Link = { layers: [] };
  for (const field of fragment.replace(/^#/, "").split("&")) {
    const [key, value] = splitPair(field);
    if (key === "c") link.camera = decodeCamera(value);
    if (key === "l") {
      const layer = decodeLayer(value);
      if (layer) link.layers.push(layer);
    }
    if (key === "cmp") link.comparison = decodeComparison(value);
    if (key === "sel") {
      const [layer, id, version] = value.split("/");
      const number = versionNumber(version);
      if (layer && id) link.selection = { layer: unescape(layer), id: unescape(id) };
      if (link.selection && number !== undefined) link.selection.version = number;
    }
    if (key.startsWith("t.")) link.tools = { ...link.tools, [key.slice(2)]: unescape(value) };
    if (key === "table" && value !== "") link.table = value;
    if (key === "chart" && value !== "") link.chart = value;
    if (key === "lang" && (value === "en" || value === "zh")) link.lang = value;
    if (key === "more" && value === "1") link.more = true;
  }
  return link;
}

/**
 * The link of what is shown now, with what the page was opened for and whoever looked could not see.
 * Who came without a link sees what there is for them, as at first.
 */
export function carried(now: Link, opened: Link): Link {
  const known = new Set(now.layers.map(({ id }) => id));
  const unseen = (id: string | undefined) => id !== undefined && !known.has(id);
  const table = opened.table?.split(",")[0];
  const link: Link = { ...now, layers: [...now.layers, ...opened.layers.filter(({ id }) => unseen(id))] };
  if (!link.selection && unseen(opened.selection?.layer)) link.selection = opened.selection;
  if (!link.comparison && unseen(opened.comparison?.layer)) link.comparison = opened.comparison;
  if (!link.table && unseen(table && unescape(table))) link.table = opened.table;
  if (opened.layers.length === 0 || opened.more) link.more = true;
  return link;
}

const TOKEN = "sign-in=";

/** The token of a link that signs one in, and the fragment without it. */
export function splitToken(fragment: string): { token: string | null; rest: string } {
  const fields = fragment.replace(/^#/, "").split("&");
  const found = fields.find((field) => field.startsWith(TOKEN));
  const rest = fields.filter((field) => !field.startsWith(TOKEN)).join("&");
  return { token: found ? unescape(found.slice(TOKEN.length)) : null, rest };
}
