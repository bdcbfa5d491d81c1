/** Signals: the plan and where it stands, the phase diagram with arrivals, and what other times would bring. */
import { h, replace } from "../../dom";
import { language, t } from "../../i18n";
import type { Control } from "../../ui/controls";
import type { Plan } from "../types";
import { chart } from "./chart";
import { emptyText } from "./linesTab";
import type { Part } from "./part";
import { cyclesOf, drawPhases, GROUNDS, INKS } from "./phaseDiagram";
import { groupsInOrder, planBar } from "./planBar";
import { select } from "./select";
import { countArrivals } from "./signalTimes";
import type { PanelStore } from "./store";
import { whatIf } from "./whatIf";

const TICK = 1_000;

export function signalsTab(store: PanelStore): Part {
  const bar = h("div", { class: "crossing-ask" });
  const plans = planBar();
  const phaseAsk = h("div", { class: "crossing-ask" });
  const counts = h("p", { class: "muted" });
  const other = whatIf(store);
  let plan: string | null = null;
  let group: string | null = null;
  let drawnFor = "";
  let controls: Control[] = [];

  const planOf = (): Plan | null => {
    const of = store.detail.value;
    const wanted = plan ?? of?.plan ?? null;
    return of?.plans.find(({ id }) => id === wanted) ?? of?.plans[0] ?? null;
  };
  const groups = () => (store.detail.value ? groupsInOrder(store.detail.value) : []);
  /** The group that is chosen, else the first that has cycles. */
  const groupOf = (): string | null => {
    const all = groups();
    if (group !== null && all.some(({ id }) => id === group)) return group;
    const cycles = store.cycles.value?.cycles ?? [];
    return (all.find(({ id }) => cycles.some((one) => one.group === id)) ?? all[0])?.id ?? null;
  };

  const phases = chart(
    () => t("crossing.phases"),
    (width) => {
      const { cycles, names, window } = store;
      const id = groupOf();
      counts.textContent = "";
      if (!names || !window) return t("crossing.loading");
      if (id === null) return t("crossing.noSignals");
      const own = cycles.value && cyclesOf(cycles.value, id);
      if (!own || own.columns.length === 0) return emptyText(cycles, t("crossing.phases.nothing"));
      const { green, all } = countArrivals(own.arrivals.map(({ colour }) => ({ light: colour })));
      counts.textContent = t("crossing.phases.sum", { cycles: own.columns.length, n: all, on: green, share: all > 0 ? Math.round((green / all) * 100) : 0 });
      return drawPhases(width, own, window, t("crossing.phases.label", { name: names.phase(id) }));
    },
  );
  const key = h("ul", { class: "crossing-legend" });
  const element = h(
    "section",
    { class: "crossing-part" },
    h("div", {}, bar, plans.element),
    h("div", {}, phaseAsk, phases.element, counts, key),
    other.element,
  );

  const drawBars = () => {
    const of = store.detail.value;
    const { names } = store;
    const from = `${language()} ${of?.layer} ${of?.id} ${of?.plans.length}`;
    if (from === drawnFor || !of || !names) return controls.forEach((control) => control.sync());
    drawnFor = from;
    const choosePlan = select(t("crossing.plans"), of.plans.map(({ id }) => [id, id === of.plan ? t("crossing.planNow", { name: id }) : id]), () => planOf()?.id ?? "", (id) => {
      plan = id;
      draw();
    });
    const chooseGroup = select(t("crossing.group"), groups().map(({ id }) => [id, names.phase(id)]), () => groupOf() ?? "", (id) => {
      group = id;
      phases.draw();
    });
    controls = [choosePlan, chooseGroup];
    replace(bar, h("h3", {}, t("crossing.plans")), of.plans.length > 1 ? choosePlan.element : null);
    replace(phaseAsk, groups().length > 0 ? chooseGroup.element : null);
    const dot = (full: boolean) => {
      const mark = h("span", { class: "dot", "aria-hidden": "true" });
      mark.style.borderColor = full ? INKS.green : INKS.red;
      mark.style.background = full ? INKS.green : "#ffffff";
      return mark;
    };
    const band = (colour: "green" | "yellow" | "red") => {
      const mark = h("span", { class: "swatch", "aria-hidden": "true" });
      mark.style.background = GROUNDS[colour];
      return h("li", {}, mark, t(`crossing.light.${colour}`));
    };
    replace(key, band("green"), band("yellow"), band("red"), h("li", {}, dot(true), t("crossing.phases.onGreen")), h("li", {}, dot(false), t("crossing.phases.notOnGreen")));
  };

  const timed = () => {
    if (store.what) plans.at(store.now, store.context.lights(store.what.id));
    phases.cursor(store.time);
  };
  const draw = () => {
    store.wantCycles();
    element.setAttribute("aria-busy", String(store.cycles.busy));
    drawBars();
    if (store.detail.value && store.names) plans.draw(store.detail.value, store.names, planOf());
    phases.draw();
    other.draw(planOf());
    controls.forEach((control) => control.sync());
    timed();
  };
  // Live, the cycle goes on though nothing else changes.
  setInterval(() => {
    if (!document.hidden && store.time === null && element.offsetParent !== null) timed();
  }, TICK);
  return { element, draw, timed };
}
