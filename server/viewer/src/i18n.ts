/** The language in use, and how texts, numbers and dates are written in it. */
import type { Lang, Localized } from "./data/types";
import { Signal } from "./signal";
import { type TextKey, TEXTS } from "./texts";

export const languageChanged = new Signal();

let current: Lang = "zh";

export function initialLanguage(preferred: string | undefined): Lang {
  return preferred?.toLowerCase().startsWith("en") ? "en" : "zh";
}

export function language(): Lang {
  return current;
}

export function setLanguage(lang: Lang): void {
  const changed = lang !== current;
  current = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  if (changed) languageChanged.emit();
}

/** The text of a key, its `{parameters}` filled in. */
export function t(key: TextKey, parameters: Record<string, string | number> = {}): string {
  return TEXTS[key][current].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? formatNumber(value) : value;
  });
}

/** Whether a word of the server, put after a prefix, has a text of its own. */
export function isTextKey(key: string): key is TextKey {
  return key in TEXTS;
}

/** What the server says in both languages. */
export function localized(text: Localized | null | undefined): string {
  return text?.[current] ?? text?.en ?? "";
}

/** A sentence of the server: it is always there in English, and in Chinese where it is known. */
export function said(english: string, chinese: string | null | undefined): string {
  return current === "zh" && chinese ? chinese : english;
}

export function formatNumber(value: number, digits = 3): string {
  const rounded = Number(value.toPrecision(9));
  return rounded.toLocaleString(current, { maximumFractionDigits: Math.abs(rounded) < 0.1 ? 6 : digits });
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${formatNumber(value, value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

export function formatTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toLocaleString(current === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  });
}

/** Between parts of a line; a middle dot would be a full em wide in Chinese fonts. */
export const SEPARATOR = " – ";

/** Powers of metres and products as they are printed; other units as they come. */
export function formatUnit(unit: string | null): string {
  return (unit ?? "")
    .replace(/\u00b7/g, "\u22c5")
    .replace(/\b(k?m|mm|cm|dm)2\b/g, "$1²")
    .replace(/\b(k?m|mm|cm|dm)3\b/g, "$1³");
}
