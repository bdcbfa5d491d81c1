/** A modal dialog: the browser traps the focus and Esc closes it. */
import { h, iconButton, replace } from "../dom";
import { t } from "../i18n";

export interface Dialog {
  body: HTMLElement;
  close: () => void;
}

export function openDialog(title: string, extraClass = ""): Dialog {
  const body = h("div", { class: "dialog-body" });
  const heading = h("h2", { id: "dialog-title" }, title);
  const element = h("dialog", { class: `dialog ${extraClass}`, "aria-labelledby": "dialog-title" });
  const close = () => element.close();
  replace(element, h("header", {}, heading, iconButton("close", t("dialog.close"), close)), body);
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => {
    if (event.target === element) close(); // the backdrop
  });
  document.body.append(element);
  element.showModal();
  return { body, close };
}

export function dialogIsOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
