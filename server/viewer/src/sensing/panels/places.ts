/** Getting to things, features and places of the city. */
import { Cartographic } from "cesium";
import type { App } from "../../app";
import { toBbox3D } from "../../camera";
import { api } from "../../data/api";
import type { Bbox3D } from "../../data/types";
import { t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";

/** Metres shown around a point, and what a degree is of them. */
const AROUND = 45;
const DEGREE = 111_320;

/** A box around a point, metres above the ellipsoid. */
function around(lon: number, lat: number, height: number): Bbox3D {
  const [dy, dx] = [AROUND / DEGREE, AROUND / (DEGREE * Math.cos((lat * Math.PI) / 180))];
  return [lon - dx, lat - dy, height - 2, lon + dx, lat + dy, height + 10];
}

/** Selects a feature and flies there. */
export async function goToFeature(app: App, layer: string, id: string): Promise<void> {
  try {
    const bbox = toBbox3D((await api.item(layer, id)).bbox);
    const known = app.layers.get(layer);
    if (known && !known.view.visible) app.layers.update(known, (view) => (view.visible = true));
    app.selection.select({ layer, id });
    if (bbox) await app.camera.flyTo(bbox);
  } catch (error) {
    toast(t("place.gone", { detail: errorText(error) }), "error");
  }
}

/** Of the cards at the right, what was selected last is in front. */
export function bringToFront(what: "feature" | "thing"): void {
  document.body.classList.toggle("feature-front", what === "feature");
}

export function thingIsInFront(app: App): boolean {
  return app.sensing.selected !== null && !document.body.classList.contains("feature-front");
}

/** Selects a thing; its card comes to the front, even where it was selected before. */
export function showThing(app: App, id: number): void {
  if (!app.sensing.things.has(id)) return;
  app.sensing.select(null);
  app.sensing.select(id);
}

/** Selects a thing and flies to where it is. */
export async function goToThing(app: App, thing: { id: number; lon: number | null; lat: number | null }): Promise<void> {
  const known = app.sensing.things.get(thing.id);
  showThing(app, thing.id);
  const { lon, lat } = known ?? thing;
  if (lon === null || lat === null) return;
  const place = known && app.places.of(known);
  const height = place ? Cartographic.fromCartesian(place).height : (app.city.anchor?.height ?? 0);
  await app.camera.flyTo(around(lon, lat, height));
}
