/** What stands in place of the city: loading, an error, an invitation. */
import { h, icon, type IconName, replace } from "../dom";
import { languageChanged } from "../i18n";

export interface Message {
  icon?: IconName;
  title: () => string;
  hint?: () => string;
  action?: { label: () => string; run: () => void };
  /** A spinner instead of an icon. */
  busy?: boolean;
}

const overlay = h("div", { class: "overlay", hidden: true, "aria-live": "polite" });
let current: Message | null = null;

function render(): void {
  overlay.hidden = current === null;
  if (!current) {
    overlay.replaceChildren();
    return;
  }
  const { action } = current;
  replace(
    overlay,
    h(
      "div",
      { class: "overlay-card", role: current.busy ? "status" : "region" },
      current.busy && h("span", { class: "spinner", "aria-hidden": "true" }),
      current.icon && icon(current.icon),
      h("h2", {}, current.title()),
      current.hint && h("p", {}, current.hint()),
      action &&
        h("button", { type: "button", class: "button primary", on: { click: action.run } }, action.label()),
    ),
  );
}

export function showMessage(message: Message | null): void {
  if (message === current) return;
  current = message;
  render();
}

/** Puts the overlay into the page. */
export function overlayElement(): HTMLElement {
  languageChanged.on(render);
  return overlay;
}
