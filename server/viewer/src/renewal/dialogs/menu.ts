/** What concerns all projects: orders, the check report, reports, and tables in and out. */
import { h, icon, type IconName, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import type { TextKey } from "../../texts";
import { menu } from "../../ui/menu";
import { openAllOrders } from "../orders/all";
import { deskOf } from "../orders/desk";
import type { Right } from "../types";
import type { Store } from "../store";
import { openBringIn } from "./bringIn";
import { openChecks } from "./checks";
import { openReports } from "./reports";
import { openSheet } from "./sheet";

export function deskMenu(store: Store): HTMLElement {
  const desk = deskOf(store);
  const entries: { name: IconName; title: TextKey; right?: Right; run: () => void }[] = [
    { name: "warning", title: "checks.title", run: () => void openChecks(desk) },
    { name: "source", title: "report.title", right: "export", run: () => openReports(desk) },
    { name: "table", title: "sheet.title", right: "report", run: () => openSheet(desk) },
    { name: "upload", title: "bringIn.title", right: "manage", run: () => openBringIn(desk) },
  ];
  const files = menu("source");
  const element = h("div", { class: "desk-menus" });
  const draw = () => {
    const allowed = entries.filter(({ right }) => right === undefined || store.may(right));
    files.draw(t("menu.files"), allowed.map(({ name, title, run }) => ({ icon: name, title: t(title), run })));
    replace(
      element,
      h("button", { type: "button", class: "button small", "data-menu": "orders", on: { click: () => openAllOrders(desk) } }, icon("bell"), h("span", {}, t("menu.orders"))),
      files.element,
    );
  };
  languageChanged.on(draw);
  draw();
  return element;
}
