/** A list of which one is chosen, with its label beside it. */
import { h } from "../../dom";
import type { Control } from "../../ui/controls";

export function select(label: string, options: readonly (readonly [string, string])[], value: () => string, set: (value: string) => void): Control {
  const element = h("select", { on: { change: () => set(element.value) } }, ...options.map(([name, title]) => h("option", { value: name }, title)));
  const sync = () => {
    if (element.value !== value()) element.value = value();
  };
  sync();
  return { element: h("label", { class: "crossing-select" }, h("span", {}, label), element), sync };
}
