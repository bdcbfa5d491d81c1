/** What is told once: a password, a key, a link. */
import { h, icon, replace } from "../dom";
import { t } from "../i18n";
import { openDialog } from "../ui/dialog";
import { copyText } from "../ui/toast";

export interface Secret {
  title: string;
  /** Whose it is, or what it is for. */
  explained: string;
  label: string;
  text: string;
  note: string;
}

export function tell({ title, explained, label, text, note }: Secret): void {
  const { body, close } = openDialog(title, "told");
  const field = h("input", { type: "text", id: "told", readonly: true, spellcheck: "false", class: "told-secret" });
  field.value = text;
  const done = h("p", { class: "muted", role: "status" });
  const copy = async () => {
    field.select();
    done.textContent = t((await copyText(text)) ? "office.copied" : "office.copyByHand");
  };
  replace(
    body,
    h("p", {}, explained),
    h(
      "div",
      { class: "field" },
      h("label", { for: "told" }, label),
      h(
        "div",
        { class: "told-row" },
        field,
        h("button", { type: "button", class: "button primary", on: { click: () => void copy() } }, icon("copy"), t("office.copy")),
      ),
      done,
    ),
    h("p", { class: "told-note" }, icon("warning"), h("span", {}, note)),
    h("footer", {}, h("button", { type: "button", class: "button", on: { click: close } }, t("office.done"))),
  );
  field.select();
}

/** Asks before something that is not easily taken back. */
export function confirm(title: string, sentence: string, action: string, run: () => Promise<void>): void {
  const { body, close } = openDialog(title, "confirm");
  const go = h(
    "button",
    {
      type: "button",
      class: "button danger",
      on: {
        click: async () => {
          go.disabled = true;
          await run();
          close();
        },
      },
    },
    action,
  );
  replace(
    body,
    h("p", {}, sentence),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "button", autofocus: true, on: { click: close } }, t("office.cancel")),
      go,
    ),
  );
}
