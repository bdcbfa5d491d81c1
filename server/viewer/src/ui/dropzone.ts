/** Files dropped anywhere on the page are imported with the server's defaults. */
import type { App } from "../app";
import { h, icon, replace } from "../dom";
import { t } from "../i18n";
import { may } from "../rights";
import { importFiles } from "./importDialog";

export function dropzone(app: App, onImport: () => void): HTMLElement {
  const element = h("div", { class: "dropzone", hidden: true, "aria-hidden": "true" });
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  if (!may("manage")) {
    // A file that is dropped must not take the place of the page.
    for (const name of ["dragover", "drop"] as const)
      window.addEventListener(name, (event) => carriesFiles(event) && event.preventDefault());
    return element;
  }
  // Enter and leave come for every element on the way; the count tells when the page is left.
  let depth = 0;
  const hide = () => {
    depth = 0;
    element.hidden = true;
  };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (depth++ > 0) return;
    replace(
      element,
      h(
        "div",
        { class: "dropzone-card" },
        icon("upload"),
        h("strong", {}, t("import.drop")),
        h("span", {}, t("import.dropHint", { extensions: app.city.extensions.join(", ") })),
      ),
    );
    element.hidden = false;
  });
  window.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) hide();
  });
  window.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hide();
    if (importFiles(app, event.dataTransfer?.files ?? []) > 0) onImport();
  });
  return element;
}
