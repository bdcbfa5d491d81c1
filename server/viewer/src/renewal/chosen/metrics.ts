/** Each metric against its plan: a bar with the plan to date as a mark, and on demand how both grew. */
import { h, icon } from "../../dom";
import { localized, t } from "../../i18n";
import type { Store } from "../store";
import type { Metric, ProjectDetail, ProjectMetric } from "../types";
import { amount, amountWithUnit, percent, points, unitOf } from "../words";
import { cumulative } from "./cumulative";
import { lamp } from "./lamp";
import { across, s } from "../../svg";

/** Which curves are open, kept while days and projects change. */
const opened = new Set<string>(["floor-area-demolished"]);

export function metricsOf(store: Store, project: ProjectDetail): HTMLElement {
  const rows = store.overview.metrics.flatMap((metric) => {
    const standing = project.metrics[metric.id];
    return standing && (standing.target !== null || standing.actual > 0) ? [row(store, project, metric, standing)] : [];
  });
  return rows.length > 0 ? h("div", { class: "metrics" }, ...rows) : h("p", { class: "muted" }, t("metric.none"));
}

function row(store: Store, project: ProjectDetail, metric: Metric, standing: ProjectMetric): HTMLElement {
  const { target, planned, actual, points: behind, light } = standing;
  const whole = Math.max(target ?? 0, actual, planned ?? 0, 1e-9);
  const bar = s(
    "svg",
    { class: `metric-bar ${light ?? "none"}`, width: "100%", height: 12, "aria-hidden": "true" },
    s("rect", { x: 0, y: 3, width: "100%", height: 7, rx: 2, class: "metric-all" }),
    s("rect", { x: 0, y: 3, width: across(actual / whole), height: 7, rx: 2, class: "metric-done" }),
  );
  if (planned !== null) bar.append(s("line", { x1: across(planned / whole), x2: across(planned / whole), y1: 0, y2: 12, class: "metric-plan" }));
  const element = h(
    "details",
    { class: "metric", "data-metric": metric.id, open: opened.has(metric.id) },
    h(
      "summary",
      {},
      h(
        "span",
        { class: "metric-name" },
        icon("chevron"),
        h("span", {}, localized(metric.title)),
        h("span", { class: "metric-figure" }, h("strong", {}, amount(metric, actual)), target !== null && ` / ${amount(metric, target)}`, h("i", {}, unitOf(metric))),
      ),
      bar,
      h(
        "span",
        { class: "metric-points" },
        light && lamp(light, false),
        behind === null ? "" : t("metric.points", { n: points(behind) }),
      ),
    ),
  );
  const fill = () => {
    if (element.open && element.childElementCount === 1) element.append(more(store, project, metric, standing));
  };
  element.addEventListener("toggle", () => {
    if (element.open) opened.add(metric.id);
    else opened.delete(metric.id);
    fill();
  });
  fill();
  return element;
}

function more(store: Store, project: ProjectDetail, metric: Metric, standing: ProjectMetric): HTMLElement {
  const { target, planned, share_planned, share_actual, period_plan, period_actual, actual } = standing;
  const series = project.series[metric.id];
  const line = (name: string, value: string, kind: string) => h("span", { class: kind }, h("i", { "aria-hidden": "true" }), name, h("b", {}, value));
  return h(
    "div",
    { class: "metric-more" },
    h(
      "p",
      { class: "metric-lines" },
      line(t("metric.actual"), `${amountWithUnit(metric, actual)} (${percent(share_actual)})`, "actual"),
      planned !== null && line(t("metric.planned"), `${amountWithUnit(metric, planned)} (${percent(share_planned)})`, "plan"),
      target !== null && line(t("metric.target"), amountWithUnit(metric, target), "target"),
    ),
    (period_actual !== null || period_plan !== null) &&
      h("p", { class: "muted" }, t("metric.period", { actual: amountWithUnit(metric, period_actual), plan: amountWithUnit(metric, period_plan) })),
    metric.source !== "records" && h("p", { class: "muted" }, t(`metric.from.${metric.source}`)),
    series && cumulative(series, target, store.at, (value) => amount(metric, value)),
  );
}
