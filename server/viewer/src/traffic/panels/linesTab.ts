/** Queues by lane and delay by movement, of one approach, over time. */
import { h, replace } from "../../dom";
import { language, t } from "../../i18n";
import type { Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import type { Intersection, Measures, Queues } from "../types";
import type { Answer } from "./answer";
import { chart } from "./chart";
import { drawLines, type Line, penOf } from "./lines";
import { placeOf, rowsOf, timeOf } from "./measureRows";
import type { Part } from "./part";
import { select } from "./select";
import type { PanelStore } from "./store";
import { isTurn, type Names, numberOf, turnWord } from "./words";
import { TURNS } from "./directions";

/** The approach that is chosen, else the first. */
export function approachOf(store: PanelStore): string | null {
  const links = store.detail.value?.approaches.map(({ link }) => link) ?? [];
  return store.approach !== null && links.includes(store.approach) ? store.approach : (links[0] ?? null);
}

/** The queues of an approach's lanes, metres or vehicles. */
export function queueLines(answer: Queues, of: Intersection, link: string | null, names: Names, what: "metres" | "vehicles"): Line[] {
  const own = of.lanes.filter((lane) => lane.link === link).sort((a, b) => a.number - b.number);
  return own.flatMap(({ id }): Line[] => {
    const row = answer.lanes.indexOf(id);
    return row < 0 ? [] : [{ name: names.lane(id), values: answer[what][row] ?? [] }];
  });
}

/** The delays of an approach's movements, bin by bin. */
export function delayLines(answer: Measures, link: string | null): { times: number[]; lines: Line[] } {
  const rows = rowsOf(answer).filter((row) => row.link === link && isTurn(row.turn));
  const times = [...new Set(rows.map(({ start }) => start))].sort((a, b) => a - b);
  const delay = placeOf(answer.columns, "delay_s");
  const lines = TURNS.filter((turn) => rows.some((row) => row.turn === turn)).map((turn): Line => {
    const byTime = new Map(rows.filter((row) => row.turn === turn).map((row) => [row.start, numberOf(row.cells[delay])]));
    return { name: turnWord(turn), values: times.map((time) => byTime.get(time) ?? null) };
  });
  return { times, lines };
}

/** Why there is nothing to draw. */
export function emptyText(answer: Answer<unknown>, nothing: string): string {
  if (answer.error !== null) return errorText(answer.error);
  return answer.value === null ? t("crossing.loading") : nothing;
}

function legend(lines: readonly Line[]): HTMLElement {
  return h(
    "ul",
    { class: "crossing-legend" },
    ...lines.map(({ name }, n) => {
      const pen = h("span", { class: "pen", "aria-hidden": "true" });
      const { colour, dash } = penOf(n);
      pen.style.borderTop = `3px ${dash === "" ? "solid" : "dashed"} ${colour}`;
      return h("li", {}, pen, name);
    }),
  );
}

export function linesTab(store: PanelStore): Part {
  const bar = h("div", { class: "crossing-ask" });
  const queueKeys = h("div");
  const delayKeys = h("div");
  let what: "metres" | "vehicles" = "metres";
  let barOf = "";
  let controls: Control[] = [];

  const queues = chart(
    () => t("crossing.queues"),
    (width) => {
      const { detail, names, queues: answer, window } = store;
      if (!detail.value || !names || !window) return t("crossing.loading");
      const lines = answer.value ? queueLines(answer.value, detail.value, approachOf(store), names, what) : [];
      replace(queueKeys, legend(lines));
      if (!answer.value || lines.length === 0 || answer.value.times.length === 0) return emptyText(answer, t("crossing.queues.nothing"));
      const title = t(what === "metres" ? "crossing.queues.metres" : "crossing.queues.vehicles");
      const label = t("crossing.queues.label", { name: names.approach(approachOf(store)) });
      return drawLines(width, { title, label, times: answer.value.times.map(timeOf), lines, window, holds: 0, unit: t(what === "metres" ? "crossing.unit.m" : "crossing.unit.vehicles"), timeTitle: t("crossing.time") });
    },
  );
  const delays = chart(
    () => t("crossing.delays"),
    (width) => {
      const { names, delays: answer, window } = store;
      if (!names || !window) return t("crossing.loading");
      const { times, lines } = answer.value ? delayLines(answer.value, approachOf(store)) : { times: [], lines: [] };
      replace(delayKeys, legend(lines));
      if (!answer.value || lines.every((line) => line.values.every((value) => value === null))) return emptyText(answer, t("crossing.delays.nothing"));
      const label = t("crossing.delays.label", { name: names.approach(approachOf(store)) });
      return drawLines(width, { title: t("crossing.delays.seconds"), label, times, lines, window, holds: answer.value.bin * 1000, unit: t("crossing.unit.s"), timeTitle: t("crossing.time") });
    },
  );
  const element = h("section", { class: "crossing-part crossing-lines" }, bar, h("div", {}, queues.element, queueKeys), h("div", {}, delays.element, delayKeys));

  const drawBar = () => {
    const { detail, names } = store;
    const from = `${language()} ${detail.value?.id} ${detail.value?.layer}`;
    if (from !== barOf && detail.value && names) {
      barOf = from;
      const approach = select(t("crossing.by.approach"), detail.value.approaches.map(({ link }) => [link, names.approachFull(link)]), () => approachOf(store) ?? "", (link) => store.set({ approach: link }));
      const unit = select(t("crossing.unit"), [["metres", t("crossing.queues.metres")], ["vehicles", t("crossing.queues.vehicles")]], () => what, (value) => {
        what = value as typeof what;
        queues.draw();
      });
      controls = [approach, unit];
      replace(bar, approach.element, unit.element);
    }
    controls.forEach((control) => control.sync());
  };

  const timed = () => {
    queues.cursor(store.time);
    delays.cursor(store.time);
  };
  const draw = () => {
    store.wantQueues();
    store.wantDelays();
    element.setAttribute("aria-busy", String(store.queues.busy || store.delays.busy));
    drawBar();
    queues.draw();
    delays.draw();
    timed();
  };
  return { element, draw, timed };
}
