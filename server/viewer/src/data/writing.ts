/** Writing to the server: JSON, only over the version that was read where one is named. */
import { ApiError, request } from "./api";

/** Sends JSON; with a version only if that is still the newest one. */
export function sent<T>(method: string, path: string, body?: unknown, version?: number): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  return request<T>(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Whether somebody was faster. */
export function isOutOfDate(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

/** A query of what is neither empty nor null, with its question mark. */
export function query(values: Partial<Record<string, string | null>>): string {
  const filled = Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return filled.length === 0 ? "" : `?${new URLSearchParams(filled)}`;
}
