import type { CheckinReport } from "../checkin";
import type { Kind } from "../differences";
import { Signal } from "../signal";
import type { Attribute, Column } from "../theme";
import type { CatalogueNode, ProcessDescription, ProcessResult, ProcessSummary } from "./processes";
import type {
  City,
  Collection,
  ComparisonPage,
  FeaturePage,
  Hit,
  Item,
  Job,
  Problem,
  Receipt,
  VersionEntry,
  Versions,
} from "./types";

/** What the server said when it refused, or `status` 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly messageZh: string | null = null,
    readonly reference: string | null = null,
    /** Which of several refusals it is, where the page does something else for each. */
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

/** The server lets whoever asks not in, or knows of no such thing for them: perhaps it does not know them any more. */
export const turnedAway = new Signal();

/** Turns a problem document (RFC 9457), or whatever came instead of one, into an error. */
export function problemToError(status: number, body: string): ApiError {
  try {
    const problem = JSON.parse(body) as Partial<Problem>;
    const text = problem.detail ?? problem.title;
    if (text) return new ApiError(status, text, problem.detail_zh ?? null, problem.id ?? null, problem.code ?? null);
  } catch {
    // A proxy's HTML page or nothing at all: the status is what is known.
  }
  return new ApiError(status, `HTTP ${status}`);
}

export async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await answered(path, init);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** An answer that is no refusal. */
export async function answered(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, String(error));
  }
  if (response.ok) return response;
  const refused = problemToError(response.status, await response.text());
  if ([401, 403, 404].includes(response.status)) turnedAway.emit();
  throw refused;
}

const part = encodeURIComponent;

/** A layer and two of its versions. */
export interface Compared {
  layer: string;
  from: number;
  to: number;
}

function comparison({ layer, from, to }: Compared, what = ""): string {
  return `/collections/${part(layer)}/comparison${what}?from=${from}&to=${to}`;
}

function items(layer: string, ids: readonly string[] | null): string {
  return `/collections/${part(layer)}/items?${ids ? `ids=${ids.map(part).join(",")}` : ""}`;
}

export const api = {
  city: () => request<City>("/city"),
  collections: () => request<{ collections: Collection[] }>("/collections").then((r) => r.collections),
  item: (layer: string, id: string, version?: number) =>
    request<Item>(
      `/collections/${part(layer)}/items/${part(id)}${version === undefined ? "" : `?version=${version}`}`,
    ),
  /** The address of a feature's geometry as a file. */
  geometry: (layer: string, id: string, version: number, format: string) =>
    `/collections/${part(layer)}/geometry/${part(id)}?f=${format}&version=${version}`,
  /** Whether a layer has a feature; unlike reading it, asking is no error when it has not. */
  has: (layer: string, id: string) =>
    request<{ features: { id: string }[] }>(`/collections/${part(layer)}/items?q=${part(id)}&limit=10`).then(
      (r) => r.features.some((feature) => feature.id === id),
    ),
  /** A page of a layer's features, or of those with some ids. */
  items: (layer: string, ids: readonly string[] | null, limit: number, after?: string) =>
    request<FeaturePage>(
      `${items(layer, ids)}&limit=${limit}${after === undefined ? "" : `&after=${part(after)}`}`,
    ),
  /** Some of a layer's features in a box: west, south, east, north. */
  itemsIn: (layer: string, box: readonly number[], limit: number) =>
    request<FeaturePage>(`/collections/${part(layer)}/items?bbox=${box.join(",")}&limit=${limit}`),
  /** The address of features as a file. */
  exportOf: (layer: string, ids: readonly string[] | null, format: string) => `${items(layer, ids)}&f=${format}`,
  processes: () => request<{ processes: ProcessSummary[] }>("/processes").then((r) => r.processes),
  process: (id: string) => request<ProcessDescription>(`/processes/${part(id)}`),
  execute: (id: string, inputs: Record<string, unknown>) =>
    request<ProcessResult>(`/processes/${part(id)}/execution`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs, response: "document" }),
    }),
  /** One output as a file. */
  executeFor: (id: string, inputs: Record<string, unknown>, output: string, mediaType: string) =>
    answered(`/processes/${part(id)}/execution`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: mediaType },
      body: JSON.stringify({ inputs, outputs: { [output]: { format: { mediaType } } }, response: "raw" }),
    }).then((response) => response.blob()),
  cellOutlines: (cells: readonly string[]) =>
    request<{ outlines: [number, number][][] }>("/cells/outlines", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(cells),
    }).then((r) => r.outlines),
  pointClasses: () =>
    request<{ classes: Record<string, { en: string; zh: string; color: string }> }>("/point-classes").then((r) =>
      Object.entries(r.classes).map(([code, { en, zh, color }]) => ({ code: Number(code), title: { en, zh }, color })),
    ),
  catalogue: () => request<{ tree: CatalogueNode[] }>("/catalogue").then((r) => r.tree),
  /** What the features of a layer can be styled by. */
  attributes: (layer: string) =>
    request<{ attributes: Attribute[] }>(`/collections/${part(layer)}/attributes`).then((r) => r.attributes),
  /** One attribute of all features. */
  attribute: (layer: string, name: string) =>
    request<Column>(`/collections/${part(layer)}/attributes/${part(name)}`),
  versions: (layer: string) => request<Versions>(`/collections/${part(layer)}/versions`),
  makeCurrent: (layer: string, version: number) =>
    request<VersionEntry>(`/collections/${part(layer)}/versions/current`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ version }),
    }),
  /** Changes of some kinds, in the order of ids, after the id `after`. */
  comparison: (compared: Compared, kinds: readonly Kind[], limit: number, after?: string) =>
    request<ComparisonPage>(
      `${comparison(compared)}&kind=${kinds.join(",")}&limit=${limit}${after === undefined ? "" : `&after=${part(after)}`}`,
    ),
  changedIds: (compared: Compared) => request<Record<Kind, string[]>>(comparison(compared, "/ids")),
  comparisonCsv: (compared: Compared) => `${comparison(compared)}&f=csv`,
  /** A check-in report, by the address its summary gives. */
  checkin: (href: string) => request<CheckinReport>(href),
  search: (q: string, signal: AbortSignal) =>
    request<{ hits: Hit[] }>(`/search?q=${part(q)}&limit=20`, { signal }).then((r) => r.hits),
  jobs: () => request<{ jobs: Job[] }>("/jobs?limit=20").then((r) => r.jobs),
  job: (id: string) => request<Job>(`/jobs/${part(id)}`),
  cancelJob: (id: string) => request<unknown>(`/jobs/${part(id)}`, { method: "DELETE" }),
  receipt: (id: string) => request<Receipt>(`/receipts/${part(id)}`),
};
