/** The time–space diagram from this intersection to another. */
import { h, replace } from "../../dom";
import { language, t } from "../../i18n";
import type { Control } from "../../ui/controls";
import type { Extent, IntersectionSummary, TimeSpace } from "../types";
import { Answer } from "./answer";
import { chart } from "./chart";
import { emptyText } from "./linesTab";
import type { Part } from "./part";
import { select } from "./select";
import type { PanelStore } from "./store";
import { drawTimeSpace } from "./timeSpace";

/** Tracks of a longer time cannot be told apart. */
const LONGEST = 10 * 60_000;

/** The part of a window that a diagram shows: its end, or what is around the time that is looked at. */
export function diagramWindow([start, end]: Extent, time: number | null): Extent {
  if (end - start <= LONGEST) return [start, end];
  if (time === null) return [end - LONGEST, end];
  const parts = Math.floor((Math.min(Math.max(time, start), end - 1) - start) / LONGEST);
  const from = Math.min(start + parts * LONGEST, end - LONGEST);
  return [from, from + LONGEST];
}

/** The nearest other intersection. */
export function nearestTo(of: IntersectionSummary, all: readonly IntersectionSummary[]): IntersectionSummary | null {
  const far = ({ place }: IntersectionSummary) => Math.hypot((place[0] - of.place[0]) * Math.cos((place[1] * Math.PI) / 180), place[1] - of.place[1]);
  return all.filter(({ id }) => id !== of.id).sort((a, b) => far(a) - far(b))[0] ?? null;
}

export function corridorTab(store: PanelStore): Part {
  const bar = h("div", { class: "crossing-ask" });
  const answer: Answer<TimeSpace> = new Answer(() => draw());
  let to: string | null = null;
  let back = false;
  let barOf = "";
  let controls: Control[] = [];

  const others = () => store.context.intersections.filter(({ id, layer }) => id !== store.what?.id && layer === store.what?.layer);
  const goal = (): string | null => {
    if (to !== null && others().some(({ id }) => id === to)) return to;
    const own = store.context.intersections.find(({ id, layer }) => id === store.what?.id && layer === store.what.layer);
    return own ? (nearestTo(own, others())?.id ?? null) : (others()[0]?.id ?? null);
  };
  const nameOf = (id: string) => {
    const one = store.context.intersections.find((known) => known.id === id);
    return one ? (language() === "en" ? one.name_en || one.name : one.name || one.name_en) || id : id;
  };
  const span = (): Extent | null => store.window && diagramWindow(store.window, store.time);

  const picture = chart(
    () => t("crossing.corridor"),
    (width) => {
      const window = span();
      const end = goal();
      if (!store.what || !window) return t("crossing.loading");
      if (end === null) return t("crossing.corridor.alone");
      if (!answer.value || answer.value.stops.length === 0) return emptyText(answer, t("crossing.corridor.nothing"));
      const names = { ...answer.value, stops: answer.value.stops.map((stop) => ({ ...stop, name: nameOf(stop.intersection) })) };
      const [from, goalName] = back ? [nameOf(end), nameOf(store.what.id)] : [nameOf(store.what.id), nameOf(end)];
      return drawTimeSpace(width, names, window, t("crossing.corridor.label", { from, to: goalName }));
    },
  );
  const element = h("section", { class: "crossing-part" }, bar, picture.element, h("p", { class: "muted crossing-corridor-note" }));

  const drawBar = () => {
    const from = `${language()} ${store.what?.layer} ${store.what?.id} ${others().length}`;
    if (from !== barOf) {
      barOf = from;
      const where = select(t("crossing.corridor.to"), others().map(({ id }) => [id, nameOf(id)]), () => goal() ?? "", (id) => {
        to = id;
        draw();
      });
      const way = select(t("crossing.corridor.way"), [["there", t("crossing.corridor.there")], ["back", t("crossing.corridor.back")]], () => (back ? "back" : "there"), (value) => {
        back = value === "back";
        draw();
      });
      controls = [where, way];
      replace(bar, ...(others().length > 0 ? [where.element, way.element] : []));
    }
    controls.forEach((control) => control.sync());
  };

  const timed = () => {
    const window = span();
    if (window && window.join() !== drawnFor) return draw();
    picture.cursor(store.time);
  };
  let drawnFor = "";
  const draw = () => {
    const { what, context } = store;
    const window = span();
    const end = goal();
    drawnFor = window?.join() ?? "";
    if (what && window && end !== null) {
      const [from, to] = back ? [end, what.id] : [what.id, end];
      const question = { layer: what.layer, from, to, start: Math.round(window[0]), end: Math.round(window[1]) };
      answer.want(JSON.stringify(question), () => context.api.timeSpace(question));
    }
    element.setAttribute("aria-busy", String(answer.busy));
    element.querySelector(".crossing-corridor-note")!.textContent = t("crossing.corridor.note");
    drawBar();
    picture.draw();
    picture.cursor(store.time);
  };
  return { element, draw, timed };
}
