/** What series are called, and how their values are written. */
import { formatNumber, formatUnit, language, localized } from "../../i18n";
import type { Sensing } from "../things";
import type { SeriesOf } from "./seriesApi";

/** What is observed, in the language of now where the city knows the property. */
export function propertyName(sensing: Sensing, { property, name }: { property: string; name: string }): string {
  return localized(sensing.properties.get(property)?.title) || name || property;
}

/** The thing and what is observed there. */
export function seriesName(sensing: Sensing, series: SeriesOf): string {
  return `${series.thing_name}${language() === "zh" ? "：" : ": "}${propertyName(sensing, series)}`;
}

/** What tells some series apart: only what is observed where they all are of one thing. */
export function shortNames(sensing: Sensing, all: readonly SeriesOf[]): string[] {
  const one = new Set(all.map(({ thing }) => thing)).size === 1;
  const properties = all.map((series) => propertyName(sensing, series));
  if (one && new Set(properties).size === all.length) return properties;
  return all.map((series) => seriesName(sensing, series));
}

/** A unit as it is printed; "1" is none. */
export function unitText(unit: string | null): string {
  return unit === "1" ? "" : formatUnit(unit);
}

/** A value with its unit; a dash where there is none. */
export function reading(value: number | null, unit: string | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const shown = unitText(unit);
  return shown ? `${formatNumber(value)} ${shown}` : formatNumber(value);
}
