/**
 * Signal heads with their countdown, intersections and events, over the scene on a canvas of its own: a
 * second less costs no frame of the scene.
 */
import { Cartesian3, type CesiumWidget, Matrix4 } from "cesium";
import { h } from "../../dom";
import type { Shown } from "../lights";
import type { Head } from "./signals";
import { LAMP_COLOURS, LIGHT_LOOKS } from "./looks";

/** Metres from the eye up to which heads are drawn, and up to which they count down. */
const HEADS = 420;
const COUNTS = 320;

/** Pixels from the middle of a sign at which it is still meant. */
const REACH = 14;

/** Pixels from one line of names to the next. */
const LINE = 13;

const FONT = "system-ui, 'Noto Sans CJK SC', sans-serif";
const DARK = "#1c2733";

export type Sign =
  | { what: "head"; head: Head; shown: Shown | undefined; place: Cartesian3 }
  | { what: "intersection"; id: string; name: string; signal: boolean; chosen: boolean; place: Cartesian3 }
  | { what: "event"; id: string; letter: string; open: boolean; chosen: boolean; place: Cartesian3 };

interface Seen {
  sign: Sign;
  x: number;
  y: number;
  away: number;
}

export class Signs {
  readonly element = h("canvas", { class: "symbols traffic-signs", "aria-hidden": "true" });
  private signs: readonly Sign[] = [];
  private seen: Seen[] = [];
  /** Where names stand, CSS pixels: of two that would cover each other one is written. */
  private names: { left: number; right: number; y: number }[] = [];
  private readonly context = this.element.getContext("2d")!;
  private readonly view = new Matrix4();
  private readonly stop: () => void;

  constructor(
    private readonly widget: CesiumWidget,
    /** The time that countdowns are told for, milliseconds since 1970. */
    private readonly now: () => number,
  ) {
    this.element.hidden = true;
    this.stop = widget.scene.postRender.addEventListener(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(widget.canvas);
  }

  destroy(): void {
    this.stop();
    this.element.remove();
  }

  set all(signs: readonly Sign[]) {
    this.signs = signs;
    this.draw();
  }

  /** What stands at a place of the canvas, CSS pixels; events before intersections. */
  at(x: number, y: number): Sign | null {
    const rank = { event: 0, intersection: 1, head: 2 } as const;
    const near = this.seen.filter((one) => Math.hypot(one.x - x, one.y - y) < REACH);
    near.sort((a, b) => rank[a.sign.what] - rank[b.sign.what] || a.away - b.away);
    return near[0]?.sign ?? null;
  }

  /** Where signs are on the screen. */
  get places(): readonly Seen[] {
    return this.seen;
  }

  draw(): void {
    const { element, context, widget } = this;
    if (this.signs.length === 0 && element.hidden) return;
    element.hidden = this.signs.length === 0;
    const ratio = Math.max(1, window.devicePixelRatio);
    const { clientWidth: width, clientHeight: height } = widget.canvas;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== across || element.height !== down) [element.width, element.height] = [across, down];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.seen = this.project(width, height);
    const near = this.seen.filter(({ sign, away }) => sign.what === "head" && away < HEADS);
    const marks = this.seen.filter(({ sign, away }) => sign.what === "event" || (sign.what === "intersection" && (away > HEADS || !sign.signal || sign.chosen)));
    this.seen = [...near, ...marks].sort((a, b) => b.away - a.away);
    this.names = [];
    const chosen = (one: Seen) => one.sign.what === "intersection" && one.sign.chosen;
    for (const one of this.seen) if (chosen(one)) this.put(one); // its name is there, whoever else's is not
    for (const one of this.seen) if (one.sign.what !== "event" && !chosen(one)) this.put(one);
    for (const one of this.seen) if (one.sign.what === "event") this.put(one);
  }

