/** Lines and labels that tools draw over the scene, in front of everything. */
import { Cartesian2, Cartesian3, SceneTransforms } from "cesium";
import type { App } from "../app";
import { append, h } from "../dom";

const SVG = "http://www.w3.org/2000/svg";

/** Positions in earth-fixed axes. */
export interface Drawing {
  lines: { points: readonly Cartesian3[]; closed?: boolean; class: string }[];
  dots: readonly Cartesian3[];
  labels: { at: Cartesian3; text: string }[];
}

export type Sketcher = () => Drawing | null;

export function sketch(app: App, sketchers: readonly Sketcher[]): HTMLElement {
  const { scene } = app.widget;
  const lines = document.createElementNS(SVG, "svg");
  const labels = h("div", { class: "sketch-labels" });
  const element = h("div", { class: "sketch", "aria-hidden": "true" });
  append(element, lines, labels);

  const screen = (position: Cartesian3): string | null => {
    const pixel = SceneTransforms.worldToWindowCoordinates(scene, position, new Cartesian2());
    return pixel ? `${pixel.x.toFixed(1)},${pixel.y.toFixed(1)}` : null;
  };
  const shape = (tag: string, attributes: Record<string, string>) => {
    const found = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
    return found;
  };

  const draw = () => {
    const drawings = sketchers.map((one) => one()).filter((drawing) => drawing !== null);
    if (drawings.length === 0 && !lines.hasChildNodes() && !labels.hasChildNodes()) return;
    const shapes: Element[] = [];
    const notes: HTMLElement[] = [];
    for (const drawing of drawings) {
      for (const line of drawing.lines) {
        const points = line.points.map(screen);
        // A line that begins behind the eye cannot be drawn straight.
        if (points.includes(null) || points.length < 2) continue;
        shapes.push(shape(line.closed ? "polygon" : "polyline", { points: points.join(" "), class: line.class }));
      }
      for (const dot of drawing.dots) {
        const [x, y] = screen(dot)?.split(",") ?? [];
        if (x !== undefined && y !== undefined) shapes.push(shape("circle", { cx: x, cy: y, r: "4.500" }));
      }
      for (const { at, text } of drawing.labels) {
        const [x, y] = screen(at)?.split(",") ?? [];
        if (x === undefined || y === undefined) continue;
        const label = h("span", { class: "sketch-label" }, text);
        label.style.transform = `translate(${x}px, ${y}px) translate(-50%, -140%)`;
        notes.push(label);
      }
    }
    lines.replaceChildren(...shapes);
    labels.replaceChildren(...notes);
  };
  scene.postRender.addEventListener(draw);
  app.toolbox.changed.on(() => scene.requestRender());
  return element;
}
