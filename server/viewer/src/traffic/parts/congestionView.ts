/** Congestion in the card: of roads or cells, at what time, what colours mean, and where it is worst. */
import { h, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { choice, type Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { ROADS } from "../choice";
import { BIN } from "../roadStates";
import { NO_STATE, STATE_LOOKS } from "../scene/looks";
import type { TrafficStore } from "../store";
import type { TrafficTool } from "../trafficTool";
import { ROAD_STATES, type RoadStateRow } from "../types";
import { legendRow } from "./userLegend";
import { clockTime, stateName } from "./words";

/** So many of the worst are listed. */
const WORST = 5;

export function congestionView(store: TrafficStore, tool: TrafficTool): Control {
  const { states } = store;
  const roads = choice(t("traffic.roads"), ROADS.map((one) => [one, t(`traffic.roads.${one}`)] as const), () => tool.choice?.roads ?? null, (one) => tool.change({ roads: one }));
  const slider = h("input", { type: "range", id: "traffic-bin", min: 0, step: 1, on: { input: () => (states.bin = states.bins[Number(slider.value)] ?? null) } });
  const time = h("output", { for: "traffic-bin" });
  const bins = h("div", { class: "control-row traffic-bins" }, h("label", { for: "traffic-bin" }, t("traffic.bin")), slider, time);
  const legend = h("div", { class: "traffic-legend" });
  const worst = h("div", { class: "traffic-worst" });
  const note = h("p", { class: "muted", role: "status" });
  const element = h("div", { class: "controls" }, roads.element, bins, legend, worst, note);
  let shown = "";

  const draw = (rows: ReadonlyMap<string, RoadStateRow>) => {
    const counts = new Map<string, number>();
    for (const { state } of rows.values()) counts.set(state ?? "none", (counts.get(state ?? "none") ?? 0) + 1);
    const line = (pixels: number) => {
      const swatch = h("span", { class: "traffic-line" });
      swatch.style.height = `${Math.round(2 * pixels)}px`;
      return h("span", { class: "traffic-line-box" }, swatch);
    };
    const entry = (state: (typeof ROAD_STATES)[number] | null) => {
      const { colour, pixels } = state ? STATE_LOOKS[state] : NO_STATE;
      const box = line(pixels);
      (box.firstChild as HTMLElement).style.backgroundColor = colour;
      return legendRow("", stateName(state), formatNumber(counts.get(state ?? "none") ?? 0), box);
    };
    replace(legend, h("h3", {}, t("traffic.legend")), h("ul", {}, ...ROAD_STATES.map(entry), ...(counts.has("none") ? [entry(null)] : [])));
    const known = [...rows].filter(([, row]) => row.tti !== null).sort(([, a], [, b]) => b.tti! - a.tti!).slice(0, WORST);
    if (known.length === 0) return replace(worst);
    const number = (value: number | null, digits: number) => h("td", { class: "number" }, value === null ? "–" : formatNumber(value, digits));
    const body = known.map(([id, row]) =>
      h("tr", {}, h("td", { title: `${id}: ${stateName(row.state)}` }, row.cell ?? row.id ?? ""), number(row.tti, 2), number(row.speed === null ? null : row.speed * 3.6, 0)),
    );
    const head = [t(tool.choice?.roads === "h3" ? "traffic.roads.h3" : "traffic.worst.name"), t("traffic.tti"), t("traffic.worst.speed")];
    replace(worst, h("h3", {}, t("traffic.worst")), h("table", {}, h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, ...body)));
  };

  const sync = () => {
    roads.sync();
    const on = tool.choice?.roads !== "off";
    const some = states.bins.length > 0;
    for (const part of [legend, worst]) part.hidden = !on || !some;
    bins.hidden = !on || states.bins.length < 2;
    note.textContent = !on ? t("traffic.roads.choose") : states.error ? errorText(states.error) : some ? "" : t(states.busy ? "traffic.loading" : "traffic.roads.nothing");
    note.hidden = note.textContent === "";
    if (!on || !some) return;
    const { bin } = states;
    slider.max = String(states.bins.length - 1);
    slider.value = String(states.bins.indexOf(bin!));
    time.textContent = `${clockTime(bin!, false)}–${clockTime(bin! + BIN * 1000, false)}`;
    slider.setAttribute("aria-valuetext", time.textContent);
    const text = `${document.documentElement.lang} ${bin} ${tool.choice?.roads} ${JSON.stringify([...states.rows])}`;
    if (text === shown) return;
    shown = text;
    draw(states.rows);
  };
  sync();
  return { element, sync };
}
