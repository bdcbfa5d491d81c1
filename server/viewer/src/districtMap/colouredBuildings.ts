/** The twin's buildings in colours that a page gives them; all others step back. */
import { Cesium3DTileStyle, type Cesium3DTileFeature, Color, type StyleExpression } from "cesium";
import type { Layer, Layers } from "../layers";
import { loadedFeatures } from "../scene/features";
import { buildStyle, toLinear } from "../style";

/** Buildings without a colour of their own, by day and on a dark screen. */
const OTHERS = { day: "#d3d9df", night: "#46586c" };

/** Layer → feature → CSS colour. */
export type BuildingColours = ReadonlyMap<string, ReadonlyMap<string, string>>;

export class ColouredBuildings {
  private colours: BuildingColours = new Map();
  private readonly engineColours = new Map<string, Color>();
  private dark = false;

  constructor(private readonly layers: Layers) {
    layers.styledBy = (layer) => this.style(layer);
  }

  set night(night: boolean) {
    this.dark = night;
    this.restyle(this.layers.all.keys());
  }

  show(colours: BuildingColours): void {
    const before = this.colours;
    this.colours = colours;
    this.restyle(new Set([...before.keys(), ...colours.keys()]));
  }

  /** The colours on the map of a layer's features as far as they are loaded, by id, as the engine has them; for tests. */
  coloursOf(layer: Layer): Record<string, string> {
    const drawn = this.layers.drawn(layer);
    return Object.fromEntries(
      drawn.flatMap(({ tileset }) => [...loadedFeatures(tileset)].map((one) => [String(one.getProperty("id")), one.color.toCssHexString()])),
    );
  }

  private restyle(ids: Iterable<string>): void {
    for (const id of ids) {
      const layer = this.layers.get(id);
      if (layer) this.layers.restyle(layer);
    }
  }

  private inEngine(css: string): Color {
    const known = this.engineColours.get(css) ?? Color.fromCssColorString(toLinear(css));
    this.engineColours.set(css, known);
    return known;
  }

  private style({ collection, view }: Layer): Cesium3DTileStyle {
    const own = this.colours.get(collection.id);
    const style = new Cesium3DTileStyle(buildStyle(view, collection.classes, null));
    const others = this.inEngine(this.dark ? OTHERS.night : OTHERS.day);
    style.color = {
      evaluateColor: (feature: Cesium3DTileFeature, result: Color) => {
        const css = own?.get(feature.getProperty("id") as string);
        return Color.clone(css === undefined ? others : this.inEngine(css), result);
      },
    } as StyleExpression;
    return style;
  }
}
