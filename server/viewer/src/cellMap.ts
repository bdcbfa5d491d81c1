/** The grid of cells of an answer on the map. */
import type { Analysis } from "./analysis";
import { api } from "./data/api";
import { type CellGrid, isGrid } from "./data/processes";
import { Cells } from "./scene/cells";
import type { LevelGround } from "./scene/ground";
import { Signal } from "./signal";
import { Classes } from "./theme";
import { Cartesian3, type Scene } from "cesium";

/** Metres above the ground, so that the corner of the eye tells them from it. */
const ABOVE = 1;

export class CellMap {
  readonly changed = new Signal();
  classes: Classes | null = null;
  private readonly cells: Cells;
  private shown: CellGrid | null = null;
  private pending = 0;

  constructor(
    private readonly scene: Scene,
    analysis: Analysis,
  ) {
    this.cells = new Cells(scene);
    analysis.changed.on(() => {
      const grid = Object.values(analysis.result ?? {}).find(isGrid) ?? null;
      if (grid !== this.shown) void this.show(grid);
    });
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  private async show(grid: CellGrid | null): Promise<void> {
    this.shown = grid;
    this.classes = null;
    this.cells.show([]);
    if (!grid || grid.cells.length === 0) return this.changed.emit();
    this.pending++;
    try {
      const outlines = await api.cellOutlines(grid.cells);
      if (this.shown !== grid) return;
      const column = {
        name: "", kind: "number", unit: grid.unit, count: grid.cells.length, distinct: 0,
        minimum: null, maximum: null, ids: grid.cells, values: grid.values,
      } as const;
      const theme = { attribute: "", method: "quantiles", off: new Set<number>(), from: null, to: null } as const;
      const classes = new Classes({ ...column }, theme, grid.cells.length);
      const colours = grid.cells.map((cell) => classes.colourOf(cell)!);
      this.classes = classes;
      const height = this.heightAt(outlines[0]![0]!) + ABOVE;
      this.cells.show(outlines.map((outline, i) => ({ outline, colour: colours[i]!, height })));
    } finally {
      this.pending--;
      this.changed.emit();
    }
  }

  private heightAt([lon, lat]: readonly [number, number]): number {
    const globe = this.scene.globe as LevelGround;
    const at = this.scene.ellipsoid.cartesianToCartographic(Cartesian3.fromDegrees(lon, lat));
    return (globe.show ? globe.getHeight(at) : undefined) ?? globe.height;
  }
}
