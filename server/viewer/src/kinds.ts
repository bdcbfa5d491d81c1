/** How the kinds of layers come onto the screen. */

/** As 3D tiles; as pictures laid on the ground; as the ground itself. */
export type Drawing = "tileset" | "draped" | "ground";

const DRAWN: Record<string, Drawing> = { terrain: "ground", imagery: "draped", vector: "draped" };

export function drawing(kind: string): Drawing {
  return DRAWN[kind] ?? "tileset";
}
