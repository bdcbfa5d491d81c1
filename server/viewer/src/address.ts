/** Keeps the address in step with the scene, and the scene with an address that is pasted over it. */
import type { App } from "./app";
import { language, languageChanged, setLanguage, t } from "./i18n";
import { carried, decodeLink, encodeLink, type LayerLink, type Link } from "./permalink";
import { debounce } from "./signal";
import { defaultHiddenClasses } from "./style";
import { follow, takeToken } from "./signInLink";
import { errorText } from "./ui/errors";
import { toast } from "./ui/toast";

const DELAY = 250;

function same(a: Set<string>, b: Set<string>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}

function layerLinks(app: App): LayerLink[] {
  return [...app.layers.all.values()].map(({ collection, view }) => ({
    id: collection.id,
    visible: view.visible,
    opacity: view.opacity,
    colourBy: view.colourBy,
    theme: view.colourBy === "attribute" ? (view.theme ?? undefined) : undefined,
    pointMode: collection.kind === "points" ? view.pointMode : undefined,
    hiddenPointClasses: view.hiddenPointClasses.size > 0 ? [...view.hiddenPointClasses].sort() : undefined,
    hiddenClasses: same(view.hiddenClasses, defaultHiddenClasses(collection.classes))
      ? undefined
      : [...view.hiddenClasses].sort(),
    hiddenStoreys: view.hiddenStoreys.size > 0 ? [...view.hiddenStoreys].sort() : undefined,
    hiddenFeatures: view.hiddenFeatures.size > 0 ? [...view.hiddenFeatures].sort() : undefined,
  }));
}

export function currentLink(app: App): Link {
  return {
    camera: app.camera.view,
    layers: layerLinks(app),
    comparison: app.comparison.link,
    selection: app.selection.current ?? undefined,
    tools: app.toolbox.links,
    table: app.table.link ?? undefined,
    chart: app.series.link ?? undefined,
    lang: language(),
  };
}

/** Opens the comparison of a link; versions that are not kept any more are told of. */
export async function openComparison(app: App, link: Link): Promise<void> {
  if (!link.comparison) return app.comparison.close();
  // Of a layer that is seen only in part nothing can be told from another version of it.
  const layer = app.layers.get(link.comparison.layer);
  if (!layer || layer.collection.part) return;
  try {
    await app.comparison.open(link.comparison);
  } catch (error) {
    toast(t("compare.failed", { detail: errorText(error) }), "error");
  }
}

/** Applies a link to layers that are already there. */
function applyLink(app: App, link: Link): void {
  if (link.lang) setLanguage(link.lang);
  for (const layer of app.layers.all.values()) {
    const found = link.layers.find((l) => l.id === layer.collection.id);
    if (!found) {
      if (link.layers.length > 0) app.layers.update(layer, (view) => (view.visible = false));
      continue;
    }
    app.layers.update(layer, (view) => {
      view.visible = found.visible;
      view.opacity = found.opacity;
      view.colourBy = found.colourBy;
      view.theme = found.theme ?? null;
      view.pointMode = found.pointMode ?? view.pointMode;
      view.hiddenPointClasses = new Set(found.hiddenPointClasses ?? []);
      view.hiddenClasses = new Set(found.hiddenClasses ?? defaultHiddenClasses(layer.collection.classes));
      view.hiddenStoreys = new Set(found.hiddenStoreys ?? []);
      view.hiddenFeatures = new Set(found.hiddenFeatures ?? []);
    });
  }
  app.opened = link;
  void openComparison(app, link);
  app.toolbox.links = link.tools ?? {};
  app.table.link = link.table ?? null;
  app.series.link = link.chart ?? null;
  app.selection.select(link.selection && app.layers.get(link.selection.layer) ? link.selection : null);
  if (link.camera) app.camera.view = link.camera;
}

export function keepAddress(app: App): void {
  let written = location.hash;
  const write = () => {
    if (location.hash !== written) return; // changed by hand, which is about to be heard of
    const hash = `#${encodeLink(currentLink(app))}`;
    if (hash === written) return;
    history.replaceState(null, "", hash);
    written = location.hash;
  };
  const later = debounce(DELAY, write);
  app.motion.rested.on(later);
  app.layers.viewed.on(later);
  app.layers.listed.on(later);
  app.selection.changed.on(later);
  app.comparison.changed.on(later);
  app.toolbox.changed.on(later);
  app.table.changed.on(later);
  app.series.changed.on(later);
  languageChanged.on(later);
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    const token = takeToken();
    if (token !== null) {
      history.replaceState(null, "", written);
      return void follow(token).then((known) => known && restart(app));
    }
    written = location.hash;
    applyLink(app, decodeLink(location.hash));
  });
  later();
}

/** Where the view waits while the page of another service asks who one is. */
const KEPT = "cim.view";

/** Loads the page again, as somebody else and with the view of now; without an app as it was opened. */
export function restart(app: App | null): void {
  if (app) history.replaceState(null, "", `#${encodeLink(carried(currentLink(app), app.opened))}`);
  location.reload();
}

/** Leaves for the city's identity service, which brings one back without a link. */
export function leaveFor(href: string, app: App | null): void {
  const hash = app ? `#${encodeLink(carried(currentLink(app), app.opened))}` : location.hash;
  sessionStorage.setItem(KEPT, hash);
  location.assign(href);
}

/** Takes up the view again that was left. */
export function takeUp(): void {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (kept && location.hash === "") history.replaceState(null, "", kept);
}
