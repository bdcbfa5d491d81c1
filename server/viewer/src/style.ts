/**
 * The one place that turns what the user chose into a 3D Tiles style.
 *
 * Selection is part of the style, so it survives every other change of style and
 * every tile that is unloaded and loaded again.
 */
import type { ClassCount } from "./data/types";
import type { PointMode } from "./pointModes";
import type { Theme } from "./theme";

export type ColourMode = "material" | "class" | "attribute";

/** What the user chose for one layer. */
export interface LayerView {
  visible: boolean;
  /** 0–1 */
  opacity: number;
  colourBy: ColourMode;
  /** Used when it is coloured by an attribute. */
  theme: Theme | null;
  /** For point clouds, whose points have classes of their own. */
  pointMode: PointMode;
  hiddenPointClasses: Set<string>;
  hiddenClasses: Set<string>;
  /** GlobalIds; "" stands for everything outside all storeys. */
  hiddenStoreys: Set<string>;
  hiddenFeatures: Set<string>;
}

export const SELECTION_COLOUR = "#ff9f1c";

/** Spaces and openings would hide what is inside them. */
const SEE_THROUGH = 0.35;

export type StyleExpression = string | { conditions: [string, string][] };

export interface StyleDefinition {
  show: StyleExpression;
  color: StyleExpression;
}

export function defaultView(classes: readonly ClassCount[]): LayerView {
  return {
    visible: true,
    opacity: 1,
    colourBy: "material",
    theme: null,
    pointMode: "classification",
    hiddenPointClasses: new Set(),
    hiddenClasses: defaultHiddenClasses(classes),
    hiddenStoreys: new Set(),
    hiddenFeatures: new Set(),
  };
}

export function defaultHiddenClasses(classes: readonly ClassCount[]): Set<string> {
  return new Set(classes.filter((c) => !c.visible).map((c) => c.class));
}

/**
 * A string literal of the style language. It knows no escapes, and `${` starts a
 * variable even between quotes, so both are put together from harmless pieces.
 */
export function literal(text: string): string {
  return text
    .split("'")
    .map((piece) => `'${piece}'`.replace(/\$\{/g, () => "$' + '{"))
    .join(` + "'" + `);
}

const equals = (property: string, value: string): string => `\${${property}} === ${literal(value)}`;

/** Keeps the colour of the material: the engine replaces by every colour but pure white. */
const OWN_COLOUR = "#ffffff";
const OTHER_COLOUR = "#b8bec6";

function colour(css: string, alpha: number): string {
  return `color('${css}', ${Math.round(alpha * 1000) / 1000})`;
}

/** A screen colour (sRGB) as the engine wants it, which lights it as if it were linear. */
export function toLinear(css: string): string {
  const channels = [1, 3, 5].map((at) => {
    const value = Math.round(255 * (Number.parseInt(css.slice(at, at + 2), 16) / 255) ** 2.2);
    return Math.min(254, value).toString(16).padStart(2, "0");
  });
  return `#${channels.join("")}`;
}

const SAFE_COLOUR = /^#[0-9a-f]{6}$/i;

/** Builds the style of a layer; `selected` is the id of the selected feature, if it is in this layer. */
export function buildStyle(
  view: LayerView,
  classes: readonly ClassCount[],
  selected: string | null,
): StyleDefinition {
  const hide: [string, string][] = [];
  for (const id of view.hiddenFeatures) hide.push([equals("id", id), "false"]);
  for (const name of view.hiddenClasses) hide.push([equals("class", name), "false"]);
  for (const storey of view.hiddenStoreys) hide.push([equals("storey", storey), "false"]);

  const colours: [string, string][] = [];
  if (selected !== null) colours.push([equals("id", selected), colour(toLinear(SELECTION_COLOUR), 1)]);
  if (view.colourBy === "class") {
    for (const entry of classes) {
      const alpha = view.opacity * (entry.visible ? 1 : SEE_THROUGH);
      const css = SAFE_COLOUR.test(entry.color) ? entry.color : OTHER_COLOUR;
      colours.push([equals("class", entry.class), colour(toLinear(css), alpha)]);
    }
  }
  const rest = colour(view.colourBy === "class" ? toLinear(OTHER_COLOUR) : OWN_COLOUR, view.opacity);

  return {
    show: hide.length === 0 ? "true" : { conditions: [...hide, ["true", "true"]] },
    color: colours.length === 0 ? rest : { conditions: [...colours, ["true", rest]] },
  };
}
