/** The twin's buildings in the colours of their states. */
import { ColouredBuildings } from "../../districtMap/colouredBuildings";
import type { Layers } from "../../layers";
import type { Store } from "../store";

interface Marked {
  project: string;
  state: string;
}

export class Buildings extends ColouredBuildings {
  private marks = new Map<string, Map<string, Marked>>();

  constructor(
    layers: Layers,
    private readonly store: Store,
  ) {
    super(layers);
    store.buildingsLoaded.on(() => this.mark());
    this.mark();
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

  private mark(): void {
    const words = this.store.overview.words.building_states;
    const states = Object.keys(words);
    const { layers = [], projects = [] } = this.store.buildings ?? {};
    this.marks = new Map(
      layers.map(({ layer, features, states: of, projects: whose }) => [
        layer,
        new Map(features.map((id, i) => [id, { project: projects[whose[i]!]!, state: states[of[i]!]! }])),
      ]),
    );
    this.show(new Map([...this.marks].map(([layer, marks]) => [layer, new Map([...marks].map(([id, { state }]) => [id, words[state]!.color]))])));
  }
}
