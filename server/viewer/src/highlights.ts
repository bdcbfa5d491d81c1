/** The features an answer names, coloured by the output that names them. */
import { Cesium3DTileStyle, type Cesium3DTileFeature, Color, type StyleExpression } from "cesium";
import type { Analysis } from "./analysis";
import { api } from "./data/api";
import { isTable, type ResultTable } from "./data/processes";
import type { FeatureSummary } from "./data/types";
import type { Layers } from "./layers";
import type { Traces } from "./scene/traces";
import { Signal } from "./signal";
import { toLinear } from "./style";

/** By the name of an output; others take the colours that are left, in their order. */
const COLOURS: Record<string, string> = {
  valves: "#d81b60",
  segments: "#ff6d00",
  nodes: "#ffb300",
  stranded: "#7b1fa2",
  hit: "#e53935",
  near: "#fb8c00",
  findings: "#e53935",
  pairs: "#e53935",
};
/** Of features that another output of the same answer names as well. */
const NOT_SHOWN = new Set(["worse", "owners", "stations"]);
const OTHERS = ["#ff6d00", "#7b1fa2", "#00897b", "#c0ca33"];

/** More than these are coloured in the model, but not drawn through the ground. */
const MOST_DRAWN = 1_500;
const AT_ONCE = 150;

export interface Highlight {
  output: string;
  colour: string;
  count: number;
}

export class Highlights {
  /** What is highlighted changed. */
  readonly changed = new Signal();
  all: Highlight[] = [];
  private marks = new Map<string, Map<string, string>>();
  private from: unknown = null;
  private pending = 0;

  constructor(
    private readonly layers: Layers,
    private readonly traces: Traces,
    private readonly analysis: Analysis,
  ) {
    layers.markedBy = (layer, style, selected) => this.style(layer.collection.id, style, selected);
    analysis.changed.on(() => {
      if (analysis.result !== this.from) void this.show();
    });
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  colourOf(output: string): string | null {
    return this.all.find((one) => one.output === output)?.colour ?? null;
  }

  private async show(): Promise<void> {
    const result = this.analysis.result;
    this.from = result;
    const before = this.marks;
    this.marks = new Map();
    this.all = [];
    this.traces.show([]);
    const others = [...OTHERS];
    // Only networks: a list of all that is here would turn the city orange.
    for (const [output, table] of Object.entries(result ?? {})) {
      const rows = isTable(table) && !NOT_SHOWN.has(output) ? this.rowsOf(table) : [];
      if (rows.length === 0) continue;
      const colour = COLOURS[output] ?? others.shift() ?? OTHERS[0]!;
      this.all.push({ output, colour, count: rows.length });
      for (const [layer, id] of rows) {
        const marks = this.marks.get(layer) ?? new Map<string, string>();
        this.marks.set(layer, marks);
        // What comes first says more: a valve is a node of the shut part as well.
        if (!marks.has(id)) marks.set(id, colour);
      }
    }
    for (const id of new Set([...before.keys(), ...this.marks.keys()])) {
      const layer = this.layers.get(id);
      if (layer) this.layers.restyle(layer);
    }
    this.changed.emit();
    await this.draw(result);
  }

  /** Layer and id of each feature of a network that a table names; a pair is two of them. */
  private rowsOf({ columns, rows }: ResultTable): [string, string][] {
    const pairs = [["layer", "id"], ["other_layer", "other_id"]].map(
      (names) => names.map((name) => columns.findIndex((column) => column.name === name)) as [number, number],
    );
    return pairs
      .filter(([layer, id]) => layer >= 0 && id >= 0)
      .flatMap(([layer, id]) => rows.map((row) => [String(row[layer]), String(row[id])] as [string, string]))
      .filter(([layer]) => this.layers.get(layer)?.collection.kind === "network");
  }

  /** Lines and dots in front of everything, as a pipe is thin and lies in the ground. */
  private async draw(result: unknown): Promise<void> {
    this.pending++;
    try {
      const found: [FeatureSummary, string][] = [];
      let left = MOST_DRAWN;
      for (const [layer, marks] of this.marks) {
        const ids = [...marks.keys()].slice(0, Math.max(0, left));
        left -= ids.length;
        for (let i = 0; i < ids.length; i += AT_ONCE) {
          const page = await api.items(layer, ids.slice(i, i + AT_ONCE), AT_ONCE);
          if (this.analysis.result !== result) return;
          found.push(...page.features.map((one) => [one, marks.get(one.id)!] as [FeatureSummary, string]));
        }
      }
      this.traces.show(found);
    } finally {
      this.pending--;
      this.changed.emit();
    }
  }

  /** A style that colours what is marked, and leaves all else to another one. */
  private style(layer: string, style: Cesium3DTileStyle, selected: string | null): Cesium3DTileStyle {
    const marks = this.marks.get(layer);
    if (!marks) return style;
    const colours = new Map([...new Set(marks.values())].map((css) => [css, Color.fromCssColorString(toLinear(css))]));
    const marked = new Cesium3DTileStyle();
    const own = style.color as unknown as { evaluateColor: (feature: Cesium3DTileFeature, result: Color) => Color };
    marked.show = style.show as StyleExpression;
    marked.color = {
      evaluateColor: (feature: Cesium3DTileFeature, result: Color) => {
        const id = feature.getProperty("id") as string;
        const css = id === selected ? undefined : marks.get(id);
        return css === undefined ? own.evaluateColor(feature, result) : Color.clone(colours.get(css)!, result);
      },
    } as StyleExpression;
    return marked;
  }
}
