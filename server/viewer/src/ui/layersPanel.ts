/** The layer tree. Rows are rebuilt when layers change, and only adjusted when the user chooses. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { api } from "../data/api";
import type { CatalogueNode } from "../data/processes";
import { h, icon, iconButton, replace } from "../dom";
import { formatBytes, formatNumber, formatTime, languageChanged, localized, SEPARATOR, t } from "../i18n";
import { drawing, isPlan } from "../kinds";
import type { Layer } from "../layers";
import { type ColourMode, defaultHiddenClasses } from "../style";
import { checkinDetails } from "./checkin";
import { classLegend, storeyLegend } from "./legend";
import type { Control } from "./controls";
import { pointControls } from "./pointControls";
import { partSign } from "./partSign";
import { openReceipt } from "./receipt";
import { themeControls } from "./themeControls";

export function layersPanel(app: App): HTMLElement {
  const list = h("ul", { class: "layer-list" });
  const panel = h("div", { class: "panel-scroll" }, list);
  const expanded = new Set<string>();
  let rows = new Map<Layer, LayerRow>();
  let first = true;
  let catalogue: CatalogueGroup[] = [];
  const closed = new Set<string>();

  const render = () => {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["key"];
    const layers = [...app.layers.all.values()];
    if (first && layers.length > 0) {
      first = false;
      if (layers.length === 1) expanded.add(layers[0]!.collection.id);
    }
    list.setAttribute("aria-label", t("layer.list"));
    if (layers.length === 0) replace(list, h("li", { class: "empty-note" }, t("layer.none")));
    else {
      rows = new Map(layers.map((layer) => [layer, layerRow(app, layer, expanded)]));
      replace(list, ...grouped(layers).map(([group, members]) => groupRow(group, members)));
    }
    if (focused) list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };

  /** Groups in the order of the catalogue; what it does not know comes last. */
  const grouped = (layers: readonly Layer[]): [CatalogueGroup | null, Layer[]][] => {
    const groups = new Map<string, Layer[]>();
    for (const layer of layers) {
      const key = catalogue.find(({ id }) => id === layer.collection.place)?.id ?? "";
      groups.set(key, [...(groups.get(key) ?? []), layer]);
    }
    const order = [...catalogue.map(({ id }) => id), ""];
    return order
      .filter((id) => groups.has(id))
      .map((id) => [catalogue.find((group) => group.id === id) ?? null, groups.get(id)!]);
  };

  const groupRow = (group: CatalogueGroup | null, members: readonly Layer[]): HTMLElement => {
    const elements = members.map((layer) => rows.get(layer)!.element);
    const inner = h("ul", {}, ...elements);
    if (!group) return h("li", { class: "layer-group" }, inner);
    const open = !closed.has(group.id);
    inner.hidden = !open;
    const toggle = h(
      "button",
      {
        type: "button",
        class: "layer-group-name",
        "aria-expanded": String(open),
        "data-key": `group-${group.id}`,
        on: {
          click: () => {
            if (!closed.delete(group.id)) closed.add(group.id);
            render();
          },
        },
      },
      icon("chevron"),
      h("span", {}, group.titles.map(localized).join(" / ")),
      h("span", { class: "count" }, formatNumber(members.length)),
    );
    return h("li", { class: "layer-group" }, toggle, inner);
  };

  const readCatalogue = async () => {
    try {
      catalogue = flattened(await api.catalogue());
      render();
    } catch {
      catalogue = []; // without it the layers stand in one list
    }
  };
  void readCatalogue();
  app.layers.listed.on(render);
  app.layers.viewed.on((layer) => rows.get(layer)?.sync());
  languageChanged.on(render);
  render();
  return panel;
}

/** A node of the catalogue, and the titles on the way to it. */
interface CatalogueGroup {
  id: string;
  titles: { en: string; zh: string }[];
}

function flattened(nodes: readonly CatalogueNode[], above: CatalogueGroup["titles"] = []): CatalogueGroup[] {
  return nodes.flatMap(({ id, title, children }) => {
    const titles = [...above, title];
    return [{ id, titles }, ...flattened(children, titles)];
  });
}

/** An element, and how it follows the user's choices. */
interface LayerRow {
  element: HTMLElement;
  sync: () => void;
}

