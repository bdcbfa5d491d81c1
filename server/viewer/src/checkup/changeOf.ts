/** What became of a value, by sign, word and colour. */
import { h } from "../dom";
import { t } from "../i18n";
import type { Course } from "./classes";
import type { IndicatorEntry } from "./types";
import { signed, unitOf } from "./words";

const SIGNS: Record<Course, string> = { better: "▲", worse: "▼", same: "=", up: "↑", down: "↓", unknown: "?" };

export function courseSign(course: Course): string {
  return SIGNS[course];
}

export function compared(entry: Pick<IndicatorEntry, "unit" | "decimals">, course: Course, before: number | null, after: number | null): HTMLElement {
  const change = before === null || after === null ? null : after - before;
  return h(
    "span",
    { class: `course ${course}`, title: t(`checkup.course.${course}`) },
    h("i", { "aria-hidden": "true" }, courseSign(course)),
    h("span", {}, change === null ? "" : change === 0 ? t("checkup.course.same") : `${signed(entry, change)} ${unitOf(entry)}`),
    change !== 0 && h("span", { class: "unseen" }, t(`checkup.course.${course}`)),
  );
}
