/** How a point cloud is coloured, with the legend of its classes. */
import type { App } from "../app";
import { h, replace } from "../dom";
import { formatNumber, localized, t } from "../i18n";
import type { Layer } from "../layers";
import { POINT_MODES } from "../pointModes";
import { choice, type Control } from "./controls";

export function pointControls(app: App, layer: Layer): Control {
  const modes = choice(
    t("layer.colourBy"),
    POINT_MODES.map((mode) => [mode, t(`points.${mode}`)] as const),
    () => layer.view.pointMode,
    (mode) => app.layers.update(layer, (view) => (view.pointMode = mode)),
  );
  const list = h("ul", { "aria-label": t("points.classes") });
  const element = h("div", { class: "theme" }, modes.element, list);
  const sync = () => {
    modes.sync();
    const counts = app.clouds.countsOf(layer);
    const { hiddenPointClasses } = layer.view;
    replace(
      list,
      ...app.clouds.classesOf(layer).map(({ code, title, color }) => {
        const box = h("input", {
          type: "checkbox",
          on: {
            change: () =>
              app.layers.update(layer, (view) => {
                if (box.checked) view.hiddenPointClasses.delete(String(code));
                else view.hiddenPointClasses.add(String(code));
              }),
          },
        });
        box.checked = !hiddenPointClasses.has(String(code));
        const swatch = h("span", { class: "swatch" });
        swatch.style.backgroundColor = color;
        return h(
          "li",
          { class: box.checked ? "legend-row" : "legend-row off" },
          h(
            "label",
            {},
            box,
            layer.view.pointMode === "classification" && swatch,
            h("span", { class: "legend-title" }, localized(title)),
            h("span", { class: "count" }, formatNumber(counts.get(code) ?? 0)),
          ),
        );
      }),
    );
  };
  const stop = app.clouds.changed.on((changed) => {
    if (!element.isConnected) return stop();
    if (changed === layer) sync();
  });
  sync();
  return { element, sync };
}
