/** The panel of an intersection, as a traffic engineer asks about it. */
import "../../css/trafficPanels.css";
import "../../css/trafficCharts.css";
import { h, replace } from "../../dom";
import { language, languageChanged, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import type { IntersectionPanel, TrafficContext } from "../types";
import { corridorTab } from "./corridorTab";
import { approachDiagram, diagramTable } from "./diagram";
import { eventsTab } from "./eventsTab";
import { panelHead } from "./head";
import { linesTab } from "./linesTab";
import { measuresTab } from "./measuresTab";
import type { Part } from "./part";
import { signalsTab } from "./signalsTab";
import { PanelStore } from "./store";
import { windowBar } from "./windowBar";

const TABS = ["overview", "measures", "lines", "signals", "corridor", "events"] as const;
type Tab = (typeof TABS)[number];

/** As wide as this, pixels, the diagram stands beside the other parts. */
const BESIDE = 820;
/** The class of the host while the panel asks for room. */
const WIDE = "crossing-wide";

/**
 * Fills its host. Its button for more room puts the class `crossing-wide` on the host; how wide that
 * is, the host's styles say.
 */
export function intersectionPanel(host: HTMLElement, context: TrafficContext): IntersectionPanel {
  const store = new PanelStore(context);
  const overview = overviewPart(store);
  const parts: Record<Exclude<Tab, "overview">, Part> = {
    measures: measuresTab(store),
    lines: linesTab(store),
    signals: signalsTab(store),
    corridor: corridorTab(store),
    events: eventsTab(store),
  };
  const head = panelHead(store, {
    widen: () => {
      host.classList.toggle(WIDE);
      draw();
    },
    isWide: () => host.classList.contains(WIDE),
  });
  const bar = windowBar(store);
  const tabs = h("div", { role: "tablist", class: "crossing-tabs" });
  const page = h("div", { class: "crossing-page", role: "tabpanel", tabindex: 0, id: "crossing-page" });
  const side = h("div", { class: "crossing-side" });
  const main = h("div", { class: "crossing-main" }, tabs, page);
  const element = h("section", { class: "crossing-panel", hidden: true }, head.element, bar.element, h("div", { class: "crossing-body" }, side, main));
  host.append(element);
  let tab: Tab = "overview";
  let beside = false;
  let tabsIn = "";

  const shown = (): Tab => (beside && tab === "overview" ? "measures" : tab);
  const visible = (): Part[] => {
    const now = shown();
    const other = now === "overview" ? [] : [parts[now]];
    return beside || now === "overview" ? [overview, ...other] : other;
  };

  const drawTabs = () => {
    const names = TABS.filter((name) => !beside || name !== "overview");
    const from = `${language()} ${beside}`;
    if (from !== tabsIn) {
      tabsIn = from;
      const choose = (name: Tab) => {
        tab = name;
        page.scrollTop = 0;
        context.mark(null); // what was pointed at is out of sight
        draw();
      };
      replace(
        tabs,
        ...names.map((name) =>
          h("button", { type: "button", role: "tab", id: `crossing-tab-${name}`, "data-tab": name, "aria-controls": "crossing-page", on: { click: () => choose(name) } }, t(`crossing.tab.${name}`)),
        ),
      );
      tabs.setAttribute("aria-label", t("crossing.parts"));
      tabs.onkeydown = (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        choose(names[(names.indexOf(shown()) + by + names.length) % names.length]!);
        tabs.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
      };
    }
    for (const button of tabs.children) {
      const on = (button as HTMLElement).dataset["tab"] === shown();
      button.setAttribute("aria-selected", String(on));
      button.setAttribute("tabindex", on ? "0" : "-1");
    }
    page.setAttribute("aria-labelledby", `crossing-tab-${shown()}`);
  };

  const place = (parent: Element, ...children: Element[]) => {
    if (children.length !== parent.children.length || children.some((child, i) => parent.children[i] !== child)) replace(parent, ...children);
  };

  const draw = () => {
    element.hidden = store.what === null;
    if (store.what === null) return;
    store.wantDetail();
    element.setAttribute("aria-label", t("crossing.panel", { name: store.names?.title ?? store.what.id }));
    element.setAttribute("aria-busy", String(store.detail.busy));
    head.draw();
    bar.draw();
    drawTabs();
    const now = shown();
    element.classList.toggle("beside", beside);
    place(side, ...(beside ? [overview.element] : []));
    place(page, now === "overview" ? overview.element : parts[now].element);
    if (store.detail.value || store.detail.error) for (const part of visible()) part.draw();
  };

  store.changed.on(draw);
  store.timed.on(() => {
    if (store.what) for (const part of visible()) part.timed?.();
  });
  // Of what the map tells, only the other intersections matter here.
  let known = context.intersections;
  context.changed.on(() => {
    if (known === context.intersections) return;
    known = context.intersections;
    if (store.what) draw();
  });
  languageChanged.on(draw);
  new ResizeObserver(([entry]) => {
    const wide = entry!.contentRect.width >= BESIDE;
    if (wide === beside) return;
    beside = wide;
    draw();
  }).observe(element);

  return {
    show: (id, layer) => store.open({ id, layer }),
    hide: () => {
      context.mark(null);
      store.open(null);
    },
    setTime: (time) => store.setTime(time),
  };
}

/** The approach diagram with the sums of the window. */
function overviewPart(store: PanelStore): Part {
  const diagram = approachDiagram((flow) => {
    const of = store.detail.value;
    if (!of || !flow) return store.context.mark(null);
    const lanes = of.lanes.filter((lane) => lane.link === flow.link).map(({ id }) => id);
    const ways = of.connections.filter((one) => one.turn === flow.turn && lanes.includes(one.from_lane));
    store.context.mark({ lanes: [...new Set(ways.map((one) => one.from_lane))], connections: ways.map(({ id }) => id) });
  });
  const note = h("p", { class: "crossing-note", role: "status" });
  const table = h("div");
  const element = h("section", { class: "crossing-part crossing-overview" }, note, diagram.element, table);
  let drawn: unknown[] = [];
  const draw = () => {
    store.wantTotal();
    const { detail, total } = store;
    element.setAttribute("aria-busy", String(total.busy));
    note.classList.toggle("error-text", total.error !== null);
    const empty = total.value?.rows.length === 0 ? t("crossing.nothing") : "";
    note.textContent = total.error ? errorText(total.error) : total.value === null && total.busy ? t("crossing.loading") : empty;
    note.hidden = note.textContent === "";
    if (!detail.value) return;
    const from = [detail.value, total.value, language()];
    if (from.every((one, i) => one === drawn[i])) return;
    drawn = from;
    diagram.draw(detail.value, total.value);
    replace(table, total.value && diagramTable(detail.value, total.value));
  };
  return { element, draw };
}
