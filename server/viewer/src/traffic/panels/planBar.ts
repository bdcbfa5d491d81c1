/** The signal plan: a row for each group, what it shows through the cycle, and where the cycle stands now. */
import { h, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { s } from "../../svg";
import type { Intersection, Light, Plan } from "../types";
import { GROUNDS, INKS } from "./phaseDiagram";
import { colourOf, cycleOf, greenShare, positionOf, stretches } from "./signalTimes";
import type { Names } from "./words";

const ROW = 20;
const HEAD = 18;
const SIDE = 66;
const END = 62;

export interface Lit {
  light: Light;
  remaining: number | null;
}

/** The groups in the order of their numbers. */
export function groupsInOrder({ groups }: Intersection): Intersection["groups"] {
  const kind = (one: (typeof groups)[number]) => (one.kind === undefined || one.kind === "vehicle" ? 0 : 1);
  return [...groups].sort((a, b) => kind(a) - kind(b) || (a.number ?? 1e9) - (b.number ?? 1e9) || a.id.localeCompare(b.id, undefined, { numeric: true }));
}

export function lightWord(light: Light): string {
  return t(`crossing.light.${colourOf(light)}`);
}

export interface PlanBar {
  element: HTMLElement;
  draw: (of: Intersection, names: Names, plan: Plan | null) => void;
  /** Where the cycle stands, and what is shown. */
  at: (time: number, lit: ReadonlyMap<string, Lit>) => void;
}

export function planBar(): PlanBar {
  const picture = h("div", { class: "crossing-planbar" });
  const position = h("p", { class: "crossing-read" });
  const element = h("div", {}, picture, position);
  let of: Plan | null = null;
  let mark: SVGLineElement | null = null;
  let shown = new Map<string, { text: SVGTextElement; lamp: SVGCircleElement }>();
  let wide = 0;

  const draw = (intersection: Intersection, names: Names, plan: Plan | null) => {
    of = plan;
    const cycle = plan ? cycleOf(plan) : 0;
    if (!plan || cycle <= 0) {
      mark = null;
      position.textContent = "";
      return replace(picture, h("p", { class: "empty-note" }, t(intersection.control === "signal" ? "crossing.planNone" : "crossing.noSignals")));
    }
    const groups = groupsInOrder(intersection);
    const width = Math.max(280, Math.floor(element.clientWidth) || 400);
    wide = width - SIDE - END;
    const x = (second: number) => SIDE + (second / cycle) * wide;
    const height = HEAD + groups.length * ROW + 4;
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": sentence(plan, names, groups.map(({ id }) => id)), "font-size": 11 });
    let at = 0;
    plan.phases.forEach((phase, n) => {
      const [a, b] = [x(at), x(at + phase.duration)];
      svg.append(s("line", { x1: a, x2: a, y1: 4, y2: height, stroke: "#cfd6dd", "stroke-dasharray": "2 2" }));
      if (b - a > 16) svg.append(s("text", { x: ((a + b) / 2).toFixed(1), y: 12, "text-anchor": "middle", fill: "#5d6a79" }, b - a > 60 && phase.name ? phase.name : String(n + 1)));
      at += phase.duration;
    });
    shown = new Map();
    groups.forEach(({ id }, n) => {
      const top = HEAD + n * ROW;
      const lamp = s("circle", { cx: 7, cy: top + 8, r: 5, fill: "#ffffff", stroke: "#9aa5b1" });
      svg.append(lamp, s("text", { x: 17, y: top + 12, fill: "#1c2733" }, names.phase(id)));
      for (const { from, to, light } of stretches(plan, id)) {
        const colour = colourOf(light);
        const bar = s("rect", { x: x(from).toFixed(1), y: colour === "red" ? top + 6 : top + 1, width: ((to - from) / cycle * wide).toFixed(1), height: colour === "red" ? 4 : 14, rx: 1.5, fill: colour === "red" ? "#dd9a95" : GROUNDS[colour], class: `stretch ${colour}` });
        svg.append(bar);
        if (colour === "green" && ((to - from) / cycle) * wide > 20)
          svg.append(s("text", { x: x((from + to) / 2).toFixed(1), y: top + 12, "text-anchor": "middle", fill: INKS.green }, formatNumber(to - from, 1)));
      }
      const text = s("text", { x: width - 2, y: top + 12, "text-anchor": "end", fill: "#1c2733" });
      svg.append(text);
      shown.set(id, { text, lamp });
    });
    mark = s("line", { y1: HEAD - 4, y2: height, stroke: "#0f5fa8", "stroke-width": 2, class: "position" });
    svg.append(mark);
    picture.replaceChildren(svg);
  };

  const at = (time: number, lit: ReadonlyMap<string, Lit>) => {
    if (!of || !mark) return;
    const second = positionOf(of, time)!;
    const across = (SIDE + (second / cycleOf(of)) * wide).toFixed(1);
    mark.setAttribute("x1", across);
    mark.setAttribute("x2", across);
    const text = t("crossing.planAt", { name: of.id, cycle: formatNumber(cycleOf(of), 1), at: formatNumber(second, 0) });
    if (position.textContent !== text) position.textContent = text;
    for (const [id, { text: word, lamp }] of shown) {
      const light = lit.get(id);
      const colour = light ? colourOf(light.light) : null;
      lamp.setAttribute("fill", colour ? LAMPS[colour] : "#ffffff");
      const said = light ? `${lightWord(light.light)}${light.remaining === null ? "" : ` ${Math.ceil(light.remaining)}`}` : "";
      if (word.textContent !== said) word.textContent = said;
    }
  };
  return { element, draw, at };
}

const LAMPS = { green: "#1b8a4b", yellow: "#e0a800", red: "#c8281e", dark: "#4d5966" };

/** What the bar shows, for those who do not see it. */
function sentence(plan: Plan, names: Names, groups: readonly string[]): string {
  const shares = groups.map((id) => `${names.phase(id)} ${formatNumber(Math.round(greenShare(plan, id) * 100))} %`);
  return t("crossing.planLabel", { name: plan.id, cycle: formatNumber(cycleOf(plan), 1), shares: shares.join(", ") });
}
