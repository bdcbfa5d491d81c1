/** What is observed, over a window of time, as coloured cells on the map; live or of a past time. */
import { type CesiumWidget, Math as CesiumMath, PerspectiveFrustum } from "cesium";
import { api } from "../data/api";
import type { Motion } from "../scene/motion";
import { type Cell, Cells, type Outline } from "../scene/cells";
import { Signal } from "../signal";
import { sensingApi } from "./api";
import type { Places } from "./places";
import { Scale } from "./scale";
import type { Sensing } from "./things";
import { type Heat as Answer, type Statistic, STATISTICS } from "./types";

/** Seconds that values are gathered over. */
export const WINDOWS = [900, 3_600, 21_600, 86_400] as const;

/** Metres from the middle of a cell to its corners, by resolution; from the coarsest that is offered. */
export const COARSEST = 7;
export const EDGES = [1_406, 531, 201, 75.9, 28.7, 10.8, 4.1];
export const FINEST = COARSEST + EDGES.length - 1;

/** Pixels that the edge of a cell has at least where the resolution follows the zoom. */
const EDGE = 26;

/** Milliseconds between two questions while values come, and while none do: old ones leave the window. */
const SOONEST = 500;
const LATEST = 30_000;

/** Metres above the ground, so that the corner of the eye tells them from it. */
const ABOVE = 1;

/** A prism of the highest class is so many edges of its cell high. */
const HIGHEST = 1.3;

/** So many outlines are kept. */
const KEPT = 50_000;

export interface HeatChoice {
  property: string;
  statistic: Statistic;
  /** Seconds. */
  window: number;
  /** Null follows the zoom. */
  resolution: number | null;
  extruded: boolean;
  /** Whether colours cover what is there rather than what is usual. */
  fitted: boolean;
}

