/** What is said of an alarm, in the list and where it is looked at. */
import { h } from "../../dom";
import { formatNumber, language, localized, t } from "../../i18n";
import type { Sensing } from "../things";
import { type Alarm, isOpen } from "./alarmApi";
import { reading, unitText } from "./seriesNames";
import { clock } from "./when";

/** The value and what it was held against; a yes or no is said by the alarm's title. */
export function against({ value, unit, threshold }: Alarm): string {
  if (value === null || (unitText(unit) === "" && value === threshold)) return "";
  if (threshold === null) return reading(value, unit);
  return t("alarm.against", { value: reading(value, unit), threshold: formatNumber(threshold) });
}

export function className(sensing: Sensing, name: string): string {
  return localized(sensing.classes.get(name)?.title) || name;
}

/** A thing and, in brackets of the language, its class. */
export function withClass(sensing: Sensing, { name, class: kind }: Alarm["thing"]): string {
  const title = className(sensing, kind);
  return language() === "zh" ? `${name}（${title}）` : `${name} (${title})`;
}

/** The state in words, whether its condition is over, whether it rests. */
export function stateTags(alarm: Alarm): HTMLElement[] {
  const tags = [h("span", { class: `tag alarm-state ${alarm.state}` }, t(`alarm.state.${alarm.state}`))];
  if (!alarm.active && isOpen(alarm)) tags.push(h("span", { class: "tag" }, t("alarm.over")));
  if (alarm.shelved_until !== null)
    tags.push(h("span", { class: "tag" }, t("alarm.shelvedUntil", { time: clock(alarm.shelved_until) })));
  return tags;
}
