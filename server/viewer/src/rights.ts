/** What may be done with this city by whoever looks at it: what is not allowed is not offered. */
import type { CITY_VERBS, LAYER_VERBS } from "./office/types";

export type Verb = (typeof LAYER_VERBS)[number] | (typeof CITY_VERBS)[number];

let granted: ReadonlySet<string> = new Set();

export function setRights(verbs: readonly string[]): void {
  granted = new Set(verbs);
}

/** Whether a verb holds for at least some layers; the server decides for each. */
export function may(verb: Verb): boolean {
  return granted.has(verb);
}
