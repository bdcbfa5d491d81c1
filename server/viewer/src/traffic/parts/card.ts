/** The card of the tool: what is shown of traffic, with its legends. */
import { h, replace } from "../../dom";
import { t } from "../../i18n";
import { choice, type Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { COLOURS, VIEWS } from "../choice";
import type { TrafficStore } from "../store";
import type { TrafficTool } from "../trafficTool";
import { congestionView } from "./congestionView";
import { eventsView } from "./eventsView";
import { userLegend } from "./userLegend";
import { intersectionName } from "./words";

/** A select with its label; its options are drawn anew only where they are others. */
export function select(id: string, label: string, options: () => [string, string][], value: () => string, set: (value: string) => void): Control {
  const input = h("select", { id, on: { change: () => set(input.value) } });
  let shown = "";
  const sync = () => {
    const now = options();
    const text = now.flat().join("\n");
    if (text !== shown) replace(input, ...now.map(([name, title]) => h("option", { value: name }, title)));
    shown = text;
    input.value = value();
  };
  sync();
  return { element: h("div", { class: "form-row" }, h("label", { for: id }, label), input), sync };
}

export function trafficCard(store: TrafficStore, tool: TrafficTool): Control {
  const layers = select(
    "traffic-layer", t("traffic.layer"), () => store.layers.map(({ layer, title }) => [layer, title || layer]),
    () => store.layer ?? "", (layer) => tool.change({ layer, intersection: "", event: "", at: null }),
  );
  const places = select(
    "traffic-intersection", t("traffic.intersection"),
    () => [["", t("traffic.chooseIntersection")], ...store.intersections.map((one): [string, string] => [one.id, intersectionName(one)])],
    () => store.chosen?.id ?? "",
    (id) => {
      const found = store.intersections.find((one) => one.id === id);
      store.choose(found ? { layer: found.layer, id } : null);
      if (found) void store.goTo(found.place);
    },
  );
  const views = choice(t("traffic.view"), VIEWS.map((view) => [view, t(`traffic.view.${view}`)] as const), () => tool.choice?.view ?? null, (view) => {
    tool.change({ view, ...(view === "congestion" && tool.choice?.roads === "off" ? { roads: "link" } : {}) });
  });
  const colours = choice(t("traffic.colour"), COLOURS.map((by) => [by, t(`traffic.colour.${by}`)] as const), () => tool.choice?.colour ?? null, (colour) => tool.change({ colour }));
  const legend = userLegend(store, tool);
  const vehicles: Control = {
    element: h("div", { class: "controls" }, colours.element, legend.element),
    sync: () => [colours, legend].forEach((part) => part.sync()),
  };
  const parts = { vehicles, congestion: congestionView(store, tool), events: eventsView(store, tool) };
  const note = h("p", { class: "muted", role: "status" });
  const body = h("div", { class: "traffic-view" });
  const element = h("div", { class: "controls traffic-card" }, layers.element, places.element, views.element, body, note);
  let shown: HTMLElement | null = null;

  const sync = () => {
    const { choice: chosen } = tool;
    if (!chosen) return;
    const none = store.layers.length === 0;
    note.textContent = store.error ? errorText(store.error) : none && !store.busy ? t("traffic.none") : "";
    note.hidden = note.textContent === "";
    note.classList.toggle("error-text", store.error !== null);
    layers.element.hidden = store.layers.length < 2;
    for (const part of [places, views]) {
      part.element.hidden = none;
      part.sync();
    }
    layers.sync();
    const part = parts[chosen.view];
    body.hidden = none;
    if (part.element !== shown) replace(body, part.element);
    shown = part.element;
    part.sync();
  };
  sync();
  return { element, sync };
}
