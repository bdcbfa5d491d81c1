/** Days along an axis: where they lie, and which are named. */
import { language } from "../../i18n";
import { daysBetween } from "../days";

const DAY = 86_400_000;

/** Days since 1970. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY;
}

export function dayOf(number: number): string {
  return new Date(number * DAY).toISOString().slice(0, 10);
}

/** The first and last day of what is given; null where there is none. */
export function spanOf(days: readonly (string | null | undefined)[]): [string, string] | null {
  const known = days.filter((day): day is string => !!day).sort();
  return known.length === 0 ? null : [known[0]!, known.at(-1)!];
}

/** The first days of years, halves or quarters in a span, so that about so many fit. */
export function ticks([from, to]: [string, string], most: number): string[] {
  const years = daysBetween(from, to) / 365.25;
  const months = [1, 3, 6, 12, 24, 60].find((step) => (years * 12) / step <= most) ?? 120;
  const found: string[] = [];
  const end = dayNumber(to);
  for (let n = Number(from.slice(0, 4)) * 12; ; n += months) {
    const day = `${String(Math.floor(n / 12)).padStart(4, "0")}-${String((n % 12) + 1).padStart(2, "0")}-01`;
    if (dayNumber(day) > end) return found;
    if (dayNumber(day) >= dayNumber(from)) found.push(day);
  }
}

/** A first of a month: the year where it begins one, else the month. */
export function tickLabel(day: string): string {
  const [year, month] = day.split("-");
  if (month === "01") return year!;
  const date = new Date(`${day}T00:00:00Z`);
  return date.toLocaleString(language() === "zh" ? "zh-CN" : "en-GB", { month: "short", timeZone: "UTC" });
}

/** The moment something was recorded, to the minute, by the clock of whoever looks. */
export function moment(time: number): string {
  return new Date(time).toLocaleString(language() === "zh" ? "zh-CN" : "en-GB", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
}
