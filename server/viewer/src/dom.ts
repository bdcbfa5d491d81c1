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
