/** Which check-up is looked at, and which of its indicators are wanted. */
import { h, icon, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { debounce } from "../signal";
import { runName } from "./compareTable";
import { STANDINGS } from "./filters";
import type { Store } from "./store";
import { LEVELS } from "./types";
import { type Standing, standingLamp, wordOf } from "./words";

const TYPING = 250;

/** How a check-up came out, in a line. */
function runFacts({ summary, run }: Store): HTMLElement[] {
  if (!summary || !run) return [];
  const { met, failed, unavailable } = summary.counts;
  const rest = run.indicators.length - met - failed - unavailable;
  const fact = (standing: Standing, n: number) => h("li", {}, standingLamp(standing, true), h("b", {}, String(n)));
  return [
    fact("met", met), fact("failed", failed), fact("undecided", rest), fact("unavailable", unavailable),
    ...(summary.hidden > 0 ? [h("li", { class: "muted" }, t("checkup.run.hidden", { n: summary.hidden }))] : []),
  ];
}

export function filterBar(store: Store): HTMLElement {
  const element = h("form", { class: "filters", role: "search", on: { submit: (event: Event) => event.preventDefault() } });
  const run = h("select", { name: "run", class: "run-choice", on: { change: () => store.chooseRun(run.value) } });
  const levels = h("div", { class: "segmented level-choice", role: "group" });
  const dimension = h("select", { name: "dimension", on: { change: () => store.filter({ dimension: dimension.value }) } });
  const status = h("select", { name: "status", on: { change: () => store.filter({ status: status.value }) } });
  const search = h("input", { type: "search", name: "q", autocomplete: "off" });
  search.addEventListener("input", debounce(TYPING, () => store.filter({ q: search.value.trim() })));
  const clear = h("button", { type: "button", class: "button small", on: { click: () => store.filter({ level: "", dimension: "", status: "", q: "" }) } });
  const count = h("output", { class: "filters-count" });
  const facts = h("ul", { class: "run-facts" });
  const only = [levels, dimension, status];
  const searching = h("span", { class: "filters-search" }, icon("search"), search);

  const build = () => {
    element.setAttribute("aria-label", t("checkup.filters"));
    run.setAttribute("aria-label", t("checkup.run"));
    replace(run, ...store.overview.runs.map((one) => h("option", { value: one.id }, runName(one))));
    levels.setAttribute("aria-label", t("checkup.level"));
    replace(
      levels,
      ...["", ...LEVELS].map((level) =>
        h("button", { type: "button", "data-level": level, title: level === "" ? null : wordOf(store.overview, "levels", level), on: { click: () => store.filter({ level, dimension: "" }) } }, t(`checkup.level.${level as "" | "city"}`)),
      ),
    );
    dimension.setAttribute("aria-label", t("checkup.dimension"));
    replace(dimension, h("option", { value: "" }, t("checkup.dimension.any")), ...Object.entries(store.run?.dimensions ?? {}).map(([id, name]) => h("option", { value: id }, localized(name))));
    status.setAttribute("aria-label", t("checkup.status"));
    replace(status, h("option", { value: "" }, t("checkup.status.any")), ...STANDINGS.map((one) => h("option", { value: one }, t(`checkup.status.${one}`))));
    search.placeholder = t("checkup.search");
    search.setAttribute("aria-label", t("checkup.search"));
    replace(clear, icon("close"), t("renewal.clear"));
    sync();
  };
  const sync = () => {
    run.value = store.summary?.id ?? "";
    for (const button of levels.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset["level"] === store.field("level")));
    for (const [select, name] of [[dimension, "dimension"], [status, "status"]] as const) {
      select.value = store.field(name);
      select.classList.toggle("on", select.value !== "");
    }
    if (document.activeElement !== search) search.value = store.field("q");
    const listing = store.view === "board";
    for (const one of [...only, searching, count]) one.hidden = !listing;
    clear.hidden = !listing || !(["level", "dimension", "status", "q"] as const).some((name) => store.field(name) !== "");
    facts.hidden = listing || store.view === "signs";
    replace(facts, ...runFacts(store));
    count.textContent = t("checkup.found", { n: store.listed.length, all: store.run?.indicators.length ?? 0 });
    element.hidden = store.view === "signs";
  };
  replace(element, run, levels, dimension, status, searching, clear, count, facts);
  store.loaded.on(build);
  store.known.on(build);
  store.filtered.on(sync);
  store.viewChanged.on(sync);
  languageChanged.on(build);
  build();
  return element;
}
