/** The approach diagram: who drives where, as wide as they are many, coloured and lettered by level of service. */
import { h, replace } from "../../dom";
import { formatNumber, said, t } from "../../i18n";
import { s } from "../../svg";
import type { Cell, Intersection, MeasureColumn, Measures, Turn } from "../types";
import { type DiagramShape, diagramShape, type Flow, LINE_HEIGHT } from "./diagramShape";
import { levelColour, levelInk } from "./levels";
import { digitsOf, isMeasure, placeOf, rowsOf } from "./measureRows";
import { exitOf, figure, isTurn, movementsOf, Names, numberOf, TURN_SIGNS } from "./words";

const SIZE = [440, 360] as const;

/** A movement with what was measured of it. */
export interface MeasuredFlow extends Flow {
  level: string | null;
  /** The row of the answer; null where nothing was measured. */
  cells: Cell[] | null;
}

/** Every movement there is, with its row of measures. */
export function flowsOf(of: Intersection, measures: Measures | null): MeasuredFlow[] {
  const rows = new Map<string, Cell[]>();
  for (const { link, turn, cells } of measures ? rowsOf(measures) : []) rows.set(`${link} ${turn}`, cells);
  const columns = measures?.columns ?? [];
  const [volume, level] = [placeOf(columns, "volume"), placeOf(columns, "los")];
  const known = movementsOf(of);
  for (const key of rows.keys()) {
    const [link, turn] = [key.slice(0, key.lastIndexOf(" ")), key.slice(key.lastIndexOf(" ") + 1)];
    const arm = of.approaches.some((one) => one.link === link);
    if (arm && isTurn(turn) && !known.some((one) => one.link === link && one.turn === turn)) known.push({ link, turn });
  }
  return known.map(({ link, turn }) => {
    const cells = rows.get(`${link} ${turn}`) ?? null;
    const letter = cells?.[level];
    return { link, turn, out: exitOf(of, link, turn), cells, volume: numberOf(cells?.[volume]), level: typeof letter === "string" ? letter : null };
  });
}

/** The figures of one movement as words, the most asked ones first. */
export function flowWords(columns: readonly MeasureColumn[], cells: readonly Cell[] | null): [string, string][] {
  if (cells === null) return [];
  return columns.flatMap((column, i): [string, string][] => {
    const cell = cells[i];
    if (!isMeasure(column) || cell === null || cell === undefined) return [];
    const text = typeof cell === "number" ? figure(cell, digitsOf(column)) : String(cell);
    return [[said(column.title, column.title_zh), column.unit ? `${text} ${column.unit}` : text]];
  });
}

export interface Diagram {
  element: HTMLElement;
  draw: (of: Intersection, measures: Measures | null) => void;
}

