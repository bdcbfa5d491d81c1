/** What the colours of vehicles mean, and how many there are of each. */
import { h, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import type { Control } from "../../ui/controls";
import { speedClass, SPEEDS, USER_COLOURS, USER_GROUPS, userOf } from "../scene/looks";
import type { TrafficStore } from "../store";
import type { TrafficTool } from "../trafficTool";
import { userName } from "./words";

export function legendRow(colour: string, title: string, count: string, swatch: HTMLElement = h("span", { class: "swatch" })): HTMLElement {
  swatch.style.backgroundColor = colour;
  return h("li", { class: "legend-row" }, h("span", { class: "legend-entry" }, swatch, h("span", { class: "legend-title" }, title), h("span", { class: "count" }, count)));
}

function speedTitle(i: number): string {
  const [from, to] = [SPEEDS[i]![0], SPEEDS[i + 1]?.[0]];
  if (i === 0) return t("traffic.speed.below", { to: to! });
  return to === undefined ? t("traffic.speed.from", { from }) : `${from} – ${to}`;
}

export function userLegend(store: TrafficStore, tool: TrafficTool): Control {
  const element = h("div", { class: "traffic-legend" });
  let shown = "";
  const sync = () => {
    const { ways } = store.scene.vehicles;
    const colour = tool.choice?.colour ?? "speed";
    const rows: [string, string, number][] = [];
    if (colour === "speed") {
      const counts = SPEEDS.map(() => 0);
      for (let i = 0; i < ways.count; i++) counts[speedClass(ways.speed[i]!)]!++;
      rows.push(...SPEEDS.map(([, css], i): [string, string, number] => [css, speedTitle(i), counts[i]!]));
    } else {
      for (const group of USER_GROUPS) {
        let count = 0;
        for (let i = 0; i < ways.count; i++) if (group.includes(userOf(ways.kind[i]!))) count++;
        rows.push([USER_COLOURS[group[0]!], userName(group[0]!), count]);
      }
    }
    const text = JSON.stringify(rows);
    if (text === shown) return;
    shown = text;
    replace(
      element,
      h("h3", {}, t(colour === "speed" ? "traffic.speeds" : "traffic.classes")),
      h("ul", {}, ...rows.map(([css, title, count]) => legendRow(css, title, formatNumber(count)))),
    );
  };
  sync();
  return { element, sync };
}