  private project(width: number, height: number): Seen[] {
    const { camera } = this.widget;
    const m = Matrix4.multiply(camera.frustum.projectionMatrix, camera.viewMatrix, this.view);
    const eye = camera.positionWC;
    const seen: Seen[] = [];
    for (const sign of this.signs) {
      const { x, y, z } = sign.place;
      const w = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
      const [u, v] = [(m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w, (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w];
      if (w <= 0 || Math.abs(u) > 1.05 || Math.abs(v) > 1.05) continue;
      seen.push({ sign, x: ((u + 1) / 2) * width, y: ((1 - v) / 2) * height, away: Cartesian3.distance(eye, sign.place) });
    }
    return seen;
  }

  private put({ sign, x, y, away }: Seen): void {
    const [px, py] = [Math.round(x), Math.round(y)];
    if (sign.what === "head") this.head(sign.head, sign.shown, px, py, away);
    else if (sign.what === "intersection") this.intersection(sign, px, py);
    else this.event(sign, px, py);
  }

  /** Three lamps one above the other: which one is lit is seen without its colour. */
  private head(head: Head, shown: Shown | undefined, x: number, y: number, away: number): void {
    const { context } = this;
    const walk = head.kind === "pedestrian";
    const { lamps, flashing } = LIGHT_LOOKS[shown?.light ?? "unknown"];
    const size = away < 160 ? 1 : away < 260 ? 0.85 : 0.7;
    const [step, radius] = [8.5 * size, 3.4 * size];
    const rows = walk ? [0, 2] : [0, 1, 2];
    const [wide, high] = [11 * size, (rows.length * 8.5 + 2.5) * size];
    const top = y - high;
    const seconds = shown && shown.remaining !== null && away < COUNTS && !walk ? Math.max(0, Math.round(shown.remaining - (this.now() - shown.at) / 1000)) : null;
    context.font = `600 ${Math.round(12 * Math.max(size, 0.9))}px ${FONT}`;
    const text = seconds === null ? "" : String(seconds);
    const room = text === "" ? 0 : Math.ceil(context.measureText("00").width) + 6;
    const left = x - (wide + room) / 2;
    context.fillStyle = "rgb(28 39 51 / 90%)";
    context.beginPath();
    context.roundRect(left, top, wide + room, high, 3.5);
    context.fill();
    rows.forEach((lamp, i) => {
      const lit = (lamps as readonly number[]).includes(lamp);
      context.beginPath();
      context.arc(left + wide / 2, top + (i + 0.5) * step + 1.2 * size, lit ? radius : radius * 0.8, 0, 7);
      context.fillStyle = lit ? LAMP_COLOURS[lamp as 0 | 1 | 2] : "#4a5662";
      context.fill();
      if (!lit || !flashing) return;
      context.setLineDash([2, 2]);
      context.strokeStyle = "#fff";
      context.lineWidth = 1;
      context.stroke();
      context.setLineDash([]);
    });
    if (text === "") return;
    context.fillStyle = "#fff";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, left + wide + room / 2 - 2, top + high / 2 + 0.5);
    context.textAlign = "start";
  }

  private intersection({ name, signal, chosen }: Extract<Sign, { what: "intersection" }>, x: number, y: number): void {
    const { context } = this;
    const size = 8;
    context.beginPath();
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
    context.fillStyle = chosen ? "#ff9f1c" : "#fff";
    context.strokeStyle = chosen ? DARK : signal ? "#0f5fa8" : "#556373";
    context.lineWidth = 2.5;
    context.fill();
    context.stroke();
    if (signal) {
      context.beginPath();
      context.arc(x, y, 2.4, 0, 7);
      context.fillStyle = chosen ? DARK : "#0f5fa8";
      context.fill();
    }
    if (name === "") return;
    context.font = `600 11.5px ${FONT}`;
    const [left, right] = [x + 12, x + 12 + context.measureText(name).width];
    const covers = this.names.some((other) => left < other.right && right > other.left && Math.abs(y - other.y) < LINE);
    if (covers && !chosen) return;
    this.names.push({ left, right, y });
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = "rgb(255 255 255 / 92%)";
    context.strokeText(name, x + 12, y);
    context.fillStyle = DARK;
    context.fillText(name, x + 12, y);
  }

  private event({ letter, open, chosen }: Extract<Sign, { what: "event" }>, x: number, y: number): void {
    const { context } = this;
    const size = chosen ? 13 : 11;
    context.beginPath();
    context.moveTo(x, y - size);
    context.lineTo(x + size, y + size * 0.78);
    context.lineTo(x - size, y + size * 0.78);
    context.closePath();
    context.lineJoin = "round";
    context.lineWidth = chosen ? 5 : 3;
    context.strokeStyle = chosen ? "#ff9f1c" : "#fff";
    context.stroke();
    context.fillStyle = open ? "#b3261e" : "#6b7887";
    context.fill();
    context.fillStyle = "#fff";
    context.font = `700 ${size}px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(letter, x, y + size * 0.22);
    context.textAlign = "start";
  }
}
