/** The kinds of change between two versions, and how a feature of some kinds is drawn. */

/** In the order of the legend. */
export const KINDS = ["added", "removed", "moved", "geometry", "properties"] as const;
export type Kind = (typeof KINDS)[number];
export type Legend = Kind | "unchanged";
export const LEGEND: readonly Legend[] = [...KINDS, "unchanged"];

/** Colour and sign; the sign says the same where colours cannot be told apart. */
export const LOOKS: Record<Legend, { colour: string; alpha: number; sign: string }> = {
  added: { colour: "#1a9641", alpha: 1, sign: "+" },
  removed: { colour: "#d7261e", alpha: 1, sign: "−" },
  moved: { colour: "#1f6feb", alpha: 1, sign: "→" },
  geometry: { colour: "#f28c0f", alpha: 1, sign: "△" },
  properties: { colour: "#8e3fc0", alpha: 1, sign: "≡" },
  unchanged: { colour: "#8494a4", alpha: 0.14, sign: "·" },
};

/** A feature of several kinds has the colour of the first of these. */
const BY_WEIGHT: readonly Kind[] = ["added", "removed", "geometry", "moved", "properties"];

export type KindsById = ReadonlyMap<string, readonly Kind[]>;

export function kindsById(ids: Record<Kind, readonly string[]>): KindsById {
  const found = new Map<string, Kind[]>();
  for (const kind of KINDS) {
    for (const id of ids[kind]) {
      const kinds = found.get(id);
      if (kinds) kinds.push(kind);
      else found.set(id, [kind]);
    }
  }
  return found;
}

/**
 * What a feature counts as in one of the two versions, `null` where it is not drawn.
 *
 * Side by side both versions stand whole. In one picture the older gives only what was removed. A
 * kind that is switched off is drawn like what has not changed.
 */
export function drawnAs(
  kinds: readonly Kind[],
  version: "older" | "newer",
  sideBySide: boolean,
  off: ReadonlySet<Legend>,
): Legend | null {
  if (version === "older" && !sideBySide && !kinds.includes("removed")) return null;
  const kind = BY_WEIGHT.find((one) => kinds.includes(one) && !off.has(one));
  if (kind) return kind;
  if (version === "older" && !sideBySide) return null;
  return off.has("unchanged") ? null : "unchanged";
}
