/** The list of a layer's versions, while somebody looks at it. */
import type { Layers } from "./layers";
import type { Live } from "./live";
import { api } from "./data/api";
import type { Versions as Listed } from "./data/types";
import { Signal } from "./signal";

export class Versions {
  /** Opened, closed, read again, or could not be read. */
  readonly changed = new Signal();
  layer: string | null = null;
  listed: Listed | null = null;
  failure: unknown = null;

  constructor(layers: Layers, live: Live) {
    live.layer.on(({ id }) => {
      if (id === this.layer) void this.read();
    });
    layers.listed.on(() => {
      if (this.layer !== null && !layers.get(this.layer)) this.close();
    });
  }

  async open(layer: string): Promise<void> {
    if (layer !== this.layer) this.listed = null;
    this.layer = layer;
    this.failure = null;
    this.changed.emit();
    await this.read();
  }

  close(): void {
    this.layer = null;
    this.listed = null;
    this.changed.emit();
  }

  /** Asks the server again. */
  async read(): Promise<void> {
    const { layer } = this;
    if (layer === null) return;
    try {
      const listed = await api.versions(layer);
      if (layer !== this.layer) return;
      this.listed = listed;
      this.failure = null;
    } catch (error) {
      if (layer !== this.layer) return;
      this.failure = error;
    }
    this.changed.emit();
  }
}
