/** What was found in a file that was brought, row by row. */
import { h, icon } from "../../dom";
import { formatNumber, localized, t } from "../../i18n";
import type { FileFinding, FileReport } from "../orders/types";
import { comma } from "../chosen/punctuation";

const SHOWN = 300;

/** The place of a finding as spreadsheets name cells. */
export function placeOf({ sheet, row, column }: FileFinding): string {
  return [sheet, row > 0 ? t("file.row", { n: row }) : "", column].filter(Boolean).join(" ");
}

export function fileReport(report: FileReport): HTMLElement {
  const { rows, accepted, applied, findings, projects } = report;
  const errors = findings.filter(({ severity }) => severity === "error");
  const state = applied ? "applied" : errors.length > 0 ? "refused" : "ready";
  return h(
    "section",
    { class: `file-report ${state}`, role: "status" },
    h("p", { class: "file-sum" }, icon(state === "refused" ? "warning" : "check"), h("strong", {}, t(`file.${state}`)), h("span", {}, t("file.rows", { rows, accepted }))),
    !!projects?.length && h("p", {}, t("file.projects", { n: projects.length, names: projects.slice(0, 8).map(projectName).join(comma()) })),
    findings.length > 0 &&
      h(
        "ul",
        { class: "findings", "aria-label": t("file.findings") },
        ...findings.slice(0, SHOWN).map((finding) =>
          h("li", { class: finding.severity }, h("span", { class: "tag" }, t(`file.${finding.severity}`)), h("span", {}, h("strong", {}, placeOf(finding)), " ", localized(finding.text))),
        ),
      ),
    findings.length > SHOWN && h("p", { class: "muted" }, t("file.moreFindings", { n: formatNumber(findings.length - SHOWN) })),
  );
}

/** The server names projects by their id, and where it knows by their name. */
function projectName(project: unknown): string {
  if (typeof project === "string") return project;
  const { id, name } = project as { id?: string; name?: string };
  return name || id || "";
}
