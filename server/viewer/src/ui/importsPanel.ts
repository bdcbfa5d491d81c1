/** Uploads and jobs with what they are doing, and what came of them. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import type { ImportReport, Job } from "../data/types";
import { h, icon, iconButton, replace } from "../dom";
import { formatBytes, formatTime, languageChanged, localized, said, SEPARATOR, t } from "../i18n";
import { type ImportEntry, isActive } from "../imports";
import { may } from "../rights";
import type { TextKey } from "../texts";
import { checkinDetails } from "./checkin";
import { errorText, problemText } from "./errors";
import { facts, openReceipt } from "./receipt";
import { toast } from "./toast";

const PHASES = [
  "waiting",
  "upload",
  "reading",
  "unpacking",
  "geometry",
  "properties",
  "saving",
  "tiling",
  "checking",
  "publishing",
  "importing",
  "looking",
];

/** What an import is doing now, in words. */
function phase(entry: ImportEntry): string {
  if (entry.upload !== null) {
    const percent = `${Math.floor(entry.upload * 100)} %`;
    return t("phase.uploading", { percent, bytes: formatBytes(entry.bytes ?? 0) });
  }
  if (entry.cancelled) return t("status.dismissed");
  if (entry.error) return t("status.failed");
  const { job } = entry;
  if (!job) return t("status.accepted");
  if (job.status !== "running" || !job.steps) return t(`status.${job.status}`);
  const { note, done, total } = job.steps;
  if (!PHASES.includes(note)) return t("status.running");
  if ((note === "geometry" || note === "properties") && !total) return t("status.running");
  const doing = t(`phase.${note}` as TextKey, { done, total: total ?? 0 });
  const left = timeLeft(job.remaining_seconds);
  return left === null ? doing : `${doing}${SEPARATOR}${left}`;
}

/** As exact as an estimate can be. */
function timeLeft(seconds: number | null): string | null {
  if (seconds === null) return null;
  if (seconds < 60) return t("left.seconds", { n: Math.max(1, seconds) });
  if (seconds < 3600) return t("left.minutes", { n: Math.round(seconds / 60) });
  return t("left.hours", { n: Math.round(seconds / 360) / 10 });
}

/** 0–1, or `null` while nobody knows. */
function fraction(entry: ImportEntry): number | null {
  if (entry.upload !== null) return entry.upload;
  const steps = entry.job?.steps;
  return steps?.total ? Math.min(1, steps.done / steps.total) : null;
}

function problem(entry: ImportEntry): string | null {
  if (entry.error) return entry.error.status === 0 ? t("import.lost") : errorText(entry.error);
  const found = entry.job?.status === "failed" ? entry.job.problem : null;
  return found ? problemText(found) : null;
}

/** A table of what was left out; long ones are cut, the report says how many there are. */
const DROPPED_SHOWN = 200;

function report(job: Job, result: ImportReport): HTMLElement {
  const note = localized(result.georeference?.note);
  return h(
    "details",
    { class: "report", "data-key": `report-${job.jobID}` },
    h(
      "summary",
      {},
      icon("chevron"),
      t("import.reportFor"),
      result.dropped.length > 0 &&
        h("span", { class: "tag" }, t("import.droppedCount", { n: result.dropped.length })),
      result.warnings.length > 0 &&
        h("span", { class: "tag warning" }, icon("warning"), String(result.warnings.length)),
    ),
    facts([
      [t("attr.layer"), result.layer],
      [t("attr.versionRow"), String(result.version)],
      [t("import.size"), formatBytes(result.bytes)],
      [t("import.georeference"), note || result.georeference?.crs || null],
    ]),
    result.warnings.length > 0 &&
      h(
        "section",
        {},
        h("h3", {}, t("import.warnings")),
        h(
          "ul",
          { class: "warnings" },
          ...result.warnings.map((w, i) => h("li", {}, said(w, result.warnings_zh?.[i]))),
        ),
      ),
    result.dropped.length > 0 &&
      h(
        "section",
        {},
        h("h3", {}, t("import.dropped")),
        h(
          "div",
          { class: "table-scroll", tabindex: 0, role: "region", "aria-label": t("import.dropped") },
          h(
            "table",
            {},
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                ...["import.droppedReason", "attr.class", "import.droppedId"].map((key) =>
                  h("th", { scope: "col" }, t(key as TextKey)),
                ),
              ),
            ),
            h(
              "tbody",
              {},
              ...result.dropped
                .slice(0, DROPPED_SHOWN)
                .map((d) =>
                  h(
                    "tr",
                    {},
                    h("td", {}, said(d.reason, d.reason_zh)),
                    h("td", {}, d.class),
                    h("td", {}, h("code", {}, d.id)),
                  ),
                ),
            ),
          ),
        ),
      ),
    result.receipt !== null &&
      h(
        "button",
        { type: "button", class: "link", on: { click: () => void openReceipt(result.receipt!) } },
        icon("source"),
        t("layer.source"),
      ),
  );
}

