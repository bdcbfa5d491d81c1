/** How the kinds of layers come onto the screen. */
import type { Collection } from "./data/types";

/** As 3D tiles; as pictures laid on the ground; as the ground itself. */
export type Drawing = "tileset" | "draped" | "ground";

const DRAWN: Record<string, Drawing> = { terrain: "ground", imagery: "draped", vector: "draped" };

export function drawing({ kind, part }: Pick<Collection, "kind" | "part">): Drawing {
  return part ? "draped" : (DRAWN[kind] ?? "tileset");
}

/** Whether a layer is a plan that the server draws: outlines by their nature, or what is seen only in part. */
export function isPlan({ kind, part }: Pick<Collection, "kind" | "part">): boolean {
  return kind === "vector" || Boolean(part);
}

/** The same for what is seen of a layer alike. */
export function partKey({ part }: Pick<Collection, "part">): string {
  return part ? JSON.stringify(part) : "";
}

/** Whether a layer is a pipe network that can be asked and looked at in 3D. */
export function isNetwork({ kind, part }: Pick<Collection, "kind" | "part">): boolean {
  return kind === "network" && !part;
}

/**
 * Whether a layer is shown to those who open the city without a link: not what is planned, nor what
 * would cover the picture of the ground or the models.
 */
export function shownAtFirst(layer: Collection, all: readonly Collection[]): boolean {
  const beside = (kind: string) => all.some((other) => other.kind === kind);
  if (layer.lifecycle === "planned" && all.some((other) => other.lifecycle !== "planned")) return false;
  // Pipes lie in the ground: they come when one looks into it.
  if (isNetwork(layer)) return !beside("terrain") && !beside("model");
  if (layer.kind === "vector") return !beside("imagery");
  return layer.kind !== "points" || !beside("model");
}
