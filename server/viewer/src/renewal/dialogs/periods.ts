/** Weeks from Monday to Sunday and calendar months, as progress is reported. */
import { addDays } from "../days";

export type PeriodName = "week" | "month";

/** The first and last day of the period that a day lies in. */
export function periodOf(day: string, period: PeriodName): [string, string] {
  if (period === "month") {
    const first = `${day.slice(0, 8)}01`;
    const next = addDays(first, 31);
    return [first, addDays(`${next.slice(0, 8)}01`, -1)];
  }
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  const monday = addDays(day, -weekday);
  return [monday, addDays(monday, 6)];
}

/** The last day of the newest period that is over by the end of a day. */
export function lastEnd(day: string, period: PeriodName): string {
  const [start, end] = periodOf(day, period);
  return end <= day ? end : addDays(start, -1);
}
