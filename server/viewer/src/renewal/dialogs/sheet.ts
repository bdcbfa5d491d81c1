/** The workbook in which towns report: taken out for a period, and brought back filled in. */
import { h, icon, replace } from "../../dom";
import { localized, t } from "../../i18n";
import { save } from "../../sensing/panels/seriesFiles";
import { errorText } from "../../ui/errors";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import { openBringing } from "./bringing";
import { input, row, select } from "../../ui/keptForm";
import { lastEnd } from "./periods";

export function openSheet(desk: Desk): void {
  const { store } = desk;
  const { words, towns } = store.overview;
  const period = select("sheet-period", t("progress.period"), [["week", localized(words.periods["week"])], ["month", localized(words.periods["month"])]], "week");
  const end = input("sheet-end", t("progress.end"), { type: "date", required: true, value: lastEnd(desk.day, "week") });
  const own = towns.filter(({ id }) => store.may("report", id));
  const town = select("sheet-town", t("order.town"), [["", t("sheet.allTowns")], ...own.map(({ id, title }) => [id, localized(title)] as const)], own.length === 1 ? own[0]!.id : "");
  const message = h("div", { class: "form-message" });
  const get = h("button", { type: "button", class: "button", on: { click: () => void download() } }, icon("download"), t("sheet.download"));
  const download = async () => {
    get.disabled = true;
    replace(message);
    try {
      const { blob, name } = await writing.sheet({ period: period.control.value, end: end.control.value, town: town.control.value });
      save(blob, name || "progress.xlsx");
    } catch (error) {
      replace(message, h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, errorText(error))));
    } finally {
      get.disabled = false;
    }
  };
  openBringing(desk, {
    title: t("sheet.title"),
    hint: t("sheet.fileHint"),
    accept: ".xlsx",
    before: [h("section", { class: "sheet-out" }, h("h3", {}, t("sheet.out")), row(period, end, town), message, h("p", { class: "part-actions" }, get)), h("h3", {}, t("sheet.in"))],
    send: (file, dryRun, partial) => writing.sendSheet(file, dryRun, partial),
  });
}