function layerRow(app: App, layer: Layer, expanded: Set<string>): LayerRow {
  const { collection } = layer;
  const { id } = collection;
  const name = collection.title;
  const details = h("div", { class: "layer-details", id: `layer-${id}` });
  const eye = iconButton(
    "eye",
    t("layer.show", { name }),
    () =>
      app.layers.update(layer, (view) => {
        view.visible = !view.visible;
      }),
    { "data-key": `eye-${id}` },
  );
  const disclose = h(
    "button",
    {
      type: "button",
      class: "layer-name",
      title: name,
      "aria-label": t("layer.expand", { name }),
      "aria-controls": details.id,
      "data-key": `name-${id}`,
      on: {
        click: () => {
          if (!expanded.delete(id)) expanded.add(id);
          show();
        },
      },
    },
    icon("chevron"),
    h("span", {}, name),
  );
  const zoom = iconButton("target", t("layer.zoom", { name }), () => {
    const bbox = toBbox3D(collection.extent?.spatial.bbox[0]);
    if (bbox) void app.camera.flyTo(bbox, { reset: true });
  });
  const state = layer.error
    ? h("p", { class: "error-text" }, t("layer.failed", { detail: layer.error }))
    : h(
        "p",
        { class: "layer-sub" },
        h("span", {}, t("layer.features", { n: collection.numberOfFeatures })),
        layer.shownVersion === null && h("span", {}, t("layer.loading")),
        collection.part && partSign(collection.part),
        collection.georeference?.method === "none" &&
          h("span", { class: "tag warning" }, icon("warning"), t("layer.unlocated")),
      );
  const element = h(
    "li",
    { class: "layer" },
    h("div", { class: "layer-head" }, eye, disclose, zoom),
    state,
    details,
  );

  let parts: LayerRow[] = [];
  const sync = () => {
    eye.setAttribute("aria-pressed", String(layer.view.visible));
    replace(eye, icon(layer.view.visible ? "eye" : "eyeOff"));
    element.classList.toggle("off", !layer.view.visible);
    for (const part of parts) part.sync();
  };
  const show = () => {
    const open = expanded.has(id);
    disclose.setAttribute("aria-expanded", String(open));
    details.hidden = !open;
    parts = open ? partsOf(app, layer) : [];
    replace(details, ...parts.map((part) => part.element), open && origin(app, layer));
    sync();
  };
  show();
  return { element, sync };
}

/** What can be chosen depends on how the layer is drawn. */
function partsOf(app: App, layer: Layer): LayerRow[] {
  const { kind } = layer.collection;
  const opacity = opacityControl(app, layer);
  if (kind === "points") return [opacity, pointControls(app, layer)];
  if (drawing(layer.collection) === "ground") return [];
  if (kind === "imagery" || kind === "textured" || kind === "tileset") return [opacity];
  if (isPlan(layer.collection)) return [opacity, swatches(layer)];
  return [opacity, controls(app, layer), legends(app, layer)];
}

/** The colours of classes that the server draws itself. */
function swatches({ collection }: Layer): LayerRow {
  const rows = collection.classes.map((entry) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.backgroundColor = entry.color;
    return h(
      "li",
      { class: "legend-row" },
      h(
        "span",
        { class: "legend-entry" },
        swatch,
        h("span", { class: "legend-title" }, localized(entry.title)),
        h("span", { class: "count" }, formatNumber(entry.count)),
      ),
    );
  });
  const element = h("ul", { class: "legend", "aria-label": t("layer.classes") }, ...rows);
  return { element, sync: () => undefined };
}

function origin(app: App, layer: Layer): HTMLElement {
  const { collection } = layer;
  const note = localized(collection.georeference?.note);
  const unlocated = collection.georeference?.method === "none";
  const preview = collection.links?.find(({ rel }) => rel === "preview")?.href;
  return h(
    "div",
    { class: "layer-origin" },
    preview && h("img", { class: "layer-thumbnail", src: preview, alt: "", loading: "lazy", width: 320, height: 200 }),
    note !== "" && h("p", { class: unlocated ? "note warning" : "note" }, unlocated && icon("warning"), note),
    h(
      "p",
      { class: "muted" },
      [t("layer.version", { n: collection.version }), formatTime(collection.published)].join(SEPARATOR),
    ),
    collection.tileset &&
      h(
        "p",
        { class: "muted" },
        t("layer.size", { bytes: formatBytes(collection.tileset.bytes), tiles: collection.tileset.tiles }),
      ),
    collection.checkin && checkinDetails(app, collection.checkin, collection.id),
    collection.receipt !== null &&
      h(
        "button",
        { type: "button", class: "link", on: { click: () => void openReceipt(collection.receipt!) } },
        icon("source"),
        t("layer.source"),
      ),
    h(
      "button",
      {
        type: "button",
        class: "link",
        "data-key": `versions-${collection.id}`,
        on: { click: () => void app.versions.open(collection.id) },
      },
      icon("history"),
      t("versions.open"),
    ),
    h(
      "button",
      { type: "button", class: "link", on: { click: () => app.table.open(collection.id) } },
      icon("table"),
      t("table.open"),
    ),
  );
}

