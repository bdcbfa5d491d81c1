/** The places that a question to the city is about: points, lines and polygons that one clicks. */
import { Cartesian3, type Cartesian2, Matrix4, type Scene } from "cesium";
import type { Analysis, Inputs } from "../analysis";
import { layersNamed } from "../data/processes";
import type { Point } from "../geodesy";
import type { Layers } from "../layers";
import { Signal } from "../signal";
import { frameAt, pointAt, toWorld } from "./place";
import type { Tool } from "./tool";

export type HereMode = "point" | "line" | "polygon";

/** The process that answers, unless another one was chosen. */
export const WHAT_IS_HERE = "what-is-here";

const AROUND = 64;

const MODES: Record<string, HereMode> = { Point: "point", LineString: "line", Polygon: "polygon" };
const FEWEST: Record<HereMode, number> = { point: 1, line: 2, polygon: 3 };

/** What was clicked for one input. */
export interface Clicked {
  mode: HereMode;
  points: Point[];
}

export class Here implements Tool {
  readonly name = "here";
  readonly icon = "here";
  readonly letter = "w";
  readonly changed = new Signal();
  /** The input the next click is for. */
  input: string | null = null;
  /** What was clicked, by input. */
  readonly clicked = new Map<string, Clicked>();
  private started = false;
  private linked = false;
  private of: string | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly analysis: Analysis,
    private readonly layers: Layers,
  ) {
    analysis.changed.on(() => {
      this.follow();
      this.changed.emit();
    });
    // A link is read before the ground is there.
    scene.globe.tileLoadProgressEvent.addEventListener((left: number) => left === 0 && this.level());
  }

  get on(): boolean {
    return this.started;
  }

  start(): void {
    this.started = true;
    this.changed.emit();
    void this.analysis.list();
    if (!this.analysis.process) void this.analysis.choose(WHAT_IS_HERE);
  }

  stop(): void {
    this.started = false;
    this.clicked.clear();
    this.analysis.clear();
    this.changed.emit();
  }

  /** What an input can be, the usual one first. */
  modesOf(input: string): HereMode[] {
    const types = this.analysis.process?.inputs[input]?.schema.geometries ?? Object.keys(MODES);
    return types.map((type) => MODES[type]).filter((mode) => mode !== undefined);
  }

  /** What the clicks on the map make now. */
  get mode(): HereMode {
    return this.current?.mode ?? "point";
  }

  get points(): Point[] {
    return this.current?.points ?? [];
  }

  choose(mode: HereMode): void {
    if (this.input !== null) this.clicked.set(this.input, { mode, points: [] });
    this.analysis.clear();
    this.changed.emit();
  }

  /** Takes the next clicks for another input. */
  focus(input: string): void {
    this.input = input;
    this.changed.emit();
  }

  click(pixel: Cartesian2): void {
    const point = pointAt(this.scene, pixel);
    if (point) this.add(point);
  }

  /** All is asked at once where the last place that is needed is a point; else one has to say so. */
  add(point: Point): void {
    const { current, input } = this;
    if (!current || input === null) return;
    current.points = current.mode === "point" ? [point] : [...current.points, point];
    this.changed.emit();
    if (current.mode !== "point") return;
    const next = this.analysis.placeInputs.find((name) => !this.ready(name));
    if (next === undefined) void this.ask();
    else this.focus(next);
  }

  undo(): void {
    if (this.current) this.current.points = this.current.points.slice(0, -1);
    this.changed.emit();
  }

  /** Whether there are enough points for an input; one that can be left out may have none. */
  ready(input: string): boolean {
    const { mode, points } = this.clicked.get(input) ?? { mode: "point", points: [] };
    if (points.length >= FEWEST[mode]) return true;
    return points.length === 0 && this.analysis.process?.inputs[input]?.minOccurs !== 1;
  }

  get allReady(): boolean {
    return this.analysis.placeInputs.every((input) => this.ready(input));
  }

  async ask(): Promise<void> {
    for (const input of this.analysis.placeInputs) this.analysis.set(input, this.geometryOf(input) ?? undefined);
    await this.analysis.run();
  }

  /** As GeoJSON; null while there are too few points. */
  geometryOf(input: string): { type: string; coordinates: unknown } | null {
    const { mode, points } = this.clicked.get(input) ?? { mode: "point", points: [] };
    const places = points.map(([lon, lat]) => [Number(lon.toFixed(8)), Number(lat.toFixed(8))]);
    if (places.length < FEWEST[mode]) return null;
    if (mode === "point") return { type: "Point", coordinates: places[0] };
    if (mode === "line") return { type: "LineString", coordinates: places };
    return { type: "Polygon", coordinates: [[...places, places[0]]] };
  }

  /** The circle of the radius, if there is one; for the sketch. */
  get circle(): Cartesian3[] {
    const radius = Number(this.analysis.inputs["radius"] ?? 0);
    const [middle] = this.points;
    if (this.mode !== "point" || !middle || !(radius > 0)) return [];
    const frame: Matrix4 = frameAt(middle);
    return Array.from({ length: AROUND }, (_, i) => {
      const angle = (i / AROUND) * 2 * Math.PI;
      return toWorld(frame, radius * Math.sin(angle), radius * Math.cos(angle), 0);
    });
  }

  get link(): string | null {
    if (!this.started || !this.analysis.process) return null;
    return `${this.analysis.process.id};${JSON.stringify(this.analysis.inputs)}`;
  }

  set link(text: string | null) {
    if (text === null) {
      if (this.started) this.stop();
      return;
    }
    const at = text.indexOf(";");
    void this.restore(text.slice(0, at), text.slice(at + 1));
  }

  private get current(): Clicked | undefined {
    return this.input === null ? undefined : this.clicked.get(this.input);
  }

  /** Another process has other inputs. */
  private follow(): void {
    const { process, placeInputs } = this.analysis;
    if ((process?.id ?? null) === this.of) return;
    this.of = process?.id ?? null;
    const before = this.clicked.size > 0 ? [...this.clicked.values()][0] : undefined;
    this.clicked.clear();
    for (const input of placeInputs) {
      const modes = this.modesOf(input);
      // The point that the question before was about serves the next one as well.
      const kept = before && modes.includes(before.mode) && this.clicked.size === 0 && before.points.length > 0;
      this.clicked.set(input, kept ? before : { mode: modes[0] ?? "point", points: [] });
    }
    this.input = placeInputs[0] ?? null;
  }

  private async restore(process: string, written: string): Promise<void> {
    let inputs: Inputs;
    try {
      inputs = JSON.parse(written) as Inputs;
    } catch {
      inputs = {}; // cut off when it was pasted
    }
    this.started = true;
    void this.analysis.list();
    await this.analysis.choose(process);
    // What was asked of a layer that is not there for whoever looks now is not asked of others.
    const { process: chosen } = this.analysis;
    if (chosen && layersNamed(chosen, inputs).some((id) => !this.layers.get(id))) inputs = {};
    this.analysis.fill(inputs);
    for (const input of this.analysis.placeInputs) this.read(input, inputs[input]);
    this.linked = true;
    this.changed.emit();
    if (Object.keys(inputs).length > 0) await this.analysis.run();
  }

  private read(input: string, place: unknown): void {
    const { type, coordinates } = (place ?? {}) as { type?: string; coordinates?: unknown };
    const mode = MODES[type ?? ""];
    if (!mode) return;
    const places =
      mode === "point"
        ? [coordinates as number[]]
        : mode === "line"
          ? (coordinates as number[][])
          : (coordinates as number[][][])[0]!.slice(0, -1);
    this.clicked.set(input, { mode, points: places.map((place) => this.raised(place)) });
  }

  /** Puts the places of a link on the ground once it has been loaded. */
  private level(): void {
    if (!this.linked) return;
    this.linked = false;
    for (const place of this.clicked.values()) place.points = place.points.map((point) => this.raised(point));
    this.changed.emit();
  }

  private raised([lon, lat]: readonly number[]): Point {
    const { scene } = this;
    const at = scene.ellipsoid.cartesianToCartographic(Cartesian3.fromDegrees(lon!, lat!));
    return [lon!, lat!, scene.globe.show ? (scene.globe.getHeight(at) ?? 0) : 0];
  }
}
