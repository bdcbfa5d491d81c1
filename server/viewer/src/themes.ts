/** Colours layers by an attribute, whose values the server tells. */
import { Cesium3DTileStyle, type Cesium3DTileFeature, Color, type StyleExpression } from "cesium";
import { api } from "./data/api";
import type { Layer, Layers } from "./layers";
import { Signal } from "./signal";
import { SELECTION_COLOUR, toLinear } from "./style";
import { Classes, type Column, type Theme } from "./theme";

/** A layer that is coloured, or waits for its values. */
interface Themed {
  key: string;
  theme: Theme;
  column: Column | null;
  classes: Classes | null;
  error: unknown;
}

export class Themes {
  /** Values came, or a layer is coloured otherwise. */
  readonly changed = new Signal<Layer>();
  private readonly themed = new Map<string, Themed>();
  private readonly colours = new Map<string, Color>();
  private pending = 0;

  constructor(private readonly layers: Layers) {
    layers.styledBy = (layer, selected) => this.style(layer, selected);
    layers.viewed.on((layer) => this.follow(layer));
    layers.listed.on(() => {
      for (const layer of layers.all.values()) this.follow(layer);
    });
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  /** The classes that a layer is coloured by; null while its values are on their way. */
  classesOf({ collection }: Layer): Classes | null {
    return this.themed.get(collection.id)?.classes ?? null;
  }

  errorOf({ collection }: Layer): unknown {
    return this.themed.get(collection.id)?.error ?? null;
  }

  private follow(layer: Layer): void {
    const { id, version } = layer.collection;
    // A plan is coloured by the server.
    const theme = layer.view.colourBy === "attribute" && !layer.collection.part ? layer.view.theme : null;
    const known = this.themed.get(id);
    if (!theme) {
      if (known && this.themed.delete(id)) this.layers.restyle(layer);
      return;
    }
    const key = `${version} ${theme.attribute}`;
    if (known?.key !== key) {
      this.themed.set(id, { key, theme, column: null, classes: null, error: null });
      void this.load(layer, key);
    } else if (known.theme !== theme) {
      known.theme = theme;
      this.classify(layer, known);
      this.changed.emit(layer);
    }
  }

  private async load(layer: Layer, key: string): Promise<void> {
    const { id } = layer.collection;
    const current = () => {
      const themed = this.themed.get(id);
      return themed?.key === key ? themed : null;
    };
    this.pending++;
    try {
      const column = await api.attribute(id, layer.view.theme!.attribute);
      const themed = current();
      if (!themed) return;
      themed.column = column;
      this.classify(layer, themed);
    } catch (error) {
      const themed = current();
      if (themed) themed.error = error;
    } finally {
      this.pending--;
      this.changed.emit(layer);
    }
  }

  private classify(layer: Layer, themed: Themed): void {
    if (!themed.column) return;
    themed.classes = new Classes(themed.column, themed.theme, layer.collection.numberOfFeatures);
    this.layers.restyle(layer);
  }

  /** A style that asks for each feature; as an expression, every id would have to be named in it. */
  private style(layer: Layer, selected: string | null): Cesium3DTileStyle | null {
    const classes = this.classesOf(layer);
    if (!classes) return null;
    const { hiddenClasses, hiddenStoreys, hiddenFeatures, opacity } = layer.view;
    const look = (feature: Cesium3DTileFeature): Color | null => {
      const [id, name, storey] = ["id", "class", "storey"].map((key) => feature.getProperty(key) as string);
      if (hiddenClasses.has(name!) || hiddenStoreys.has(storey ?? "") || hiddenFeatures.has(id!)) return null;
      if (id === selected) return this.colour(SELECTION_COLOUR, 1);
      const css = classes.colourOf(id!);
      return css === null ? null : this.colour(css, opacity);
    };
    const style = new Cesium3DTileStyle();
    style.show = { evaluate: (feature: Cesium3DTileFeature) => look(feature) !== null } as StyleExpression;
    style.color = {
      evaluateColor: (feature: Cesium3DTileFeature, result: Color) =>
        Color.clone(look(feature) ?? Color.WHITE, result),
    } as StyleExpression;
    return style;
  }

  private colour(css: string, alpha: number): Color {
    const key = `${css} ${alpha}`;
    let colour = this.colours.get(key);
    if (!colour) {
      colour = Color.fromCssColorString(toLinear(css)).withAlpha(alpha);
      this.colours.set(key, colour);
    }
    return colour;
  }
}
