/** The picture of the series: what is read under the pointer, zooming by dragging, the keys. */
import type { App } from "../../app";
import { h, replace } from "../../dom";
import { t } from "../../i18n";
import type { Series } from "./seriesApi";
import { drawPlot, leastHeight, LINE_COLOURS, type Plot } from "./seriesDrawing";
import { reading, seriesName, shortNames } from "./seriesNames";
import { inGap, nearest, usualInterval } from "./seriesShape";
import type { SeriesStore } from "./seriesStore";
import { clock, moment } from "./when";

/** Pixels: shorter drags are clicks; how near a point must be to be read. */
const DRAG = 6;
const NEAR = 10;
const CARD = 12;
const LEAP = 10;

export interface Sheet {
  element: HTMLElement;
  draw: () => void;
  /** The picture without the cursor. */
  svg: () => SVGSVGElement | null;
}

export function seriesSheet(app: App, store: SeriesStore): Sheet {
  const picture = h("div", { class: "series-picture" });
  const cursor = h("div", { class: "series-cursor", hidden: true });
  const range = h("div", { class: "series-drag", hidden: true });
  const card = h("div", { class: "series-card", hidden: true });
  const said = h("p", { class: "unseen", "aria-live": "polite" });
  const element = h("div", { class: "series-sheet", tabindex: 0, role: "group" }, picture, range, cursor, card, said);
  let plot: Plot | null = null;
  let at: number | null = null;
  let from: number | null = null;

  /** Of each series, the point that stands for a time; -1 where it has none. */
  const pointAt = (series: Series, time: number): number => {
    const i = nearest(series.times, time);
    if (i < 0 || !plot) return -1;
    const perPixel = plot.timeAt(1) - plot.timeAt(0);
    const far = Math.abs(series.times[i]! - time) > Math.max(NEAR * perPixel, usualInterval(series.times) / 2);
    return far || inGap(series.gaps, time) ? -1 : i;
  };

  const rows = (time: number) => {
    const names = shortNames(app.sensing, store.series.map(({ datastream }) => datastream));
    return store.series.map((series, n) => {
      const i = pointAt(series, time);
      const value = i < 0 ? null : series.values[i]!;
      const missing = inGap(series.gaps, time) ? t("series.gap") : "–";
      return { n, name: names[n]!, text: value === null ? missing : reading(value, series.datastream.unit) };
    });
  };

  const point = (time: number | null) => {
    at = time;
    const shown = time !== null && plot !== null && plot.x(time) >= plot.left - 1 && plot.x(time) <= plot.right + 1;
    cursor.hidden = card.hidden = !shown;
    if (!shown) return;
    const x = plot!.x(time);
    cursor.style.left = `${x}px`;
    cursor.style.top = `${plot!.strips[0]!.top}px`;
    cursor.style.height = `${plot!.strips.at(-1)!.bottom - plot!.strips[0]!.top}px`;
    replace(
      card,
      h("p", { class: "series-card-time" }, moment(time)),
      ...rows(time).map(({ n, name, text }) => h("p", { class: "series-card-row" }, number(n), h("span", { class: "series-card-name" }, name), h("strong", {}, text))),
    );
    const room = element.clientWidth - x - CARD;
    card.style.left = `${room > card.offsetWidth ? x + CARD : Math.max(4, x - CARD - card.offsetWidth)}px`;
    card.style.top = `${element.scrollTop + plot!.strips[0]!.top}px`;
  };

  /** The nearest time at which something was observed. */
  const snapped = (time: number): number => {
    const times = store.series.flatMap((series) => {
      const i = pointAt(series, time);
      return i < 0 ? [] : [series.times[i]!];
    });
    return times.length === 0 ? time : times.reduce((a, b) => (Math.abs(a - time) <= Math.abs(b - time) ? a : b));
  };

  const inside = (event: PointerEvent): number => {
    const x = event.clientX - element.getBoundingClientRect().left;
    return Math.min(Math.max(x, plot!.left), plot!.right);
  };
  const stopDrag = () => {
    from = null;
    range.hidden = true;
  };
  element.addEventListener("pointerdown", (event) => {
    if (!plot || event.button !== 0) return;
    from = inside(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!plot) return;
    const x = inside(event);
    if (from !== null && Math.abs(x - from) >= DRAG) {
      range.hidden = false;
      range.style.left = `${Math.min(x, from)}px`;
      range.style.width = `${Math.abs(x - from)}px`;
    }
    point(snapped(plot.timeAt(x)));
  });
  element.addEventListener("pointerup", (event) => {
    if (!plot || from === null) return;
    const [a, b] = [from, inside(event)].sort((one, other) => one - other) as [number, number];
    stopDrag();
    if (b - a >= DRAG) store.zoom(plot.timeAt(a), plot.timeAt(b));
  });
  element.addEventListener("pointercancel", stopDrag);
  element.addEventListener("pointerleave", () => from === null && point(null));
  element.addEventListener("dblclick", () => store.back());

  /** To the observation before or after, of whichever series. */
  const step = (by: number) => {
    if (!plot) return;
    const all = [...new Set(store.series.flatMap(({ times }) => times))].filter((time) => visible(time)).sort((a, b) => a - b);
    const here = at === null ? (by > 0 ? -1 : all.length) : nearest(all, at);
    const next = all[Math.min(all.length - 1, Math.max(0, here + by))];
    if (next !== undefined) tell(next);
  };
  const visible = (time: number) => plot !== null && plot.x(time) >= plot.left && plot.x(time) <= plot.right;
  const tell = (time: number) => {
    point(time);
    const words = rows(time).map(({ name, text }) => `${name}: ${text}`);
    said.textContent = [clock(time), ...words].join("; ");
  };
  const scale = (factor: number) => {
    if (!plot) return;
    const [start, end] = [plot.timeAt(plot.left), plot.timeAt(plot.right)];
    const middle = at ?? (start + end) / 2;
    store.zoom(middle - (middle - start) * factor, middle + (end - middle) * factor);
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    "shift ArrowLeft": () => step(-LEAP),
    "shift ArrowRight": () => step(LEAP),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    "+": () => scale(0.5),
    "=": () => scale(0.5),
    "-": () => scale(2),
    Backspace: () => store.back(),
  };
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && (from !== null || at !== null)) {
      event.stopPropagation(); // it ends the reading and nothing else
      stopDrag();
      return point(null);
    }
    const run = keys[event.shiftKey && event.key.startsWith("Arrow") ? `shift ${event.key}` : event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  });

  const draw = () => {
    const width = element.clientWidth;
    if (width === 0 || store.series.length === 0) {
      plot = null;
      point(null);
      return replace(picture);
    }
    const height = Math.max(element.clientHeight - 1, leastHeight(store.series));
    const extent = store.extentAt(Date.now());
    const label = t("series.picture", {
      names: store.series.map(({ datastream }) => seriesName(app.sensing, datastream)).join(", "),
      from: moment(extent[0]),
      to: moment(extent[1]),
    });
    plot = drawPlot(store.series, extent, width, height, label);
    picture.replaceChildren(plot.svg);
    range.style.height = `${height}px`;
    element.setAttribute("aria-label", t("series.keys"));
    point(at);
  };
  new ResizeObserver(draw).observe(element);
  return { element, draw, svg: () => plot?.svg ?? null };
}

/** The number of a series, in its colour. */
export function number(n: number): HTMLElement {
  const mark = h("span", { class: "series-number", "aria-hidden": "true" }, String(n + 1));
  mark.style.backgroundColor = LINE_COLOURS[n]!;
  return mark;
}
