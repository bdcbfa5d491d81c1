/**
 * One symbol for each thing, over the scene: on a canvas of its own, so that a new value costs no frame
 * of the scene, and a frame of the scene no more than a few hundred small pictures.
 */
import { Cartesian3, type CesiumWidget, Matrix4 } from "cesium";
import { h } from "../dom";
import type { Motion } from "../scene/motion";
import { Signal } from "../signal";
import { grouped } from "./cluster";
import type { Filter } from "./filter";
import { graver, type Mark, markOf, MARKS } from "./marks";
import type { Places } from "./places";
import { cluster, OTHER_CLASS, SIZE, symbol } from "./signs";
import type { Sensing } from "./things";
import type { Thing } from "./types";
import { primary, withUnit } from "./values";

/** Pixels between symbols, so that none covers another's sign. */
const APART = 34;

/** Metres from which on the latest value stands beside a symbol, and for how many. */
const NEAR = 450;
const LABELS = 40;

/** Pixels from the middle of a symbol at which it is still meant. */
const REACH = 15;

/** A symbol on the screen, of one thing or of several that would cover each other. */
export interface Marker {
  things: readonly Thing[];
  place: Cartesian3;
  /** CSS pixels; NaN while it is not on the screen. */
  x: number;
  y: number;
  /** Metres from the eye. */
  away: number;
}

export class Symbols {
  readonly element = h("canvas", { class: "symbols", "aria-hidden": "true" });
  /** What stands where was found anew. */
  readonly changed = new Signal();
  markers: Marker[] = [];
  /** Milliseconds that the last drawing took. */
  cost = 0;
  private readonly context = this.element.getContext("2d")!;
  private readonly view = new Matrix4();
  private queued = false;

  constructor(
    private readonly widget: CesiumWidget,
    motion: Motion,
    private readonly sensing: Sensing,
    private readonly filter: Filter,
    private readonly places: Places,
  ) {
    const again = () => this.gather();
    motion.rested.on(again);
    sensing.listed.on(again);
    places.changed.on(again);
    filter.changed.on(again);
    sensing.changed.on(() => (this.filter.marks.size > 0 ? this.gather() : this.later()));
    sensing.picked.on(again);
    sensing.clock.changed.on(() => this.later());
    new ResizeObserver(again).observe(widget.canvas);
    widget.scene.postRender.addEventListener(() => this.draw());
  }

  /** What stands at a place of the canvas, CSS pixels. */
  at(x: number, y: number): Marker | null {
    let nearest: Marker | null = null;
    let least = REACH;
    for (const marker of this.markers) {
      const distance = Math.hypot(marker.x - x, marker.y - y);
      if (!(distance < least)) continue;
      least = distance;
      nearest = marker;
    }
    return nearest;
  }

  /** The gravest of what a marker stands for. */
  markOf({ things }: Marker): Mark {
    return things.map(markOf).reduce(graver, MARKS.at(-1)!);
  }

  /** Finds out which things share a symbol. */
  private gather(): void {
    const things = [...this.sensing.things.values()].filter((thing) => this.filter.passes(thing));
    const { selected } = this.sensing;
    // The selected one is never hidden in a group of others.
    const rest = things.filter((thing) => thing !== selected && this.places.of(thing));
    const single = (thing: Thing): Marker => ({ things: [thing], place: this.places.of(thing)!, x: NaN, y: NaN, away: 0 });
    const spots = rest.map(single);
    this.project(spots, 0.5);
    const groups = grouped(spots.map(({ x }) => x), spots.map(({ y }) => y), APART);
    this.markers = groups.map(([leader, ...others]) => {
      const marker = spots[leader!]!;
      return { ...marker, things: [leader!, ...others].map((i) => rest[i]!) };
    });
    if (selected && this.places.of(selected)) this.markers.push(single(selected));
    this.draw();
    this.changed.emit();
  }

