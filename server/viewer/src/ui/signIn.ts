/** The dialog in which one says who one is. */
import { leaveFor, restart } from "../address";
import type { Account } from "../account";
import type { App } from "../app";
import { ApiError } from "../data/api";
import { account } from "../data/session";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { openDialog } from "./dialog";
import { codeField, codeOf, dialogForm, field } from "./form";

/** `app` is null where nothing of the city is shown yet. */
export function openSignIn({ person, session }: Account, app: App | null): void {
  const { body, close } = openDialog(t("account.signIn"), "sign-in");
  const name = field("sign-in-name", t("account.name"), { type: "text", autocomplete: "username" });
  const password = field("sign-in-password", t("account.password"), {
    type: "password",
    autocomplete: "current-password",
  });
  const code = codeField("sign-in-code", t("account.codeHint"));
  name.input.value = person?.name ?? "";
  const ask = (needed: boolean) => {
    code.element.hidden = !needed;
    code.input.required = needed;
    code.input.disabled = !needed;
  };
  ask(false);
  const form = dialogForm({
    parts: [name.element, password.element, code.element],
    action: t("account.signIn"),
    cancel: close,
    run: async () => {
      await account.signIn(name.input.value.trim(), password.input.value, codeOf(code));
      password.input.value = "";
      restart(app);
    },
    caught: (error) => {
      const first = error instanceof ApiError && error.code === "second-factor" && code.element.hidden;
      if (first) {
        ask(true);
        code.input.focus();
      }
      return first;
    },
  });
  const { oidc } = session;
  replace(
    body,
    form,
    oidc &&
      h(
        "div",
        { class: "sign-in-other" },
        h("span", { class: "muted" }, t("account.or")),
        h(
          "button",
          { type: "button", class: "button", on: { click: () => leaveFor(oidc.href, app) } },
          t("account.oidc", { title: oidc.title }),
        ),
      ),
  );
  (name.input.value ? password : name).input.focus();
}
