/** Signing in and out, and one's own account. */
import type { Session } from "../office/types";
import { answered, request } from "./api";

function sent<T>(method: string, path: string, body: unknown): Promise<T> {
  return request<T>(path, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** A second factor that is not on yet. */
export interface NewSecondFactor {
  secret: string;
  uri: string;
  svg: string;
}

export const account = {
  session: () => request<Session>("/session"),
  signIn: (name: string, password: string, code?: string) =>
    sent<Session>("POST", "/session", { name, password, ...(code ? { code } : {}) }),
  follow: (token: string) => sent<Session>("POST", "/session/link", { token }),
  signOut: () => request<undefined>("/session", { method: "DELETE" }),
  changePassword: (old: string, next: string) => sent<undefined>("PUT", "/session/password", { old, new: next }),
  newSecondFactor: () => request<NewSecondFactor>("/session/totp", { method: "POST" }),
  confirmSecondFactor: (code: string) => sent<undefined>("PUT", "/session/totp", { code }),
  endSecondFactor: (code: string) => sent<undefined>("DELETE", "/session/totp", { code }),
};

/** A path for files that strangers may not read, until when, and the time of the server when it said so. */
export interface OpenCapability {
  prefix: string;
  expires: string;
  now: string | null;
}

export async function openCapability(): Promise<OpenCapability> {
  const response = await answered("/session/capability", { method: "POST", headers: { Accept: "application/json" } });
  return { ...((await response.json()) as OpenCapability), now: response.headers.get("Date") };
}

/** Milliseconds until a time of the server, by the server's own clock where it tells it. */
export function lifetime(expires: string, now: string | null): number {
  const from = now === null ? Date.now() : Date.parse(now);
  return Date.parse(expires) - from;
}
