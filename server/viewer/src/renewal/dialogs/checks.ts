/** The check report: what in the records contradicts itself, the twin or the rules, by project. */
import { h, icon, replace } from "../../dom";
import { formatNumber, localized, t } from "../../i18n";
import { openDialog } from "../../ui/dialog";
import { errorText } from "../../ui/errors";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { CheckFinding, CheckReport } from "../orders/types";

export async function openChecks(desk: Desk): Promise<void> {
  const { store } = desk;
  const { body, close } = openDialog(t("checks.title"), "renewal-dialog wide");
  replace(body, h("p", { class: "empty-note", role: "status" }, t("chosen.loading")));
  let report: CheckReport;
  try {
    report = await writing.checks(store.at);
  } catch (error) {
    replace(body, h("p", { class: "error-text", role: "alert" }, errorText(error)));
    return;
  }
  const { findings } = report;
  let rule = "";
  const rules = [...new Set(findings.map((finding) => finding.rule))].sort();
  const list = h("div", { class: "checks" });
  const select = h(
    "select",
    { "aria-label": t("checks.rule"), on: { change: () => ((rule = select.value), draw()) } },
    h("option", { value: "" }, t("checks.allRules", { n: formatNumber(findings.length) })),
    ...rules.map((one) => h("option", { value: one }, `${one} (${formatNumber(findings.filter((finding) => finding.rule === one).length)})`)),
  );
  const group = (project: string | null, found: CheckFinding[]) => {
    const name = project === null ? t("checks.noProject") : (store.projects.get(project)?.name ?? project);
    const go = () => {
      close();
      store.choose(project);
    };
    return h(
      "section",
      {},
      h("h3", {}, project === null ? name : h("button", { type: "button", class: "link", on: { click: go } }, name), h("span", { class: "count" }, formatNumber(found.length))),
      h(
        "ul",
        { class: "findings" },
        ...found.map(({ rule: of, severity, subject, text }) =>
          h("li", { class: severity, title: [of, subject].filter(Boolean).join(" ") }, icon(severity === "error" ? "warning" : "help"), h("span", {}, localized(text))),
        ),
      ),
    );
  };
  const draw = () => {
    const by = new Map<string | null, CheckFinding[]>();
    for (const finding of findings) if (rule === "" || finding.rule === rule) by.set(finding.project, [...(by.get(finding.project) ?? []), finding]);
    replace(list, ...[...by].map(([project, found]) => group(project, found)));
  };
  draw();
  replace(
    body,
    h("p", { class: "muted" }, t("checks.about", { day: store.at })),
    findings.length === 0 ? h("p", { class: "empty-note" }, t("checks.none")) : h("div", { class: "order-filters" }, select),
    list,
  );
}
