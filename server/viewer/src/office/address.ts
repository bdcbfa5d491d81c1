/** The address of the office: which page is open, in which language, and what the log is filtered by. */
import type { Lang } from "../data/types";
import { type Filters, filtersOf, queryOf } from "./logFilters";

export const TABS = ["me", "people", "places", "keys", "policy", "log"] as const;
export type TabName = (typeof TABS)[number];

export interface Address {
  tab?: TabName;
  lang?: Lang;
  filters: Filters;
}

export function readAddress(hash: string): Address {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const address: Address = { filters: filtersOf(values) };
  const tab = values.get("tab");
  if (TABS.includes(tab as TabName)) address.tab = tab as TabName;
  const lang = values.get("lang");
  if (lang === "zh" || lang === "en") address.lang = lang;
  return address;
}

export function writeAddress({ tab, lang, filters }: Address): string {
  const values = new URLSearchParams();
  if (tab) values.set("tab", tab);
  if (lang) values.set("lang", lang);
  if (tab === "log") for (const [name, value] of new URLSearchParams(queryOf(filters))) values.set(name, value);
  return values.toString();
}
