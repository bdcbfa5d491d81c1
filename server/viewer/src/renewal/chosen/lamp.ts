/** A light as a lamp with its word: never by colour alone. */
import { h } from "../../dom";
import { t } from "../../i18n";
import type { Urgency } from "../orders/types";
import type { Light } from "../types";
import { lightName } from "../words";

function sign(light: string, name: string, word: boolean): HTMLElement {
  return h("span", { class: `lamp ${light}`, title: name }, h("i", { "aria-hidden": "true" }), word ? name : h("span", { class: "unseen" }, name));
}

export function lamp(light: Light, word = true): HTMLElement {
  return sign(light, lightName(light), word);
}

/** How urgent an order is, by the colour of the slip it is urged with. */
export function urgencyLamp(urgency: Urgency | null, word = true): HTMLElement | null {
  return urgency && sign(urgency, t(`order.urgency.${urgency}`), word);
}
