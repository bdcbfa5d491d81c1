/** What the check-up asks of the server, and what it writes. */
import { request } from "../data/api";
import { query, sent } from "../data/writing";
import type {
  By, Change, Evidence, IndicatorDocument, IndicatorEntry, Overview, Problem, Role, Run, RunSummary, SetDocument, SignBoard, UnitEntry, UnitMap, UnitPage,
} from "./types";

const part = encodeURIComponent;
const ofRun = (run: string, what = "") => `/checkup/runs/${part(run)}${what}`;
const ofIndicator = (run: string, code: string, what: string) => ofRun(run, `/indicators/${part(code)}/${what}`);

export const REPORT_FORMS = ["docx", "pdf", "xlsx"] as const;

/** A set with what who changes it must know. */
export interface KeptSet {
  version: number;
  state: string;
  document: SetDocument;
  /** With all of its base. */
  whole: IndicatorDocument[];
}

export interface Tried {
  entry: IndicatorEntry;
  by: By;
  units: UnitEntry[];
}

export const checkup = {
  overview: () => request<Overview>("/checkup"),
  run: (run: string) => request<Run>(ofRun(run)),
  units: (run: string, code: string, by: string) => request<UnitPage>(`${ofIndicator(run, code, "units")}${query({ by })}`),
  map: (run: string, code: string, by: string) => request<UnitMap>(`${ofIndicator(run, code, "map")}${query({ by })}`),
  evidence: (run: string, code: string, by: string, unit: string | null) =>
    request<Evidence>(`${ofIndicator(run, code, "evidence")}${query({ by, unit })}`),
  problems: (run: string) => request<{ problems: Problem[] }>(ofRun(run, "/problems")).then((r) => r.problems),
  compare: (from: string, to: string) => request<{ changes: Change[] }>(`/checkup/compare${query({ from, to })}`).then((r) => r.changes),
  signs: () => request<SignBoard>("/vital-signs"),
  /** Renewal projects, which answer problems. */
  projects: () => request<{ projects: { id: string; name: string }[] }>("/renewal/projects").then((r) => r.projects),
  roles: () => request<{ roles: Role[] }>("/checkup/roles").then((r) => r.roles),
  set: (id: string) => request<KeptSet>(`/checkup/sets/${part(id)}`),

  begin: (set: string, year: number, title: string) =>
    sent<{ jobID: string }>("POST", "/checkup/runs", { set, year, ...(title ? { title } : {}) }),
  submit: (run: string) => sent<RunSummary>("POST", ofRun(run, "/submit")),
  discard: (run: string) => sent<void>("DELETE", ofRun(run)),
  handle: (id: string, version: number, change: { state?: string; project?: string | null; note?: string }) =>
    sent<Problem>("PATCH", `/checkup/problems/${part(id)}`, change, version),
  tryOut: (indicator: IndicatorDocument, by: By) => sent<Tried>("POST", "/checkup/try", { indicator, by }),
  /** Writes a draft; without a version it is a new one. */
  keepSet: (document: SetDocument, version?: number) => sent<KeptSet>("PUT", `/checkup/sets/${part(document.id)}`, document, version),
  removeSet: (id: string, version: number) => sent<void>("DELETE", `/checkup/sets/${part(id)}`, undefined, version),
  freezeSet: (id: string, version: number) => sent<KeptSet>("POST", `/checkup/sets/${part(id)}/freeze`, undefined, version),

  reportFile: (run: string, form: string, lang: string) => `${ofRun(run, "/report")}${query({ form, lang })}`,
  valuesFile: (run: string) => ofRun(run, "/values.parquet"),
};
