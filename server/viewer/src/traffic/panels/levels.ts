/** Levels of service A to F: a colour each, and what is written on it. */

const COLOURS: Record<string, string> = { A: "#1a7f4b", B: "#5c9a2b", C: "#b8a400", D: "#e0930c", E: "#d9571a", F: "#a3161a" };
const DARK_INK = new Set(["C", "D"]);

export const LEVELS = Object.keys(COLOURS);

/** Grey where the level is unknown. */
export function levelColour(level: string | null): string {
  return COLOURS[level ?? ""] ?? "#8d98a4";
}

export function levelInk(level: string): string {
  return DARK_INK.has(level) ? "#1c2733" : "#ffffff";
}
