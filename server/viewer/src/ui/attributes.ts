/** The panel at the right: everything known about the selected feature. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { api } from "../data/api";
import type { Item, PropertySet, PropertyValue } from "../data/types";
import { type Child, h, icon, iconButton, replace } from "../dom";
import { formatNumber, formatUnit, languageChanged, t } from "../i18n";
import type { Layer } from "../layers";
import type { Picked } from "../selection";
import { may } from "../rights";
import { errorText } from "./errors";
import { isolate } from "./legend";
import { classTitle } from "./names";
import { pipeFacts } from "./pipeFacts";
import { facts, openReceipt } from "./receipt";
import { copyText, toast } from "./toast";

export function formatValue(value: PropertyValue, unit: string | null): string {
  if (value === null || value === "") return value === null ? t("attr.null") : "—";
  if (typeof value === "object" && !Array.isArray(value)) {
    if (typeof value["id"] === "string") return String(value["name"] || value["id"]);
    return Object.entries(value)
      .map(([name, inner]) => `${name}: ${formatValue(inner, null)}`)
      .join(", ");
  }
  if (Array.isArray(value)) return value.map((part) => formatValue(part, unit)).join(", ");
  if (typeof value === "boolean") return t(value ? "attr.true" : "attr.false");
  if (typeof value === "string") return value;
  const suffix = formatUnit(unit);
  return suffix ? `${formatNumber(value)} ${suffix}` : formatNumber(value);
}

function heading(app: App, item: Item, layer: Layer | undefined): HTMLElement {
  const { properties } = item;
  const swatch = h("span", { class: "swatch" });
  const known = layer?.collection.classes.find((c) => c.class === properties.class);
  if (known) swatch.style.backgroundColor = known.color;
  return h(
    "header",
    { class: "attributes-head" },
    h(
      "div",
      { class: "attributes-title" },
      h(
        "p",
        { class: "attributes-class", title: properties.class },
        swatch,
        classTitle(layer, properties.class),
      ),
      h("h2", {}, properties.name || t("attr.unnamed")),
    ),
    iconButton("close", t("attr.close"), () => app.selection.clear()),
  );
}

function actions(app: App, item: Item, layer: Layer | undefined): HTMLElement {
  const bbox = toBbox3D(item.bbox);
  const button = (name: Parameters<typeof icon>[0], label: string, run: () => void, disabled = false) =>
    h("button", { type: "button", class: "button small", disabled, on: { click: run } }, icon(name), label);
  return h(
    "div",
    { class: "attributes-actions" },
    button("target", t("attr.zoom"), () => bbox && void app.camera.flyTo(bbox), bbox === null),
    button("eyeOff", t("attr.hide"), () => {
      if (layer) app.layers.update(layer, (view) => view.hiddenFeatures.add(item.id));
      app.selection.clear();
    }),
    button("isolate", t("attr.isolate"), () => {
      if (!layer) return;
      const keys = layer.collection.classes.map((c) => c.class);
      const usual = new Set(layer.collection.classes.filter((c) => !c.visible).map((c) => c.class));
      app.layers.update(layer, (view) => isolate(view.hiddenClasses, keys, item.properties.class, usual));
    }),
  );
}

function identity(item: Item, layer: Layer | undefined): HTMLElement {
  const { properties: p } = item;
  const copy = iconButton(
    "copy",
    t("attr.copyId"),
    () => {
      void copyText(item.id).then((done) => done && toast(t("attr.copied")));
    },
    { class: "small" },
  );
  if (layer?.collection.kind === "network") {
    return facts([
      [t("attr.id"), h("span", { class: "copyable" }, h("code", {}, item.id), copy)],
      [t("attr.class"), h("code", {}, p.class)],
    ]);
  }
  const system = (p.system ?? [])
    .map((s) => (typeof s === "string" ? s : (s.name ?? s.id ?? "")))
    .filter(Boolean);
  const parent =
    p.parent &&
    p.parent.id !== p.storey?.id &&
    (p.parent.name || classTitle(layer, p.parent.class));
  const heights =
    typeof p.zmin === "number" && typeof p.zmax === "number"
      ? `${formatNumber(p.zmin, 2)} – ${formatNumber(p.zmax, 2)} m`
      : null;
  return facts([
    [t("attr.id"), h("span", { class: "copyable" }, h("code", {}, item.id), copy)],
    [t("attr.class"), h("code", {}, p.class)],
    [t("attr.type"), p.type],
    [t("attr.storey"), p.storey ? p.storey.name || t("storey.unnamed") : null],
    [t("attr.parent"), parent || null],
    [t("attr.system"), system.join(", ")],
    [t("attr.material"), (p.material ?? []).join(", ")],
    [t("attr.heights"), heights],
    [t("attr.download"), item.bbox && may("export") && !layer?.collection.part ? downloads(item) : null],
  ]);
}

/** The geometry as files for other programs. */
function downloads(item: Item): HTMLElement {
  const links = ["GLB", "OBJ", "PLY"].map((format) => {
    const href = api.geometry(item.layer, item.id, item.version, format.toLowerCase());
    return h("a", { class: "link", href, download: "" }, format);
  });
  return h("span", { class: "downloads" }, ...links);
}

interface SetView {
  element: HTMLDetailsElement;
  filter: (text: string) => number;
}