interface Row {
  element: HTMLElement;
  update: () => void;
}

function importRow(app: App, entry: ImportEntry): Row {
  const status = h("p", { class: "import-phase" });
  const bar = h("progress", { max: 1, "aria-label": entry.filename });
  const message = h("p", { class: "error-text", role: "alert", hidden: true });
  const outcome = h("div", { class: "import-outcome" });
  const cancel = iconButton("close", t("import.cancelOf", { name: entry.filename }), () => {
    app.imports.cancel(entry).catch(() => toast(t("import.cancelFailed"), "error"));
  });
  const element = h(
    "li",
    { class: "import-row" },
    h(
      "div",
      { class: "import-head" },
      h("span", { class: "import-name", title: entry.filename }, entry.filename),
      cancel,
    ),
    status,
    bar,
    message,
    outcome,
  );
  let shownOutcome: Job["status"] | null = null;

  const update = () => {
    const active = isActive(entry);
    const when = entry.job?.finished ?? entry.job?.created;
    status.textContent = active || !when ? phase(entry) : [phase(entry), formatTime(when)].join(SEPARATOR);
    const done = fraction(entry);
    bar.hidden = !active;
    if (done === null) bar.removeAttribute("value");
    else bar.value = done;
    cancel.hidden = !active || !may("manage");
    const text = problem(entry);
    message.hidden = text === null;
    const reference = entry.error?.reference ?? entry.job?.problem?.id;
    message.textContent = [text, reference ? t("import.reference", { id: reference }) : null]
      .filter(Boolean)
      .join(" ");
    element.classList.toggle("failed", text !== null);
    element.classList.toggle("done", entry.job?.status === "successful");

    const refused = entry.job?.problem?.checkin;
    if (refused && shownOutcome !== "failed") {
      shownOutcome = "failed";
      replace(outcome, checkinDetails(app, refused, null));
    }
    const result = entry.job?.status === "successful" ? entry.job.report : null;
    if (result && shownOutcome !== "successful") {
      shownOutcome = "successful";
      replace(
        outcome,
        h(
          "div",
          { class: "import-summary" },
          h("span", {}, t("import.features", { n: result.features })),
          h(
            "button",
            {
              type: "button",
              class: "button small",
              on: {
                click: () => {
                  const layer = app.layers.get(result.layer);
                  const bbox = toBbox3D(layer?.collection.extent?.spatial.bbox[0]);
                  if (layer) app.layers.update(layer, (view) => (view.visible = true));
                  if (bbox) void app.camera.flyTo(bbox, { reset: true });
                },
              },
            },
            icon("target"),
            t("import.show"),
          ),
        ),
        result.checkin && checkinDetails(app, result.checkin, result.layer),
        report(entry.job!, result),
      );
    }
  };
  update();
  return { element, update };
}

export function importsPanel(app: App): HTMLElement {
  const list = h("ul", { class: "import-list" });
  const panel = h("div", { class: "panel-scroll" }, list);
  let rows = new Map<ImportEntry, Row>();

  const render = () => {
    list.setAttribute("aria-label", t("import.list"));
    const { entries } = app.imports;
    const next = new Map<ImportEntry, Row>();
    for (const entry of entries) {
      const known = rows.get(entry);
      known?.update();
      next.set(entry, known ?? importRow(app, entry));
    }
    const elements = [...next.values()].map((row) => row.element);
    const same = elements.length === list.children.length && elements.every((e, i) => e === list.children[i]);
    if (elements.length === 0) replace(list, h("li", { class: "empty-note" }, t("import.none")));
    else if (!same) replace(list, ...elements);
    rows = next;
  };
  app.imports.changed.on(render);
  languageChanged.on(() => {
    rows = new Map();
    list.replaceChildren();
    render();
  });
  render();
  return panel;
}
