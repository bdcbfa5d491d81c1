/** What shows how a project goes on: photographs, pictures from the air, documents. */
import { h, icon, replace } from "../../dom";
import { t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { openEvidence } from "../dialogs/evidence";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { Page } from "../orders/list";
import type { ProjectDetail } from "../types";
import { evidenceTiles } from "./evidenceTiles";

export function evidencePage(desk: Desk, project: ProjectDetail): Page {
  const shown = h("div", {}, h("p", { class: "empty-note" }, t("chosen.loading")));
  const element = h(
    "section",
    { class: "chosen-part" },
    desk.store.may("report", project.town) &&
      h(
        "p",
        { class: "part-actions first" },
        h("button", { type: "button", class: "button small", on: { click: () => openEvidence(desk, project) } }, icon("upload"), t("evidence.add")),
      ),
    shown,
  );
  const load = async () => {
    try {
      const all = await writing.evidence(project.id);
      const newest = [...all].sort((a, b) => (b.document.taken ?? "").localeCompare(a.document.taken ?? "") || b.changed - a.changed);
      replace(shown, newest.length > 0 ? evidenceTiles(newest, true) : h("p", { class: "empty-note" }, t("evidence.none")));
    } catch (error) {
      replace(shown, h("p", { class: "error-text", role: "alert" }, errorText(error)));
    }
  };
  return { element, load };
}
