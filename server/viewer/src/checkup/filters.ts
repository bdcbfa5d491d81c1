/** Which indicators are listed, and in which order. */
import { language } from "../i18n";
import type { Choices } from "./address";
import { inOrder, type SortKey } from "../ui/sorting";
import type { IndicatorEntry } from "./types";

/** What of the status can be filtered for, beside a status itself. */
export const STANDINGS = ["failed", "met", "undecided", "partial", "unavailable"] as const;
export type Standing = (typeof STANDINGS)[number];

export function fits({ value }: IndicatorEntry, standing: string): boolean {
  switch (standing) {
    case "failed":
      return value.met === false;
    case "met":
      return value.met === true;
    case "undecided":
      return value.met === null && value.status !== "unavailable";
    case "partial":
    case "unavailable":
      return value.status === standing;
    default:
      return true;
  }
}

/** How far a value is from its target, as a share of it; negative where it falls short. */
export function distance({ value: { value }, target, direction }: IndicatorEntry): number | null {
  if (value === null || !target || direction === "none") return null;
  const ahead = direction === "higher" ? value - target.value : target.value - value;
  return ahead / Math.max(Math.abs(target.value), 1e-9);
}

const MET = { false: 0, null: 1, true: 2 } as const;

/** What a column is sorted by; null comes last. */
export const SORTS: Record<string, (entry: IndicatorEntry) => SortKey> = {
  code: ({ code }) => code,
  name: ({ name }) => name[language()],
  met: ({ value }) => (value.status === "unavailable" ? 3 : MET[String(value.met) as keyof typeof MET]),
  distance,
  surveyed: ({ value }) => (value.status === "unavailable" ? null : value.surveyed),
};

export function shownIndicators(all: readonly IndicatorEntry[], { level, dimension, status, q, sort }: Choices): IndicatorEntry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const down = sort.startsWith("-");
  const key = SORTS[sort.replace("-", "")] ?? SORTS["code"]!;
  const found = all.filter((entry) => {
    const text = [entry.code, ...Object.values(entry.name), ...Object.values(entry.department)].join(" ").toLowerCase();
    return (level === "" || entry.level === level) && (dimension === "" || entry.dimension === dimension) && fits(entry, status) && words.every((word) => text.includes(word));
  });
  return inOrder(found, key, down, ({ code }) => code);
}

/** How the indicators of one dimension stand. */
export interface DimensionSum {
  id: string;
  total: number;
  met: number;
  failed: number;
  /** Of those that have a value, but nothing it is held against. */
  undecided: number;
  unavailable: number;
}

export function dimensionSums(all: readonly IndicatorEntry[], dimensions: readonly string[], level: string): DimensionSum[] {
  return dimensions
    .map((id) => {
      const own = all.filter((entry) => entry.dimension === id && (level === "" || entry.level === level));
      const count = (standing: Standing) => own.filter((entry) => fits(entry, standing)).length;
      return { id, total: own.length, met: count("met"), failed: count("failed"), undecided: count("undecided"), unavailable: count("unavailable") };
    })
    .filter(({ total }) => total > 0);
}
