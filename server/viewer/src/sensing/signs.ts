/**
 * How things look on the map and in legends. A state is told by the shape and by a sign, an alarm by
 * its own outline at the corner: nothing by its colour alone.
 */
import { drawingOf } from "./icons";
import { levelOf, type Mark } from "./marks";
import { COLOURS, OUTLINES, STROKES } from "./panels/levels";

/** Width and height of a symbol, CSS pixels; its middle is the place of the thing. */
export const SIZE = 36;
const MIDDLE = SIZE / 2;
const RADIUS = 11.5;

const INK = "#1c2733";
const SOFT = "#6b7887";
const FAINT = "#97a2ad";
const STALE = "#8a5200";
const CHOSEN = "#ff9f1c";
export const OTHER_CLASS = "#52606e";

export interface Look {
  icon: string;
  colour: string;
  mark: Mark;
  selected: boolean;
  /** Drawn for a time that has passed, of which the state is not known. */
  past: boolean;
}

const drawn = new Map<string, HTMLCanvasElement>();

/** The symbol of a thing, drawn once for each look and density of the screen. */
export function symbol(look: Look): HTMLCanvasElement {
  const ratio = Math.max(1, window.devicePixelRatio);
  const key = [...Object.values(look), ratio].join(" ");
  let canvas = drawn.get(key);
  if (!canvas) {
    canvas = sheet(SIZE, ratio);
    paint(canvas.getContext("2d")!, look);
    drawn.set(key, canvas);
  }
  return canvas;
}

/** A symbol that stands for several things, with the gravest mark among them. */
export function cluster(count: number, mark: Mark, past: boolean): HTMLCanvasElement {
  const ratio = Math.max(1, window.devicePixelRatio);
  const key = ["cluster", count, mark, past, ratio].join(" ");
  let canvas = drawn.get(key);
  if (!canvas) {
    if (drawn.size > 2_000) drawn.clear(); // counts are of every kind
    canvas = sheet(SIZE, ratio);
    const to = canvas.getContext("2d")!;
    const text = count < 1_000 ? String(count) : `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)}k`;
    disc(to, RADIUS + 2.5, past ? "#eef1f4" : "#fff", past ? FAINT : INK, 2);
    to.fillStyle = past ? SOFT : INK;
    to.font = `600 ${text.length > 2 ? 10 : 12}px system-ui, sans-serif`;
    to.textAlign = "center";
    to.textBaseline = "middle";
    to.fillText(text, MIDDLE, MIDDLE + 0.5);
    if (!past) badge(to, mark);
    drawn.set(key, canvas);
  }
  return canvas;
}

/** Only the sign of a mark, for legends. */
export function markSign(mark: Mark): HTMLCanvasElement {
  const canvas = sheet(16, Math.max(1, window.devicePixelRatio));
  const to = canvas.getContext("2d")!;
  const level = levelOf(mark);
  if (level !== null) levelBadge(to, level, 0, 0, 16);
  else if (mark === "ok") ring(to, 8, 8, 6, SOFT, SOFT, 1.5, []);
  else stateBadge(to, mark, 8, 8, 7);
  return canvas;
}

function sheet(size: number, ratio: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(size * ratio);
  canvas.style.width = canvas.style.height = `${size}px`;
  canvas.getContext("2d")!.scale(ratio, ratio);
  return canvas;
}

function paint(to: CanvasRenderingContext2D, { icon, colour, mark, selected, past }: Look): void {
  if (selected) ring(to, MIDDLE, MIDDLE, RADIUS + 4, null, CHOSEN, 3.5, []);
  const level = levelOf(mark);
  if (past) disc(to, RADIUS, "#eef1f4", FAINT, 1.5);
  else if (level !== null) {
    ring(to, MIDDLE, MIDDLE, RADIUS + 1.5, "#fff", COLOURS[level], 3, []);
    ring(to, MIDDLE, MIDDLE, RADIUS - 1.5, colour, null, 0, []);
  } else if (mark === "ok") disc(to, RADIUS, colour, "#fff", 1.5);
  else if (mark === "stale") {
    disc(to, RADIUS, "#fff", "#fff", 1.5);
    ring(to, MIDDLE, MIDDLE, RADIUS - 1, null, colour, 2, [4, 2.5]);
  } else if (mark === "silent") square(to, SOFT, []);
  else square(to, FAINT, [2, 2.5]);
  const inks: Partial<Record<Mark, string>> = { stale: colour, silent: INK, never: SOFT };
  stroke(to, drawingOf(icon), past ? SOFT : (inks[mark] ?? "#fff"));
  if (!past) badge(to, mark);
}

