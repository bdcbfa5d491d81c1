/** What things, conditions and properties are called. */
import type { App } from "../../app";
import { localized, t } from "../../i18n";
import { levelOf, type Mark } from "../marks";
import type { Sensing } from "../things";

export function className(sensing: Sensing, name: string): string {
  return localized(sensing.classes.get(name)?.title) || name || t("sensors.class.other");
}

export function propertyName(sensing: Sensing, code: string): string {
  return localized(sensing.properties.get(code)?.title) || code;
}

export function layerName(app: App, layer: string): string {
  return app.layers.get(layer)?.collection.title ?? (layer === "things" ? t("sensors.layer.things") : layer);
}

/** Of a mark among others, where the word for alarms need not be said again. */
export function markName(mark: Mark): string {
  return t(`mark.${mark}`);
}

export function markSentence(mark: Mark): string {
  return levelOf(mark) === null ? markName(mark) : t("mark.alarm", { level: markName(mark) });
}
