/** The shapes of what the office speaks with the server about. */
import type { Localized } from "../data/types";

/** In the order in which they are listed everywhere. */
export const ROLES = [
  "viewer",
  "reporter",
  "supervisor",
  "editor",
  "data-manager",
  "security-administrator",
  "auditor",
] as const;
export type Role = (typeof ROLES)[number];

/** Verbs that a policy grants by sensitivity, then those that it grants for the whole city. */
export const LAYER_VERBS = ["read", "export", "edit", "manage", "record", "respond", "report", "order", "households"] as const;
export const CITY_VERBS = ["administer", "audit"] as const;
/** What entries of the log are about. */
export const LOG_VERBS = ["sign-in", "sign-out", "own", ...LAYER_VERBS, ...CITY_VERBS] as const;

export const SENSITIVITIES = ["public", "internal", "sensitive"] as const;

export interface Person {
  id: string;
  /** What they sign in with. */
  name: string;
  title: string;
  roles: string[];
  towns: string[];
  department: string | null;
  active: boolean;
  /** Signs in with the city's own identity service. */
  sso: boolean;
  has_password: boolean;
  totp: boolean;
  locked: boolean;
  created: string;
  last_signed_in: string | null;
}

/** What can be said of a person when they are made; the name stays. */
export interface PersonChange {
  title: string;
  roles: string[];
  towns: string[];
  department: string | null;
}

export interface Session {
  person: Person | null;
  /** Verbs that hold for at least some layers. */
  may: string[];
  via: "session" | "key" | "loopback" | "stranger";
  policy: "default" | "own" | "none";
  /** The city's own identity service, where it has one. */
  oidc: { title: string; href: string } | null;
  expires: string | null;
  second_factor: "none" | "on" | "wanted";
}

export interface Department {
  id: string;
  title: Localized;
}

export interface Town {
  id: string;
  title: Localized;
  boundary: Boundary | null;
}

type Ring = [number, number][];
/** An area of GeoJSON, degrees. */
export type Boundary = { type: "Polygon"; coordinates: Ring[] } | { type: "MultiPolygon"; coordinates: Ring[][] };

export interface Key {
  id: string;
  title: string;
  /** Whose: the id of a person. */
  person: string;
  scopes: string[];
  created: string;
  expires: string | null;
  last_used: string | null;
  revoked: string | boolean | null;
}

/** A line of the log. */
export interface Entry {
  seq: number;
  at: string;
  /** No id: somebody at the command line. */
  person: { id: string | null; name: string } | null;
  via: string;
  address: string;
  verb: string;
  what: string;
  layers: string[];
  /** Of the answer, where there was one. */
  status: number | null;
  result: "ok" | "denied" | "failed";
  detail: Record<string, unknown>;
  hash: string;
}

export interface LogPage {
  entries: Entry[];
  /** After which number the next page begins. */
  next: number | null;
  total: number;
}

export type Verification =
  | { intact: true; entries: number; first: string | null; last: string | null; head: string | null }
  | { intact: false; broken_at: number; reason: string; reason_zh?: string };
