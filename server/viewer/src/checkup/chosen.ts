/** The chosen indicator with its evidence: value, formula in words, what it was made of; and of a unit what fails in it. */
import { type Child, h, icon, iconButton, replace } from "../dom";
import { formatTime, languageChanged, localized, SEPARATOR, t } from "../i18n";
import { openReceipt } from "../ui/receipt";
import { problemCard } from "./problemCard";
import type { Store } from "./store";
import type { EvidenceFeature, IndicatorEntry, InputUsed, ValueEntry } from "./types";
import {
  amountText, byName, recalledTag, shareText, standingLamp, standingOf, statusTag, targetText, unitName, unitOf, valueText, wordOf,
} from "./words";

const MOST_FEATURES = 60;
/** Problems that are shown with a unit; the ledger has all. */
const MOST_PROBLEMS = 3;

function fact(name: string, ...value: Child[]): HTMLElement {
  return h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, ...value));
}

function valueHead(store: Store, entry: IndicatorEntry, value: ValueEntry): HTMLElement {
  const standing = standingOf(value);
  return h(
    "div",
    { class: `value-head ${standing}` },
    h("div", { class: "value-figure" }, h("b", {}, valueText(entry, value.value)), h("small", {}, unitOf(entry)), standingLamp(standing, true)),
    h(
      "div",
      { class: "value-target" },
      h("span", {}, entry.target ? t("checkup.legend.target", { target: targetText(entry) }) : t("checkup.noTarget")),
      recalledTag(entry),
      statusTag(store, value.status),
      entry.proxy && h("span", { class: "tag warning", title: t("checkup.proxyHint") }, t("checkup.proxy")),
    ),
    value.reason_text && h("p", { class: "value-reason" }, icon("warning"), h("span", {}, localized(value.reason_text))),
  );
}

function facts(store: Store, entry: IndicatorEntry, value: ValueEntry): HTMLElement {
  const divided = value.denominator !== null && value.denominator !== 1;
  return h(
    "dl",
    { class: "checkup-facts" },
    fact(t("checkup.fact.formula"), localized(entry.formula_text)),
    fact(
      t(divided ? "checkup.fact.ratio" : "checkup.fact.sum"),
      divided ? h("span", { class: "ratio" }, h("span", {}, amountText(value.numerator)), h("span", {}, amountText(value.denominator))) : amountText(value.numerator),
    ),
    fact(t("checkup.fact.surveyed"), shareText(value.surveyed)),
    fact(t("checkup.fact.method"), wordOf(store.overview, "methods", entry.method)),
    fact(t("checkup.fact.department"), localized(entry.department)),
    entry.target
      ? fact(
          t("checkup.fact.target"),
          // A recalled one says so itself, and is marked beside the target.
          entry.target.confidence === "confirmed" && h("span", {}, wordOf(store.overview, "confidences", "confirmed")),
          h("span", {}, wordOf(store.overview, "sources", entry.target.source)),
        )
      : null,
  );
}

export function inputTable(inputs: readonly InputUsed[]): HTMLElement {
  return h(
    "ul",
    { class: "inputs-used" },
    ...inputs.map(({ title, role, layer, version, date, features }) =>
      h(
        "li",
        {},
        h("strong", {}, localized(title) || role),
        h("span", {}, h("code", {}, version === null ? layer : `${layer} v${version}`)),
        h("small", { class: "muted" }, [date ? t("checkup.input.date", { date }) : t("checkup.input.noDate"), t("checkup.input.features", { n: features })].join(SEPARATOR)),
      ),
    ),
  );
}

