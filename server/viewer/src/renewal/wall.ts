/** The big screen: no controls, larger type, dark, and the towns one after the other if wanted. */
import { h, icon, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { Signal } from "../signal";
import type { Store } from "./store";

/** Milliseconds for a town. */
const STAY = 14_000;
/** Milliseconds without a mouse after which the controls go. */
const IDLE = 3_000;
/** Milliseconds after which a list that has no room shows its next part. */
const PAGE = 9_000;
/** CSS pixels of height for which type has its usual size. */
const USUAL_HEIGHT = 820;
const USUAL_WIDTH = 1360;

/** Visits the whole district and then town after town. */
export class Rotation {
  readonly changed = new Signal();
  /** The town that is visited, null for the whole district. */
  readonly arrived = new Signal<string | null>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private town = -1;
  private wanted = false;

  constructor(private readonly store: Store) {
    store.modeChanged.on(() => this.apply());
  }

  get on(): boolean {
    return this.wanted;
  }

  set on(on: boolean) {
    this.wanted = on;
    this.apply();
  }

  /** Whether a link holds it. */
  get link(): boolean {
    return this.wanted && this.store.mode === "wall";
  }

  private apply(): void {
    clearInterval(this.timer);
    this.timer = this.link ? setInterval(() => this.next(), STAY) : undefined;
    this.changed.emit();
  }

  private next(): void {
    const { towns } = this.store;
    this.town = this.town + 1 >= towns.length ? -1 : this.town + 1;
    const id = towns[this.town]?.id ?? null;
    this.store.choose(null);
    this.store.filter({ town: id ?? "" });
    this.arrived.emit(id);
  }
}

/** How much larger everything is on a big screen, so that it is read from afar. */
export function wallZoom(width: number, height: number): number {
  return Math.min(3, Math.max(0.9, Math.min(height / USUAL_HEIGHT, width / USUAL_WIDTH)));
}

/** Lists longer than the screen turn over by themselves: there is nobody to scroll them. */
function turnPages(root: ParentNode): void {
  for (const list of root.querySelectorAll(".town-list, .attention-list")) {
    const { scrollTop, clientHeight, scrollHeight } = list;
    const ended = scrollTop + clientHeight >= scrollHeight - 2;
    list.scrollTo({ top: ended ? 0 : scrollTop + clientHeight * 0.9, behavior: "smooth" });
  }
}

/** The few buttons of the big screen, which come with the mouse. */
export function wallControls(store: Store, rotation: Rotation): HTMLElement {
  const element = h("div", { class: "wall-controls" });
  const draw = () =>
    replace(
      element,
      h(
        "button",
        { type: "button", class: "button small", "aria-pressed": String(rotation.on), on: { click: () => (rotation.on = !rotation.on) } },
        icon(rotation.on ? "pause" : "play"),
        t("renewal.rotate"),
      ),
      h("button", { type: "button", class: "button small", on: { click: () => (store.mode = "map") } }, icon("close"), t("district.leaveWall")),
    );
  rotation.changed.on(() => {
    draw();
    store.asked.emit();
  });
  languageChanged.on(draw);
  draw();

  let idle: ReturnType<typeof setTimeout> | undefined;
  const awake = () => {
    clearTimeout(idle);
    document.body.classList.remove("idle");
    idle = setTimeout(() => document.body.classList.add("idle"), IDLE);
  };
  for (const event of ["pointermove", "pointerdown", "keydown"]) document.addEventListener(event, awake);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && store.mode === "wall" && !event.defaultPrevented) store.mode = "map";
  });
  const apply = () => {
    const wall = store.mode === "wall";
    document.body.classList.toggle("wall", wall);
    document.body.classList.toggle("night", wall);
    const zoom = wall ? wallZoom(window.innerWidth, window.innerHeight) : 1;
    document.documentElement.style.setProperty("--zoom", String(Math.round(zoom * 100) / 100));
    awake();
  };
  setInterval(() => store.mode === "wall" && turnPages(document), PAGE);
  store.modeChanged.on(apply);
  window.addEventListener("resize", apply);
  apply();
  return element;
}
