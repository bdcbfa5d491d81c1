/** Figures and words of the check-up as people read them. */
import { h } from "../dom";
import { fixed, NOTHING } from "../figures";
import { formatNumber, formatUnit, language, localized, t } from "../i18n";
import type { Store } from "./store";
import type { By, IndicatorEntry, Overview, Status, ValueEntry } from "./types";

/** Between number and unit in languages that put a space there. */
const space = (unit: string) => (language() === "zh" || unit === "" ? "" : " ");

type Measure = Pick<IndicatorEntry, "unit" | "decimals">;

export function unitOf({ unit }: Pick<Measure, "unit">): string {
  return formatUnit(localized(unit));
}

export function valueText({ decimals }: Pick<Measure, "decimals">, value: number | null): string {
  if (value === null) return NOTHING;
  const text = fixed(Math.abs(value), decimals);
  return value < 0 ? `−${text}` : text;
}

export function withUnit(measure: Measure, value: number | null): string {
  const text = valueText(measure, value);
  const unit = unitOf(measure);
  return text === NOTHING ? text : `${text}${unit === "%" ? "" : space(unit)}${unit}`;
}

/** At least or at most, by which values are better. */
export function targetText(entry: Measure & Pick<IndicatorEntry, "target" | "direction">): string {
  const { target, direction } = entry;
  if (!target) return NOTHING;
  const whole = Number.isInteger(target.value) ? { ...entry, decimals: 0 } : entry;
  return `${direction === "lower" ? "≤" : "≥"} ${withUnit(whole, target.value)}`;
}

export function shareText(share: number | null): string {
  return share === null ? NOTHING : share.toLocaleString(language(), { style: "percent", maximumFractionDigits: share > 0.99 && share < 1 ? 2 : 0 });
}

/** Numerators and denominators: of any unit, so with three digits after the point at most. */
export function amountText(value: number | null): string {
  return value === null ? NOTHING : formatNumber(value, Math.abs(value) >= 1000 ? 0 : 2);
}

/** A value against its target: what the signs tell apart. */
export type Standing = "met" | "failed" | "undecided" | "unavailable";

export function standingOf({ status, met }: Pick<ValueEntry, "status" | "met">): Standing {
  if (status === "unavailable") return "unavailable";
  return met === null ? "undecided" : met ? "met" : "failed";
}

export function standingSign(standing: Standing): string {
  return t(`checkup.standing.${standing}.sign`);
}

export function standingName(standing: Standing): string {
  return t(`checkup.standing.${standing}`);
}

/** A standing by shape, letter and colour. */
export function standingLamp(standing: Standing, word = false): HTMLElement {
  const name = standingName(standing);
  return h(
    "span",
    { class: `standing ${standing}`, title: name },
    h("i", { "aria-hidden": "true" }, standingSign(standing)),
    word ? name : h("span", { class: "unseen" }, name),
  );
}

/** Where a target was not read in a source, that is said. */
export function recalledTag({ target }: Pick<IndicatorEntry, "target">): HTMLElement | null {
  if (target?.confidence !== "recalled") return null;
  return h("span", { class: "tag warning recalled", title: t("checkup.recalledHint") }, t("checkup.recalled"));
}

export function wordOf(overview: Overview, list: keyof Overview["words"], id: string): string {
  return localized(overview.words[list]?.[id]) || id;
}

export function byName(store: Store, by: By): string {
  return wordOf(store.overview, "units", by);
}

export function statusTag(store: Store, status: Status): HTMLElement {
  return h("span", { class: `tag status-${status}` }, wordOf(store.overview, "statuses", status));
}

/** The name of a unit; H3 cells have none but their id. */
export function unitName(unit: { id: string; name: Parameters<typeof localized>[0] }): string {
  return localized(unit.name) || unit.id;
}

export function signed(measure: Measure, change: number | null): string {
  if (change === null) return NOTHING;
  const text = valueText(measure, Math.abs(change));
  return change === 0 ? text : `${change < 0 ? "−" : "+"}${text}`;
}
