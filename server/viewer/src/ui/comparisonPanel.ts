/** What differs between two versions: legend with counts, how both are shown, and the table. */
import type { App } from "../app";
import type { Open } from "../comparison";
import { api } from "../data/api";
import type { VersionEntry } from "../data/types";
import { type Legend, LEGEND } from "../differences";
import { h, icon, iconButton, replace } from "../dom";
import { formatNumber, formatTime, languageChanged, t } from "../i18n";
import { may } from "../rights";
import { changesTable } from "./changesTable";
import { signOf } from "./kindSign";

export function comparisonPanel(app: App): HTMLElement {
  const { comparison } = app;
  const panel = h("section", { class: "subpanel comparison" });
  let sync: () => void = () => undefined;

  const draw = () => {
    const open = comparison.current;
    sync = () => undefined;
    if (!open) return replace(panel);
    const modes = modeButtons(app, open);
    const legend = legendRows(app, open);
    const table = changesTable(app, open);
    panel.setAttribute("aria-label", t("compare.label"));
    replace(
      panel,
      heading(app, open),
      h("div", { class: "panel-scroll" }, modes.element, legend.element, table.element),
    );
    sync = () => {
      for (const part of [modes, legend, table]) part.sync();
    };
    sync();
  };

  comparison.opened.on(draw);
  comparison.changed.on(() => sync());
  languageChanged.on(draw);
  return panel;
}

/** An element, and how it follows what is chosen. */
interface Part {
  element: HTMLElement;
  sync: () => void;
}

function heading(app: App, open: Open): HTMLElement {
  const name = app.layers.get(open.layer)?.collection.title ?? open.layer;
  const version = (entry: VersionEntry) =>
    h(
      "span",
      { class: "compared" },
      h("strong", {}, t("layer.version", { n: entry.version })),
      h("time", { class: "muted", datetime: entry.published }, formatTime(entry.published)),
    );
  return h(
    "header",
    { class: "subpanel-head" },
    iconButton("back", t("compare.leave"), () => app.comparison.close()),
    h(
      "div",
      {},
      h("h2", {}, name),
      h("p", { class: "compared-both" }, version(open.older), h("span", { class: "arrow" }, "→"), version(open.newer)),
    ),
  );
}

function modeButtons(app: App, open: Open): Part {
  const button = (label: string, run: () => void) =>
    h("button", { type: "button", on: { click: run } }, label);
  const together = button(t("compare.together"), () => (app.comparison.swipe = null));
  const swipe = button(t("compare.swipe"), () => {
    if (open.swipe === null) app.comparison.swipe = app.camera.freeMiddle;
  });
  const element = h(
    "div",
    { class: "segmented compare-mode", role: "group", "aria-label": t("compare.mode") },
    together,
    swipe,
  );
  const sync = () => {
    together.setAttribute("aria-pressed", String(open.swipe === null));
    swipe.setAttribute("aria-pressed", String(open.swipe !== null));
  };
  return { element, sync };
}

function legendRows(app: App, open: Open): Part {
  const rows = LEGEND.map((kind: Legend) => {
    const name = t(`kind.${kind}`);
    const box = h("input", {
      type: "checkbox",
      "aria-label": t("compare.show", { name }),
      "data-kind": kind,
      on: { change: () => app.comparison.toggle(kind) },
    });
    const element = h(
      "li",
      { class: "legend-row" },
      h(
        "label",
        {},
        box,
        signOf(kind),
        h("span", { class: "legend-title" }, name),
        h("span", { class: "count" }, formatNumber(open.counts[kind])),
      ),
    );
    return { kind, box, element };
  });
  const element = h(
    "section",
    { class: "legend" },
    h("h3", {}, t("compare.legend")),
    h("ul", { "aria-label": t("compare.legend") }, ...rows.map((row) => row.element)),
    may("export") &&
      h("a", { class: "link", href: api.comparisonCsv(open), download: "" }, icon("download"), t("compare.csv")),
  );
  const sync = () => {
    for (const { kind, box, element: row } of rows) {
      box.checked = !open.off.has(kind);
      row.classList.toggle("off", open.off.has(kind));
    }
  };
  return { element, sync };
}
