/** What of the log is asked for. */

export const RESULTS = ["ok", "denied", "failed"] as const;

/** Times are those of a `datetime-local` field: of this machine, without a zone. */
export interface Filters {
  since?: string;
  until?: string;
  person?: string;
  verb?: string;
  result?: string;
  layer?: string;
  q?: string;
}

export const FILTERS = ["since", "until", "person", "verb", "result", "layer", "q"] as const;
type FilterName = (typeof FILTERS)[number];

function isTime(name: FilterName): boolean {
  return name === "since" || name === "until";
}

/** A time of this machine as the server has it; a minute that ends the span belongs to it. */
function instant(name: FilterName, local: string): string {
  const date = new Date(local);
  if (Number.isNaN(date.getTime())) return "";
  if (name === "until") date.setSeconds(59, 999);
  return date.toISOString();
}

/** The query of a request, or of the address; what is empty is left out. */
export function queryOf(filters: Filters, { forServer = false } = {}): string {
  const values = new URLSearchParams();
  for (const name of FILTERS) {
    const value = filters[name]?.trim() ?? "";
    const told = forServer && isTime(name) ? instant(name, value) : value;
    if (told) values.set(name, told);
  }
  return values.toString();
}

export function filtersOf(values: URLSearchParams): Filters {
  const filters: Filters = {};
  for (const name of FILTERS) {
    const value = values.get(name)?.trim();
    if (value) filters[name] = value;
  }
  return filters;
}

export function isFiltered(filters: Filters): boolean {
  return FILTERS.some((name) => filters[name]);
}
