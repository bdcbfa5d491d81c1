/** What the office asks of the server, and tells it. */
import { request } from "../data/api";
import type { PolicyAnswer, PolicyDocument, Preview } from "./policyDocument";
import type { Boundary, Department, Key, LogPage, Person, PersonChange, Town, Verification } from "./types";
import type { Localized } from "../data/types";

const part = encodeURIComponent;

function sent<T>(method: string, path: string, body?: unknown): Promise<T> {
  if (body === undefined) return request<T>(path, { method });
  return request<T>(path, { method, headers: { Accept: "application/json", "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** Somebody who need not be there: a role, perhaps with a town or a department. */
interface Who {
  role: string;
  town: string;
  department: string;
}

function told(who: Who): Record<string, string> {
  return Object.fromEntries(Object.entries(who).filter(([, value]) => value !== ""));
}

export const office = {
  people: () => request<{ people: Person[] }>("/people").then((r) => r.people),
  addPerson: (person: PersonChange & { name: string; sso: boolean }) =>
    sent<Person & { password?: string }>("POST", "/people", person),
  changePerson: (id: string, change: Partial<PersonChange> & { active?: boolean }) =>
    sent<Person>("PATCH", `/people/${part(id)}`, change),
  newPassword: (id: string) => sent<{ password: string }>("POST", `/people/${part(id)}/password`),
  unlock: (id: string) => sent<Person>("POST", `/people/${part(id)}/unlock`),
  removeSecondFactor: (id: string) => sent<undefined>("DELETE", `/people/${part(id)}/totp`),
  signInLink: (id: string) => sent<{ href: string; expires: string }>("POST", `/people/${part(id)}/link`),

  departments: () => request<{ departments: Department[] }>("/departments").then((r) => r.departments),
  addDepartment: (id: string, title: Localized) => sent<Department>("POST", "/departments", { id, title }),
  removeDepartment: (id: string) => sent<undefined>("DELETE", `/departments/${part(id)}`),
  towns: () => request<{ towns: Town[] }>("/towns").then((r) => r.towns),
  addTown: (town: Town) => sent<Town>("POST", "/towns", town),
  changeTown: (id: string, change: { title?: Localized; boundary?: Boundary | null }) =>
    sent<Town>("PATCH", `/towns/${part(id)}`, change),
  removeTown: (id: string) => sent<undefined>("DELETE", `/towns/${part(id)}`),

  keys: (all: boolean) => request<{ keys: Key[] }>(all ? "/keys?all=true" : "/keys").then((r) => r.keys),
  addKey: (title: string, scopes: string[], days: number) =>
    sent<Key & { key: string }>("POST", "/keys", { title, scopes, days }),
  revokeKey: (id: string) => sent<undefined>("DELETE", `/keys/${part(id)}`),

  policy: () => request<PolicyAnswer>("/policy"),
  savePolicy: (version: number, policy: PolicyDocument) => sent<PolicyAnswer>("PUT", "/policy", { version, policy }),
  /** What somebody would see under the policy in force. */
  preview: (who: Who) => request<Preview>(`/policy/preview?${new URLSearchParams(told(who))}`),
  /** What somebody would see under a policy that is not saved. */
  previewOf: (who: Who, policy: PolicyDocument) => sent<Preview>("POST", "/policy/preview", { ...told(who), policy }),

  log: (query: string) => request<LogPage>(`/audit?${query}`),
  /** The address of the log as a file. */
  logFile: (format: "csv" | "jsonl", query: string) => `/audit/export?f=${format}${query ? `&${query}` : ""}`,
  verification: () => request<Verification>("/audit/verification"),
};
