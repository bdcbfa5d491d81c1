/** The legends of a layer: classes with their colours, storeys; both with counts and switches. */
import type { App } from "../app";
import { h, iconButton } from "../dom";
import { formatNumber, t } from "../i18n";
import type { Layer } from "../layers";
import type { LayerView } from "../style";
import { classTitle, storeyTitle } from "./names";

interface Legend {
  element: HTMLElement;
  sync: () => void;
}

interface Entry {
  key: string;
  title: string;
  hint: string;
  count: number;
  colour: string | null;
}

/** Hides every entry but one; asked again, shows what `usual` shows. */
export function isolate(hidden: Set<string>, keys: string[], key: string, usual: Set<string>): void {
  const alone = !hidden.has(key) && keys.every((other) => other === key || hidden.has(other));
  hidden.clear();
  for (const other of alone ? usual : keys) if (alone || other !== key) hidden.add(other);
}

function legend(
  app: App,
  layer: Layer,
  title: string,
  kind: string,
  entries: Entry[],
  hiddenOf: (view: LayerView) => Set<string>,
  usual: () => Set<string>,
): Legend {
  const keys = entries.map((entry) => entry.key);
  const { id } = layer.collection;
  const rows = entries.map((entry) => {
    const box = h("input", {
      type: "checkbox",
      "aria-label": t("legend.show", { name: entry.title }),
      "data-key": `${kind}-${id}-${entry.key}`,
      on: {
        change: () =>
          app.layers.update(layer, (view) => {
            if (box.checked) hiddenOf(view).delete(entry.key);
            else hiddenOf(view).add(entry.key);
          }),
      },
    });
    const only = iconButton(
      "isolate",
      "",
      () => app.layers.update(layer, (view) => isolate(hiddenOf(view), keys, entry.key, usual())),
      { class: "small" },
    );
    const swatch = entry.colour === null ? null : h("span", { class: "swatch" });
    if (swatch && entry.colour) swatch.style.backgroundColor = entry.colour;
    const element = h(
      "li",
      { class: "legend-row" },
      h(
        "label",
        { title: entry.hint },
        box,
        swatch,
        h("span", { class: "legend-title" }, entry.title),
        h("span", { class: "count" }, formatNumber(entry.count)),
      ),
      only,
    );
    return { entry, box, only, element };
  });

  const sync = () => {
    const hidden = hiddenOf(layer.view);
    for (const { entry, box, only, element } of rows) {
      const shown = !hidden.has(entry.key);
      const alone = shown && keys.length > 1 && hidden.size >= keys.length - 1;
      box.checked = shown;
      element.classList.toggle("off", !shown);
      only.setAttribute("aria-pressed", String(alone));
      const label = alone ? t("legend.unisolate") : t("legend.isolate", { name: entry.title });
      only.setAttribute("aria-label", label);
      only.title = label;
    }
  };
  const element = h(
    "section",
    { class: "legend" },
    h("h3", {}, title),
    h("ul", { "aria-label": title }, ...rows.map((row) => row.element)),
  );
  return { element, sync };
}

export function classLegend(app: App, layer: Layer): Legend {
  const { classes } = layer.collection;
  const entries = classes.map((c) => ({
    key: c.class,
    title: classTitle(layer, c.class),
    hint: c.class,
    count: c.count,
    colour: c.color,
  }));
  return legend(
    app,
    layer,
    t("layer.classes"),
    "class",
    entries,
    (view) => view.hiddenClasses,
    () => new Set(classes.filter((c) => !c.visible).map((c) => c.class)),
  );
}

export function storeyLegend(app: App, layer: Layer): Legend | null {
  const { storeys } = layer.collection;
  if (storeys.length === 0) return null;
  const entries = [...storeys]
    .sort((a, b) => (b.elevation ?? -1e9) - (a.elevation ?? -1e9))
    .map((s) => ({
      key: s.id ?? "",
      title: storeyTitle(s),
      hint: s.elevation === null ? "" : `${formatNumber(s.elevation, 2)} m`,
      count: s.count,
      colour: null,
    }));
  return legend(
    app,
    layer,
    t("layer.storeys"),
    "storey",
    entries,
    (view) => view.hiddenStoreys,
    () => new Set(),
  );
}
