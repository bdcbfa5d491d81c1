import { type Legend, LOOKS } from "../differences";
import { h } from "../dom";
import { t } from "../i18n";

/** The coloured sign of a kind of change; its name is for screen readers and the tooltip. */
export function signOf(kind: Legend): HTMLElement {
  const name = t(`kind.${kind}`);
  const sign = h("span", { class: `sign ${kind}`, role: "img", "aria-label": name, title: name }, LOOKS[kind].sign);
  sign.style.backgroundColor = LOOKS[kind].colour;
  return sign;
}
