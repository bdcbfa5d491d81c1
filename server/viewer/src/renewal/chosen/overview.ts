/** How a project stands: why its light is what it is, signing, buildings, what was demolished, and all metrics. */
import { type Child, h, icon } from "../../dom";
import { localized, t } from "../../i18n";
import type { Desk } from "../orders/desk";
import type { Store } from "../store";
import type { Project, ProjectDetail } from "../types";
import { fixed } from "../../figures";
import { area, percent } from "../words";
import { projectFacts, reasons } from "./head";
import { metricsOf } from "./metrics";
import { statesBar } from "./statesBar";
import { across, s } from "../../svg";
import { comma } from "./punctuation";

export function section(title: string, ...children: Child[]): HTMLElement {
  return h("section", { class: "chosen-part" }, h("h3", {}, title), ...children);
}

export function overviewPage(desk: Desk, project: ProjectDetail): HTMLElement[] {
  const { store } = desk;
  return [
    h("section", { class: "chosen-part" }, reasons(store, project)),
    section(t("chosen.signing"), signing(project)),
    section(t("chosen.metrics"), metricsOf(store, project)),
    section(t("chosen.buildings"), buildings(store, project), demolished(project)),
    section(t("chosen.facts"), projectFacts(store, project)),
  ];
}

/** The rate against the gate, as a bar with the gate as a mark. */
function signing({ signing: { due, signed, rate, gate, met } }: Project): HTMLElement {
  if (due === 0 || rate === null) return h("p", { class: "muted" }, t("signing.none"));
  const needed = Math.max(0, Math.ceil(gate * due - 1e-9) - signed);
  const bar = s(
    "svg",
    { class: met ? "gate met" : "gate", width: "100%", height: 22, role: "img", "aria-label": t("signing.bar", { rate: percent(rate), gate: percent(gate, 0) }) },
    s("rect", { x: 0, y: 5, width: "100%", height: 12, rx: 3, class: "gate-all" }),
    s("rect", { x: 0, y: 5, width: across(rate), height: 12, rx: 3, class: "gate-signed" }),
    s("line", { x1: across(gate), x2: across(gate), y1: 1, y2: 21, class: "gate-line" }),
  );
  return h(
    "div",
    { class: "signing" },
    h(
      "div",
      { class: "signing-figures" },
      h("strong", {}, percent(rate)),
      h("span", {}, t("signing.of", { signed: fixed(signed, 0), due: fixed(due, 0) })),
      h("span", { class: met ? "tag good" : "tag warning" }, met ? t("signing.met", { gate: percent(gate, 0) }) : t("signing.lacks", { n: fixed(needed, 0), gate: percent(gate, 0) })),
    ),
    bar,
    h("p", { class: "muted" }, t("signing.holdouts", { n: fixed(due - signed, 0) })),
  );
}

/** Buildings by state, and the households below. */
export function buildings(store: Store, project: Project): HTMLElement {
  const { building_states: states, household_states: living } = store.overview.words;
  const counts = Object.entries(states).map(([id, state]) => ({ id, title: localized(state), colour: state.color, n: project.buildings[id] ?? 0 }));
  const total = counts.reduce((sum, { n }) => sum + n, 0);
  const households = Object.entries(living).map(([id, state]) => `${localized(state)} ${fixed(project.households[id] ?? 0, 0)}`);
  const people = Object.values(project.households).reduce((sum, n) => sum + n, 0);
  if (total === 0) return h("p", { class: "muted" }, t("buildings.none"));
  return h(
    "div",
    { class: "chosen-states" },
    h("p", { class: "states-total" }, t("buildings.total", { n: fixed(total, 0), households: fixed(people, 0) })),
    statesBar(counts, t("chosen.buildings"), t("buildings.unit")),
    people > 0 && h("p", { class: "muted" }, t("buildings.households", { states: households.join(comma()) })),
  );
}

/** What was reported as demolished beside what the twin's buildings amount to. */
export function demolished({ demolished: { twin, reported, difference } }: Project): HTMLElement | null {
  if (twin === null && reported === null) return null;
  const most = Math.max(twin ?? 0, reported ?? 0, 1);
  const row = (name: string, value: number | null, kind: string) => [
    h("dt", {}, name),
    h(
      "dd",
      {},
      s("svg", { width: "100%", height: 9, "aria-hidden": "true" }, s("rect", { x: 0, y: 0, width: across((value ?? 0) / most), height: 9, rx: 2, class: `demolished-bar ${kind}` })),
      h("span", {}, area(value)),
    ),
  ];
  const share = difference !== null && twin ? ` (${difference > 0 ? "+" : "−"}${percent(Math.abs(difference) / twin)})` : "";
  const sign = difference === null || difference === 0 ? "" : difference > 0 ? "+" : "−";
  return h(
    "div",
    { class: "demolished" },
    h("h4", {}, t("demolished.title")),
    h("dl", {}, ...row(t("demolished.reported"), reported, "reported"), ...row(t("demolished.twin"), twin, "twin")),
    difference !== null &&
      h(
        "p",
        { class: Math.abs(difference) > 0.05 * most ? "demolished-difference odd" : "demolished-difference" },
        Math.abs(difference) > 0.05 * most && icon("warning"),
        t("demolished.difference", { difference: `${sign}${area(Math.abs(difference))}${share}` }),
      ),
  );
}
