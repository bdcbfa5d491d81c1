/** Processes as OGC API Processes describes them, as far as the viewer reads them. */
import type { Collection } from "./types";

/** Every text stands in both languages. */
interface Titled {
  title: string;
  title_zh?: string | null;
  description?: string;
  description_zh?: string | null;
}

export interface InputSchema {
  type: "number" | "integer" | "string" | "boolean" | "object" | "array";
  format?: string;
  /** Whether it is seldom given, so that it need not stand in the way. */
  rare?: boolean;
  /** What kinds of GeoJSON geometry a place may be, the usual one first. */
  geometries?: string[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  items?: { type: string; format?: string };
}

export interface ProcessInput extends Titled {
  unit?: string | null;
  minOccurs?: number;
  schema: InputSchema;
}

export interface ProcessSummary extends Titled {
  id: string;
}

export interface ProcessDescription extends ProcessSummary {
  inputs: Record<string, ProcessInput>;
  outputs: Record<string, Titled & { schema: { type: string; format?: string } }>;
}

export type Cell = string | number | boolean | null | (number | string | null)[];

export interface ResultTable {
  columns: (Titled & { name: string; type: string; unit?: string | null })[];
  rows: Cell[][];
  /** The cursor of the rows that follow. */
  next?: string | null;
}

export interface CellGrid {
  resolution: number;
  unit: string;
  cells: string[];
  values: number[];
}

export interface ResultLink {
  href: string;
}

/** A drawing whose parts name their features in `data-layer` and `data-id`. */
export interface ResultDrawing {
  mediaType: string;
  svg: string;
  /** Media types it can be had in. */
  formats: string[];
}

export interface SketchClass extends Titled {
  class: string;
  color: string;
  count: number;
}

/** Colours of values: one more than limits. */
export interface SketchScale extends Titled {
  unit: string;
  limits: number[];
  colors: string[];
}

export type SketchGeometry =
  | { type: "Point"; coordinates: number[] }
  | { type: "MultiPoint" | "LineString"; coordinates: number[][] }
  | { type: "MultiLineString" | "Polygon"; coordinates: number[][][] }
  | { type: "MultiPolygon"; coordinates: number[][][][] }
  | { type: "GeometryCollection"; geometries: SketchGeometry[] };

export interface SketchFeature {
  id: string;
  geometry: SketchGeometry;
  /** Heights are metres in the city's vertical datum: an area from `bottom` to `top` is a prism. */
  properties: {
    class: string;
    label: string | null;
    label_zh: string | null;
    value: number | null;
    color: string;
    bottom: number | null;
    top: number | null;
  };
}

/** Shapes in space that show what an answer is made of. */
export interface Sketch {
  type: "FeatureCollection";
  features: SketchFeature[];
  classes: SketchClass[];
  scale: SketchScale | null;
}

export type ProcessResult = Record<string, ResultTable | CellGrid | ResultDrawing | Sketch | ResultLink>;

export const isTable = (output: ProcessResult[string]): output is ResultTable => "rows" in output;
export const isDrawing = (output: ProcessResult[string]): output is ResultDrawing => "svg" in output;
export const isSketch = (output: ProcessResult[string]): output is Sketch => "features" in output;
export const isGrid = (output: ProcessResult[string]): output is CellGrid => "cells" in output;

/** The layers that inputs name. */
export function layersNamed({ inputs }: Pick<ProcessDescription, "inputs">, given: Record<string, unknown>): string[] {
  return Object.entries(inputs)
    .filter(([, { schema }]) => (schema.items ?? schema).format === "layer-id")
    .flatMap(([name]) => (given[name] ?? []) as string | string[]);
}

export interface CatalogueNode {
  id: string;
  title: { en: string; zh: string };
  layers: Collection[];
  children: CatalogueNode[];
}
