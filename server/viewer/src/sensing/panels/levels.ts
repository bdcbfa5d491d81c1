/** The four levels of alarms: a colour, a sign of its own shape, and a word. */
import { h, replace } from "../../dom";
import { t } from "../../i18n";
import type { Level } from "../types";

/** As lists show them. */
export const WORST_FIRST: readonly Level[] = [4, 3, 2, 1];

const SVG = "http://www.w3.org/2000/svg";

/** On a grid of 16 units; the outlines differ, so that they are told apart without their colours. */
export const OUTLINES: Record<Level, string> = {
  1: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13z",
  2: "M8 .8L15.200 8 8 15.200.8 8z",
  3: "M8 1.200L15.400 14.500H.6z",
  4: "M5 .8h6L15.200 5v6L11 15.200H5L.8 11V5z",
};

/** What stands in them: one stroke more for each level. */
export const STROKES: Record<Level, string> = {
  1: "M8 7.200V11.500M8 4.600v.1",
  2: "M8 4.400V9M8 11.400v.1",
  3: "M8 5.800v4M8 12.200v.1",
  4: "M6 4.200v5M6 11.600v.1M10 4.200v5M10 11.600v.1",
};

/** As on signs of the four levels in China: blue, yellow, orange, red. */
export const COLOURS: Record<Level, string> = { 1: "#1f6fd1", 2: "#e8b800", 3: "#e8710a", 4: "#c81e1e" };

/** Dark enough for lines and words on white. */
export const INKS: Record<Level, string> = { 1: "#1a5cb0", 2: "#7a5f00", 3: "#a84c00", 4: "#b3161a" };

export function levelSign(level: Level): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `level-sign level-${level}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [path, name] of [[OUTLINES[level], "outline"], [STROKES[level], "stroke"]] as const) {
    const part = document.createElementNS(SVG, "path");
    part.setAttribute("d", path);
    part.setAttribute("class", name);
    svg.append(part);
  }
  return svg;
}

export function levelWord(level: Level): string {
  return t(`mark.a${level}`);
}

/** The sign and the word. */
export function levelMark(level: Level): HTMLElement {
  const mark = h("span", { class: `level-mark level-${level}` });
  replace(mark, levelSign(level), levelWord(level));
  return mark;
}
