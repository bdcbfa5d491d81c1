/** What the heat map shows, over which time, in which cells; and its legend. */
import type { App } from "../../app";
import { h, replace } from "../../dom";
import { formatNumber, formatUnit, t } from "../../i18n";
import type { Bin } from "../../theme";
import { formatLength } from "../../units";
import { choice, type Control, tick } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { COARSEST, EDGES, FINEST, WINDOWS } from "../heat";
import type { HeatTool } from "../heatTool";
import { type Statistic, STATISTICS } from "../types";
import { propertyName } from "./words";

export function heatCard(app: App, tool: HeatTool): Control {
  const { heat } = tool;
  const { sensing } = app;
  const element = h("div", { class: "controls heat-card" });
  let drawnFor = "";
  let parts: Control[] = [];
  const legend = h("div", { class: "heat-legend", "aria-live": "polite" });

  const select = (id: string, label: string, options: () => [string, string][], value: () => string, set: (value: string) => void): Control => {
    const input = h("select", { id, on: { change: () => set(input.value) } });
    let shown = "";
    const sync = () => {
      const now = options();
      const key = now.flat().join("\n");
      if (key !== shown) replace(input, ...now.map(([name, title]) => h("option", { value: name }, title)));
      shown = key;
      input.value = value();
    };
    sync();
    return { element: h("div", { class: "form-row" }, h("label", { for: id }, label), input), sync };
  };

  const build = (): Control[] => [
    select(
      "heat-property", t("heat.property"),
      () => {
        const known = tool.properties;
        const now = heat.choice!.property;
        return (known.includes(now) ? known : [now, ...known]).map((code) => [code, propertyName(sensing, code)]);
      },
      () => heat.choice!.property, (property) => heat.change({ property }),
    ),
    select(
      "heat-statistic", t("heat.statistic"), () => STATISTICS.map((one) => [one, t(`heat.${one}`)]),
      () => heat.choice!.statistic, (statistic) => heat.change({ statistic: statistic as Statistic }),
    ),
    select(
      "heat-resolution", t("heat.resolution"),
      () => [
        ["zoom", t("heat.zoom", { n: heat.choice!.resolution === null ? (heat.answer?.resolution ?? heat.zoomed) : heat.zoomed })],
        ...EDGES.map((edge, i): [string, string] => [String(COARSEST + i), t("heat.level", { n: COARSEST + i, size: formatLength(edge >= 100 ? Math.round(edge) : edge) })]),
      ],
      () => String(heat.choice!.resolution ?? "zoom"),
      (level) => heat.change({ resolution: Number(level) >= COARSEST && Number(level) <= FINEST ? Number(level) : null }),
    ),
    choice(
      t("heat.window"), WINDOWS.map((seconds) => [`${seconds}`, t(`heat.${seconds}`)] as const),
      () => `${heat.choice!.window}` as `${(typeof WINDOWS)[number]}`, (seconds) => heat.change({ window: Number(seconds) }),
    ),
    tick(t("heat.extruded"), () => heat.choice!.extruded, (extruded) => heat.change({ extruded })),
    tick(t("heat.fitted"), () => heat.choice!.fitted, (fitted) => heat.change({ fitted })),
  ];

  const drawLegend = () => {
    const { answer, scale, error } = heat;
    if (error) return replace(legend, h("p", { class: "error-text" }, errorText(error)));
    if (!answer || answer.cells.length === 0) return replace(legend, h("p", { class: "muted" }, answer ? t("heat.nothing") : ""));
    if (!scale) return;
    const counts = scale.counts(answer.values);
    const unit = formatUnit(heat.unit);
    const rows = scale.bins.map((bin, i) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.backgroundColor = bin.colour;
      const entry = h("span", { class: "legend-entry" }, swatch, h("span", { class: "legend-title" }, stepTitle(bin)), h("span", { class: "count" }, formatNumber(counts[i]!)));
      return h("li", { class: "legend-row" }, entry);
    });
    const observations = answer.counts.reduce((sum, n) => sum + n, 0);
    replace(
      legend,
      h("h3", {}, unit === "" || unit === "1" ? t("heat.legend") : `${t("heat.legend")} (${unit})`),
      h("ul", {}, ...rows.reverse()),
      h("p", { class: "muted" }, t("heat.cells", { n: answer.cells.length, m: observations })),
    );
  };

  const sync = () => {
    const key = `${heat.choice !== null} ${document.documentElement.lang}`;
    if (key !== drawnFor) {
      drawnFor = key;
      parts = heat.choice ? build() : [];
      if (heat.choice) replace(element, ...parts.map((part) => part.element), legend);
      else replace(element, h("p", { class: "muted" }, t("sensors.none")));
    }
    for (const part of parts) part.sync();
    drawLegend();
  };
  sync();
  return { element, sync };
}

function stepTitle({ from, to }: Bin): string {
  const number = (value: number) => formatNumber(value, 3);
  if (from === undefined) return to === undefined ? "" : t("heat.below", { to: number(to) });
  return to === undefined ? t("heat.above", { from: number(from) }) : `${number(from)} – ${number(to)}`;
}
