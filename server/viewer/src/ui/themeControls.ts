/** Which attribute a layer is coloured and filtered by, and the legend of that. */
import type { App } from "../app";
import { api } from "../data/api";
import { h, replace } from "../dom";
import { formatNumber, formatUnit, t } from "../i18n";
import type { Layer } from "../layers";
import { type Attribute, METHODS, type Method, type Theme, themeFor } from "../theme";
import { limitsTitle } from "./binTitle";
import { choice, type Control } from "./controls";
import { errorText } from "./errors";
import { attributeName } from "./pipeFacts";

/** Attributes of layers, by layer and version. */
const known = new Map<string, Promise<Attribute[]>>();

function attributesOf({ collection }: Layer): Promise<Attribute[]> {
  const key = `${collection.id} ${collection.version}`;
  let asked = known.get(key);
  if (!asked) {
    asked = api.attributes(collection.id);
    known.set(key, asked);
    asked.catch(() => known.delete(key)); // to be asked again
  }
  return asked;
}

export function themeControls(app: App, layer: Layer): Control {
  const { id } = layer.collection;
  const element = h("div", { class: "theme" });
  let attributes: Attribute[] = [];
  let parts: Control[] = [];

  const change = (part: Partial<Theme>) =>
    app.layers.update(layer, (view) => {
      if (view.theme) view.theme = { ...view.theme, ...part };
    });
  const chosen = () => attributes.find(({ name }) => name === layer.view.theme?.attribute);

  const draw = () => {
    if (attributes.length === 0) return replace(element, h("p", { class: "muted" }, t("theme.none")));
    const select = h(
      "select",
      {
        id: `theme-${id}`,
        "aria-label": t("theme.attribute"),
        on: {
          change: () => {
            const attribute = attributes.find(({ name }) => name === select.value)!;
            app.layers.update(layer, (view) => (view.theme = themeFor(attribute)));
            draw();
          },
        },
      },
      ...groups(attributes),
    );
    const theme = layer.view.theme;
    if (theme) select.value = theme.attribute;
    const numeric = chosen()?.kind === "number";
    const focused = element.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["key"]
      : undefined;
    parts = [
      ...(numeric ? [methods(layer, change), range(layer, chosen()!, change)] : []),
      legend(app, layer, change),
    ];
    replace(element, select, ...parts.map((part) => part.element));
    if (focused) element.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    sync();
  };
  const sync = () => {
    for (const part of parts) part.sync();
  };
  const start = async () => {
    try {
      attributes = await attributesOf(layer);
      const [first] = attributes;
      if (!layer.view.theme && first && layer.view.colourBy === "attribute") {
        app.layers.update(layer, (view) => (view.theme = themeFor(first)));
      }
      draw();
    } catch (error) {
      replace(element, h("p", { class: "error-text" }, errorText(error)));
    }
  };
  const stop = app.themes.changed.on((changed) => {
    if (!element.isConnected) return stop();
    if (changed === layer) draw();
  });
  void start();
  return { element, sync };
}

/** A property stands under its property set. */
function groups(attributes: readonly Attribute[]): HTMLElement[] {
  const sets = new Map<string, HTMLElement[]>();
  for (const { name } of attributes) {
    const dot = name.indexOf(".");
    const set = dot < 0 ? "" : name.slice(0, dot);
    const option = h("option", { value: name }, set === "" ? attributeName(name) : name.slice(dot + 1));
    sets.set(set, [...(sets.get(set) ?? []), option]);
  }
  return [...sets].map(([set, options]) =>
    h("optgroup", { label: set || t("theme.own") }, ...options),
  );
}

function methods(layer: Layer, change: (part: Partial<Theme>) => void): Control {
  return choice<Method>(
    t("theme.method"),
    METHODS.map((method) => [method, t(`theme.${method}`)] as const),
    () => layer.view.theme?.method ?? null,
    (method) => change({ method, off: new Set() }),
  );
}

function range(layer: Layer, attribute: Attribute, change: (part: Partial<Theme>) => void): Control {
  const field = (side: "from" | "to", placeholder: number | null) => {
    const input = h("input", {
      type: "number",
      step: "any",
      "aria-label": t(`theme.${side}`),
      placeholder: placeholder === null ? "" : String(Number(placeholder.toPrecision(6))),
      on: { change: () => change({ [side]: input.value === "" ? null : Number(input.value) }) },
    });
    return input;
  };
  const [from, to] = [field("from", attribute.minimum), field("to", attribute.maximum)];
  const sync = () => {
    const theme = layer.view.theme;
    from.value = String(theme?.from ?? "");
    to.value = String(theme?.to ?? "");
  };
  const unit = formatUnit(attribute.unit);
  const element = h("div", { class: "theme-range" }, from, h("span", {}, "–"), to, unit && h("span", { class: "muted" }, unit));
  sync();
  return { element, sync };
}

function legend(app: App, layer: Layer, change: (part: Partial<Theme>) => void): Control {
  const classes = app.themes.classesOf(layer);
  const error = app.themes.errorOf(layer);
  if (!classes) {
    const text = error ? errorText(error) : t("layer.loading");
    return { element: h("p", { class: error ? "error-text" : "muted" }, text), sync: () => undefined };
  }
  const theme = layer.view.theme!;
  const counts = classes.counts();
  const unit = formatUnit(classes.unit);
  const shown = counts.reduce((sum, count, i) => sum + (theme.off.has(i) ? 0 : count), 0);
  const rows = classes.bins.map((bin, i) => {
    const box = h("input", {
      type: "checkbox",
      "data-key": `theme-${layer.collection.id}-${i}`,
      on: {
        change: () => {
          const off = new Set(theme.off);
          if (box.checked) off.delete(i);
          else off.add(i);
          change({ off });
        },
      },
    });
    box.checked = !theme.off.has(i);
    const swatch = h("span", { class: "swatch" });
    swatch.style.backgroundColor = bin.colour;
    const title = limitsTitle(bin, unit);
    return h(
      "li",
      { class: theme.off.has(i) ? "legend-row off" : "legend-row" },
      h(
        "label",
        { title },
        box,
        swatch,
        h("span", { class: "legend-title" }, title),
        h("span", { class: "count" }, formatNumber(counts[i]!)),
      ),
    );
  });
  const element = h(
    "div",
    { class: "theme-legend" },
    h("ul", { "aria-label": t("theme.legend") }, ...rows),
    h("p", { class: "muted", role: "status" }, t("theme.shown", { n: shown, all: layer.collection.numberOfFeatures })),
  );
  return { element, sync: () => undefined };
}
