/**
 * `window.cim`: what browser tests need to wait on the state of the scene and compare it
 * with the source data, without sleeping and without guessing pixels.
 *
 * | member | meaning |
 * |---|---|
 * | `ready` | resolves when the first layers are in the scene and the camera is placed |
 * | `viewer` | the CesiumWidget (scene, camera, canvas) |
 * | `layers()` | per layer: id, version on the screen, error, and what the user chose |
 * | `tilesLoaded()` | everything visible is loaded, and drawn since the last change |
 * | `settled()` | promise for `tilesLoaded()` |
 * | `selection()` | `{layer, id}` or null |
 * | `select(layer, id)`, `clear()` | as if clicked; resolves when drawn |
 * | `pickAt(x, y)`, `featuresAt(x, y)` | `{layer, id}` at CSS pixels of the canvas: nearest, and all |
 * | `screenPositionOf(layer, id, version?)` | promise for the CSS pixels of the centre of its box, null off screen |
 * | `features(layer)` | metadata of every feature in loaded tiles, once each |
 * | `setView(layer, change)` | changes visible, opacity, colourBy, hiddenClasses, hiddenStoreys, hiddenFeatures |
 * | `compare(layer, from, to)`, `comparison()` | shows two versions; what is compared, kinds off and the swipe, or null |
 * | `flyTo(target)` | at once: `{lon, lat, height, heading, pitch, roll}`, a 6-number box, a layer id, or "home" |
 * | `tool(name, state)`, `tools()`, `active()` | gives a tool the state a link has, null ends it; the states of all; the one in hand |
 * | `base()` | the base on the screen, those there could be, the terrain of the globe |
 * | `measured(name)` | points, legs, total and surface of a measuring tool |
 * | `classes(layer)` | classes of the attribute a layer is coloured by, and their counts |
 * | `ask(points)` | asks the chosen process for a point or polygon; promise for its answer |
 * | `highlights()` | outputs whose features are highlighted, with colour and count |
 * | `sketch()` | classes and number of the shapes of an answer, and how many are looked at; or null |
 * | `chart()` | the drawing that is shown, or null |
 * | `arrows()` | how many arrows show the flow |
 * | `table()` | what the table shows and how many rows, or null |
 * | `things()` | by id: state, level of alarm, latest values by datastream |
 * | `symbols()` | symbols on the screen: ids of their things, CSS pixels, mark; what drawing them took (ms) |
 * | `placeOf(id)` | where a thing stands: radians and metres above the ellipsoid |
 * | `pickThing(id)` | selects a thing, null none |
 * | `live()` | whether live values come: "none", "connecting", "live" or "lost" |
 * | `heat()` | the heat map: what was asked, its cells with value, count and colour, or null |
 * | `traffic()` | what is on the map of traffic: vehicles, lights, signs, states, events; null while the tool is off |
 * | `time(at)` | looks at a time (milliseconds), null at now |
 * | `sun()` | azimuth and elevation in degrees |
 * | `link()` | the permalink as it is now |
 * | `pixels()` | the picture as a data URL, drawn anew |
 */
import { Cartesian2, SceneTransforms } from "cesium";
import { currentLink } from "./address";
import type { App } from "./app";
import { centre, toBbox3D } from "./camera";
import { api } from "./data/api";
import type { Bbox3D } from "./data/types";
import type { Point } from "./geodesy";
import { encodeLink, type CameraView } from "./permalink";
import { loadedFeatures, metadata, type TileFeature } from "./scene/features";
import { FRAMES_TO_START } from "./scene/outline";
import type { Picked } from "./selection";
import type { ColourMode } from "./style";
import type { Here } from "./tools/here";
import { decodeTheme } from "./theme";
import type { Measure } from "./tools/measure";
import type { Sun } from "./tools/sun";
import type { ToolName } from "./tools/tool";
import type { TrafficTool } from "./traffic/trafficTool";

interface ViewChange {
  visible?: boolean;
  opacity?: number;
  colourBy?: ColourMode;
  theme?: string[];
  hiddenClasses?: string[];
  hiddenStoreys?: string[];
  hiddenFeatures?: string[];
}

/** Milliseconds without a frame after which one is drawn while something loads. */
const NUDGE = 100;

/** Milliseconds after which it is said what is still awaited, rather than waited for ever. */
const PATIENCE = 180_000;

