/** What was recorded, in words: who, when, of what, and each field with what it became. */
import { h, replace } from "../../dom";
import { formatBytes, formatNumber, isTextKey, localized, t } from "../../i18n";
import type { Kind, RenewalEvent } from "../orders/types";
import type { Store } from "../store";
import { area, amountWithUnit, money, stageName, townName, unitName } from "../words";
import { moment } from "./axis";

const LONG = 60;
const MOST_FIELDS = 5;
/** So much of a hash tells files apart for people. */
const HASH = 12;
const AREAS: ReadonlySet<string> = new Set(["land_area", "floor_area_existing", "floor_area_planned", "floor_area"]);

/** The name of a field as people have it; the server's own where there is none. */
export function fieldName(name: string): string {
  const key = `field.${name}`;
  return isTextKey(key) ? t(key) : name;
}

function word(store: Store, kind: Kind, value: string): string {
  const { words } = store.overview;
  const lists = { building: words.building_states, household: words.household_states, order: words.order_states };
  return kind in lists ? localized(lists[kind as keyof typeof lists][value]) || value : value;
}

/** What was said last, of answers and of asking for more time. */
function lastSaid(entries: readonly unknown[]): string | null {
  const last = (entries.at(-1) ?? {}) as { text?: string; reason?: string; answer?: string };
  const text = last.answer || last.text || last.reason;
  return text ? cut(text) : null;
}

function cut(text: string): string {
  return text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text;
}

/** One value of a field; long ones are cut. */
export function valueText(store: Store, kind: Kind, name: string, value: unknown, change: Record<string, unknown> = {}): string {
  if (value === null) return t("history.removed");
  if (Array.isArray(value)) return lastSaid(value) ?? t("history.entries", { n: value.length });
  if (typeof value === "object") return t("history.entries", { n: Object.keys(value as object).length });
  if (typeof value === "number") {
    if (AREAS.has(name)) return area(value);
    if (name === "investment") return money(value);
    if (name === "size") return formatBytes(value);
    const metric = store.metric(String(change["metric"] ?? ""));
    if (metric && (name === "actual" || name === "plan")) return amountWithUnit(metric, value);
    return formatNumber(value);
  }
  const text = String(value);
  if (name === "sha256") return `${text.slice(0, HASH)}…`;
  if (name === "state") return word(store, kind, text);
  if (name === "town") return townName(store, text);
  if (name === "unit") return unitName(store, text);
  if (name === "stage") return stageName(store, text);
  if (name === "metric") return localized(store.metric(text)?.title) || text;
  if (name === "period") return localized(store.overview.words.periods[text]) || text;
  return cut(text);
}

/** The fields of a change, those within others by their path: stages, signing, started. */
export function fields(store: Store, { kind, change }: RenewalEvent): [string, string][] {
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(change ?? {})) {
    if (name === "project" || name === "template" || name === "boundary") continue;
    if (name === "stages" && value !== null && typeof value === "object") {
      for (const [stage, dates] of Object.entries(value as Record<string, Record<string, unknown> | null>)) {
        for (const [date, day] of Object.entries(dates ?? {}))
          found.push([`${stageName(store, stage)} – ${fieldName(date)}`, valueText(store, kind, date, day)]);
      }
    } else found.push([fieldName(name), valueText(store, kind, name, value, change!)]);
  }
  return found;
}

function entry(store: Store, event: RenewalEvent, subject: boolean): HTMLElement {
  const all = fields(store, event);
  const list = h("dl", { class: "event-fields" });
  const show = (most: number) =>
    replace(list, ...all.slice(0, most).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  const many = all.length > MOST_FIELDS + 1;
  show(many ? MOST_FIELDS : all.length);
  const more =
    many &&
    h(
      "button",
      {
        type: "button",
        class: "link",
        on: {
          click: (click: MouseEvent) => {
            show(all.length);
            (click.currentTarget as HTMLElement).remove();
          },
        },
      },
      t("history.more", { n: all.length - MOST_FIELDS }),
    );
  const what = event.change === null ? "history.gone" : event.version === 1 ? "history.begun" : "history.changed";
  const recorded = moment(event.recorded);
  return h(
    "li",
    { "data-kind": event.kind },
    h(
      "span",
      { class: "event-head" },
      h("strong", {}, event.name === null ? t("history.somebody") : event.name || t("history.program")),
      subject && h("span", { class: "tag" }, t(`kind.${event.kind}`)),
      h("span", {}, t(what)),
      subject && h("code", { title: event.id }, event.id),
      h("time", { title: t("history.times", { recorded, effective: event.effective }) }, recorded),
    ),
    h("span", { class: "muted" }, t("history.effective", { day: event.effective })),
    all.length > 0 && list,
    more,
  );
}

/** Newest first; with `subject` each says what it is about. */
export function eventList(store: Store, events: readonly RenewalEvent[], subject: boolean): HTMLElement {
  const newest = [...events].sort((a, b) => b.seq - a.seq);
  return h("ol", { class: "events", "aria-label": t("history.title") }, ...newest.map((event) => entry(store, event, subject)));
}