export class Heat {
  /** Another choice, another answer, or none. */
  readonly changed = new Signal();
  answer: Answer | null = null;
  scale: Scale | null = null;
  error: unknown = null;
  private chosen: HeatChoice | null = null;
  private readonly cells: Cells;
  private readonly outlines = new Map<string, Outline>();
  private etag: string | null = null;
  /** What the answer and its colours are for. */
  private answered = "";
  private scaled = "";
  private asking = false;
  private due = false;
  /** Something came, and the answer may have been made just before it. */
  private doubt = false;
  private askedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly widget: CesiumWidget,
    private readonly sensing: Sensing,
    private readonly places: Places,
    motion: Motion,
  ) {
    this.cells = new Cells(widget.scene);
    motion.rested.on(() => this.chosen?.resolution === null && this.zoomed !== this.answer?.resolution && this.soon(0));
    sensing.changed.on((ids) => {
      if (!this.concerns(ids)) return;
      this.doubt = true;
      this.soon();
    });
    sensing.listed.on(() => this.chosen && this.soon());
    sensing.clock.changed.on(() => this.chosen && this.soon(0));
    sensing.clock.ready = () => !this.busy;
    document.addEventListener("visibilitychange", () => this.chosen && !document.hidden && this.soon());
    places.changed.on(() => this.draw());
  }

  get choice(): HeatChoice | null {
    return this.chosen;
  }

  set choice(choice: HeatChoice | null) {
    this.chosen = choice;
    this.error = null;
    if (choice === null) this.clear();
    else this.soon(0);
    this.changed.emit();
  }

  change(change: Partial<HeatChoice>): void {
    if (this.chosen) this.choice = { ...this.chosen, ...change };
  }

  get busy(): boolean {
    return this.asking || this.due;
  }

  /** The finest resolution whose cells are large enough to be seen as such. */
  get zoomed(): number {
    const { camera, canvas, scene } = this.widget;
    const { longitude, latitude } = camera.positionCartographic;
    const ground = this.places.ground(CesiumMath.toDegrees(longitude), CesiumMath.toDegrees(latitude));
    const above = Math.max(1, camera.positionCartographic.height - ground);
    // Obliquely, what is looked at is further away than the ground below the eye.
    const away = above / Math.max(0.3, Math.sin(-camera.pitch));
    const { frustum } = scene.camera;
    const wide = frustum instanceof PerspectiveFrustum ? 2 * away * Math.tan((frustum.fovy ?? 1) / 2) : above;
    const metres = (EDGE * wide) / Math.max(1, canvas.clientHeight);
    return COARSEST + Math.max(0, EDGES.filter((edge) => edge >= metres).length - 1);
  }

  /** What is at a place, in degrees; null where there is no cell. */
  cellAt(lon: number, lat: number): { value: number; count: number } | null {
    const { answer } = this;
    const found = answer?.cells.findIndex((cell) => inside(this.outlines.get(cell), lon, lat)) ?? -1;
    return answer && found >= 0 ? { value: answer.values[found]!, count: answer.counts[found]! } : null;
  }

  /** The colour that a cell has on the map. */
  colourOf(cell: string): string | null {
    const place = this.answer?.cells.indexOf(cell) ?? -1;
    return place < 0 || !this.scale ? null : this.scale.colourOf(this.answer!.values[place]!);
  }

  get unit(): string | null {
    return this.chosen?.statistic === "count" ? null : (this.answer?.unit ?? null);
  }

  /** The end of the window; null for now. */
  private get at(): number | null {
    return this.sensing.clock.at;
  }

  /** Whether any of these things observes what is shown, and now is looked at. */
  private concerns(ids: ReadonlySet<number>): boolean {
    const property = this.chosen?.property;
    if (property === undefined || this.at !== null) return false;
    for (const id of ids) {
      if (this.sensing.things.get(id)?.datastreams.some((one) => one.property === property)) return true;
    }
    return false;
  }

  /** Asks as soon as may be; what comes meanwhile is asked for together. */
  private soon(wait = Math.max(0, this.askedAt + SOONEST - performance.now())): void {
    this.due = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), wait);
  }

  private async ask(): Promise<void> {
    const choice = this.chosen;
    if (!choice || document.hidden) {
      this.due = false;
      return;
    }
    if (this.asking) return; // asked again when the answer is there
    this.due = false;
    this.asking = true;
    this.askedAt = performance.now();
    try {
      const { property, statistic, window } = choice;
      const resolution = choice.resolution ?? this.zoomed;
      const key = [property, statistic, window, resolution, this.at].join(" ");
      const question = { property, statistic, window, resolution, end: this.at };
      const found = await sensingApi.heat(question, key === this.answered ? this.etag : null);
      if (found) {
        await this.learn(found.heat.cells);
        if (this.chosen === null || (this.chosen !== choice && this.chosen.property !== property)) return;
        this.answer = found.heat;
        this.etag = found.etag;
        this.answered = key;
      }
      this.error = null;
      this.rescale();
      this.draw();
    } catch (error) {
      this.error = error;
    } finally {
      this.asking = false;
      const again = this.due || this.doubt;
      this.doubt &&= this.due;
      if (again) this.soon();
      else if (this.chosen && this.at === null) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.ask(), Math.min(LATEST, (this.chosen.window * 1_000) / 60));
      }
      this.changed.emit();
    }
  }

  private async learn(cells: readonly string[]): Promise<void> {
    const unknown = cells.filter((cell) => !this.outlines.has(cell));
    if (unknown.length === 0) return;
    if (this.outlines.size > KEPT) this.outlines.clear();
    const outlines = await api.cellOutlines(unknown);
    unknown.forEach((cell, i) => this.outlines.set(cell, outlines[i]!));
  }

  /** Colours keep their meaning until something else is asked for, or they are fitted anew. */
  private rescale(): void {
    const { chosen, answer } = this;
    if (!chosen || !answer || answer.cells.length === 0) return;
    const usual = chosen.statistic === "count" || chosen.fitted ? null : this.sensing.properties.get(chosen.property)?.range;
    const key = usual ? usual.join(" ") : [chosen.property, chosen.statistic, chosen.window, answer.resolution].join(" ");
    if (key === this.scaled) return;
    this.scaled = key;
    this.scale = Scale.over(usual ?? null, answer.values);
  }

  private draw(): void {
    const { answer, chosen, scale } = this;
    if (!answer || !chosen || !scale) return this.cells.show([]);
    const edge = EDGES[answer.resolution - COARSEST] ?? EDGES.at(-1)!;
    this.cells.show(
      answer.cells.flatMap((cell, i): Cell[] => {
        const outline = this.outlines.get(cell);
        if (!outline) return [];
        const [value, corner] = [answer.values[i]!, outline[0]!];
        const height = this.places.ground(corner[0], corner[1]) + ABOVE;
        const colour = scale.colourOf(value);
        if (!chosen.extruded) return [{ outline, colour, height }];
        return [{ outline, colour, height, top: height + edge * HIGHEST * (0.06 + 0.94 * scale.shareOf(value)) }];
      }),
    );
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.due = false;
    this.answer = null;
    this.scale = null;
    this.etag = null;
    this.answered = this.scaled = "";
    this.cells.show([]);
  }

  /** As a link has it; null while there is none. */
  get link(): string | null {
    if (!this.chosen) return null;
    const { property, statistic, window, resolution, extruded, fitted } = this.chosen;
    return [property, statistic, window, resolution ?? "zoom", Number(extruded), Number(fitted)].join(";");
  }

  set link(text: string | null) {
    const [property = "", word, window, resolution, extruded, fitted] = (text ?? "").split(";");
    if (property === "") {
      if (this.chosen) this.choice = null;
      return;
    }
    const level = Number(resolution);
    this.choice = {
      property,
      statistic: STATISTICS.find((one) => one === word) ?? "mean",
      window: WINDOWS.find((one) => one === Number(window)) ?? 3_600,
      resolution: level >= COARSEST && level <= FINEST ? Math.round(level) : null,
      extruded: extruded === "1",
      fitted: fitted === "1",
    };
  }
}

/** Whether a place is within a ring, by the rule of even and odd. */
function inside(ring: Outline | undefined, lon: number, lat: number): boolean {
  let odd = false;
  for (let i = 0, j = (ring?.length ?? 0) - 1; ring && i < ring.length; j = i++) {
    const [[x, y], [px, py]] = [ring[i]!, ring[j]!];
    if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) odd = !odd;
  }
  return odd;
}
