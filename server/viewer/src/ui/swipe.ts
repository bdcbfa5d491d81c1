/** The line between two states of the city, with a handle to drag or to move by keys. */
import type { App } from "../app";
import { h } from "../dom";
import { languageChanged, t } from "../i18n";
import type { Signal } from "../signal";
import type { Phases } from "../tools/phases";
import { coveredNow } from "./covered";

const STEP = 0.02;
const LEAP = 0.1;

/** Pixels that stay free at both ends, so that the handle can always be got hold of. */
const MARGIN = 24;

/** What the line parts: where it stands, and what is at its sides. */
interface Parted {
  at: () => number | null;
  move: (to: number) => void;
  sides: () => [left: string, right: string];
  label: () => string;
  changed: Signal;
}

/** Two versions of a layer. */
export function versionSwipe(app: App): HTMLElement {
  const { comparison } = app;
  const sides = (): [number, number] => [comparison.current?.from ?? 0, comparison.current?.to ?? 0];
  return swipe(app, {
    at: () => comparison.current?.swipe ?? null,
    move: (to) => (comparison.swipe = to),
    sides: () => sides().map((n) => t("layer.version", { n })) as [string, string],
    label: () => t("compare.handle", { from: sides()[0], to: sides()[1] }),
    changed: comparison.changed,
  });
}

/** What is there and what is planned. */
export function phaseSwipe(app: App): HTMLElement {
  const phases = app.toolbox.tool("phases") as Phases;
  return swipe(app, {
    at: () => phases.swipe,
    move: (to) => (phases.swipe = to),
    sides: () => [t("phases.present"), t("phases.planned")],
    label: () => t("phases.handle"),
    changed: phases.changed,
  });
}

function swipe(app: App, parted: Parted): HTMLElement {
  const older = h("span", { class: "swipe-label older" });
  const newer = h("span", { class: "swipe-label newer" });
  const handle = h("div", {
    class: "swipe-handle",
    role: "slider",
    tabindex: 0,
    "aria-orientation": "horizontal",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  const element = h("div", { class: "swipe", hidden: true }, older, newer, handle);

  /** Panels lie over the picture; the handle stays between them. */
  const move = (fraction: number) => {
    const { left, right } = coveredNow();
    const width = Math.max(1, app.widget.canvas.clientWidth);
    const pixels = Math.min(width - right - MARGIN, Math.max(left + MARGIN, fraction * width));
    parted.move(pixels / width);
  };
  const drag = (event: PointerEvent) => {
    const { left, width } = app.widget.canvas.getBoundingClientRect();
    move((event.clientX - left) / Math.max(1, width));
  };
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", drag);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    handle.addEventListener(end, () => handle.removeEventListener("pointermove", drag));
  }
  handle.addEventListener("keydown", (event) => {
    const at = parted.at();
    if (at === null) return;
    const steps: Record<string, number> = {
      ArrowLeft: at - STEP,
      ArrowDown: at - STEP,
      ArrowRight: at + STEP,
      ArrowUp: at + STEP,
      PageDown: at - LEAP,
      PageUp: at + LEAP,
      Home: 0,
      End: 1,
    };
    const next = steps[event.key];
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(next);
  });

  const render = () => {
    const at = parted.at();
    element.hidden = at === null;
    if (at === null) return;
    element.style.left = `${at * 100}%`;
    [older.textContent, newer.textContent] = parted.sides();
    handle.setAttribute("aria-label", parted.label());
    handle.setAttribute("aria-valuenow", String(Math.round(at * 100)));
  };
  parted.changed.on(render);
  languageChanged.on(render);
  return element;
}
