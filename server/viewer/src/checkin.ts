/** Check-in reports: what the rules found in a file, by severity and rule. */
import { api } from "./data/api";
import type { Localized } from "./data/types";

export const SEVERITIES = ["error", "warning", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a version or a refused import says of its report. */
export interface CheckinSummary {
  counts: Record<Severity, number>;
  href: string;
}

export interface Finding {
  severity: Severity;
  rule: string;
  /** `null` for the model as a whole, and for what did not become a feature. */
  id: string | null;
  class: string;
  name: string;
  storey: string | null;
  /** Where it stands in a file of tables; reports of before there were such lack both. */
  table?: string;
  line?: number | null;
  lon: number | null;
  lat: number | null;
  height: number | null;
  en: string;
  zh: string;
}

export interface CheckinReport {
  file: string;
  refused: boolean;
  counts: Record<Severity, number>;
  rules: { id: string; title: Localized; refuse: boolean; count: number }[];
  findings: Finding[];
}

/** The findings of one rule. */
export interface Group {
  rule: string;
  severity: Severity;
  title: Localized;
  /** Whether such a finding keeps a file out. */
  refuse: boolean;
  /** All there are; `findings` may hold only the first of them. */
  count: number;
  findings: Finding[];
}

/** The rules that found something, the worst first. */
export function grouped(report: CheckinReport): Group[] {
  const groups = report.rules.flatMap(({ id, title, refuse, count }) => {
    const findings = report.findings.filter((finding) => finding.rule === id);
    const severity = findings[0]?.severity;
    return severity ? [{ rule: id, severity, title, refuse, count, findings }] : [];
  });
  return groups.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** Whether a finding is about a feature or a place in the scene. */
export function isPlaced(finding: Finding): boolean {
  return finding.lon !== null && finding.lat !== null;
}

const AROUND = 0.0001; // degrees: some ten metres

/** The surroundings of a finding's place: west, south, low, east, north, high. */
export function surroundings({ lon, lat, height }: Finding): number[] | null {
  if (lon === null || lat === null) return null;
  const at = height ?? 0;
  return [lon - AROUND, lat - AROUND, at, lon + AROUND, lat + AROUND, at];
}

/** Where a finding's object stands: its storey, or its table and line. */
export function whereabouts({ storey, table, line }: Finding): string {
  if (!table) return storey ?? "";
  return line ? `${table}:${line}` : table;
}

const known = new Map<string, Promise<CheckinReport>>();

/** A report; once read it is kept, since reports never change. */
export function readReport(href: string): Promise<CheckinReport> {
  const reading = known.get(href) ?? api.checkin(href);
  known.set(href, reading);
  reading.catch(() => known.delete(href));
  return reading;
}
