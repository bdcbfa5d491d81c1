import "./css/base.css";
import "./css/frame.css";
import "./css/search.css";
import "./css/panels.css";
import "./css/layers.css";
import "./css/imports.css";
import "./css/checkin.css";
import "./css/attributes.css";
import "./css/versions.css";
import "./css/tools.css";
import "./css/analysis.css";
import "./css/sensing.css";
import "./css/dialogs.css";
import "./css/account.css";
import "./css/alarms.css";
import "./css/alarmDetail.css";
import "./css/series.css";
import "./css/thingCard.css";
import { ScreenSpaceEventHandler, ScreenSpaceEventType } from "cesium";
import { Account } from "./account";
import { keepAddress, openComparison, takeUp } from "./address";
import { Analysis } from "./analysis";
import type { App } from "./app";
import { Base } from "./base";
import { Camera, toBbox3D } from "./camera";
import { Capability } from "./capability";
import { CellMap } from "./cellMap";
import { Charts } from "./charts";
import { Clouds } from "./clouds";
import { Comparison } from "./comparison";
import { api, ApiError } from "./data/api";
import { account as accounts } from "./data/session";
import { append, h } from "./dom";
import { Highlights } from "./highlights";
import { initialLanguage, languageChanged, setLanguage, t } from "./i18n";
import { Imports } from "./imports";
import { listenToKeys } from "./keyboard";
import { Layers } from "./layers";
import { Live } from "./live";
import { decodeLink, type Link } from "./permalink";
import { may } from "./rights";
import { Flow } from "./scene/flow";
import { COMPARED_COLOUR, OUTLINE_COLOUR } from "./scene/outline";
import { createScene, NoWebGL } from "./scene/scene";
import { Traces } from "./scene/traces";
import { Selection } from "./selection";
import { Filter } from "./sensing/filter";
import { Heat } from "./sensing/heat";
import { clickThing, thingTip } from "./sensing/parts/pointer";
import { alarmPanel } from "./sensing/panels/alarmPanel";
import { AlarmStore } from "./sensing/panels/alarmStore";
import { AlarmTone } from "./sensing/panels/alarmTone";
import { seriesPanel } from "./sensing/panels/seriesPanel";
import { SeriesStore } from "./sensing/panels/seriesStore";
import { thingCard } from "./sensing/panels/thingCard";
import { timeBar } from "./sensing/parts/timeBar";
import { Places } from "./sensing/places";
import { Symbols } from "./sensing/symbols";
import { Sensing } from "./sensing/things";
import { follow, takeToken } from "./signInLink";
import { SketchMap } from "./sketchMap";
import { FeatureTable } from "./table";
import { Themes } from "./themes";
import { makeToolbox } from "./tools";
import { testHook } from "./testhook";
import type { TrafficTool } from "./traffic/trafficTool";
import { attributesPanel } from "./ui/attributes";
import { chartPanel } from "./ui/chartPanel";
import { coveredEdges } from "./ui/covered";
import { dropzone } from "./ui/dropzone";
import { errorText } from "./ui/errors";
import { openImportDialog } from "./ui/importDialog";
import { type Message, overlayElement, showMessage } from "./ui/overlay";
import { statusbar } from "./ui/statusbar";
import { openSignIn } from "./ui/signIn";
import { sessionNotice } from "./ui/sessionNotice";
import { sketch } from "./ui/sketch";
import { phaseSwipe, versionSwipe } from "./ui/swipe";
import { tablePanel } from "./ui/tablePanel";
import { toast } from "./ui/toast";
import { toolbar } from "./ui/toolbar";
import { followPit } from "./ui/tools/pit";
import { toolSketchers } from "./ui/tools/sketchers";
import { topbar } from "./ui/topbar";
import { workbench } from "./ui/workbench";
import { Versions } from "./versions";

window.CESIUM_BASE_URL = CESIUM_URL;

/** Where an empty city stands until its first layer comes. */
const NOWHERE = { lon: 113.3, lat: 23.1, height: 0 };

const ASK_AGAIN = 3_000;

/** Asks until the server answers. */
async function orWait<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      let retry: () => void = () => undefined;
      const clicked = new Promise<void>((resolve) => (retry = resolve));
      showMessage({
        icon: "warning",
        title: () => t("app.unreachable"),
        hint: () =>
          error instanceof ApiError && error.status === 0 ? t("app.unreachableHint") : errorText(error),
        action: { label: () => t("app.retry"), run: () => retry() },
      });
      await Promise.race([clicked, new Promise((resolve) => setTimeout(resolve, ASK_AGAIN))]);
    }
  }
}

/** Where whoever looks sees nothing, the page begins anew when somebody else has signed in. */
function askToSignIn(account: Account): Promise<never> {
  const out = { label: () => t("account.signOut"), run: () => void accounts.signOut().then(() => location.reload()) };
  const come = { label: () => t("account.signIn"), run: () => openSignIn(account, null) };
  showMessage({
    icon: "lock",
    title: () => t("account.closed"),
    hint: () => t(account.person ? "account.closedToYou" : "account.closedHint"),
    action: account.person ? out : come,
  });
  return new Promise(() => undefined);
}

