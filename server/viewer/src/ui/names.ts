/** How classes and storeys are called on the screen. */
import type { Hit, StoreyCount } from "../data/types";
import { isTextKey, localized, t } from "../i18n";
import type { Layer } from "../layers";

/** "IfcWallStandardCase" becomes "Wall Standard Case" where the server has no title for it. */
function readable(name: string): string {
  return name.replace(/^Ifc/, "").replace(/([a-z])([A-Z])/g, "$1 $2");
}

export function classTitle(layer: Layer | undefined, name: string): string {
  const entry = layer?.collection.classes.find((c) => c.class === name);
  const spatial = `spatial.${name}`;
  return localized(entry?.title) || (isTextKey(spatial) ? t(spatial) : readable(name));
}

export function storeyTitle(storey: StoreyCount): string {
  if (storey.id === null || storey.id === "") return t("storey.none");
  return storey.name || t("storey.unnamed");
}

/** A hit names its storey by GlobalId, by name, or by both. */
export function storeyName(layer: Layer | undefined, storey: Hit["storey"]): string {
  if (!storey) return "";
  if (typeof storey !== "string") return storey.name ?? "";
  const known = layer?.collection.storeys.find((s) => s.id === storey);
  return known ? storeyTitle(known) : storey;
}
