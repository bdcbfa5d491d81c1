/** Colours by an attribute: classes of numbers or of words, and what counts into each. */

export type Method = "quantiles" | "equal" | "categories";
export const METHODS: readonly Method[] = ["quantiles", "equal", "categories"];

/** What the user chose to colour and filter a layer by. */
export interface Theme {
  attribute: string;
  method: Method;
  /** Classes that are switched off, by their place in the legend. */
  off: ReadonlySet<number>;
  /** Only numbers from … to … are shown; `null` leaves a side open. */
  from: number | null;
  to: number | null;
}

export interface Attribute {
  name: string;
  kind: "number" | "text" | "boolean";
  unit: string | null;
  count: number;
  distinct: number;
  minimum: number | null;
  maximum: number | null;
}

export type Value = string | number | boolean;

export interface Column extends Attribute {
  ids: string[];
  values: Value[];
}

/** A class of the legend: numbers from `from` to below `to` (the last: to `to`), or one value. */
export interface Bin {
  from?: number;
  to?: number;
  value?: Value;
  /** `other`: values too rare for a colour of their own; `none`: features without a value. */
  rest?: "other" | "none";
  colour: string;
}

/** Viridis (van der Walt and Smith), which is read in grey and by the colour-blind as well. */
export const RAMP = ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"].reverse();

/** Okabe and Ito's colours, told apart with any kind of colour vision. */
const WORDS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7b5ea7"];

const OTHER = "#9aa3ad";
const NONE = "#d9dde1";

function median(sorted: readonly number[], fraction: number): number {
  const at = fraction * (sorted.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}

/** The limits between the classes and at both ends, ascending; fewer where values repeat. */
export function limits(values: readonly number[], method: Method): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const steps = RAMP.map((_, i) => i / RAMP.length);
  const found =
    method === "quantiles"
      ? steps.map((step) => median(sorted, step))
      : steps.map((step) => least + (most - least) * step);
  return [...new Set([...found, most])];
}

export class Classes {
  readonly bins: readonly Bin[];
  readonly unit: string | null;
  private readonly valueOf: ReadonlyMap<string, Value>;
  private readonly byValue = new Map<Value, number>();
  private readonly edges: readonly number[] = [];

  /** `features` is how many the layer has, so that those without a value are counted too. */
  constructor(
    column: Column,
    private readonly theme: Theme,
    private readonly features: number,
  ) {
    this.unit = column.unit;
    this.valueOf = new Map(column.ids.map((id, i) => [id, column.values[i]!]));
    const bins: Bin[] = [];
    if (column.kind === "number" && theme.method !== "categories") {
      this.edges = limits(column.values as number[], theme.method);
      const count = Math.max(1, this.edges.length - 1);
      for (let i = 0; i < count; i++) {
        const colour = RAMP[count === 1 ? 0 : Math.round((i * (RAMP.length - 1)) / (count - 1))]!;
        bins.push({ from: this.edges[i]!, to: this.edges[i + 1] ?? this.edges[i]!, colour });
      }
    } else {
      const counts = new Map<Value, number>();
      for (const value of column.values) counts.set(value, (counts.get(value) ?? 0) + 1);
      const frequent = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      for (const [value] of frequent.slice(0, WORDS.length)) {
        this.byValue.set(value, bins.length);
        bins.push({ value, colour: WORDS[bins.length]! });
      }
      if (frequent.length > WORDS.length) bins.push({ rest: "other", colour: OTHER });
    }
    if (column.ids.length < features) bins.push({ rest: "none", colour: NONE });
    this.bins = bins;
  }

  /** The place in the legend of a feature; -1 for what the range leaves out. */
  indexOf(id: string): number {
    const value = this.valueOf.get(id);
    if (value === undefined) return this.limited ? -1 : this.bins.length - 1;
    if (typeof value === "number" && !this.inRange(value)) return -1;
    if (this.edges.length === 0) {
      const found = this.byValue.get(value);
      return found ?? this.bins.findIndex((bin) => bin.rest === "other");
    }
    const last = Math.max(1, this.edges.length - 1) - 1;
    let index = 0;
    while (index < last && (value as number) >= this.edges[index + 1]!) index++;
    return index;
  }

  /** The colour of a feature; `null` where it is filtered out. */
  colourOf(id: string): string | null {
    const index = this.indexOf(id);
    return index < 0 || this.theme.off.has(index) ? null : this.bins[index]!.colour;
  }

  /** How many features are in each class, within the range. */
  counts(): number[] {
    const counts = this.bins.map(() => 0);
    for (const id of this.valueOf.keys()) {
      const index = this.indexOf(id);
      if (index >= 0) counts[index]!++;
    }
    if (this.bins.at(-1)?.rest === "none" && !this.limited) {
      counts[counts.length - 1] = this.features - this.valueOf.size;
    }
    return counts;
  }

  private get limited(): boolean {
    return this.theme.from !== null || this.theme.to !== null;
  }

  private inRange(value: number): boolean {
    const { from, to } = this.theme;
    return (from === null || value >= from) && (to === null || value <= to);
  }
}

/** As a link holds it: name, method, classes off, from, to. */
export function encodeTheme({ attribute, method, off, from, to }: Theme): string[] {
  return [attribute, method, [...off].sort((a, b) => a - b).join("."), String(from ?? ""), String(to ?? "")];
}

export function decodeTheme(fields: readonly string[]): Theme | null {
  const [attribute, method, off = "", from = "", to = ""] = fields;
  const known = METHODS.find((one) => one === method);
  if (!attribute || !known) return null;
  const number = (text: string) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : null);
  const indices = off.split(".").filter((text) => /^\d+$/.test(text));
  return { attribute, method: known, off: new Set(indices.map(Number)), from: number(from), to: number(to) };
}

/** What a layer is first coloured by: words by word, numbers in classes of as many. */
export function themeFor({ name, kind, distinct }: Attribute): Theme {
  const method = kind === "number" && distinct > WORDS.length ? "quantiles" : "categories";
  return { attribute: name, method, off: new Set(), from: null, to: null };
}
