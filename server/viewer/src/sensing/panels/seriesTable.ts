/** The values of the chart as a table, the newest first. */
import type { App } from "../../app";
import { h, icon, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { number } from "./seriesSheet";
import { seriesName, shortNames, unitText } from "./seriesNames";
import type { SeriesStore } from "./seriesStore";
import { moment } from "./when";

const PAGE = 100;

export function seriesTable(app: App, store: SeriesStore): { element: HTMLElement; draw: () => void } {
  const element = h("div", { class: "table-scroll series-table", tabindex: 0 });
  let most = PAGE;
  const draw = () => {
    const { series } = store;
    const [start, end] = store.extentAt(Date.now());
    const byTime = new Map<number, (number | null)[]>();
    series.forEach(({ times, values }, n) =>
      times.forEach((time, i) => {
        if (time < start || time > end) return;
        const row = byTime.get(time) ?? Array<number | null>(series.length).fill(null);
        row[n] = values[i]!;
        byTime.set(time, row);
      }),
    );
    const times = [...byTime.keys()].sort((a, b) => b - a);
    const names = shortNames(app.sensing, series.map(({ datastream }) => datastream));
    const head = series.map(({ datastream }, n) => {
      const unit = unitText(datastream.unit);
      const name = names[n]!;
      return h("th", { scope: "col", title: seriesName(app.sensing, datastream) }, number(n), ` ${unit ? `${name} (${unit})` : name}`);
    });
    const rows = times.slice(0, most).map((time) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, moment(time)),
        ...byTime.get(time)!.map((value) => h("td", { class: "number" }, value === null ? "" : formatNumber(value))),
      ),
    );
    const scrolled = element.scrollTop;
    const more = () => {
      most += PAGE;
      draw();
    };
    replace(
      element,
      h(
        "table",
        { class: "data-table" },
        h("caption", { class: "unseen" }, t("series.tableOf", { n: times.length })),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("series.time")), ...head)),
        h("tbody", {}, ...rows),
      ),
      times.length > most && h("button", { type: "button", class: "link", on: { click: more } }, icon("refresh"), t("analysis.more")),
    );
    element.scrollTop = scrolled;
    element.setAttribute("aria-label", t("series.table"));
  };
  return { element, draw };
}
