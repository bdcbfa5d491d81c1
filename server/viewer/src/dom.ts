/** Building the page from code. Data reaches it as text nodes only, never as markup. */

export type Child = Node | string | null | undefined | false;
type Listener = (event: never) => void;

export interface Attributes {
  class?: string;
  /** Event listeners by event name. */
  on?: Record<string, Listener>;
  [attribute: string]: string | number | boolean | null | undefined | Record<string, Listener>;
}

/** Creates an element; `true` sets an empty attribute, `false`, `null` and `undefined` set none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value as Record<string, Listener>)) {
        element.addEventListener(event, listener as EventListener);
      }
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  append(element, ...children);
  return element;
}

export function append(parent: Node, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, ...children);
}

const SVG = "http://www.w3.org/2000/svg";

/** Line drawings on a 24-unit grid, one path each. */
const ICONS = {
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  eyeOff:
    "M4 4l16 16M9.5 5.4A9.6 9.6 0 0 1 12 5c6 0 10 7 10 7a18 18 0 0 1-3.3 3.9M6 7.3C3.500 9.2 2 12 2 12s4 7 10 7c1.400 0 2.700-.4 3.900-.9",
  chevron: "M9 5l7 7-7 7",
  target: "M12 3v4M12 17v4M3 12h4M17 12h4M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  isolate: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M9 9h6v6H9z",
  close: "M6 6l12 12M18 6L6 18",
  search: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500L20 20",
  home: "M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6",
  share: "M9 15l6-6M11 6l2-2a4.200 4.200 0 0 1 6 6l-2 2M13 18l-2 2a4.200 4.200 0 0 1-6-6l2-2",
  help: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M12 16.800v.2",
  layers: "M12 4l9 5-9 5-9-5zM3 14l9 5 9-5",
  upload: "M12 16V5M7.500 9L12 4.500 16.500 9M4 17v3h16v-3",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500l4.500 4.500L19 7",
  warning: "M12 4l9.500 16h-19zM12 10v4.500M12 17.200v.2",
  source: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  refresh: "M20 11a8 8 0 1 0-2.300 6.300M20 5v6h-6",
  panel: "M4 5h16v14H4zM10 5v14",
  filter: "M4 6h16M7 12h10M10 18h4",
  history: "M4 12a8 8 0 1 0 2.400-5.700M4 4v4.500h4.500M12 8v4.500l3 2",
  back: "M15 5l-7 7 7 7",
  download: "M12 4v11M7.500 11l4.500 4.500 4.500-4.500M4 17v3h16v-3",
  building: "M5 21V5l7-2v18M12 8l7 2v11M3 21h18M8 8v.2M8 12v.2M8 16v.2M15.500 13v.2M15.500 17v.2",
  section: "M12 3v18M12 6l7-2v14l-7 2M9 6L5 5v13l4 1.500",
  box: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
  underground: "M3 10h18M5 10V6h5v4M14 10V4h4v6M6 14h.2M11 14h.2M16 14h.2M4 18h5l2-2h4l2 2h3",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  map: "M4 6l5-2 6 2 5-2v14l-5 2-6-2-5 2zM9 4v14M15 6v14",
  ruler: "M3 15L15 3l6 6L9 21zM6.500 11.500l2 2M9.500 8.500l3 3M12.500 5.500l2 2",
  polygon: "M5 8l8-4 7 7-5 9-9-3z",
  height: "M5 4h14M5 20h14M12 7v10M9.500 9.500L12 7l2.500 2.500M9.500 14.500L12 17l2.500-2.500",
  phases: "M12 3v18M4 19V9l5-3v13M15 10h2M15 14h2M20 10v.1M20 14v.1M15 18h5M15 6h2M20 6v.1",
  terrain: "M2 19l6-10 4 6 3-4 7 8zM16 6.500a1.500 1.500 0 1 0 0 .1",
  pipes: "M3 8h6a3 3 0 0 1 3 3v2a3 3 0 0 0 3 3h6M3 5v6M21 13v6M12 4v3M10 4h4",
  sensor: "M12 10.500a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM8.500 8.500a5 5 0 0 0 0 7M15.500 8.500a5 5 0 0 1 0 7M5.700 5.700a9 9 0 0 0 0 12.600M18.300 5.700a9 9 0 0 1 0 12.600",
  heat: "M8 3.500l4 2.300v4.600L8 12.700l-4-2.300V5.800zM16 3.500l4 2.300v4.600l-4 2.300-4-2.300M12 10.400l4 2.300v4.600l-4 2.300-4-2.300v-4.600",
  signal: "M5 20a15 15 0 0 1 15-15M5 20v.1M10 20a10 10 0 0 1 10-10M15 20a5 5 0 0 1 5-5",
  traffic: "M5 16v3M19 16v3M4 11.500l2-5.500h12l2 5.500v4.500H4zM4 11.500h16M7.500 13.800v.1M16.500 13.800v.1",
  here: "M12 21s-6-5.500-6-11a6 6 0 0 1 12 0c0 5.500-6 11-6 11zM12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  table: "M4 5h16v14H4zM4 10h16M4 14.500h16M10 10v9",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2.500",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-4 3.500-6.500 8-6.500s8 2.500 8 6.500",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 2h-15zM10 21h4",
  chart: "M4 4v16h16M7 15l4-5 3 3 5-7",
  rest: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM10 9v6M14 9v6",
  sound: "M4 9.500h3.500L12 5.500v13l-4.500-4H4zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11",
  soundOff: "M4 9.500h3.500L12 5.500v13l-4.500-4H4zM16 9.500l5 5M21 9.500l-5 5",
  leave: "M14 4H6v16h8M10 12h11M17.500 8.500L21 12l-3.500 3.500",
  key: "M8 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 11.500L19 4M16 7l3 3",
  shield: "M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM9 12l2.200 2.200L15.500 10",
  gear: "M4 7h8M16 7h4M14 5v4M4 12h2M10 12h10M8 10v4M4 17h10M18 17h2M16 15v4",
  undo: "M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10h-4",
  plus: "M12 5v14M5 12h14",
  unlock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 6.700-1.400",
  signOut: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
} as const;

export type IconName = keyof typeof ICONS;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  return svg;
}

/** A button that shows only an icon; its label is for screen readers and the tooltip. */
export function iconButton(
  name: IconName,
  label: string,
  onClick: (event: MouseEvent) => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const { class: extra, ...rest } = attributes;
  return h(
    "button",
    {
      type: "button",
      class: extra ? `icon-button ${extra}` : "icon-button",
      "aria-label": label,
      title: label,
      on: { click: onClick },
      ...rest,
    },
    icon(name),
  );
}