function propertySet(set: PropertySet, open: boolean): SetView {
  const rows = set.properties.map((property) => {
    const value = formatValue(property.value, property.unit);
    const text = `${set.name} ${property.name} ${value}`.toLowerCase();
    const empty = property.value === null || property.value === "";
    const element = h(
      "tr",
      {},
      h("th", { scope: "row" }, property.name),
      h("td", { class: empty ? "muted" : typeof property.value === "number" ? "number" : "" }, value),
    );
    return { text, element };
  });
  const element = h(
    "details",
    { class: "property-set", open },
    h(
      "summary",
      {},
      icon("chevron"),
      h("span", { class: "property-set-name" }, set.name),
      set.kind === "quantity" && h("span", { class: "tag" }, t("attr.quantity")),
      h("span", { class: "count" }, formatNumber(rows.length)),
    ),
    h("table", {}, h("tbody", {}, ...rows.map((row) => row.element))),
  );
  const filter = (text: string) => {
    let shown = 0;
    for (const row of rows) {
      const match = text === "" || row.text.includes(text);
      row.element.hidden = !match;
      if (match) shown++;
    }
    element.hidden = shown === 0;
    element.open = text === "" ? open : shown > 0;
    return shown;
  };
  return { element, filter };
}

/** How many sets start unfolded. */
const OPEN_SETS = 3;

function propertySets(item: Item): Child[] {
  const filled = item.property_sets.filter((set) => set.properties.length > 0);
  if (filled.length === 0) return [h("p", { class: "empty-note" }, t("attr.noSets"))];
  const sets = filled.map((set, i) => propertySet(set, i < OPEN_SETS));
  const none = h("p", { class: "empty-note", role: "status", hidden: true }, t("attr.noMatch"));
  const input = h("input", {
    type: "search",
    placeholder: t("attr.filter"),
    "aria-label": t("attr.filter"),
    autocomplete: "off",
    spellcheck: "false",
    on: {
      input: () => {
        const text = input.value.trim().toLowerCase();
        const shown = sets.reduce((sum, set) => sum + set.filter(text), 0);
        none.hidden = shown > 0;
      },
    },
  });
  return [h("div", { class: "filter" }, icon("filter"), input), none, ...sets.map((set) => set.element)];
}

function provenance(item: Item, layer: Layer | undefined): HTMLElement {
  return h(
    "section",
    { class: "provenance" },
    h("h3", {}, t("attr.provenance")),
    facts([
      [t("attr.layer"), layer?.collection.title ?? item.layer],
      [t("attr.versionRow"), String(item.version)],
    ]),
    item.receipt !== null &&
      h(
        "button",
        { type: "button", class: "link", on: { click: () => void openReceipt(item.receipt!) } },
        icon("source"),
        t("layer.source"),
      ),
  );
}

export function attributesPanel(app: App): HTMLElement {
  const element = h("aside", { class: "panel attributes", hidden: true });
  let shown: Item | null = null;
  let failure: unknown = null;

  const draw = (item: Item) => {
    shown = item;
    failure = null;
    const layer = app.layers.get(item.layer);
    replace(
      element,
      heading(app, item, layer),
      actions(app, item, layer),
      h(
        "div",
        { class: "panel-scroll" },
        identity(item, layer),
        ...(layer?.collection.kind === "network" ? [pipeFacts(item)] : propertySets(item)).filter((c) => c instanceof Node),
        provenance(item, layer),
      ),
    );
  };
  const message = (text: string, kind: string) => {
    shown = null;
    failure = null;
    replace(
      element,
      h(
        "header",
        { class: "attributes-head" },
        h("h2", {}, t("attr.label")),
        iconButton("close", t("attr.close"), () => app.selection.clear()),
      ),
      h("p", { class: kind }, text),
    );
  };

  const fail = (error: unknown) => {
    message(t("attr.failed", { detail: errorText(error) }), "error-text");
    failure = error;
  };

  const load = async (picked: Picked | null) => {
    element.hidden = picked === null;
    document.body.classList.toggle("attributes-open", picked !== null);
    element.setAttribute("aria-label", t("attr.label"));
    if (!picked) {
      shown = null;
      failure = null;
      return;
    }
    element.setAttribute("aria-busy", "true");
    // A quick answer replaces the old feature directly; a slow one must not pass for the new one.
    const slow = setTimeout(() => message(t("attr.loading"), "empty-note"), shown ? 150 : 0);
    const current = () => app.selection.current === picked;
    try {
      const item = await api.item(picked.layer, picked.id, picked.version);
      if (current()) draw(item);
    } catch (error) {
      if (current()) fail(error);
    } finally {
      clearTimeout(slow);
      if (current()) element.removeAttribute("aria-busy");
    }
  };

  app.selection.changed.on((picked) => void load(picked));
  languageChanged.on(() => {
    element.setAttribute("aria-label", t("attr.label"));
    if (shown) draw(shown);
    else if (failure !== null) fail(failure);
  });
  // A new version may say something else about the same feature.
  app.layers.listed.on(() => {
    const picked = app.selection.current;
    const layer = picked && app.layers.get(picked.layer);
    if (!picked || !layer || !shown || picked.version !== undefined) return;
    if (layer.collection.version === shown.version) return;
    api.has(picked.layer, picked.id).then(
      (there) => {
        if (app.selection.current !== picked) return;
        if (there) return load(picked);
        app.selection.clear();
        toast(t("attr.gone"));
      },
      () => undefined, // the badge tells that the server is away
    );
  });
  return element;
}
