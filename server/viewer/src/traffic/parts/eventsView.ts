/** Events in the card: the list, and one closely. */
import { h, icon, replace } from "../../dom";
import { formatNumber, said, t } from "../../i18n";
import { may } from "../../rights";
import type { Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";
import { tracksOf } from "../events";
import type { TrafficStore } from "../store";
import type { TrafficTool } from "../trafficTool";
import type { TrafficEvent } from "../types";
import { dayTime, degrees, eventLetter, kindName } from "./words";

/** Milliseconds before an event at which its replay begins. */
const BEFORE = 20_000;

function sign({ kind, ended }: TrafficEvent): HTMLElement {
  return h("span", { class: `traffic-sign${ended === null ? " open" : ""}`, "aria-hidden": "true" }, eventLetter(kind));
}

const stateWord = ({ ended }: TrafficEvent) => t(ended === null ? "traffic.events.open" : "traffic.events.ended");

export function eventsView(store: TrafficStore, tool: TrafficTool): Control {
  const element = h("div", { class: "controls" });
  let shown = "";

  const row = (one: TrafficEvent) =>
    h(
      "li", {},
      h(
        "button", { type: "button", "data-event": one.id, on: { click: () => {
          tool.change({ event: String(one.id) });
          void store.goTo(one.place);
        } } },
        sign(one), h("span", { class: "legend-title" }, kindName(one.kind)), h("span", { class: "count" }, `${dayTime(one.begun)}, ${stateWord(one)}`),
      ),
    );

  const closing = (one: TrafficEvent) => {
    const input = h("input", { type: "text", "aria-label": t("traffic.event.closeNote"), placeholder: t("traffic.event.closeNote"), maxlength: 500 });
    const form = h("form", { class: "traffic-closing" }, input, h("button", { type: "submit", class: "button small" }, icon("check"), t("traffic.event.close")));
    form.onsubmit = (event) => {
      event.preventDefault();
      store.events.close(String(one.id), input.value).catch((error: unknown) => toast(errorText(error), "error"));
    };
    return form;
  };

  const detail = (one: TrafficEvent) => {
    const where = one.intersection ?? one.lane ?? one.link;
    const facts: [string, string | null][] = [
      [t("traffic.event.begun"), dayTime(one.begun)],
      [t("traffic.event.ended"), one.ended === null ? t("traffic.events.open") : dayTime(one.ended)],
      [t("traffic.event.place"), where === null ? degrees(one.place) : `${where} (${degrees(one.place)})`],
      [t("traffic.event.confidence"), `${formatNumber(one.confidence * 100, 0)} %`],
      [t("traffic.event.vehicles"), (one.vehicles ?? []).length === 0 ? null : one.vehicles.slice(0, 4).join(", ")],
      [t("traffic.event.note"), one.note],
    ];
    const listed = facts.filter(([, text]) => text).flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]);
    const back = h("button", { type: "button", class: "link", on: { click: () => tool.change({ event: "" }) } }, icon("back"), t("traffic.event.back"));
    const replay = h("button", { type: "button", class: "button small", on: { click: () => store.look(one.begun - BEFORE) } }, icon("history"), t("traffic.event.replay"));
    const go = h("button", { type: "button", class: "button small", on: { click: () => void store.goTo(one.place) } }, icon("target"), t("traffic.panel.go"));
    return [
      back,
      h("h3", { class: "traffic-event-title" }, sign(one), kindName(one.kind)),
      h("dl", { class: "traffic-facts" }, ...listed),
      ...((one.causes ?? []).length > 0 ? [h("h3", {}, t("traffic.event.causes")), h("ul", { class: "traffic-causes" }, ...one.causes!.map(({ en, zh, score }) => h("li", {}, h("span", {}, said(en, zh)), h("span", { class: "count" }, `${formatNumber(score * 100, 0)} %`))))] : []),
      ...(tracksOf(one).length > 0 ? [h("p", { class: "muted" }, t("traffic.event.track"))] : []),
      h("div", { class: "traffic-actions" }, go, replay),
      ...(one.ended === null && may("respond") ? [closing(one)] : []),
    ];
  };

  const sync = () => {
    const { all, chosen, error } = store.events;
    const text = `${document.documentElement.lang} ${JSON.stringify(chosen ?? all)} ${String(error)}`;
    if (text === shown) return;
    shown = text;
    if (chosen) return replace(element, ...detail(chosen));
    if (error) return replace(element, h("p", { class: "error-text" }, errorText(error)));
    if (all.length === 0) return replace(element, h("p", { class: "muted" }, t("traffic.events.none")));
    replace(element, h("ul", { class: "thing-list traffic-events" }, ...all.map(row)));
  };
  sync();
  return { element, sync };
}