  private later(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.draw();
    });
  }

  /** Where markers are on the screen, as far as a share of its size around it. */
  private project(markers: readonly Marker[], around: number): void {
    const { camera, canvas } = this.widget;
    Matrix4.multiply(camera.frustum.projectionMatrix, camera.viewMatrix, this.view);
    const m = this.view;
    const { clientWidth: width, clientHeight: height } = canvas;
    const eye = camera.positionWC;
    for (const marker of markers) {
      const { x, y, z } = marker.place;
      const w = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
      const [u, v] = [(m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w, (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w];
      const seen = w > 0 && Math.abs(u) < 1 + around && Math.abs(v) < 1 + around;
      marker.x = seen ? ((u + 1) / 2) * width : NaN;
      marker.y = seen ? ((1 - v) / 2) * height : NaN;
      marker.away = Cartesian3.distance(eye, marker.place);
    }
  }

  private draw(): void {
    const began = performance.now();
    const { element, context, widget, sensing } = this;
    const ratio = Math.max(1, window.devicePixelRatio);
    const { clientWidth: width, clientHeight: height } = widget.canvas;
    if (this.markers.length === 0 && element.hidden) return;
    element.hidden = this.markers.length === 0;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== across || element.height !== down) [element.width, element.height] = [across, down];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.project(this.markers, 0.1);
    const seen = this.markers.filter(({ x }) => !Number.isNaN(x));
    const order = new Map(seen.map((marker) => [marker, MARKS.indexOf(this.markOf(marker))]));
    const chosen = ({ things }: Marker) => Number(things.length === 1 && things[0] === sensing.selected);
    // The gravest stand in front, the selected one before all.
    seen.sort((a, b) => chosen(a) - chosen(b) || order.get(b)! - order.get(a)! || b.away - a.away);
    for (const marker of seen) {
      const picture = this.pictureOf(marker);
      // On whole pixels of the screen, or a moving camera makes the thin lines flicker.
      const [x, y] = [marker.x, marker.y].map((middle) => Math.round((middle - SIZE / 2) * ratio) / ratio) as [number, number];
      context.drawImage(picture, x, y, SIZE, SIZE);
    }
    if (sensing.clock.at === null) this.label(seen);
    this.cost = performance.now() - began;
  }

  private pictureOf(marker: Marker): HTMLCanvasElement {
    const { sensing } = this;
    const past = sensing.clock.at !== null;
    if (marker.things.length > 1) return cluster(marker.things.length, this.markOf(marker), past);
    const thing = marker.things[0]!;
    const { icon = "", color: colour = OTHER_CLASS } = sensing.classOf(thing) ?? {};
    return symbol({ icon, colour, mark: markOf(thing), selected: thing === sensing.selected, past });
  }

  /** The latest values beside near symbols, where there is room. */
  private label(seen: readonly Marker[]): void {
    const { context } = this;
    const near = seen.filter(({ things, away }) => things.length === 1 && away < NEAR).sort((a, b) => a.away - b.away);
    if (near.length === 0) return;
    const taken = seen.map(({ x, y }) => ({ left: x - 14, right: x + 14, top: y - 14, bottom: y + 14 }));
    context.font = "600 11.5px system-ui, 'Noto Sans CJK SC', sans-serif";
    context.textBaseline = "middle";
    let left = LABELS;
    for (const { things, x, y } of near) {
      const said = primary(this.sensing, things[0]!);
      if (!said || said.value === null) continue;
      const text = withUnit(said.value, said.unit);
      const width = Math.ceil(context.measureText(text).width) + 12;
      const box = { left: x - width / 2, right: x + width / 2, top: y + 15, bottom: y + 33 };
      if (taken.some((other) => other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom)) continue;
      taken.push(box);
      context.fillStyle = "rgb(28 39 51 / 84%)";
      context.beginPath();
      context.roundRect(Math.round(box.left), Math.round(box.top), width, 18, 9);
      context.fill();
      context.fillStyle = "#fff";
      context.fillText(text, Math.round(box.left) + 6, Math.round(box.top) + 9.5);
      if (--left === 0) return;
    }
  }
}
