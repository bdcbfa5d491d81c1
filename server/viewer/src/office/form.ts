/** Fields of forms. They write into a draft as one types, so that a page can be drawn anew at any time. */
import { type Child, h, icon } from "../dom";

export interface Choice {
  value: string;
  label: string;
  hint?: string;
}

interface FieldOptions {
  id: string;
  label: string;
  hint?: string | undefined;
}

export function labelled({ id, label, hint }: FieldOptions, control: Child): HTMLElement {
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint !== undefined && h("p", { class: "muted", id: `${id}-hint` }, hint),
  );
}

interface TextOptions extends FieldOptions {
  value: string;
  set: (value: string) => void;
  required?: boolean;
  type?: string;
  [attribute: string]: unknown;
}

export function textField({ id, label, hint, value, set, ...attributes }: TextOptions): HTMLElement {
  const input = h("input", {
    type: "text",
    id,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": hint === undefined ? null : `${id}-hint`,
    ...(attributes as Record<string, string | boolean>),
    on: { input: () => set(input.value) },
  });
  input.value = value;
  return labelled({ id, label, hint }, input);
}

interface SelectOptions extends FieldOptions {
  value: string;
  options: readonly Choice[];
  set: (value: string) => void;
}

export function select({ id, value, options, set }: Omit<SelectOptions, "label">, attributes = {}): HTMLSelectElement {
  const element = h(
    "select",
    { id, ...attributes, on: { change: () => set(element.value) } },
    ...options.map((option) => h("option", { value: option.value }, option.label)),
  );
  element.value = value;
  return element;
}

export function selectField({ id, label, hint, ...rest }: SelectOptions): HTMLElement {
  return labelled({ id, label, hint }, select({ id, ...rest }, { "aria-describedby": hint === undefined ? null : `${id}-hint` }));
}

interface TicksOptions {
  id: string;
  legend: string;
  hint?: string | undefined;
  options: readonly Choice[];
  chosen: readonly string[];
  set: (chosen: string[]) => void;
  empty?: string;
}

/** Boxes to tick, several of which may be. */
export function ticks({ id, legend, hint, options, chosen, set, empty }: TicksOptions): HTMLElement {
  const held = new Set(chosen);
  const rows = options.map((option) => {
    const box = h("input", {
      type: "checkbox",
      name: id,
      value: option.value,
      "aria-describedby": option.hint === undefined ? null : `${id}-${option.value}-hint`,
      on: {
        change: () => {
          if (box.checked) held.add(option.value);
          else held.delete(option.value);
          set([...held]);
        },
      },
    });
    box.checked = held.has(option.value);
    return h(
      "label",
      { class: "tick" },
      box,
      h(
        "span",
        {},
        option.label,
        option.hint !== undefined && h("span", { class: "muted", id: `${id}-${option.value}-hint` }, option.hint),
      ),
    );
  });
  return h(
    "fieldset",
    { class: "field", id },
    h("legend", {}, legend),
    rows.length > 0 ? h("div", { class: "ticks" }, ...rows) : h("p", { class: "muted" }, empty ?? ""),
    hint !== undefined && h("p", { class: "muted" }, hint),
  );
}

/** A sentence of refusal, told to screen readers when it comes. */
export function refusal(sentence: string | null): HTMLElement | null {
  if (!sentence) return null;
  return h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, sentence));
}
