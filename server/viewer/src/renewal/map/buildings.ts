/** The twin's buildings in the colours of their states; all others step back. */
import { Cesium3DTileStyle, type Cesium3DTileFeature, Color, type StyleExpression } from "cesium";
import type { Layer, Layers } from "../../layers";
import { loadedFeatures } from "../../scene/features";
import { buildStyle, toLinear } from "../../style";
import type { Store } from "../store";

/** Buildings of no project, by day and on a dark screen. */
const OTHERS = { day: "#d3d9df", night: "#46586c" };

interface Marked {
  project: string;
  state: string;
}

export class Buildings {
  private marks = new Map<string, Map<string, Marked>>();
  private colours = new Map<string, Color>();
  private dark = false;

  constructor(
    private readonly layers: Layers,
    private readonly store: Store,
  ) {
    layers.styledBy = (layer) => this.style(layer);
    this.colours = new Map(
      Object.entries(store.overview.words.building_states).map(([state, { color }]) => [state, Color.fromCssColorString(toLinear(color))]),
    );
    store.buildingsLoaded.on(() => this.show());
    this.show();
  }

  set night(night: boolean) {
    this.dark = night;
    this.restyle(this.layers.all.keys());
  }

  /** The project and the state of a feature. */
  of(layer: string, feature: string): Marked | null {
    return this.marks.get(layer)?.get(feature) ?? null;
  }

  /** How many buildings of the twin are in each state. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const marks of this.marks.values()) for (const { state } of marks.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }

  /** The colours on the map of a layer's features as far as they are loaded, by id, as the engine has them; for tests. */
  coloursOf(layer: Layer): Record<string, string> {
    const drawn = this.layers.drawn(layer);
    return Object.fromEntries(
      drawn.flatMap(({ tileset }) => [...loadedFeatures(tileset)].map((one) => [String(one.getProperty("id")), one.color.toCssHexString()])),
    );
  }

  private show(): void {
    const before = this.marks;
    const states = Object.keys(this.store.overview.words.building_states);
    const { layers = [], projects = [] } = this.store.buildings ?? {};
    this.marks = new Map(
      layers.map(({ layer, features, states: of, projects: whose }) => [
        layer,
        new Map(features.map((id, i) => [id, { project: projects[whose[i]!]!, state: states[of[i]!]! }])),
      ]),
    );
    this.restyle(new Set([...before.keys(), ...this.marks.keys()]));
  }

  private restyle(ids: Iterable<string>): void {
    for (const id of ids) {
      const layer = this.layers.get(id);
      if (layer) this.layers.restyle(layer);
    }
  }

  private style({ collection, view }: Layer): Cesium3DTileStyle {
    const marks = this.marks.get(collection.id);
    const style = new Cesium3DTileStyle(buildStyle(view, collection.classes, null));
    const others = Color.fromCssColorString(toLinear(this.dark ? OTHERS.night : OTHERS.day));
    style.color = {
      evaluateColor: (feature: Cesium3DTileFeature, result: Color) => {
        const mark = marks?.get(feature.getProperty("id") as string);
        return Color.clone((mark && this.colours.get(mark.state)) ?? others, result);
      },
    } as StyleExpression;
    return style;
  }
}
