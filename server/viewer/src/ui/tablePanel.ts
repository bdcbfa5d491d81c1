/** The features of the table, page by page, and as files. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { api } from "../data/api";
import type { FeatureSummary } from "../data/types";
import { h, icon, iconButton, replace } from "../dom";
import { formatNumber, languageChanged, t } from "../i18n";
import { may } from "../rights";
import { FORMATS } from "../table";
import { errorText } from "./errors";
import { classTitle } from "./names";
import { attributeName } from "./pipeFacts";

const FIRST = ["class", "name"];
/** What names another feature, or is a part of the place. */
const LEFT_OUT = new Set(["parent", "storey", ...FIRST]);

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return formatNumber(value, 2);
  if (typeof value === "boolean") return t(value ? "attr.true" : "attr.false");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function tablePanel(app: App): HTMLElement {
  const { table } = app;
  const title = h("h2");
  const note = h("p", { class: "muted", role: "status" });
  const files = h("div", { class: "table-files" });
  const close = iconButton("close", "", () => table.close());
  const body = h("div", { class: "table-scroll", tabindex: 0 });
  const element = h(
    "section",
    { class: "panel table-panel", hidden: true },
    h("header", {}, title, note, files, close),
    body,
  );

  const select = (feature: FeatureSummary) => {
    app.selection.select({ layer: table.of!.layer, id: feature.id });
    const bbox = toBbox3D(feature.bbox);
    if (bbox) void app.camera.flyTo(bbox);
  };
  const mark = () => {
    const current = app.selection.current;
    for (const row of body.querySelectorAll<HTMLElement>("tr[data-id]")) {
      const selected = current?.layer === table.of?.layer && current?.id === row.dataset["id"];
      row.setAttribute("aria-selected", String(selected));
    }
  };

  const draw = () => {
    const { of, page, error } = table;
    element.hidden = of === null;
    document.body.classList.toggle("table-open", of !== null);
    if (!of) return;
    app.charts.open(null); // they stand in the same place
    const layer = app.layers.get(of.layer);
    title.textContent = layer?.collection.title ?? of.layer;
    element.setAttribute("aria-label", t("table.label"));
    close.title = t("table.close");
    close.setAttribute("aria-label", t("table.close"));
    replace(
      files,
      ...FORMATS.filter(() => may("export")).map((format) =>
        h(
          "a",
          { class: "link", href: api.exportOf(of.layer, of.ids, format), download: "" },
          icon("download"),
          t(`table.${format}`),
        ),
      ),
    );
    if (error) return replace(body, h("p", { class: "error-text" }, errorText(error)));
    if (!page) return replace(body, h("p", { class: "empty-note" }, t("layer.loading")));
    note.textContent = t("table.count", { n: page.features.length, all: page.numberMatched });
    const names = new Set(page.features.flatMap((feature) => Object.keys(feature.properties)));
    const columns = [...FIRST, ...[...names].filter((name) => !LEFT_OUT.has(name))];
    const row = (feature: FeatureSummary) =>
      h(
        "tr",
        { "data-id": feature.id },
        h("th", { scope: "row" }, h("button", { type: "button", class: "link", on: { click: () => select(feature) } }, feature.id)),
        ...columns.map((name) => {
          const value = feature.properties[name];
          const shown = name === "class" ? classTitle(layer, String(value)) : text(value);
          return h("td", { class: typeof value === "number" ? "number" : "", title: shown }, shown);
        }),
      );
    const scrolled = body.scrollTop;
    replace(
      body,
      h(
        "table",
        { class: "data-table" },
        h("thead", {}, h("tr", {}, ...[t("table.id"), ...columns.map(heading)].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...page.features.map(row)),
      ),
      page.features.length < page.numberMatched
        ? h(
            "button",
            { type: "button", class: "link", disabled: table.busy, on: { click: () => void table.more() } },
            icon("refresh"),
            t("analysis.more"),
          )
        : null,
    );
    body.scrollTop = scrolled;
    mark();
  };
  table.changed.on(draw);
  app.selection.changed.on(mark);
  languageChanged.on(draw);
  return element;
}

function heading(name: string): string {
  if (name === "class") return t("layer.class");
  return name === "name" ? t("table.name") : attributeName(name);
}
