/** The shapes of the HTTP interface, as far as the viewer reads them. */

import type { CheckinSummary } from "../checkin";
import type { Kind, Legend } from "../differences";

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
  /** Ellipsoidal height minus height in the vertical datum, metres. */
  geoid_separation: number;
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

/** What of a layer is not shown to whoever asks. */
export interface LayerPart {
  /** What attributes, by the names that the policy has for groups of them. */
  hidden: string[];
  heights: boolean;
  /** "town" where only what touches their towns is there. */
  area: string | null;
}

export interface Collection {
  id: string;
  title: string;
  kind: string;
  /** Given for a layer that is seen only in part: it has no 3D tiles, and is drawn as a plan. */
  part?: LayerPart | null;
  lifecycle: string;
  level: string;
  sensitivity?: string;
  /** Its place in the catalogue. */
  place?: string;
  links?: { href: string; rel: string }[];
  extent: { spatial: { bbox: number[][] } } | null;
  numberOfFeatures: number;
  version: number;
  published: string;
  receipt: string | null;
  georeference: Georeference | null;
  classes: ClassCount[];
  storeys: StoreyCount[];
  /** `null` for a version of before there were reports. */
  checkin: CheckinSummary | null;
  tileset: { href: string; bytes: number; tiles: number; triangles: number } | null;
}

/** An object is a complex property, or a feature that is named by another one (`id`, `name`). */
export type PropertyValue =
  | string
  | number
  | boolean
  | null
  | PropertyValue[]
  | { [name: string]: PropertyValue };

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

/** A feature in a list. */
export interface FeatureSummary {
  id: string;
  geometry?: { type: string; coordinates: unknown } | null;
  bbox: number[] | null;
  properties: Record<string, PropertyValue>;
}

export interface FeaturePage {
  features: FeatureSummary[];
  numberMatched: number;
}

export interface Hit {
  layer: string;
  id: string;
  class: string;
  name: string | null;
  storey: string | { id: string; name: string | null } | null;
  bbox: number[] | null;
}

export interface VersionEntry {
  version: number;
  title: string;
  published: string;
  receipt: string;
  features: number;
  bytes: number;
  tiles: number;
  current: boolean;
  tileset: string;
}

export interface RollBackEntry {
  when: string;
  who: string;
  from: number;
  to: number;
  receipt: string;
}

export interface Versions {
  versions: VersionEntry[];
  rollbacks: RollBackEntry[];
}

export interface PropertyChange {
  /** `null` for what the feature itself says: its name, class, storey… */
  set: string | null;
  property: string;
  /** Missing where that version does not have the property. */
  before?: PropertyValue;
  after?: PropertyValue;
  unit_before?: string | null;
  unit_after?: string | null;
}

export interface FeatureChange {
  id: string;
  class: string;
  name: string;
  bbox: number[] | null;
  kinds: Kind[];
  /** Metres east, north, up. */
  displacement: [number, number, number] | null;
  /** Degrees. */
  rotation: number | null;
  properties: PropertyChange[];
}

export interface ComparisonPage {
  counts: Record<Legend, number>;
  changes: FeatureChange[];
  numberMatched: number;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  detail_zh?: string;
  id?: string;
  code?: string;
  /** Where the check-in rules refused a file. */
  checkin?: CheckinSummary;
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
  checkin: CheckinSummary | null;
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
  steps: { done: number; total: number | null; note: string } | null;
  /** `null` while nobody knows. */
  remaining_seconds: number | null;
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
