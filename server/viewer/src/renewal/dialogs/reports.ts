/** Reports of a week or a month as files. */
import { h, icon, replace } from "../../dom";
import { language, localized, t } from "../../i18n";
import { save } from "../../sensing/panels/seriesFiles";
import { openDialog } from "../../ui/dialog";
import { errorText } from "../../ui/errors";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import { input, row, select } from "../../ui/keptForm";
import { lastEnd, type PeriodName } from "./periods";

const FORMATS = ["docx", "xlsx", "pdf"] as const;

export function openReports(desk: Desk): void {
  const { store } = desk;
  const { words, towns } = store.overview;
  const { body } = openDialog(t("report.title"), "renewal-dialog");
  const which = select("report-which", t("report.which"), [["demolition", t("report.demolition")], ["supervision", t("report.supervision")]], "demolition");
  const period = select("report-period", t("progress.period"), [["week", localized(words.periods["week"])], ["month", localized(words.periods["month"])]], "week");
  const end = input("report-end", t("report.end"), { type: "date", required: true, value: lastEnd(desk.day, "week") });
  period.control.addEventListener("change", () => (end.control.value = lastEnd(desk.day, period.control.value as PeriodName)));
  const own = towns.filter(({ id }) => store.may("export", id));
  const all = store.overview.rights.export === "all" ? [["", t("sheet.allTowns")] as const] : [];
  const choices = [...all, ...own.map(({ id, title }) => [id, localized(title)] as const)];
  const town = select("report-town", t("order.town"), choices, choices.some(([id]) => id === store.filters.town) ? store.filters.town : (choices[0]?.[0] ?? ""));
  const message = h("div", { class: "form-message", "aria-live": "polite" });
  const buttons = FORMATS.map((format) =>
    h("button", { type: "button", class: "button", "data-format": format, on: { click: () => void make(format) } }, icon("download"), t(`report.${format}`)),
  );
  const make = async (format: (typeof FORMATS)[number]) => {
    buttons.forEach((button) => (button.disabled = true));
    replace(message, h("p", { class: "muted", role: "status" }, h("span", { class: "spinner small" }), t("report.making")));
    try {
      const asked = { period: period.control.value as PeriodName, end: end.control.value, town: town.control.value, known: store.then ? store.at : "" };
      const { blob, name } = await writing.report(which.control.value, format, language(), asked);
      save(blob, name || `${which.control.value}.${format}`);
      replace(message, h("p", { class: "muted", role: "status" }, t("report.made", { name })));
    } catch (error) {
      replace(message, h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, errorText(error))));
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  };
  replace(body, h("form", { on: { submit: (event: SubmitEvent) => event.preventDefault() } }, which.element, row(period, end), town.element, message, h("footer", {}, ...buttons)));
  which.control.focus();
}
