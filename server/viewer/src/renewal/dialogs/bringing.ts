/** Bringing a table: it is looked at first, what is found is told, and only then it is taken. */
import { type Child, h, icon, replace } from "../../dom";
import { t } from "../../i18n";
import { openDialog } from "../../ui/dialog";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";
import type { Desk } from "../orders/desk";
import type { FileReport } from "../orders/types";
import { fileReport } from "./fileReport";
import { files } from "../../ui/keptForm";

interface Bringing {
  title: string;
  hint: string;
  accept: string;
  /** What stands above the choice of the file. */
  before?: Child[];
  after?: Child[];
  send: (file: File, dryRun: boolean, partial: boolean) => Promise<FileReport>;
}

export function openBringing(desk: Desk, { title, hint, accept, before = [], after = [], send }: Bringing): void {
  const { body, close } = openDialog(title, "renewal-dialog wide");
  const result = h("div", { class: "form-message", "aria-live": "polite" });
  let report: FileReport | null = null;
  const chosen = files("brought-file", t("form.file"), { accept, required: true, hint, changed: () => forget() });
  const partial = h("input", { type: "checkbox", id: "brought-partial", on: { change: () => sync() } });
  const partialRow = h("label", { class: "tick", hidden: true }, partial, t("file.partial"));
  const check = h("button", { type: "submit", class: "button primary" }, icon("search"), t("file.check"));
  const take = h("button", { type: "button", class: "button primary", hidden: true, on: { click: () => void run(false) } }, icon("check"), t("file.take"));

  const sync = () => {
    const wrong = report?.findings.some(({ severity }) => severity === "error") ?? false;
    const right = report !== null && !report.applied && report.accepted > 0;
    partialRow.hidden = !(right && wrong);
    take.hidden = !(right && (!wrong || partial.checked));
    check.classList.toggle("primary", take.hidden);
  };
  const forget = () => {
    report = null;
    partial.checked = false;
    replace(result);
    sync();
  };
  const run = async (dryRun: boolean) => {
    const file = chosen.control.files?.[0];
    if (!file) return;
    check.disabled = take.disabled = true;
    replace(result, h("p", { class: "muted", role: "status" }, h("span", { class: "spinner small" }), t(dryRun ? "file.checking" : "file.taking")));
    try {
      report = await send(file, dryRun, partial.checked);
      replace(result, fileReport(report));
      if (report.applied) {
        toast(t("file.applied"));
        await desk.after();
      }
    } catch (error) {
      report = null;
      replace(result, h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, errorText(error))));
    } finally {
      check.disabled = take.disabled = false;
      sync();
    }
  };
  replace(
    body,
    ...before,
    h(
      "form",
      {
        on: {
          submit: (event: SubmitEvent) => {
            event.preventDefault();
            void run(true);
          },
        },
      },
      chosen.element,
      ...after,
      result,
      partialRow,
      h("footer", {}, h("button", { type: "button", class: "button", on: { click: close } }, t("form.close")), check, take),
    ),
  );
  chosen.control.focus();
}
