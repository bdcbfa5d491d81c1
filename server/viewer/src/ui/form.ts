/** Fields of dialogs, and what their answers do. */
import { type Attributes, h, replace } from "../dom";
import { t } from "../i18n";
import { errorText } from "./errors";

export interface Field {
  element: HTMLElement;
  input: HTMLInputElement;
}

export function field(id: string, label: string, attributes: Attributes, hint = ""): Field {
  const input = h("input", {
    id,
    name: id,
    required: true,
    spellcheck: "false",
    autocapitalize: "off",
    "aria-describedby": hint ? `${id}-hint` : null,
    ...attributes,
  });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint !== "" && h("p", { class: "muted", id: `${id}-hint` }, hint),
  );
  return { element, input };
}

/** A code of six digits; people type spaces into it. */
export function codeField(id: string, hint = ""): Field {
  return field(id, t("account.code"), { type: "text", autocomplete: "one-time-code", inputmode: "numeric", maxlength: 12 }, hint);
}

export function codeOf({ input }: Field): string {
  return input.value.replace(/\s/g, "");
}

interface FormOptions {
  parts: (HTMLElement | null)[];
  action: string;
  cancel: () => void;
  /** Does what the form is for; what it throws is shown. */
  run: () => Promise<void>;
  /** Takes an error that is no refusal; false for all others. */
  caught?: (error: unknown) => boolean;
}

/** A form with its refusal and its buttons, which sends once at a time. */
export function dialogForm({ parts, action, cancel, run, caught }: FormOptions): HTMLFormElement {
  const refused = h("p", { class: "error-text", role: "alert", hidden: true });
  const go = h("button", { type: "submit", class: "button primary" }, action);
  const send = async () => {
    go.disabled = true;
    refused.hidden = true;
    try {
      await run();
    } catch (error) {
      if (!caught?.(error)) {
        refused.hidden = false;
        replace(refused, errorText(error));
      }
    } finally {
      go.disabled = false;
    }
  };
  return h(
    "form",
    {
      class: "dialog-form",
      on: {
        submit: (event: SubmitEvent) => {
          event.preventDefault();
          if (!go.disabled) void send();
        },
      },
    },
    ...parts,
    refused,
    h("footer", {}, h("button", { type: "button", class: "button", on: { click: cancel } }, t("account.cancel")), go),
  );
}