/** A disc with a rim, and a hair around it that parts it from any ground. */
function disc(to: CanvasRenderingContext2D, radius: number, fill: string, rim: string, width: number): void {
  ring(to, MIDDLE, MIDDLE, radius + 1, null, "rgb(20 35 50 / 35%)", 2, []);
  ring(to, MIDDLE, MIDDLE, radius, fill, rim, width, []);
}

function ring(
  to: CanvasRenderingContext2D, x: number, y: number, radius: number,
  fill: string | null, rim: string | null, width: number, dashes: number[],
): void {
  to.beginPath();
  to.arc(x, y, radius, 0, 2 * Math.PI);
  finish(to, fill, rim, width, dashes);
}

function square(to: CanvasRenderingContext2D, rim: string, dashes: number[]): void {
  const half = RADIUS - 1;
  to.beginPath();
  to.roundRect(MIDDLE - half, MIDDLE - half, 2 * half, 2 * half, 3.5);
  finish(to, "#fff", "rgb(20 35 50 / 30%)", 3, []);
  finish(to, null, rim, 1.8, dashes);
}

function finish(to: CanvasRenderingContext2D, fill: string | null, rim: string | null, width: number, dashes: number[]): void {
  if (fill) {
    to.fillStyle = fill;
    to.fill();
  }
  if (rim) {
    to.strokeStyle = rim;
    to.lineWidth = width;
    to.setLineDash(dashes);
    to.stroke();
    to.setLineDash([]);
  }
}

/** A drawing of the grid of 24 units in the middle of a symbol. */
function stroke(to: CanvasRenderingContext2D, path: string, colour: string): void {
  to.save();
  to.translate(MIDDLE - 7.5, MIDDLE - 7.5);
  to.scale(15 / 24, 15 / 24);
  to.strokeStyle = colour;
  to.lineWidth = 2.1;
  to.lineCap = to.lineJoin = "round";
  to.stroke(new Path2D(path));
  to.restore();
}

/** At the upper right of a symbol. */
function badge(to: CanvasRenderingContext2D, mark: Mark): void {
  const level = levelOf(mark);
  if (level !== null) levelBadge(to, level, SIZE - 17, 0.5, 16);
  else if (mark !== "ok") stateBadge(to, mark, SIZE - 8.5, 8.5, 5.5);
}

function levelBadge(to: CanvasRenderingContext2D, level: 1 | 2 | 3 | 4, x: number, y: number, size: number): void {
  to.save();
  to.translate(x, y);
  to.scale(size / 16, size / 16);
  const outline = new Path2D(OUTLINES[level]);
  to.lineJoin = to.lineCap = "round";
  to.strokeStyle = "#fff";
  to.lineWidth = 2.4;
  to.stroke(outline);
  to.fillStyle = COLOURS[level];
  to.fill(outline);
  to.strokeStyle = level === 2 ? INK : "#fff";
  to.lineWidth = 1.8;
  to.stroke(new Path2D(STROKES[level]));
  to.restore();
}

/** A clock, a cross or a question mark. */
function stateBadge(to: CanvasRenderingContext2D, mark: Mark, x: number, y: number, radius: number): void {
  ring(to, x, y, radius, mark === "stale" ? STALE : mark === "silent" ? INK : SOFT, "#fff", 1.2, []);
  to.strokeStyle = "#fff";
  to.lineWidth = radius / 4;
  to.lineCap = to.lineJoin = "round";
  const r = radius * 0.42;
  to.beginPath();
  if (mark === "stale") {
    to.moveTo(x, y - r * 1.3);
    to.lineTo(x, y);
    to.lineTo(x + r, y + r * 0.5);
  } else if (mark === "silent") {
    to.moveTo(x - r, y - r);
    to.lineTo(x + r, y + r);
    to.moveTo(x + r, y - r);
    to.lineTo(x - r, y + r);
  } else {
    to.moveTo(x - r * 0.9, y - r * 0.5);
    to.arc(x, y - r * 0.5, r * 0.9, Math.PI, 0.35 * Math.PI);
    to.lineTo(x, y + r * 0.7);
    to.moveTo(x, y + r * 1.5);
    to.lineTo(x, y + r * 1.55);
  }
  to.stroke();
}
