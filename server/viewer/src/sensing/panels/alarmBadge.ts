/** The bell of the bar at the top: how many alarms are open, by level; it opens the list. */
import type { App } from "../../app";
import { h, icon, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import { comma } from "../../office/names";
import { levelSign, levelWord, WORST_FIRST } from "./levels";

export function alarmBadge(app: App): HTMLElement {
  const { alarms } = app;
  const said = h("span", { class: "unseen", role: "status" });
  const counts = h("span", { class: "alarm-counts", "aria-hidden": "true" });
  const button = h(
    "button",
    { type: "button", class: "alarm-badge", "aria-controls": "alarms", on: { click: () => alarms.setOpen(!alarms.open) } },
    icon("bell"),
    counts,
  );
  const element = h("div", { class: "alarm-bell" }, button, said);
  let shown = "";
  const draw = () => {
    button.setAttribute("aria-expanded", String(alarms.open));
    const there = WORST_FIRST.filter((level) => (alarms.counts.get(level) ?? 0) > 0);
    const words = there.map((level) => t("alarm.ofLevel", { n: alarms.counts.get(level)!, level: levelWord(level) }));
    const text = words.length === 0 ? t("alarm.noneOpen") : t("alarm.open", { levels: words.join(comma()) });
    if (text === shown) return;
    shown = text;
    said.textContent = text;
    button.title = text;
    button.setAttribute("aria-label", `${t("alarm.title")}: ${text}`);
    replace(
      counts,
      ...there.map((level) => h("span", { class: "alarm-count", "data-level": level }, levelSign(level), String(alarms.counts.get(level)))),
    );
  };
  alarms.changed.on(draw);
  languageChanged.on(() => {
    shown = "";
    draw();
  });
  draw();
  return element;
}