export function testHook(app: App) {
  const { widget, layers, selection, camera, quality } = app;
  const { scene } = widget;
  const traffic = app.toolbox.tool("traffic") as TrafficTool;

  // A change asks for frames; until they are drawn the picture is not the state.
  let drawn = 0;
  let asked = 0;
  let finest = false;
  let last = 0;
  scene.postRender.addEventListener(() => {
    drawn++;
    last = performance.now();
    finest = quality.final;
  });
  const changed = () => {
    asked = drawn + (selection.current ? FRAMES_TO_START : 1); // only outlines take more frames to start
    scene.requestRender();
  };
  layers.viewed.on(changed);
  layers.listed.on(changed);
  selection.changed.on(changed);
  app.comparison.changed.on(changed);
  app.base.changed.on(changed);
  app.themes.changed.on(changed);
  app.toolbox.changed.on(changed);
  app.cellMap.changed.on(changed);
  app.sketchMap.changed.on(changed);
  app.table.changed.on(changed);
  app.heat.changed.on(changed);

  const tilesLoaded = () =>
    !app.comparison.busy && !app.themes.busy && !app.analysis.busy && !app.cellMap.busy && !app.highlights.busy && !app.table.busy && !app.sensing.busy && !app.places.busy && !app.heat.busy && !traffic.busy && app.base.loaded && layers.tilesLoaded() && drawn > asked && finest;

  // What loads asks for frames itself as it comes; frames that show nothing new only delay it.
  const waitsFor = () => (!layers.tilesLoaded() || !app.base.loaded) && performance.now() - last > NUDGE;

  const settled = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Frames of the page may stop, this does not.
      const late = setTimeout(() => reject(new Error(`not settled: ${awaited()}`)), PATIENCE);
      const look = () => {
        if (tilesLoaded()) {
          clearTimeout(late);
          return resolve();
        }
        if (drawn <= asked || waitsFor()) scene.requestRender();
        requestAnimationFrame(look);
      };
      look();
    });

  const awaited = () =>
    JSON.stringify({
      drawn, asked, finest, lost: widget.canvas.getContext("webgl2")?.isContextLost(), base: app.base.loaded, layers: layers.tilesLoaded(),
      busy: (["comparison", "themes", "analysis", "cellMap", "highlights", "table", "sensing", "places", "heat"] as const).filter((part) => app[part].busy),
    });

  return {
    viewer: widget,
    layers: () =>
      [...layers.all.values()].map(({ collection, view, shownVersion, error }) => ({
        id: collection.id,
        version: shownVersion,
        error,
        visible: view.visible,
        opacity: view.opacity,
        colourBy: view.colourBy,
        hiddenClasses: [...view.hiddenClasses],
        hiddenStoreys: [...view.hiddenStoreys],
        hiddenFeatures: [...view.hiddenFeatures],
      })),
    tilesLoaded,
    settled,
    selection: (): Picked | null => selection.current,
    select: async (layer: string, id: string) => {
      selection.select({ layer, id });
      await settled();
    },
    clear: () => selection.clear(),
    pickAt: (x: number, y: number) => selection.pickAt(x, y),
    featuresAt: (x: number, y: number) => selection.featuresAt(x, y),
    screenPositionOf: async (layer: string, id: string, version?: number) => {
      const bbox = toBbox3D((await api.item(layer, id, version)).bbox);
      const point = bbox && SceneTransforms.worldToWindowCoordinates(scene, centre(bbox), new Cartesian2());
      if (!point) return null;
      const { clientWidth, clientHeight } = widget.canvas;
      const inside = point.x >= 0 && point.y >= 0 && point.x < clientWidth && point.y < clientHeight;
      return inside ? { x: point.x, y: point.y } : null;
    },
    features: (layer: string): TileFeature[] => {
      const known = layers.get(layer);
      const byId = new Map<string, TileFeature>();
      for (const { tileset } of known ? layers.drawn(known) : []) {
        for (const feature of loadedFeatures(tileset)) {
          const found = metadata(feature);
          byId.set(found.id, found); // far tiles, which know less, come first
        }
      }
      return [...byId.values()];
    },
    setView: async (id: string, change: ViewChange) => {
      const layer = layers.get(id);
      if (!layer) throw new Error(`no layer ${id}`);
      layers.update(layer, (view) => {
        if (change.visible !== undefined) view.visible = change.visible;
        if (change.opacity !== undefined) view.opacity = change.opacity;
        if (change.colourBy !== undefined) view.colourBy = change.colourBy;
        if (change.theme) view.theme = decodeTheme(change.theme);
        if (change.hiddenClasses) view.hiddenClasses = new Set(change.hiddenClasses);
        if (change.hiddenStoreys) view.hiddenStoreys = new Set(change.hiddenStoreys);
        if (change.hiddenFeatures) view.hiddenFeatures = new Set(change.hiddenFeatures);
      });
      await settled();
    },
    compare: async (layer: string, from: number, to: number) => {
      await app.comparison.open({ layer, from, to, off: [], swipe: null });
      await settled();
    },
    comparison: () => {
      const { current, link } = app.comparison;
      return current ? { ...link, counts: current.counts } : null;
    },
    flyTo: async (target: CameraView | Bbox3D | string) => {
      if (target === "home") await camera.home(0);
      else if (typeof target === "string") {
        const bbox = toBbox3D(layers.get(target)?.collection.extent?.spatial.bbox[0]);
        if (!bbox) throw new Error(`no layer ${target} with an extent`);
        await camera.flyTo(bbox, { seconds: 0, reset: true });
      } else if (Array.isArray(target))
        await camera.flyTo(target as unknown as Bbox3D, { seconds: 0, reset: true });
      else camera.view = target as CameraView;
      changed();
      await settled();
    },
    tool: async (name: ToolName, state: string | null) => {
      app.toolbox.tool(name).link = state;
      await settled();
    },
    tools: () => app.toolbox.links,
    active: () => app.toolbox.active?.name ?? null,
    base: () => ({ current: app.base.current, possible: app.base.possible, terrain: app.base.terrainKey }),
    measured: (name: "distance" | "area" | "height") => {
      const { points, legs, total, surface } = app.toolbox.tool(name) as Measure;
      return { points, legs, total, surface };
    },
    classes: (id: string) => {
      const classes = app.themes.classesOf(layers.get(id)!);
      return classes && { bins: classes.bins, counts: classes.counts() };
    },
    ask: async (points: Point[]) => {
      const here = app.toolbox.tool("here") as Here;
      for (const point of points) here.add(point);
      await here.ask();
      await settled();
      return app.analysis.result;
    },
    highlights: () => app.highlights.all,
    sketch: () => {
      const { sketch, count } = app.sketchMap;
      return sketch && { classes: Object.fromEntries(sketch.classes.map((one) => [one.class, one.count])), count };
    },
    chart: () => app.charts.drawing?.svg ?? null,
    arrows: () => app.flow.count,
    table: () => app.table.of && { ...app.table.of, rows: app.table.page?.features.length ?? 0 },
    things: () =>
      Object.fromEntries(
        [...app.sensing.things.values()].map(({ id, state, alarm, datastreams }) => [
          id,
          { state, alarm, values: Object.fromEntries(datastreams.map(({ key, value }) => [key, value])) },
        ]),
      ),
    symbols: () => ({
      cost: app.symbols.cost,
      markers: app.symbols.markers
        .filter(({ x }) => !Number.isNaN(x))
        .map((marker) => ({ things: marker.things.map(({ id }) => id), x: marker.x, y: marker.y, mark: app.symbols.markOf(marker) })),
    }),
    placeOf: (id: number) => {
      const place = app.places.of(app.sensing.things.get(id)!);
      return place && scene.ellipsoid.cartesianToCartographic(place);
    },
    pickThing: (id: number | null) => app.sensing.select(id),
    live: () => app.sensing.state,
    heat: () => {
      const { answer, choice } = app.heat;
      if (!answer || !choice) return null;
      const { cells, values, counts, ...of } = answer;
      const found = cells.map((cell, i) => [cell, { value: values[i]!, count: counts[i]!, colour: app.heat.colourOf(cell) }]);
      return { choice, ...of, cells: Object.fromEntries(found) as Record<string, { value: number; count: number; colour: string | null }> };
    },
    traffic: () => (traffic.on ? (traffic.part?.told() ?? null) : null),
    time: (at: number | null) => {
      app.sensing.clock.at = at;
    },
    sun: () => (app.toolbox.tool("sun") as Sun).direction,
    link: () => encodeLink(currentLink(app)),
    pixels: () => {
      scene.requestRender(); // without a request, render() does nothing and the buffer is empty
      scene.render();
      return widget.canvas.toDataURL("image/png");
    },
  };
}

export type TestHook = ReturnType<typeof testHook> & { ready: Promise<void> };

declare global {
  interface Window {
    cim?: TestHook;
    CESIUM_BASE_URL?: string;
  }
}
