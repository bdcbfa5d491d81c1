/** What concerns all projects: orders, the check report, reports, and tables in and out. */
import { h, icon, type IconName, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import type { TextKey } from "../../texts";
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
  const element = h("div", { class: "desk-menu" });
  const list = h("div", { class: "desk-entries", role: "menu", hidden: true });
  let button: HTMLButtonElement | null = null;
  const open = (shown: boolean) => {
    if (list.hidden === !shown) return;
    list.hidden = !shown;
    button?.setAttribute("aria-expanded", String(shown));
    if (shown) list.querySelector("button")?.focus();
    else if (list.contains(document.activeElement)) button?.focus();
  };
  document.addEventListener("pointerdown", (event) => {
    if (!element.contains(event.target as Node)) open(false);
  });
  element.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const items = [...list.querySelectorAll("button")];
    const place = items.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      open(false);
      button?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      items[(place + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
    }
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !element.contains(event.relatedTarget)) open(false);
  });
  const draw = () => {
    const entry = ({ name, title, run }: (typeof entries)[number]) =>
      h("button", { type: "button", role: "menuitem", class: "account-entry", on: { click: () => (open(false), run()) } }, icon(name), h("span", {}, t(title)));
    button = h(
      "button",
      { type: "button", class: "button small", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => open(list.hidden) } },
      icon("source"),
      h("span", {}, t("menu.files")),
    );
    replace(list, ...entries.filter(({ right }) => right === undefined || store.may(right)).map(entry));
    replace(
      element,
      h("button", { type: "button", class: "button small", "data-menu": "orders", on: { click: () => openAllOrders(desk) } }, icon("bell"), h("span", {}, t("menu.orders"))),
      button,
      list,
    );
  };
  languageChanged.on(draw);
  draw();
  return element;
}
