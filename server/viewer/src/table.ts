/** The table of features: of a whole layer, or of those that were chosen. */
import { api } from "./data/api";
import type { FeaturePage } from "./data/types";
import type { Layers } from "./layers";
import { Signal } from "./signal";

/** What the table shows; `null` ids stand for the whole layer. */
export interface TableOf {
  layer: string;
  ids: string[] | null;
}

const PAGE = 50;

export const FORMATS = ["csv", "geojson", "parquet"] as const;

export class FeatureTable {
  readonly changed = new Signal();
  of: TableOf | null = null;
  page: FeaturePage | null = null;
  error: unknown = null;
  private asked = 0;
  private pending = 0;

  constructor(private readonly layers: Layers) {
    layers.listed.on(() => {
      if (this.of && !layers.get(this.of.layer)) this.close();
    });
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  open(layer: string, ids: string[] | null = null): void {
    this.of = { layer, ids };
    this.page = null;
    void this.load();
  }

  close(): void {
    this.asked++;
    this.of = null;
    this.page = null;
    this.error = null;
    this.changed.emit();
  }

  async more(): Promise<void> {
    await this.load(this.page?.features.at(-1)?.id);
  }

  get link(): string | null {
    return this.of && [this.of.layer, ...(this.of.ids ?? [])].map(encodeURIComponent).join(",");
  }

  set link(text: string | null) {
    const [layer, ...ids] = text?.split(",").map(decodeURIComponent) ?? [];
    if (layer === undefined || !this.layers.get(layer)) {
      if (this.of) this.close();
    } else this.open(layer, ids.length > 0 ? ids : null);
  }

  private async load(after?: string): Promise<void> {
    const { of } = this;
    if (!of) return;
    const asked = ++this.asked;
    this.pending++;
    this.changed.emit();
    try {
      const page = await api.items(of.layer, of.ids, PAGE, after);
      if (asked !== this.asked) return;
      const before = after === undefined ? [] : (this.page?.features ?? []);
      this.page = { ...page, features: [...before, ...page.features] };
      this.error = null;
    } catch (error) {
      if (asked === this.asked) this.error = error;
    } finally {
      this.pending--;
      this.changed.emit();
    }
  }
}
