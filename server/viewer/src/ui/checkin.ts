/** The findings of a check-in: counts, then the rules, then each finding; a click selects its element. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import {
  type CheckinSummary,
  type Finding,
  type Group,
  grouped,
  isPlaced,
  readReport,
  SEVERITIES,
  type Severity,
  surroundings,
  whereabouts,
} from "../checkin";
import { api } from "../data/api";
import { h, icon, replace } from "../dom";
import { localized, said, t } from "../i18n";
import { may } from "../rights";
import { errorText } from "./errors";

/** What the user opened stays open when its row is made anew. */
const opened = new Set<string>();

/** Rows of one rule that are shown at first. */
const SHOWN = 50;

/** A disclosure with the counts; the report is read when it is opened. */
export function checkinDetails(app: App, checkin: CheckinSummary, layer: string | null): HTMLElement {
  const body = h("div", { class: "checkin-body" });
  const details = h(
    "details",
    { class: "report checkin", "data-key": `checkin-${checkin.href}`, open: opened.has(checkin.href) },
    h("summary", {}, icon("chevron"), t("checkin.title"), ...tags(checkin.counts)),
    body,
  );
  const read = () => {
    if (!details.open) return void opened.delete(checkin.href);
    opened.add(checkin.href);
    replace(body, h("p", { class: "muted" }, t("checkin.loading")));
    readReport(checkin.href).then(
      (report) => replace(body, ...grouped(report).map((g) => rule(app, g, layer)), may("export") && downloads(checkin.href)),
      (error: unknown) =>
        replace(body, h("p", { class: "error-text" }, t("checkin.failed", { detail: errorText(error) }))),
    );
  };
  details.addEventListener("toggle", read);
  return details;
}

function tags(counts: Record<Severity, number>): HTMLElement[] {
  const found = SEVERITIES.filter((severity) => counts[severity] > 0);
  if (found.length === 0) return [h("span", { class: "tag good" }, t("checkin.nothing"))];
  return found.map((severity) =>
    h("span", { class: `tag ${severity}` }, t(`checkin.${severity}`, { n: counts[severity] })),
  );
}

function rule(app: App, group: Group, layer: string | null): HTMLElement {
  const rows = h("tbody");
  const more = h("button", { type: "button", class: "link", on: { click: () => show(Infinity) } });
  const show = (limit: number) => {
    replace(rows, ...group.findings.slice(0, limit).map((finding) => row(app, finding, layer)));
    more.hidden = group.findings.length <= limit;
    more.textContent = t("checkin.more", { n: group.findings.length - limit });
  };
  const details = h(
    "details",
    { class: "checkin-rule" },
    h(
      "summary",
      { title: group.rule },
      icon("chevron"),
      h("span", { class: `severity ${group.severity}` }),
      localized(group.title),
      group.refuse && h("span", { class: "tag error" }, t("checkin.refuses")),
      h("span", { class: "count" }, String(group.count)),
    ),
    h(
      "div",
      { class: "table-scroll", tabindex: 0, role: "region", "aria-label": localized(group.title) },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("checkin.finding")),
            h("th", { scope: "col" }, t("checkin.where")),
          ),
        ),
        rows,
      ),
    ),
    more,
    group.count > group.findings.length &&
      h("p", { class: "muted" }, t("checkin.listed", { n: group.findings.length, all: group.count })),
  );
  details.addEventListener("toggle", () => details.open && show(SHOWN));
  return details;
}

function row(app: App, finding: Finding, layer: string | null): HTMLElement {
  const sentence = said(finding.en, finding.zh);
  const place = layer !== null && isPlaced(finding);
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      place
        ? h(
            "button",
            { type: "button", class: "link", on: { click: () => void show(app, layer, finding) } },
            sentence,
          )
        : sentence,
    ),
    h("td", {}, whereabouts(finding)),
  );
}

async function show(app: App, layer: string, finding: Finding): Promise<void> {
  const known = app.layers.get(layer);
  if (known && !known.view.visible) app.layers.update(known, (view) => (view.visible = true));
  let box: readonly number[] | null | undefined = surroundings(finding);
  if (finding.id !== null) {
    app.selection.select({ layer, id: finding.id });
    const item = await api.item(layer, finding.id).catch(() => null); // the attributes say what is wrong
    box = item?.bbox ?? box;
  }
  const bbox = toBbox3D(box);
  if (bbox) await app.camera.flyTo(bbox);
}

function downloads(href: string): HTMLElement {
  return h(
    "p",
    { class: "checkin-files" },
    h("a", { href: `${href}?f=csv`, download: "" }, t("checkin.csv")),
    h("a", { href: `${href}?f=geojson`, download: "" }, t("checkin.geojson")),
    h("a", { href, target: "_blank", rel: "noopener" }, t("checkin.json")),
  );
}
