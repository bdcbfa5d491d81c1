/** The shapes of the HTTP interface, as far as the viewer reads them. */

export type Lang = "en" | "zh";
export type Localized = Record<Lang, string>;

/** West, south, lowest, east, north, highest: degrees and metres. */
export type Bbox3D = readonly [number, number, number, number, number, number];

/** Degrees, and metres above the ellipsoid. */
export interface Place {
  lon: number;
  lat: number;
  height: number;
}

export interface City {
  name: string;
  /** `null` until the first layer says where the city is. */
  anchor: Place | null;
  crs: string | null;
  vertical_datum: string | null;
  version: string;
  max_upload_bytes: number;
  extensions: string[];
}

export interface ClassCount {
  class: string;
  title: Localized;
  count: number;
  color: string;
  visible: boolean;
}

export interface StoreyCount {
  id: string | null;
  name: string | null;
  elevation: number | null;
  count: number;
}

export interface Georeference {
  method: string;
  crs: string | null;
  note: Localized | null;
}

export interface Collection {
  id: string;
  title: string;
  kind: string;
  lifecycle: string;
  level: string;
  extent: { spatial: { bbox: number[][] } } | null;
  numberOfFeatures: number;
  version: number;
  published: string;
  receipt: string | null;
  georeference: Georeference | null;
  classes: ClassCount[];
  storeys: StoreyCount[];
  tileset: { href: string; bytes: number; tiles: number; triangles: number } | null;
}

export type PropertyValue = string | number | boolean | null | PropertyValue[];

export interface PropertySet {
  name: string;
  kind: "property" | "quantity";
  properties: { name: string; value: PropertyValue; unit: string | null }[];
}

export interface Item {
  id: string;
  bbox: number[] | null;
  properties: {
    class: string;
    name: string | null;
    type: string | null;
    storey: { id: string; name: string | null } | null;
    parent: { id: string; class: string; name: string | null } | null;
    system: (string | { id?: string; name?: string | null })[] | null;
    material: string[] | null;
    zmin: number | null;
    zmax: number | null;
  };
  property_sets: PropertySet[];
  layer: string;
  version: number;
  receipt: string | null;
}

export interface Hit {
  layer: string;
  id: string;
  class: string;
  name: string | null;
  storey: string | { id: string; name: string | null } | null;
  bbox: number[] | null;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  detail_zh?: string;
  id?: string;
}

export type JobStatus = "accepted" | "running" | "successful" | "failed" | "dismissed";

export interface Dropped {
  id: string;
  class: string;
  reason: string;
  reason_zh?: string;
}

export interface ImportReport {
  layer: string;
  version: number;
  features: number;
  dropped: Dropped[];
  georeference: Georeference | null;
  tileset: string;
  bytes: number;
  receipt: string | null;
  warnings: string[];
  /** As long as `warnings`; `null` where there is no Chinese. */
  warnings_zh?: (string | null)[];
}

export interface Job {
  jobID: string;
  type: string;
  status: JobStatus;
  layer: string | null;
  filename: string | null;
  created: string;
  started: string | null;
  finished: string | null;
  progress: { done: number; total: number | null; note: string } | null;
  problem: Problem | null;
  report: ImportReport | null;
}

export interface Receipt {
  id: string;
  kind: string;
  when: string;
  who: string | null;
  software: string;
  inputs: { name: string; sha256?: string | null; bytes?: number | null; version?: number | null }[];
  parameters: Record<string, unknown>;
  outputs: Record<string, unknown>;
}
