/** How congested roads or cells are, bin by bin over a window. */
import { api } from "../data/api";
import { Signal } from "../signal";
import { trafficApi } from "./api";
import type { Roads } from "./choice";
import type { Extent, LonLat, RoadStateRow, RoadStates } from "./types";

/** Seconds of a bin, and milliseconds of the window that ends now and between two questions. */
export const BIN = 300;
const WINDOW = 3_600_000;
const AGAIN = 30_000;

/** Of cells: about as large as a block. */
const RESOLUTION = 10;

interface Question {
  layer: string;
  by: "link" | "h3";
  /** Null for the hour that ends now. */
  window: Extent | null;
}

export class RoadStatesStore {
  readonly changed = new Signal();
  answer: RoadStates | null = null;
  error: unknown = null;
  /** The starts of the bins, ascending. */
  bins: number[] = [];
  readonly outlines = new Map<string, readonly LonLat[]>();
  private question: Question | null = null;
  private chosen: number | null = null;
  private asking = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get busy(): boolean {
    return this.asking > 0;
  }

  /** The start of the bin that is shown; the newest one unless another was chosen. */
  get bin(): number | null {
    const { chosen, bins } = this;
    return chosen !== null && bins.includes(chosen) ? chosen : (bins.at(-1) ?? null);
  }

  set bin(start: number | null) {
    this.chosen = start === this.bins.at(-1) ? null : start;
    this.changed.emit();
  }

  /** What is shown, by the id of the link or by the cell. */
  get rows(): ReadonlyMap<string, RoadStateRow> {
    const { bin, answer } = this;
    const found = (answer?.rows ?? []).filter(({ start }) => start === bin);
    return new Map(found.map((row) => [row.cell ?? `${row.layer}/${row.id}`, row]));
  }

  /** Asks for something else, or for nothing. */
  of(layer: string | null, roads: Roads, window: Extent | null): void {
    const next: Question | null = layer === null || roads === "off" ? null : { layer, by: roads, window };
    if (JSON.stringify(next) === JSON.stringify(this.question)) return;
    this.question = next;
    this.answer = null;
    this.bins = [];
    this.error = null;
    clearTimeout(this.timer);
    if (next) void this.ask();
    this.changed.emit();
  }

  private async ask(): Promise<void> {
    const { question } = this;
    if (!question) return;
    this.asking++;
    try {
      const now = Math.ceil(Date.now() / 1000 / BIN) * BIN * 1000;
      const [start, end] = question.window ?? [now - WINDOW, now];
      const { layer, by } = question;
      const answer = await trafficApi.states({ layer, start, end, bin: BIN, by, ...(by === "h3" ? { resolution: RESOLUTION } : {}) });
      if (by === "h3") await this.learn(answer);
      if (question !== this.question) return;
      this.answer = answer;
      this.bins = [...new Set(answer.rows.map((row) => row.start))].sort((a, b) => a - b);
      this.error = null;
    } catch (error) {
      if (question === this.question) this.error = error;
    } finally {
      this.asking--;
      if (question === this.question && !question.window) this.timer = setTimeout(() => void this.ask(), AGAIN);
      this.changed.emit();
    }
  }

  private async learn({ rows }: RoadStates): Promise<void> {
    const unknown = [...new Set(rows.map(({ cell }) => cell!))].filter((cell) => !this.outlines.has(cell));
    if (unknown.length === 0) return;
    const outlines = await api.cellOutlines(unknown);
    unknown.forEach((cell, i) => this.outlines.set(cell, outlines[i]!));
  }
}