/** A click selects; a drag does not, because the handler tells them apart. */
function selectOnClick(app: App): void {
  const handler = new ScreenSpaceEventHandler(app.widget.canvas);
  const traffic = app.toolbox.tool("traffic") as TrafficTool;
  handler.setInputAction((event: ScreenSpaceEventHandler.PositionedEvent) => {
    app.widget.canvas.focus({ preventScroll: true });
    if (app.toolbox.click(event.position)) return;
    if (traffic.pick(event.position.x, event.position.y)) return;
    if (clickThing(app, event.position.x, event.position.y)) return;
    app.sensing.select(null);
    app.selection.select(app.selection.pickAt(event.position.x, event.position.y));
  }, ScreenSpaceEventType.LEFT_CLICK);
}

function showEmptyState(app: App, openImports: () => void): void {
  const empty: Message = {
    icon: "building",
    title: () => t("app.empty"),
    hint: () => t(may("manage") ? "app.emptyHint" : "app.emptyForYou"),
    ...(may("manage") ? { action: { label: () => t("app.chooseFile"), run: () => openImportDialog(app) } } : {}),
  };
  const check = () => {
    const busy = app.imports.entries.some(
      (e) => e.own && !e.error && !e.cancelled && e.job?.status !== "failed",
    );
    showMessage(app.layers.all.size === 0 && !busy ? empty : null);
  };
  app.layers.listed.on(check);
  let imports = app.imports.entries.length;
  app.imports.changed.on(() => {
    const { length } = app.imports.entries;
    if (length > imports && app.imports.entries[0]?.own) openImports();
    imports = length;
    check();
  });
  check();
}

/** A city gets its place with its first layer. */
async function settleCity(app: App): Promise<void> {
  if (app.city.anchor || app.layers.all.size === 0) return;
  Object.assign(app.city, await api.city());
  if (!app.city.anchor) return;
  app.surroundings.move(app.city.anchor);
  await app.camera.home(0);
}

function followCity(app: App): void {
  let again = Promise.resolve();
  const refresh = () => {
    again = again
      // What is shown stays when a session has run out, until somebody has signed in again.
      .then(() => app.account.check())
      .then((known) => (known ? app.layers.refresh() : undefined))
      .then(() => settleCity(app))
      .catch(() => undefined); // the badge tells
    return again;
  };
  app.live.layer.on(async ({ id, version }) => {
    const known = app.layers.get(id);
    const before = known?.collection.version;
    await refresh();
    if (app.account.ended) return;
    const name = app.layers.get(id)?.collection.title ?? known?.collection.title;
    if (name === undefined) return; // neither there before nor now: not for whoever looks
    if (version === null) toast(t("live.removed", { name }));
    else if (!known) toast(t("live.newLayer", { name }));
    else if (before !== undefined && version < before) toast(t("live.rolledBack", { name, n: version }));
    else if (before !== version) toast(t("live.newVersion", { name }));
  });
  app.live.resumed.on(refresh);
  app.imports.finished.on(async (entry) => {
    await refresh();
    const layer = entry.job?.report && app.layers.get(entry.job.report.layer);
    if (!layer) return;
    app.layers.update(layer, (view) => (view.visible = true));
    const bbox = toBbox3D(layer.collection.extent?.spatial.bbox[0]);
    if (bbox) await app.camera.flyTo(bbox, { reset: true });
  });
  app.live.connect();
}

/** Whether a linked feature is still there; while nobody can tell, it is taken to be. */
async function isThere(layer: string, id: string, version: number | undefined): Promise<boolean> {
  return version === undefined ? api.has(layer, id).catch(() => true) : true;
}

async function placeCamera(app: App, link: Link): Promise<void> {
  if (link.camera) app.camera.view = link.camera;
  else await app.camera.home(0);
}

function stopOnRenderError(app: App): void {
  app.widget.scene.renderError.addEventListener(() =>
    showMessage({
      icon: "warning",
      title: () => t("app.renderError"),
      hint: () => t("app.renderErrorHint"),
      action: { label: () => t("app.reload"), run: () => location.reload() },
    }),
  );
}