function featureList(features: readonly EvidenceFeature[], total: number, show: (feature: EvidenceFeature) => void): HTMLElement {
  return h(
    "section",
    { class: "evidence-features" },
    h("h3", {}, t("checkup.evidence.features", { n: total })),
    h(
      "ul",
      {},
      ...features.slice(0, MOST_FEATURES).map((feature) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "evidence-row", "data-feature": `${feature.layer}/${feature.id}`, disabled: feature.bbox === null, on: { click: () => show(feature) } },
            h("span", {}, feature.name ?? feature.id),
            h("code", {}, feature.layer),
            feature.value !== null && h("b", {}, amountText(feature.value)),
          ),
        ),
      ),
    ),
    total > MOST_FEATURES && h("p", { class: "muted" }, t("checkup.evidence.more", { n: total - MOST_FEATURES })),
  );
}

export function chosenPanel(store: Store, goToFeature: (feature: EvidenceFeature) => void): HTMLElement {
  const body = h("div", { class: "chosen-scroll" });
  const element = h("aside", { class: "checkup-chosen" }, body);
  const draw = () => {
    const { indicator: entry, unit, evidence, run } = store;
    element.setAttribute("aria-label", t("checkup.evidence"));
    if (!entry || !run) return replace(body, h("p", { class: "empty-note" }, t(store.view === "compose" ? "checkup.compose.untried" : "checkup.evidence.choose")));
    const value = unit ?? entry.value;
    const composing = store.view === "compose";
    const problems = composing ? [] : store.problemsHere;
    const open = store.problems.filter(({ code, state }) => code === entry.code && state !== "solved").length;
    replace(
      body,
      h(
        "header",
        { class: "chosen-title" },
        h("code", {}, entry.code),
        h("h2", {}, localized(entry.name)),
        !composing && iconButton("close", t("checkup.close"), () => store.choose(null)),
      ),
      h("p", { class: "chosen-place" }, unit ? h("button", { type: "button", class: "link", on: { click: () => store.chooseUnit(null) } }, icon("back"), t("checkup.wholeDistrict")) : null, h("strong", {}, unit ? unitName(unit) : t("checkup.wholeDistrict")), unit && h("span", { class: "muted" }, byName(store, store.by))),
      valueHead(store, entry, value),
      ...problems.slice(0, MOST_PROBLEMS).map((problem) => problemCard(store, problem, problem.by !== store.by && unit !== null)),
      !composing && open > Math.min(problems.length, MOST_PROBLEMS) && (!unit || problems.length > MOST_PROBLEMS) ? h("button", { type: "button", class: "link open-problems", on: { click: () => showProblems(store, entry.code) } }, icon("warning"), t("checkup.problems.ofIndicator", { n: open })) : null,
      unit && evidence && evidence.features.length > 0 ? featureList(evidence.features, evidence.total, goToFeature) : null,
      h("p", { class: "explanation" }, localized(entry.explanation)),
      facts(store, entry, value),
      !composing && h("section", { class: "inputs-section" }, h("h3", {}, t("checkup.inputs")), evidence ? inputTable(evidence.inputs) : h("p", { class: "muted", role: "status" }, t("checkup.evidence.loading"))),
      h(
        "footer",
        { class: "chosen-actions" },
        store.view === "board" ? h("button", { type: "button", class: "button small primary", on: { click: () => (store.view = "map") } }, icon("map"), t("checkup.onMap")) : null,
        evidence?.receipt ? h("button", { type: "button", class: "link", on: { click: () => void openReceipt(evidence.receipt!) } }, icon("source"), t("checkup.receipt")) : null,
        !composing && h("small", { class: "muted" }, t("checkup.run.made", { when: formatTime(new Date(run.made).toISOString()) })),
      ),
    );
  };
  const fresh = () => {
    draw();
    body.scrollTop = 0;
  };
  store.loaded.on(draw);
  store.chosenChanged.on(fresh);
  store.unitsLoaded.on(draw);
  store.evidenceLoaded.on(draw);
  store.problemsLoaded.on(draw);
  store.viewChanged.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}

function showProblems(store: Store, code: string): void {
  store.filter({ problems: code });
  store.view = "problems";
}