function opacityControl(app: App, layer: Layer): LayerRow {
  const { id } = layer.collection;
  const output = h("output", {}, "");
  const slider = h("input", {
    type: "range",
    min: 0.1,
    max: 1,
    step: 0.05,
    id: `opacity-${id}`,
    "data-key": `opacity-${id}`,
    on: {
      input: () =>
        app.layers.update(layer, (view) => {
          view.opacity = Number(slider.value);
        }),
    },
  });
  const element = h(
    "div",
    { class: "layer-controls" },
    h("label", { for: slider.id }, t("layer.opacity")),
    slider,
    output,
  );
  const sync = () => {
    slider.value = String(layer.view.opacity);
    output.textContent = `${Math.round(layer.view.opacity * 100)} %`;
  };
  return { element, sync };
}

function controls(app: App, layer: Layer): LayerRow {
  const { id } = layer.collection;
  const modes: [ColourMode, string][] = [
    ["material", t("layer.material")],
    ["class", t("layer.class")],
    ["attribute", t("layer.attribute")],
  ];
  const buttons = modes.map(([mode, label]) =>
    h(
      "button",
      {
        type: "button",
        "data-key": `mode-${mode}-${id}`,
        on: {
          click: () =>
            app.layers.update(layer, (view) => {
              view.colourBy = mode;
            }),
        },
      },
      label,
    ),
  );
  const theme = h("div", { class: "layer-theme" });
  let control: Control | null = null;
  const element = h(
    "div",
    { class: "layer-controls" },
    h("span", { class: "label" }, t("layer.colourBy")),
    h("div", { class: "segmented", role: "group", "aria-label": t("layer.colourBy") }, ...buttons),
    theme,
  );
  const sync = () => {
    buttons.forEach((button, i) =>
      button.setAttribute("aria-pressed", String(modes[i]![0] === layer.view.colourBy)),
    );
    const wanted = layer.view.colourBy === "attribute";
    theme.hidden = !wanted;
    if (wanted && !control) {
      control = themeControls(app, layer);
      replace(theme, control.element);
    } else if (!wanted) {
      control = null;
      replace(theme);
    }
    control?.sync();
  };
  return { element, sync };
}

function legends(app: App, layer: Layer): LayerRow {
  const reset = h(
    "button",
    {
      type: "button",
      class: "link",
      on: {
        click: () =>
          app.layers.update(layer, (view) => {
            view.hiddenClasses = defaultHiddenClasses(layer.collection.classes);
            view.hiddenStoreys.clear();
            view.hiddenFeatures.clear();
          }),
      },
    },
    icon("refresh"),
    t("layer.reset"),
  );
  const count = h("span", { class: "muted" });
  const resetRow = h("div", { class: "legend-reset" }, reset, count);
  const classes = classLegend(app, layer);
  const storeys = storeyLegend(app, layer);
  const element = h("div", { class: "legends" }, classes.element, storeys?.element, resetRow);
  const sync = () => {
    classes.sync();
    storeys?.sync();
    const { hiddenClasses, hiddenStoreys, hiddenFeatures } = layer.view;
    const usual = defaultHiddenClasses(layer.collection.classes);
    const asUsual = hiddenClasses.size === usual.size && [...usual].every((name) => hiddenClasses.has(name));
    resetRow.hidden = asUsual && hiddenStoreys.size === 0 && hiddenFeatures.size === 0;
    count.textContent = hiddenFeatures.size > 0 ? t("layer.hiddenFeatures", { n: hiddenFeatures.size }) : "";
  };
  return { element, sync };
}
