/** Projects and their boundaries from a spreadsheet, a GeoPackage or a zipped Shapefile. */
import { t } from "../../i18n";
import { today } from "../days";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import { openBringing } from "./bringing";
import { input, row } from "../../ui/keptForm";

export function openBringIn(desk: Desk): void {
  const effective = input("bring-effective", t("form.effective"), { type: "date", max: today(), value: today() }, { hint: t("form.effectiveHint") });
  const crs = input("bring-crs", t("bringIn.crs"), { placeholder: "EPSG:4547", spellcheck: "false" }, { hint: t("bringIn.crsHint") });
  openBringing(desk, {
    title: t("bringIn.title"),
    hint: t("bringIn.fileHint"),
    accept: ".xlsx,.gpkg,.zip",
    after: [row(effective, crs)],
    send: (file, dryRun, partial) => writing.bringIn(file, { dryRun, partial, effective: effective.control.value, crs: crs.control.value.trim() }),
  });
}
