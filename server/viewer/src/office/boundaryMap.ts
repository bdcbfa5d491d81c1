/** The boundaries of all towns in one small picture. */
import { localized, t } from "../i18n";
import { drawn } from "./boundaries";
import type { Town } from "./types";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 520;
const HEIGHT = 380;

function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** A picture for the eye; the table beside it says the same and takes the keyboard. */
export function boundaryMap(towns: readonly Town[], selected: string | null, open: (town: Town) => void): SVGElement {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "boundary-map", role: "img" });
  picture.setAttribute("aria-label", t("places.map"));
  const areas = drawn(towns.map(({ boundary }) => boundary), WIDTH, HEIGHT);
  // What is selected lies on top, so that its whole outline shows.
  const order = towns.map((_, i) => i).sort((a, b) => Number(towns[a]!.id === selected) - Number(towns[b]!.id === selected));
  const labels: SVGElement[] = [];
  for (const i of order) {
    const town = towns[i]!;
    const area = areas[i];
    if (!area) continue;
    const path = svg("path", { d: area.path, class: town.id === selected ? "selected" : "", "fill-rule": "evenodd" });
    path.addEventListener("click", () => open(town));
    const title = svg("title", {});
    title.textContent = localized(town.title) || town.id;
    path.append(title);
    picture.append(path);
    const label = svg("text", { x: area.label[0].toFixed(1), y: area.label[1].toFixed(1) });
    label.textContent = title.textContent;
    labels.push(label);
  }
  picture.append(...labels);
  return picture;
}
