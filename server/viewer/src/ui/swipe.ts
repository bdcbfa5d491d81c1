/** The line between two versions, with a handle to drag or to move by keys. */
import type { App } from "../app";
import { h } from "../dom";
import { languageChanged, t } from "../i18n";
import { coveredNow } from "./covered";

const STEP = 0.02;
const LEAP = 0.1;

/** Pixels that stay free at both ends, so that the handle can always be got hold of. */
const MARGIN = 24;

export function swipe(app: App): HTMLElement {
  const { comparison } = app;
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
    comparison.swipe = pixels / width;
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
    const at = comparison.current?.swipe;
    if (at === null || at === undefined) return;
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
    const open = comparison.current;
    const at = open?.swipe ?? null;
    element.hidden = at === null;
    if (!open || at === null) return;
    element.style.left = `${at * 100}%`;
    older.textContent = t("layer.version", { n: open.from });
    newer.textContent = t("layer.version", { n: open.to });
    handle.setAttribute("aria-label", t("compare.handle", { from: open.from, to: open.to }));
    handle.setAttribute("aria-valuenow", String(Math.round(at * 100)));
  };
  comparison.changed.on(render);
  languageChanged.on(render);
  return element;
}
