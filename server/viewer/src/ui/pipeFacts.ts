/** What is known of a pipe or a well, in the words and units of the trade. */
import type { Item, PropertyValue } from "../data/types";
import { h } from "../dom";
import { formatNumber, t } from "../i18n";
import { PIPES } from "../texts/pipes";
import { facts } from "./receipt";

/** In the order in which they are read; what stands in the head of the panel already is left out. */
const SHOWN = [
  "size", "diameter", "width", "height", "material", "depth_start", "depth_end", "elevation_start", "elevation_end",
  "length", "flow", "year", "owner", "burial", "status", "pressure", "road", "from", "to", "kind", "feature", "code",
  "ground", "bottom", "depth", "demand", "users",
] as const;

const UNITS: Partial<Record<(typeof SHOWN)[number], string>> = {
  diameter: "mm", width: "mm", height: "mm", depth_start: "m", depth_end: "m", elevation_start: "m",
  elevation_end: "m", length: "m", ground: "m", bottom: "m", depth: "m", demand: "L/s",
};

/** The name of an attribute in the language of the page; as it is where it is the source's own. */
export function attributeName(name: string): string {
  const key = `pipe.${name}`;
  return key in PIPES ? t(key as keyof typeof PIPES) : name;
}

function text(name: (typeof SHOWN)[number], value: PropertyValue): string {
  if (value === "forward" || value === "backward") return t(`pipe.${value}`);
  if (typeof value !== "number") return String(value);
  if (name === "year") return String(value); // no thousands in a year
  return UNITS[name] ? `${formatNumber(value, 3)} ${UNITS[name]}` : formatNumber(value, 3);
}

export function pipeFacts(item: Item): HTMLElement {
  const values = item.properties as unknown as Record<string, PropertyValue>;
  const known = SHOWN.filter((name) => values[name] !== undefined && values[name] !== null && values[name] !== "");
  return h(
    "section",
    { class: "pipe-facts" },
    h("h3", {}, t("pipe.facts")),
    facts(known.map((name) => [attributeName(name), text(name, values[name]!)])),
  );
}
