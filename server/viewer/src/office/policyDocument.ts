/** The policy as a document: what it says where, what was changed, and changes put onto another version. */
import { CITY_VERBS, LAYER_VERBS, ROLES, SENSITIVITIES } from "./types";

export const WHOSE = ["none", "department", "town", "all"] as const;

/** Whoever has not signed in; a role of the policy, but of nobody. */
export const STRANGER = "stranger";
/** The rows of the table; roles that a policy has beside these are kept as they are. */
export const POLICY_ROLES = [STRANGER, ...ROLES] as const;
/** What strangers can be given at all. */
export const STRANGER_VERBS: readonly string[] = ["read", "export"];

interface RoleRules {
  city?: string[];
  hides?: string[];
  [verb: string]: Record<string, string> | string[] | undefined;
}

export interface PolicyDocument {
  roles: Record<string, RoleRules>;
  hides?: Record<string, { attributes?: string[]; heights?: boolean }>;
  limits?: Record<string, number | string[]>;
}

export interface PolicyAnswer {
  kind: "default" | "own" | "none";
  version: number;
  policy: PolicyDocument;
}

export interface PreviewLayer {
  id: string;
  title: string;
  sensitivity: string;
  department: string | null;
  seen: "whole" | "part" | "no";
  /** Patterns of the attributes that are not shown. */
  hidden: string[];
  heights: boolean;
  area: string | null;
  may: string[];
}

export interface Preview {
  layers: PreviewLayer[];
  may: string[];
}

export type Value = string | number | boolean | readonly string[] | undefined;

/**
 * Where something stands: `roles/ROLE/VERB/SENSITIVITY`, `roles/ROLE/city`, `roles/ROLE/hides/NAME`,
 * `hides/NAME/attributes`, `hides/NAME/heights` or `limits/NAME`.
 */
export type Place = string;

export interface Change {
  place: Place;
  before: Value;
  after: Value;
}

/** What a policy says at a place; what is not written is the least. */
export function valueAt(document: PolicyDocument, place: Place): Value {
  const [part, name = "", what = "", more = ""] = place.split("/");
  if (part === "limits") return document.limits?.[name];
  if (part === "hides") {
    const group = document.hides?.[name];
    return what === "heights" ? (group?.heights ?? false) : group?.attributes;
  }
  const rules = document.roles[name];
  if (what === "city") return CITY_VERBS.find((verb) => rules?.city?.includes(verb)) ?? "none";
  if (what === "hides") return rules?.hides?.includes(more) ?? false;
  return (rules?.[what] as Record<string, string> | undefined)?.[more] ?? "none";
}

/** The policy with another value at a place; the document that was given stays as it is. */
export function withValue(document: PolicyDocument, place: Place, value: Value): PolicyDocument {
  const made = structuredClone(document);
  const [part, name = "", what = "", more = ""] = place.split("/");
  if (part === "limits") {
    made.limits ??= {};
    if (value === undefined) delete made.limits[name];
    else made.limits[name] = typeof value === "number" ? value : [...(value as string[])];
    return made;
  }
  if (part === "hides") {
    made.hides ??= {};
    const group = (made.hides[name] ??= { attributes: [], heights: false });
    if (what === "heights") group.heights = value === true;
    else if (value === undefined) delete made.hides[name];
    else group.attributes = [...(value as string[])];
    return made;
  }
  const rules = (made.roles[name] ??= {});
  if (what === "city") rules.city = value === "none" ? [] : [String(value)];
  else if (what === "hides") rules.hides = [...(rules.hides ?? []).filter((one) => one !== more), ...(value ? [more] : [])];
  else {
    const layers = { ...(rules[what] as Record<string, string> | undefined) };
    if (value === "none") delete layers[more];
    else layers[more] = String(value);
    rules[what] = layers;
  }
  return made;
}

function places(document: PolicyDocument, groups: readonly string[]): Place[] {
  return [
    ...POLICY_ROLES.flatMap((role) => [
      ...LAYER_VERBS.flatMap((verb) => SENSITIVITIES.map((sensitivity) => `roles/${role}/${verb}/${sensitivity}`)),
      `roles/${role}/city`,
      ...groups.map((name) => `roles/${role}/hides/${name}`),
    ]),
    ...groups.flatMap((name) => [`hides/${name}/attributes`, `hides/${name}/heights`]),
    ...Object.keys(document.limits ?? {}).map((name) => `limits/${name}`),
  ];
}

/** What differs, in the order of the page. */
export function changes(before: PolicyDocument, after: PolicyDocument): Change[] {
  const groups = [...new Set([...Object.keys(before.hides ?? {}), ...Object.keys(after.hides ?? {})])];
  return places(after, groups)
    .map((place) => ({ place, before: valueAt(before, place), after: valueAt(after, place) }))
    .filter((change) => !equal(change.before, change.after));
}

function equal(a: Value, b: Value): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Changes made to one version, put onto another. */
export function putOnto(document: PolicyDocument, made: readonly Change[]): PolicyDocument {
  return made.reduce((policy, { place, after }) => withValue(policy, place, after), document);
}

/** What a preview shows of a layer, in one word that two previews can be compared by. */
export function sightOf(layer: PreviewLayer | undefined): string {
  return layer ? JSON.stringify([layer.seen, layer.hidden, layer.heights, layer.area, layer.may]) : "";
}

/** Hidden patterns by the names of the policy that hide them, and those that none of these hides. */
export function inGroups(
  hidden: readonly string[],
  groups: NonNullable<PolicyDocument["hides"]>,
): { named: [string, string[]][]; rest: string[] } {
  const held = new Set(hidden);
  const named = Object.entries(groups)
    .map(([name, { attributes }]): [string, string[]] => [name, (attributes ?? []).map((one) => one.toLowerCase())])
    .filter(([, patterns]) => patterns.length > 0 && patterns.every((one) => held.has(one)));
  const known = new Set(named.flatMap(([, patterns]) => patterns));
  return { named, rest: hidden.filter((one) => !known.has(one)) };
}
