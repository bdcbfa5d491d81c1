/**
 * Forms in dialogs that lose nothing: what is refused stays as it was typed, what somebody else changed
 * meanwhile is shown beside it, and a form that was left comes back as it was.
 */
import { type Child, h, icon, replace } from "../dom";
import { t } from "../i18n";
import { openDialog } from "./dialog";
import { errorText } from "./errors";
import { isOutOfDate } from "../data/writing";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface FormParts {
  /** What is written and about what: under this a form that was left is kept. */
  key: string;
  title: string;
  about?: Child;
  parts: Child[];
  action: string;
  wide?: boolean;
  /** Raises what the server refuses. */
  send: () => Promise<void>;
  /** Asks what was changed by somebody else, for the next try; how it stands now. */
  again?: () => Promise<Child>;
}

/** Forms that were left, by their keys, control by control. */
const left = new Map<string, Map<string, string>>();

function controls(form: HTMLFormElement): Control[] {
  return [...form.elements].filter(
    (one): one is Control =>
      (one instanceof HTMLInputElement && one.type !== "file" && one.type !== "checkbox") ||
      one instanceof HTMLTextAreaElement ||
      one instanceof HTMLSelectElement,
  );
}

export function openForm({ key, title, about, parts, action, wide, send, again }: FormParts): HTMLFormElement {
  const { body, close } = openDialog(title, wide ? "renewal-dialog wide" : "renewal-dialog");
  const message = h("div", { class: "form-message", role: "alert" });
  const go = h("button", { type: "submit", class: "button primary" }, action);
  const submit = async () => {
    go.disabled = true;
    replace(message);
    try {
      await send();
      left.delete(key);
      close();
    } catch (error) {
      replace(message, await refused(error, again));
    } finally {
      go.disabled = false;
    }
  };
  const form = h(
    "form",
    {
      on: {
        submit: (event: SubmitEvent) => {
          event.preventDefault();
          if (!go.disabled) void submit();
        },
        input: () => left.set(key, new Map(controls(form).filter(({ id }) => id).map(({ id, value }) => [id, value]))),
      },
    },
    ...parts,
    message,
    h("footer", {}, h("button", { type: "button", class: "button", on: { click: close } }, t("account.cancel")), go),
  );
  const kept = left.get(key);
  for (const control of kept ? controls(form) : []) {
    const value = kept!.get(control.id);
    if (value === undefined) continue;
    control.value = value;
    control.dispatchEvent(new Event("change"));
  }
  replace(body, about && h("div", { class: "form-about" }, about), form);
  (form.querySelector<HTMLElement>("[autofocus]") ?? controls(form)[0])?.focus();
  return form;
}

async function refused(error: unknown, again: FormParts["again"]): Promise<HTMLElement> {
  if (!isOutOfDate(error) || !again) return h("p", { class: "refusal" }, icon("warning"), h("span", {}, errorText(error)));
  let now: Child;
  try {
    now = await again();
  } catch (other) {
    return h("p", { class: "refusal" }, icon("warning"), h("span", {}, errorText(other)));
  }
  return h(
    "div",
    { class: "faster" },
    icon("warning"),
    h("div", {}, h("strong", {}, t("form.changedMeanwhile")), h("p", {}, t("form.lookAgain")), now),
  );
}

interface FieldOptions {
  hint?: string;
  /** Half as wide as the form. */
  half?: boolean;
}

function labelled(control: HTMLElement, label: string, { hint, half }: FieldOptions): HTMLElement {
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h(
    "div",
    { class: half ? "field half" : "field" },
    h("label", { for: control.id }, label),
    control,
    !!hint && h("p", { class: "muted", id: `${control.id}-hint` }, hint),
  );
}

export interface Field<C extends Control = HTMLInputElement> {
  element: HTMLElement;
  control: C;
}

export function input(id: string, label: string, attributes: Record<string, string | number | boolean>, options: FieldOptions = {}): Field {
  const control = h("input", { id, type: "text", autocomplete: "off", ...attributes });
  return { element: labelled(control, label, options), control };
}

export function area(id: string, label: string, attributes: Record<string, string | number | boolean>, options: FieldOptions = {}): Field<HTMLTextAreaElement> {
  const control = h("textarea", { id, rows: 4, maxlength: 4000, ...attributes });
  return { element: labelled(control, label, options), control };
}

export function select(
  id: string,
  label: string,
  choices: readonly (readonly [string, string])[],
  value: string,
  options: FieldOptions = {},
): Field<HTMLSelectElement> {
  const control = h("select", { id }, ...choices.map(([name, title]) => h("option", { value: name }, title)));
  control.value = value;
  return { element: labelled(control, label, options), control };
}

interface FilesOptions {
  accept: string;
  multiple?: boolean;
  required?: boolean;
  hint?: string;
  changed?: () => void;
}

/** Files to take along; they are dropped on it or chosen. */
export function files(id: string, label: string, { accept, multiple, required, hint, changed }: FilesOptions): Field {
  const chosen = h("span", {}, t(multiple ? "form.chooseFiles" : "form.chooseFile"));
  const control = h("input", {
    id, type: "file", accept, multiple, required,
    on: {
      change: () => {
        chosen.textContent = [...(control.files ?? [])].map((file) => file.name).join(", ") || t(multiple ? "form.chooseFiles" : "form.chooseFile");
        changed?.();
      },
    },
  });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("div", { class: "file-pick" }, icon("upload"), chosen, !!hint && h("span", { class: "muted" }, hint), control),
  );
  return { element, control };
}

/** Fields beside each other. */
export function row(...fields: Field<Control>[]): HTMLElement {
  return h("div", { class: "form-row-two" }, ...fields.map((field) => field.element));
}
