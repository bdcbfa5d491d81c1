/** What is chosen to be seen of traffic; as a link has it. */

export const VIEWS = ["vehicles", "congestion", "events"] as const;
export type View = (typeof VIEWS)[number];
export const COLOURS = ["speed", "class"] as const;
export const ROADS = ["off", "link", "h3"] as const;
export type Roads = (typeof ROADS)[number];

export interface Choice {
  /** Empty for the first one there is. */
  layer: string;
  /** Which side of the card is open. */
  view: View;
  colour: (typeof COLOURS)[number];
  /** What congestion is shown of. */
  roads: Roads;
  intersection: string;
  event: string;
  /** Milliseconds since 1970; null for live. */
  at: number | null;
}

export const FIRST: Choice = { layer: "", view: "vehicles", colour: "speed", roads: "off", intersection: "", event: "", at: null };

/** Ids may hold what separates fields. */
const escape = (text: string) => text.replace(/[%;&#]/g, encodeURIComponent);

export function encodeChoice({ layer, view, colour, roads, intersection, event, at }: Choice): string {
  const time = at === null ? "" : new Date(at).toISOString().slice(0, 19) + "Z";
  return [layer, view, colour, roads, intersection, event, time].map(escape).join(";").replace(/;+$/, "");
}

export function decodeChoice(text: string): Choice {
  const fields = text.split(";").map((field) => {
    try {
      return decodeURIComponent(field);
    } catch {
      return field; // cut off in the middle of an escape
    }
  });
  const [layer = "", view, colour, roads, intersection = "", event = "", time = ""] = fields;
  const at = Date.parse(time);
  return {
    layer,
    view: VIEWS.find((one) => one === view) ?? FIRST.view,
    colour: COLOURS.find((one) => one === colour) ?? FIRST.colour,
    roads: ROADS.find((one) => one === roads) ?? FIRST.roads,
    intersection,
    event,
    at: Number.isFinite(at) ? at : null,
  };
}
