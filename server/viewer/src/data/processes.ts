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

export type Cell = string | number | boolean | null | (number | null)[];

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

export type ProcessResult = Record<string, ResultTable | CellGrid | ResultDrawing | ResultLink>;

export const isTable = (output: ProcessResult[string]): output is ResultTable => "rows" in output;
export const isDrawing = (output: ProcessResult[string]): output is ResultDrawing => "svg" in output;
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
