/** Numbers and words of renewal as people read them; the units are those of the server. */
import { fixed, NOTHING } from "../figures";
import { language, localized, t } from "../i18n";
import type { Store } from "./store";
import type { Light, Metric } from "./types";

/** Between number and unit in languages that put a space there. */
const space = () => (language() === "zh" ? "" : " ");

/** A metric's value without its unit. */
export function amount(metric: Metric | undefined, value: number | null | undefined): string {
  if (!metric || value === null || value === undefined) return NOTHING;
  return fixed(value / metric.shown.factor, metric.shown.decimals);
}

export function unitOf(metric: Metric | undefined): string {
  return localized(metric?.shown.unit);
}

/** A metric's value with its unit. */
export function amountWithUnit(metric: Metric | undefined, value: number | null | undefined): string {
  const text = amount(metric, value);
  return text === NOTHING ? text : `${text}${space()}${unitOf(metric)}`;
}

/** m² in ten thousands, as reports have it. */
export function area(squareMetres: number | null | undefined): string {
  if (squareMetres === null || squareMetres === undefined) return NOTHING;
  return `${fixed(squareMetres / 10_000, 2)}${space()}${t("renewal.tenThousandSquareMetres")}`;
}

/** CNY in hundred millions. */
export function money(yuan: number | null | undefined): string {
  if (yuan === null || yuan === undefined) return NOTHING;
  return `${fixed(yuan / 100_000_000, 2)}${space()}${t("renewal.hundredMillionYuan")}`;
}

export function percent(share: number | null | undefined, decimals = 1): string {
  if (share === null || share === undefined) return NOTHING;
  // Not times a hundred, which is 28.549999… of 0.2855: reports show 28.6 %.
  return share.toLocaleString(language(), { style: "percent", minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Percentage points with their sign. */
export function points(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  const text = fixed(Math.abs(value), 1);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Colours of lights on the map and in tables; each has a letter and a shape beside it. */
export const LIGHT_COLOURS: Record<Light, string> = { red: "#c0392f", yellow: "#d99a1c", green: "#2f8f5b" };

/** One letter or character for a light, which is read without colours. */
export function lightSign(light: Light): string {
  return t(`renewal.light.${light}.sign`);
}

export function lightName(light: Light): string {
  return t(`renewal.light.${light}`);
}

export function townName(store: Store, id: string): string {
  return localized(store.overview.towns.find((town) => town.id === id)?.title) || id;
}

export function unitName(store: Store, id: string): string {
  return localized(store.overview.units.find((unit) => unit.id === id)?.title) || townName(store, id);
}

export function typeName(store: Store, id: string): string {
  return localized(store.overview.words.project_types[id]) || id;
}

export function modeName(store: Store, id: string): string {
  return localized(store.overview.words.modes[id]) || id;
}

/** The title of a stage of a template; of any template that has it where none is named. */
export function stageName(store: Store, id: string | null, template?: string): string {
  if (id === null) return NOTHING;
  const templates = store.overview.templates.filter((one) => template === undefined || one.id === template);
  return localized(templates.flatMap(({ stages }) => stages).find((stage) => stage.id === id)?.title) || id;
}
