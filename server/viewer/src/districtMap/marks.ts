/** A sign over every place that is marked: how it stands as shape, letter and colour, and its name where there is room. */
import { Cartesian3, type CesiumWidget, Matrix4 } from "cesium";
import { h, replace } from "../dom";
import type { Motion } from "../scene/motion";

export interface Mark {
  id: string;
  name: string;
  place: Cartesian3;
  /** How it stands, as a class of the style sheet; null where nobody knows. */
  tone: string | null;
  /** The same in words, and as one letter. */
  word: string;
  sign: string;
  /** The lower, the sooner it is named. */
  rank: number;
  /** Whether the filters leave it. */
  found: boolean;
}

/** A town's name, which is only read. */
export interface TownName {
  name: string;
  place: Cartesian3;
}

interface OnScreen {
  place: Cartesian3;
  element: HTMLElement;
  x: number;
  y: number;
}

type Placed = Mark & OnScreen & { element: HTMLButtonElement };

/** CSS pixels between a name and its neighbours. */
const GAP = 3;

export class Marks {
  readonly element = h("div", { class: "marks" });
  private marks: Placed[] = [];
  private towns: OnScreen[] = [];
  private chosen: string | null = null;
  private readonly view = new Matrix4();
  private readonly drawnView = new Matrix4();

  constructor(
    private readonly widget: CesiumWidget,
    motion: Motion,
    private readonly choose: (id: string) => void,
  ) {
    widget.scene.postRender.addEventListener(() => this.follow());
    // Names that came and went on the way would only flicker.
    motion.rested.on(() => this.declutter());
    new ResizeObserver(() => this.settle()).observe(widget.canvas);
  }

  show(marks: readonly Mark[], chosen: string | null, towns: readonly TownName[]): void {
    const known = new Map(this.marks.map((mark) => [mark.id, mark]));
    this.chosen = chosen;
    this.marks = marks.map((mark) => {
      const before = known.get(mark.id);
      const element = before?.element ?? h("button", { type: "button", on: { click: () => this.choose(mark.id) } });
      return { ...mark, element, x: before?.x ?? NaN, y: before?.y ?? NaN };
    });
    // The reader's order is that of urgency.
    this.marks.sort((a, b) => this.urgency(a) - this.urgency(b) || (a.id < b.id ? -1 : 1));
    for (const mark of this.marks) this.draw(mark);
    this.towns = towns.map(({ name, place }) => ({ place, element: h("div", { class: "town-mark", "aria-hidden": "true" }, h("span", {}, name)), x: NaN, y: NaN }));
    replace(this.element, ...[...this.towns, ...this.marks].map(({ element }) => element));
    this.settle();
  }

  /** What stands where, for tests and for the picture that is printed. */
  get placed(): readonly Placed[] {
    return this.marks.filter(({ x }) => !Number.isNaN(x));
  }

  /** The names of towns on the screen, and where they stand. */
  get townNames(): readonly { name: string; x: number; y: number }[] {
    return this.towns.filter(({ x }) => !Number.isNaN(x)).map(({ element, x, y }) => ({ name: element.textContent ?? "", x, y }));
  }

  private urgency({ id, rank, found }: Mark): number {
    if (id === this.chosen) return -1;
    return (found ? 0 : 10) + rank;
  }

  private draw({ element, id, name, tone, word, sign, found }: Placed): void {
    const chosen = id === this.chosen;
    element.className = `mark ${tone ?? "none"}${chosen ? " chosen" : ""}${found ? "" : " aside"}`;
    element.setAttribute("aria-label", word ? `${name} – ${word}` : name);
    element.setAttribute("aria-pressed", String(chosen));
    replace(element, h("i", { "aria-hidden": "true" }, sign), h("span", {}, name));
  }

  /** Moves the signs with the view. */
  private follow(): void {
    const { camera } = this.widget;
    Matrix4.multiply(camera.frustum.projectionMatrix, camera.viewMatrix, this.view);
    if (Matrix4.equalsEpsilon(this.view, this.drawnView, 1e-9)) return;
    this.place();
  }

  private settle(): void {
    this.place();
    this.declutter();
  }

  private place(): void {
    const { camera, canvas } = this.widget;
    Matrix4.multiply(camera.frustum.projectionMatrix, camera.viewMatrix, this.view);
    Matrix4.clone(this.view, this.drawnView);
    const { clientWidth: width, clientHeight: height } = canvas;
    const m = this.view;
    for (const mark of [...this.towns, ...this.marks] as OnScreen[]) {
      const { x, y, z } = mark.place;
      const w = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
      const [u, v] = [(m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w, (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w];
      const seen = w > 0 && Math.abs(u) < 1.05 && Math.abs(v) < 1.05;
      mark.x = seen ? ((u + 1) / 2) * width : NaN;
      mark.y = seen ? ((1 - v) / 2) * height : NaN;
      mark.element.hidden = !seen;
      if (seen) mark.element.style.transform = `translate(${Math.round(mark.x)}px, ${Math.round(mark.y)}px)`;
    }
  }

  /** Names stand where they cover neither a sign nor another name, to the right or else to the left; the urgent ones first. */
  private declutter(): void {
    const size = Number.parseFloat(getComputedStyle(this.element).fontSize);
    const whole = this.widget.canvas.clientWidth;
    const seen = this.marks.filter(({ x }) => !Number.isNaN(x));
    const half = size * 0.8;
    const taken: Box[] = seen.map(({ x, y }) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half }));
    for (const { x, y, id, name, element, found } of seen) {
      const width = widthOf(name) * size + size * 0.8;
      const [top, bottom] = [y - half - GAP, y + half + GAP];
      const sides = [
        { left: x + half + 1, right: x + half + width, top, bottom },
        { left: x - half - width, right: x - half - 1, top, bottom },
      ];
      const inside = sides.filter(({ left, right }) => left >= 0 && right <= whole);
      const free = inside.find((box) => !taken.some((other) => overlap(box, other)));
      const chosen = id === this.chosen;
      const place = found || chosen ? (free ?? (chosen ? (inside[0] ?? sides[0]) : undefined)) : undefined;
      element.classList.toggle("named", place !== undefined);
      element.classList.toggle("leftwards", place ? place === sides[1] : x + half + width > whole);
      if (place) taken.push(place);
    }
  }
}

/** CSS pixels. */
interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

/** About how wide a text is, in ems. */
function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (/[\u2e80-\uffff]/.test(letter) ? 1 : 0.56), 0);
}
