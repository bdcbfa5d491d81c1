/** What is written about renewal, and what only those who write read. */
import { answered, request } from "../../data/api";
import { query, sent } from "../../data/writing";
import type {
  BuildingDocument, CheckReport, Comparison, EvidenceDocument, FileReport, HouseholdDocument, Kind, NewOrder, OrderDetail,
  OrderPage, ProgressDocument, RenewalEvent, Step, StepBody, Subject,
} from "./types";

const part = encodeURIComponent;

/** Sends a file as it is. */
function brought<T>(path: string, file: Blob): Promise<T> {
  return request<T>(path, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": file.type || "application/octet-stream" },
    body: file,
  });
}

const of = (project: string, what: string) => `/renewal/projects/${part(project)}/${what}`;

export interface OrderQuery {
  project?: string | null;
  town?: string;
  state?: string;
  unit?: string;
  urgency?: string;
  at?: string;
}

export interface EvidenceFacts {
  name: string;
  note: string;
  taken: string;
}

/** What a report is about, and over what time. */
export interface ReportQuery {
  period: "week" | "month";
  end: string;
  town: string;
  known: string;
}

/** How a table of projects is taken: looked at only, its right rows alone, from which day on, in which system. */
interface BringIn {
  dryRun: boolean;
  partial: boolean;
  effective: string;
  crs: string;
}

function taking(dryRun: boolean, partial: boolean): { dry_run: string; partial: string } {
  return { dry_run: String(dryRun), partial: String(partial) };
}

export const writing = {
  orders: (asked: OrderQuery) => request<OrderPage>(`/renewal/orders${query({ ...asked, limit: "1000" })}`),
  order: (id: string) => request<OrderDetail>(`/renewal/orders/${part(id)}`),
  addOrder: (document: NewOrder) => sent<Subject<NewOrder>>("POST", "/renewal/orders", { document }),
  changeOrder: (id: string, version: number, change: Partial<NewOrder>) =>
    sent<Subject<NewOrder>>("PATCH", `/renewal/orders/${part(id)}`, { change }, version),
  step: (id: string, version: number, step: Step, body: StepBody) =>
    sent<Subject<unknown>>("POST", `/renewal/orders/${part(id)}/${step}`, body, version),

  history: (project: string, asked: { kind?: Kind; id?: string; limit?: string } = {}) =>
    request<{ events: RenewalEvent[] }>(of(project, `history${query(asked)}`)).then((r) => r.events),
  changeProject: (id: string, version: number, effective: string, change: Record<string, unknown>) =>
    sent<Subject<unknown>>("PATCH", `/renewal/projects/${part(id)}`, { effective, change }, version),

  addTask: (project: string, effective: string, document: Record<string, unknown>) =>
    sent<Subject<unknown>>("POST", of(project, "tasks"), { effective, document }),
  changeTask: (id: string, version: number, effective: string, change: Record<string, unknown>) =>
    sent<Subject<unknown>>("PATCH", `/renewal/tasks/${part(id)}`, { effective, change }, version),

  progress: (project: string, asked: { metric?: string; from?: string; to?: string; limit?: string }) =>
    request<{ records: Subject<ProgressDocument>[] }>(of(project, `progress${query(asked)}`)).then((r) => r.records),
  addProgress: (project: string, records: ProgressDocument[]) =>
    sent<unknown>("POST", of(project, "progress"), { records }),
  changeProgress: (id: string, version: number, effective: string, change: Record<string, unknown>) =>
    sent<Subject<ProgressDocument>>("PATCH", `/renewal/progress/${part(id)}`, { effective, change }, version),
  verifyProgress: (id: string, version: number) =>
    sent<Subject<ProgressDocument>>("POST", `/renewal/progress/${part(id)}/verification`, {}, version),

  buildings: (project: string) =>
    request<{ buildings: Subject<BuildingDocument>[] }>(of(project, "buildings")).then((r) => r.buildings),
  changeBuilding: (id: string, version: number, effective: string, change: Record<string, unknown>) =>
    sent<Subject<BuildingDocument>>("PATCH", `/renewal/buildings/${part(id)}`, { effective, change }, version),

  households: (project: string, asked: { state?: string; limit?: string; after?: string | null }) =>
    request<{ households: Subject<HouseholdDocument>[]; next?: string | null }>(of(project, `households${query(asked)}`)),
  household: (id: string) => request<Subject<HouseholdDocument>>(`/renewal/households/${part(id)}`),
  householdsFile: (project: string) => file(of(project, "households?f=csv")),
  changeHousehold: (id: string, version: number, effective: string, change: Record<string, unknown>) =>
    sent<Subject<HouseholdDocument>>("PATCH", `/renewal/households/${part(id)}`, { effective, change }, version),

  evidence: (project: string) =>
    request<{ evidence: Subject<EvidenceDocument>[] }>(of(project, "evidence")).then((r) => r.evidence),
  addEvidence: (project: string, file: Blob, facts: EvidenceFacts) =>
    brought<Subject<EvidenceDocument>>(of(project, `evidence${query({ ...facts })}`), file),
  /** The address of the bytes. */
  evidenceFile: (id: string) => `/renewal/evidence/${part(id)}`,

  comparison: (project: string) => request<Comparison>(of(project, "comparison")),
  checks: (at: string) => request<CheckReport>(`/renewal/checks${query({ at })}`),

  sheet: (asked: { period: string; end: string; town?: string; project?: string }) => file(`/renewal/progress-sheet${query(asked)}`),
  sendSheet: (sheet: File, dryRun: boolean, partial: boolean) =>
    brought<FileReport>(`/renewal/progress-sheet${query({ ...taking(dryRun, partial), name: sheet.name })}`, sheet),
  bringIn: (given: File, { dryRun, partial, effective, crs }: BringIn) =>
    brought<FileReport>(`/renewal/bring-in${query({ ...taking(dryRun, partial), name: given.name, effective, crs })}`, given),
  report: (name: string, format: string, lang: string, asked: ReportQuery) =>
    file(`/renewal/reports/${part(name)}${query({ ...asked, f: format, lang })}`),
};

/** A file that the server makes, with the name it gives it. */
async function file(path: string): Promise<{ blob: Blob; name: string }> {
  const response = await answered(path, { headers: { Accept: "*/*" } });
  return { blob: await response.blob(), name: nameIn(response.headers.get("Content-Disposition")) };
}

/** The file name in a Content-Disposition (RFC 6266), the extended one where it is there. */
export function nameIn(disposition: string | null): string {
  const extended = /filename\*=(?:UTF-8|utf-8)''([^;]+)/.exec(disposition ?? "");
  if (extended) return decodeURIComponent(extended[1]!);
  return /filename="?([^";]+)"?/.exec(disposition ?? "")?.[1] ?? "";
}
