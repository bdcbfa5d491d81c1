/** Controls that several panels have: sliders with their value, groups of buttons. */
import { h } from "../dom";

/** An element, and how it follows the state. */
export interface Control {
  element: HTMLElement;
  sync: () => void;
}

export interface SliderOptions {
  id: string;
  label: string;
  min: number;
  max: number;
  step: number;
  value: () => number;
  text: (value: number) => string;
  set: (value: number) => void;
}

/** A row of label, slider and value; to stand in a grid of three columns. */
export function slider({ id, label, min, max, step, value, text, set }: SliderOptions): Control {
  const output = h("output", { for: id });
  const input = h("input", {
    type: "range", id, min, max, step,
    on: { input: () => set(Number(input.value)) },
  });
  const element = h("div", { class: "control-row" }, h("label", { for: id }, label), input, output);
  const sync = () => {
    if (Number(input.value) !== value()) input.value = String(value());
    output.textContent = text(value());
  };
  sync();
  return { element, sync };
}

/** Buttons of which one is pressed. */
export function choice<Value extends string>(
  label: string,
  options: readonly (readonly [Value, string])[],
  value: () => Value | null,
  set: (value: Value) => void,
): Control {
  const buttons = options.map(([name, title]) =>
    h("button", { type: "button", "data-value": name, on: { click: () => set(name) } }, title),
  );
  const element = h("div", { class: "segmented", role: "group", "aria-label": label }, ...buttons);
  const sync = () =>
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(options[i]![0] === value())));
  sync();
  return { element, sync };
}

/** A box to tick, with its label. */
export function tick(label: string, value: () => boolean, set: (value: boolean) => void): Control {
  const box = h("input", { type: "checkbox", on: { change: () => set(box.checked) } });
  const element = h("label", { class: "tick" }, box, label);
  const sync = () => (box.checked = value());
  sync();
  return { element, sync };
}

export function stack(...controls: Control[]): Control {
  return {
    element: h("div", { class: "controls" }, ...controls.map((control) => control.element)),
    sync: () => controls.forEach((control) => control.sync()),
  };
}