/** `chosen` hears which movement is pointed at, null for none. */
export function approachDiagram(chosen: (flow: { link: string; turn: Turn } | null) => void): Diagram {
  const picture = h("div", { class: "crossing-plan" });
  const card = h("div", { class: "crossing-flow", "aria-live": "polite" });
  const element = h("figure", { class: "crossing-diagram" }, picture, card);
  let picked: string | null = null;

  const draw = (of: Intersection, measures: Measures | null) => {
    const names = new Names(of);
    const flows = flowsOf(of, measures);
    const shape = diagramShape(of.approaches, flows, SIZE, (link) => 1 + flows.filter((flow) => flow.link === link).length);
    const keyOf = ({ link, turn }: Flow) => `${link} ${turn}`;
    const ribbons = shape.ribbons.map(({ flow }) => flow as MeasuredFlow);
    const marks = new Map<string, SVGGElement>();

    const tell = (flow: MeasuredFlow | null) => {
      picked = flow && keyOf(flow);
      for (const [key, mark] of marks) mark.classList.toggle("picked", key === picked);
      chosen(flow);
      const words = flow && flowWords(measures?.columns ?? [], flow.cells);
      replace(
        card,
        flow === null
          ? h("p", { class: "muted" }, t("crossing.flowHint"))
          : h("p", { class: "crossing-flow-name" }, h("strong", {}, names.movement(flow.link, flow.turn)), levelMark(flow.level)),
        flow !== null && words!.length === 0 && h("p", { class: "muted" }, t("crossing.flowNothing")),
        words && words.length > 0 && h("dl", { class: "crossing-figures" }, ...words.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      );
    };

    const svg = ground(shape, t("crossing.plan", { name: names.title }));
    shape.ribbons.forEach((ribbon, n) => {
      const flow = ribbon.flow as MeasuredFlow;
      const colour = levelColour(flow.level);
      const nothing = !flow.volume;
      const path = { d: ribbon.path, fill: "none" };
      const mark = s(
        "g",
        { class: nothing ? "flow nothing" : "flow", tabindex: n === 0 ? 0 : -1, role: "img", "aria-label": sentence(names, flow, measures?.columns ?? []) },
        s("path", { ...path, class: "hit", stroke: "transparent", "stroke-width": Math.max(11, ribbon.width) }),
        s("path", { ...path, class: "ribbon", stroke: colour, "stroke-width": ribbon.width.toFixed(2) }),
        s("polygon", { points: ribbon.head.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "), fill: colour }),
      );
      mark.setAttribute("data-link", flow.link);
      mark.setAttribute("data-turn", flow.turn);
      mark.setAttribute("data-volume", String(flow.volume ?? ""));
      mark.addEventListener("pointerenter", () => tell(flow));
      mark.addEventListener("focus", () => tell(flow));
      mark.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        const next = marks.get(keyOf(ribbons[(n + by + ribbons.length) % ribbons.length]!))!;
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
      marks.set(keyOf(flow), mark);
      svg.append(mark);
    });
    for (const block of shape.blocks) svg.append(figures(block, names, flows.filter(({ link }) => link === block.link), tell));
    svg.addEventListener("pointerleave", () => !svg.contains(document.activeElement) && tell(null));
    picture.replaceChildren(svg);
    tell(flows.find((flow) => keyOf(flow) === picked) ?? null);
  };
  return { element, draw };
}

/** The letter on its colour; nothing where the level is unknown. */
export function levelMark(level: string | null): HTMLElement | null {
  if (level === null) return null;
  const mark = h("span", { class: "crossing-level", title: t("crossing.los", { level }) }, level);
  mark.style.backgroundColor = levelColour(level);
  mark.style.color = levelInk(level);
  return mark;
}

function sentence(names: Names, flow: MeasuredFlow, columns: readonly MeasureColumn[]): string {
  const words = flowWords(columns, flow.cells).map(([name, value]) => `${name} ${value}`);
  return [names.movement(flow.link, flow.turn), ...words].join(", ");
}

/** The roads and the arrow that points north. */
function ground({ width, height, arms }: DiagramShape, label: string): SVGSVGElement {
  const points = (all: readonly (readonly [number, number])[]) => all.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label });
  for (const { road } of arms) svg.append(s("polygon", { points: points(road), class: "road" }));
  for (const { middle } of arms) {
    const [[x1, y1], [x2, y2]] = middle;
    svg.append(s("line", { x1: x1.toFixed(1), y1: y1.toFixed(1), x2: x2.toFixed(1), y2: y2.toFixed(1), class: "middle" }));
  }
  const north = s("g", { class: "north", transform: `translate(${width / 2} ${height / 2})`, "aria-hidden": "true" });
  north.append(s("path", { d: "M0,-9L5,6L0,3L-5,6Z" }), s("text", { x: 0, y: 17, "text-anchor": "middle" }, t("crossing.north")));
  svg.append(north);
  return svg;
}

/** The counts of an approach: its sum, and each movement with its letter. */
function figures({ link, x, y, width, height }: DiagramShape["blocks"][number], names: Names, flows: readonly MeasuredFlow[], tell: (flow: MeasuredFlow) => void): SVGGElement {
  const sum = flows.reduce((total, { volume }) => total + (volume ?? 0), 0);
  const known = flows.some(({ volume }) => volume !== null);
  const group = s("g", { class: "figures", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, "aria-hidden": "true" });
  group.append(
    s("rect", { width, height, rx: 5, class: "ground" }),
    s("text", { x: 6, y: LINE_HEIGHT - 1, class: "name" }, names.approach(link)),
    s("text", { x: width - 6, y: LINE_HEIGHT - 1, "text-anchor": "end", class: "name" }, known ? formatNumber(sum) : "–"),
  );
  flows.forEach((flow, i) => {
    const base = (i + 2) * LINE_HEIGHT - 1;
    const line = s("g", {}, s("rect", { x: 0, y: base - LINE_HEIGHT + 4, width, height: LINE_HEIGHT, fill: "transparent" }));
    line.addEventListener("pointerenter", () => tell(flow));
    line.append(
      s("text", { x: 8, y: base, class: "turn" }, TURN_SIGNS[flow.turn]),
      s("text", { x: width - 26, y: base, "text-anchor": "end" }, flow.volume === null ? "–" : formatNumber(flow.volume)),
    );
    if (flow.level !== null) {
      line.append(
        s("rect", { x: width - 21, y: base - 11, width: 15, height: 14, rx: 3, fill: levelColour(flow.level) }),
        s("text", { x: width - 13.5, y: base, "text-anchor": "middle", class: "letter", fill: levelInk(flow.level) }, flow.level),
      );
    }
    group.append(line);
  });
  return group;
}

/** All that the diagram says, for those who do not see it. */
export function diagramTable(of: Intersection, measures: Measures): HTMLElement {
  const names = new Names(of);
  const rows = flowsOf(of, measures).map((flow) =>
    h("tr", {}, h("th", { scope: "row" }, names.movement(flow.link, flow.turn)), h("td", { class: "number" }, flow.volume === null ? "–" : formatNumber(flow.volume)), h("td", {}, flow.level ?? "–")),
  );
  const head = [t("crossing.by.movement"), t("crossing.volume"), t("crossing.losShort")].map((text) => h("th", { scope: "col" }, text));
  return h("div", { class: "unseen" }, h("table", {}, h("caption", {}, t("crossing.plan", { name: names.title })), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
}

