/** A button with a menu below it: opened and walked through with the keyboard as well. */
import { h, icon, type IconName, replace } from "../dom";

export interface MenuEntry {
  icon: IconName;
  title: string;
  /** Something to do, or the address of a file. */
  run?: () => void;
  href?: string;
}

export interface Menu {
  element: HTMLElement;
  draw: (label: string, entries: readonly MenuEntry[]) => void;
}

export function menu(sign: IconName): Menu {
  const list = h("div", { class: "desk-entries", role: "menu", hidden: true });
  const element = h("div", { class: "desk-menu" }, list);
  let button: HTMLButtonElement | null = null;
  const open = (shown: boolean) => {
    if (list.hidden === !shown) return;
    list.hidden = !shown;
    button?.setAttribute("aria-expanded", String(shown));
    if (shown) items()[0]?.focus();
    else if (list.contains(document.activeElement)) button?.focus();
  };
  const items = () => [...list.querySelectorAll<HTMLElement>("[role=menuitem]")];
  document.addEventListener("pointerdown", (event) => {
    if (!element.contains(event.target as Node)) open(false);
  });
  element.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const all = items();
    const place = all.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      open(false);
      button?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      all[(place + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
    }
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !element.contains(event.relatedTarget)) open(false);
  });
  const entry = ({ icon: name, title, run, href }: MenuEntry) =>
    href === undefined
      ? h("button", { type: "button", role: "menuitem", class: "account-entry", on: { click: () => (open(false), run?.()) } }, icon(name), h("span", {}, title))
      : h("a", { href, download: "", role: "menuitem", class: "account-entry", on: { click: () => open(false) } }, icon(name), h("span", {}, title));
  return {
    element,
    draw: (label, entries) => {
      button = h(
        "button",
        { type: "button", class: "button small", "aria-haspopup": "menu", "aria-expanded": String(!list.hidden), on: { click: () => open(list.hidden) } },
        icon(sign),
        h("span", {}, label),
      );
      replace(list, ...entries.map(entry));
      replace(element, button, list);
    },
  };
}