async function start(root: HTMLElement): Promise<void> {
  const token = takeToken();
  takeUp();
  const link = decodeLink(location.hash);
  setLanguage(link.lang ?? initialLanguage(navigator.language));
  const canvas = h("div", { class: "canvas" });
  const stage = h("main", { class: "stage" }, canvas, overlayElement());
  append(root, stage);
  showMessage({ busy: true, title: () => t("app.loading") });

  if (token !== null) await follow(token);
  const account = new Account(await orWait(accounts.session));
  if (!may("read")) await askToSignIn(account);
  const city = await orWait(api.city);
  const title = () => (document.title = `${city.name} – ${t("app.title")}`);
  languageChanged.on(title);
  title();

  const { widget, surroundings, motion, quality, outline } = createScene(canvas, city.anchor ?? NOWHERE);
  const capability = new Capability();
  const layers = new Layers(widget.scene, link.layers, capability, link.layers.length > 0 && !link.more);
  const live = new Live();
  const alarms = new AlarmStore(live);
  const selection = new Selection(widget.scene, layers, outline);
  const comparison = new Comparison(widget.scene, layers, live, () => selection.current?.id ?? null);
  const base = new Base(widget.scene, layers, surroundings);
  const camera = new Camera(widget, layers, () => city.anchor ?? NOWHERE, coveredEdges);
  const analysis = new Analysis();
  const geoid = () => city.geoid_separation;
  const flow = new Flow(widget.scene, layers, geoid, () => surroundings.place.height);
  const sensing = new Sensing();
  const filter = new Filter();
  const places = new Places(widget.scene, sensing, geoid);
  const heat = new Heat(widget, sensing, places, motion);
  const app: App = {
    city,
    account,
    opened: link,
    widget,
    surroundings,
    motion,
    quality,
    layers,
    live,
    camera,
    selection,
    imports: new Imports(live),
    versions: new Versions(layers, live),
    comparison,
    base,
    analysis,
    cellMap: new CellMap(widget.scene, analysis),
    sketchMap: new SketchMap(widget.scene, analysis, geoid),
    charts: new Charts(analysis),
    clouds: new Clouds(layers),
    sensing,
    series: new SeriesStore((id) => sensing.streams.has(id)),
    alarms,
    tone: new AlarmTone(alarms),
    filter,
    places,
    symbols: new Symbols(widget, motion, sensing, filter, places),
    heat,
    flow,
    highlights: new Highlights(layers, new Traces(widget.scene, geoid), analysis),
    table: new FeatureTable(layers),
    themes: new Themes(layers),
    toolbox: makeToolbox({ widget, layers, surroundings, base, camera, comparison, analysis, flow, sensing, filter, heat }),
  };
  (app.toolbox.tool("traffic") as TrafficTool).app = app;
  selection.changed.on(() => comparison.repaint());
  comparison.gone.on(() => toast(t("compare.gone")));
  comparison.opened.on(() => {
    outline.colour = comparison.current ? COMPARED_COLOUR : OUTLINE_COLOUR;
    // What was picked of an older version goes with it.
    if (selection.current?.version !== undefined) selection.clear();
  });
  stopOnRenderError(app);
  capability.refused.on(() => void account.check());
  surroundings.elsewhere = () =>
    [...layers.all.values()].flatMap((layer) => {
      const box = toBbox3D(layer.collection.extent?.spatial.bbox[0]);
      return box ? [{ lon: (box[0] + box[3]) / 2, lat: (box[1] + box[4]) / 2, height: box[2] }] : [];
    });
  layers.tilesChanged.on(() => quality.disturb());
  widget.scene.globe.tileLoadProgressEvent.addEventListener(() => quality.disturb());

  const bench = workbench(app);
  const top = topbar(app, bench.toggle);
  root.prepend(top.element);
  append(
    stage,
    sessionNotice(app),
    bench.element,
    sketch(app, toolSketchers(app)),
    versionSwipe(app),
    phaseSwipe(app),
    toolbar(app),
    timeBar(app),
    app.symbols.element,
    thingTip(app),
    attributesPanel(app),
    tablePanel(app),
    chartPanel(app),
    seriesPanel(app),
    thingCard(app),
    alarmPanel(app),
    dropzone(app, () => bench.open("imports")),
  );
  append(root, statusbar(app));
  listenToKeys(app, top.focusSearch);
  selectOnClick(app);
  followPit(app);

  let ready: () => void = () => undefined;
  window.cim = { ...testHook(app), ready: new Promise<void>((resolve) => (ready = resolve)) };

  showMessage({ busy: true, title: () => t("app.loadingLayers") });
  followCity(app);
  void app.alarms.start();
  const sensed = app.sensing.start();
  await Promise.all([layers.refresh(), app.imports.refresh()]);
  layers.start();
  await placeCamera(app, link);
  app.toolbox.links = link.tools ?? {};
  app.table.link = link.table ?? null;
  await openComparison(app, link);
  if (link.selection) {
    const { layer, id, version } = link.selection;
    if (layers.get(layer) && (await isThere(layer, id, version))) app.selection.select(link.selection);
    else toast(t("link.goneFeature"));
  }
  void sensed.then(() => (app.series.link = link.chart ?? null));
  showEmptyState(app, () => bench.open("imports"));
  keepAddress(app);
  ready();
}

start(document.getElementById("app")!).catch((error: unknown) => {
  if (error instanceof NoWebGL) {
    showMessage({ icon: "warning", title: () => t("app.noWebgl"), hint: () => t("app.noWebglHint") });
    return;
  }
  showMessage({
    icon: "warning",
    title: () => t("app.unreachable"),
    hint: () => errorText(error),
    action: { label: () => t("app.reload"), run: () => location.reload() },
  });
});
