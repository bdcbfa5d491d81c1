/** The units of the chosen indicator, ranked: those that fall short first. A click drills into one. */
import { h, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { compareKeys } from "../ui/sorting";
import { compared } from "./changeOf";
import { courseOf } from "./classes";
import type { Store } from "./store";
import type { IndicatorEntry, UnitEntry } from "./types";
import { amountText, byName, standingLamp, standingOf, unitName, unitOf, valueText } from "./words";

/** More rows than anybody reads would only make the page slow. */
const MOST_ROWS = 400;

const RANK = { failed: 0, undecided: 1, met: 2, unavailable: 3 } as const;

/** The worst first: what fails before what meets, and what is furthest from the target before the rest. */
export function ranked(units: readonly UnitEntry[], { direction }: Pick<IndicatorEntry, "direction">): UnitEntry[] {
  const worth = ({ value }: UnitEntry) => (value === null ? null : direction === "lower" ? -value : value);
  return [...units].sort((a, b) => RANK[standingOf(a)] - RANK[standingOf(b)] || compareKeys(worth(a), worth(b)) || compareKeys(a.id, b.id));
}

export function unitList(store: Store): HTMLElement {
  const select = h("select", { name: "indicator", on: { change: () => store.choose(select.value) } });
  const kinds = h("div", { class: "segmented", role: "group" });
  const counts = h("p", { class: "muted", role: "status" });
  const list = h("ol", { class: "unit-list" });
  const element = h("aside", { class: "units" }, h("header", {}, select, kinds, counts), list);

  const row = (entry: IndicatorEntry, unit: UnitEntry, most: number) => {
    const standing = standingOf(unit);
    const before = store.before.get(unit.id);
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: `unit-row ${standing}`, "data-unit": unit.id, "aria-pressed": String(unit.id === store.unit?.id), on: { click: () => store.chooseUnit(unit.id === store.unit?.id ? null : unit.id) } },
        standingLamp(standing),
        h("span", { class: "unit-name" }, unitName(unit)),
        h("b", { class: "unit-value" }, valueText(entry, unit.value), h("small", {}, unitOf(entry))),
        h("span", { class: "unit-bar", "aria-hidden": "true" }, h("i", { style: `width:${unit.value === null || most <= 0 ? 0 : Math.max(0, Math.min(100, (100 * unit.value) / most))}%` })),
        h(
          "small",
          { class: "unit-ratio" },
          unit.status === "unavailable" ? localized(unit.reason_text) : unit.denominator !== null && unit.denominator !== 1 ? `${amountText(unit.numerator)} ÷ ${amountText(unit.denominator)}` : "",
        ),
        store.view === "compare" && before ? compared(entry, courseOf(before.value, unit.value, entry.direction), before.value, unit.value) : null,
      ),
    );
  };

  const draw = () => {
    const { run, indicator } = store;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.unit;
    select.setAttribute("aria-label", t("checkup.table.name"));
    replace(select, ...(run?.indicators ?? []).map(({ code, name, value }) => h("option", { value: code }, `${code} ${localized(name)}${value.met === false ? " ✕" : ""}`)));
    select.value = indicator?.code ?? "";
    kinds.setAttribute("aria-label", t("checkup.by"));
    replace(
      kinds,
      ...(indicator?.by ?? []).filter((kind) => kind !== "district").map((kind) =>
        h("button", { type: "button", "data-by": kind, "aria-pressed": String(kind === store.by), on: { click: () => store.chooseBy(kind) } }, t(`checkup.by.${kind}`)),
      ),
    );
    kinds.hidden = kinds.childElementCount === 0;
    if (!indicator) {
      counts.textContent = "";
      return replace(list);
    }
    const units = ranked(store.units, indicator);
    const count = (standing: string) => units.filter((unit) => standingOf(unit) === standing).length;
    counts.textContent = t("checkup.units.counts", { kind: byName(store, store.by), n: units.length, failed: count("failed"), unavailable: count("unavailable") });
    const most = indicator.unit.en === "%" ? 100 : Math.max(0, ...units.map(({ value }) => value ?? 0));
    replace(list, ...units.slice(0, MOST_ROWS).map((unit) => row(indicator, unit, most)));
    if (focused !== undefined) list.querySelector<HTMLElement>(`[data-unit="${CSS.escape(focused)}"]`)?.focus();
  };
  const chosen = () => {
    draw();
    list.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
  };
  store.loaded.on(draw);
  store.unitsLoaded.on(chosen);
  store.chosenChanged.on(chosen);
  store.viewChanged.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
