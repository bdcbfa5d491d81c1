/** Times as people read them: how long ago, and when. */
import { language, t } from "../../i18n";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const locale = () => (language() === "zh" ? "zh-CN" : "en-GB");

/** A span of time in its largest unit. */
export function span(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < MINUTE) return t("when.seconds", { n: Math.floor(time / SECOND) });
  if (time < HOUR) return t("when.minutes", { n: Math.floor(time / MINUTE) });
  if (time < 2 * DAY) return t("when.hours", { n: Math.floor(time / HOUR) });
  return t("when.days", { n: Math.floor(time / DAY) });
}

export function ago(time: number, now = Date.now()): string {
  return now - time < SECOND ? t("when.now") : t("when.ago", { span: span(now - time) });
}

/** The day and the time to the second. */
export function moment(time: number): string {
  return new Date(time).toLocaleString(locale(), {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** To the minute, with the day where it is not today. */
export function clock(time: number, now = Date.now()): string {
  const [date, today] = [new Date(time), new Date(now)];
  const hours = date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return date.toDateString() === today.toDateString() ? hours : `${day(time)} ${hours}`;
}

export function day(time: number): string {
  return new Date(time).toLocaleDateString(locale(), { month: "short", day: "numeric" });
}

const two = (n: number) => String(n).padStart(2, "0");

/** What an input of type datetime-local holds, in the time of whoever looks. */
export function toInput(time: number): string {
  const d = new Date(time);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** Milliseconds, or NaN. */
export function fromInput(text: string): number {
  return text === "" ? NaN : new Date(text).getTime();
}
