/** Classes of the points of a city's clouds, and how many points are of each. */
import { api } from "./data/api";
import type { Layer, Layers } from "./layers";
import { type PointClass, pointStyle } from "./pointStyle";
import { Signal } from "./signal";

/** How the importer of points names the counts of classes. */
const COUNTS = "Classification";

export class Clouds {
  /** Names, colours or counts of classes came. */
  readonly changed = new Signal<Layer>();
  private named: Promise<PointClass[]> | null = null;
  private readonly classes = new Map<string, PointClass[]>();
  private readonly asked = new Set<string>();
  private readonly counted = new Map<string, Map<number, number>>();

  constructor(private readonly layers: Layers) {
    layers.pointStyleOf = (layer) => {
      const { pointMode, hiddenPointClasses, opacity } = layer.view;
      return pointStyle(pointMode, this.classesOf(layer), hiddenPointClasses, opacity);
    };
    layers.listed.on(() => {
      for (const layer of layers.all.values()) if (layer.collection.kind === "points") void this.load(layer);
    });
  }

  classesOf({ collection }: Layer): PointClass[] {
    return this.classes.get(collection.id) ?? [];
  }

  /** Points by class. */
  countsOf({ collection }: Layer): ReadonlyMap<number, number> {
    return this.counted.get(collection.id) ?? new Map();
  }

  private async load(layer: Layer): Promise<void> {
    const { id, version } = layer.collection;
    const key = `${id} ${version}`;
    if (this.asked.has(key)) return;
    this.asked.add(key);
    this.named ??= api.pointClasses();
    try {
      const [named, page] = await Promise.all([this.named, api.items(id, null, 100)]);
      const counts = new Map<number, number>();
      const items = await Promise.all(page.features.map((feature) => api.item(id, feature.id)));
      for (const set of items.flatMap((item) => item.property_sets)) {
        if (set.name !== COUNTS) continue;
        for (const { name, value } of set.properties) {
          const code = Number.parseInt(name, 10);
          counts.set(code, (counts.get(code) ?? 0) + Number(value));
        }
      }
      this.counted.set(id, counts);
      this.classes.set(id, named.filter(({ code }) => counts.has(code)));
      this.layers.restyle(layer);
      this.changed.emit(layer);
    } catch {
      this.asked.delete(key); // the badge tells; asked again with the next list
      this.named = null;
    }
  }
}
