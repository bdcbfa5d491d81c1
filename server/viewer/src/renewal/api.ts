/** What the supervision view asks of the server. What is written stands with the panels that write. */
import { request } from "../data/api";
import { query } from "../data/writing";
import type { BuildingPage, Overview, ProjectDetail, ProjectPage, Replay, TownPage } from "./types";

const part = encodeURIComponent;

/** As of which day, and as known on which day or moment; without `known` as it is known now. */
export interface Moment {
  at: string;
  known: string | null;
}

export const FILTERS = ["town", "type", "mode", "stage", "light", "unit", "q"] as const;
/** What of the projects is wanted; an empty text for anything. */
export type Filters = Record<(typeof FILTERS)[number], string>;

export const NO_FILTERS: Filters = { town: "", type: "", mode: "", stage: "", light: "", unit: "", q: "" };

export const renewal = {
  overview: () => request<Overview>("/renewal"),
  projects: (moment: Moment, filters: Filters = NO_FILTERS) =>
    request<ProjectPage>(`/renewal/projects${query({ ...moment, ...filters })}`),
  /** The address of the projects as a file. */
  projectsFile: (moment: Moment, filters: Filters, lang: string) =>
    `/renewal/projects${query({ ...moment, ...filters, f: "csv", lang })}`,
  project: (id: string, moment: Moment) => request<ProjectDetail>(`/renewal/projects/${part(id)}${query({ ...moment })}`),
  towns: (moment: Moment) => request<TownPage>(`/renewal/towns${query({ ...moment })}`),
  buildings: (moment: Moment, project: string | null = null) =>
    request<BuildingPage>(`/renewal/buildings${query({ ...moment, project })}`),
  replay: (from: string, to: string, step: "week" | "month") =>
    request<Replay>(`/renewal/replay${query({ from, to, step })}`),
};
