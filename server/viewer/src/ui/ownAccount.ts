/** One's own password and second factor. */
import type { Account } from "../account";
import { account, type NewSecondFactor } from "../data/session";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { type Dialog, openDialog } from "./dialog";
import { errorText } from "./errors";
import { codeField, codeOf, dialogForm, field } from "./form";
import { toast } from "./toast";

export function openPassword({ person }: Account): void {
  const { body, close } = openDialog(t("account.changePassword"), "own-account");
  // Hidden, so that password managers know whose password it is.
  const name = h("input", { type: "text", autocomplete: "username", hidden: true, value: person?.name ?? "" });
  const old = field("old-password", t("account.oldPassword"), { type: "password", autocomplete: "current-password" });
  const next = field("new-password", t("account.newPassword"), { type: "password", autocomplete: "new-password" });
  const again = field("new-password-again", t("account.again"), { type: "password", autocomplete: "new-password" });
  const form = dialogForm({
    parts: [name, old.element, next.element, again.element],
    action: t("account.save"),
    cancel: close,
    run: async () => {
      if (next.input.value !== again.input.value) throw new Error(t("account.different"));
      await account.changePassword(old.input.value, next.input.value);
      close();
      toast(t("account.passwordChanged"));
    },
  });
  replace(body, form);
  old.input.focus();
}

/** Sets the second factor up, or switches it off where it is on. */
export function openSecondFactor(own: Account): void {
  const dialog = openDialog(t("account.secondFactor"), "own-account");
  if (own.person?.totp) return askToEnd(own, dialog);
  account.newSecondFactor().then(
    (found) => askToConfirm(own, dialog, found),
    (error: unknown) => replace(dialog.body, h("p", { class: "error-text", role: "alert" }, errorText(error))),
  );
}

function askToConfirm(own: Account, { body, close }: Dialog, { secret, svg }: NewSecondFactor): void {
  const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  // So that it becomes as large as the page has it.
  const [width, height] = ["width", "height"].map((name) => drawn.getAttribute(name));
  if (!drawn.hasAttribute("viewBox")) drawn.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const code = codeField("confirm-code");
  const form = dialogForm({
    parts: [
      h("p", {}, t("account.scan")),
      h("div", { class: "qr", role: "img", "aria-label": t("account.qr") }, document.importNode(drawn, true)),
      h("p", { class: "qr-key" }, h("span", { class: "muted" }, t("account.key")), h("code", {}, secret)),
      code.element,
    ],
    action: t("account.confirm"),
    cancel: close,
    run: async () => {
      await account.confirmSecondFactor(codeOf(code));
      close();
      toast(t("account.confirmed"));
      await own.check();
    },
  });
  replace(body, form);
  code.input.focus();
}

function askToEnd(own: Account, { body, close }: Dialog): void {
  const code = codeField("end-code");
  const form = dialogForm({
    parts: [h("p", {}, t("account.endHint")), code.element],
    action: t("account.end"),
    cancel: close,
    run: async () => {
      await account.endSecondFactor(codeOf(code));
      close();
      toast(t("account.ended"));
      await own.check();
    },
  });
  replace(body, form);
  code.input.focus();
}
