import type { City, Collection, Hit, Item, Job, Problem, Receipt } from "./types";

/** What the server said when it refused, or `status` 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly messageZh: string | null = null,
    readonly reference: string | null = null,
  ) {
    super(message);
  }
}

/** Turns a problem document (RFC 9457), or whatever came instead of one, into an error. */
export function problemToError(status: number, body: string): ApiError {
  try {
    const problem = JSON.parse(body) as Partial<Problem>;
    const text = problem.detail ?? problem.title;
    if (text) return new ApiError(status, text, problem.detail_zh ?? null, problem.id ?? null);
  } catch {
    // A proxy's HTML page or nothing at all: the status is what is known.
  }
  return new ApiError(status, `HTTP ${status}`);
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, String(error));
  }
  if (!response.ok) throw problemToError(response.status, await response.text());
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

const part = encodeURIComponent;

export const api = {
  city: () => request<City>("/city"),
  collections: () => request<{ collections: Collection[] }>("/collections").then((r) => r.collections),
  item: (layer: string, id: string) => request<Item>(`/collections/${part(layer)}/items/${part(id)}`),
  /** Whether a layer has a feature; unlike reading it, asking is no error when it has not. */
  has: (layer: string, id: string) =>
    request<{ features: { id: string }[] }>(`/collections/${part(layer)}/items?q=${part(id)}&limit=10`).then(
      (r) => r.features.some((feature) => feature.id === id),
    ),
  search: (q: string, signal: AbortSignal) =>
    request<{ hits: Hit[] }>(`/search?q=${part(q)}&limit=20`, { signal }).then((r) => r.hits),
  jobs: () => request<{ jobs: Job[] }>("/jobs?limit=20").then((r) => r.jobs),
  job: (id: string) => request<Job>(`/jobs/${part(id)}`),
  cancelJob: (id: string) => request<unknown>(`/jobs/${part(id)}`, { method: "DELETE" }),
  receipt: (id: string) => request<Receipt>(`/receipts/${part(id)}`),
};
