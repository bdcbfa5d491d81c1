/** Says quietly that one is not signed in any more; what is shown stays. */
import type { App } from "../app";
import { h, icon, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { openSignIn } from "./signIn";

export function sessionNotice(app: App): HTMLElement {
  const element = h("div", { class: "session-notice", role: "status", hidden: true });
  const draw = () => {
    element.hidden = !app.account.ended;
    if (element.hidden) return;
    replace(
      element,
      icon("lock"),
      h("span", {}, t("account.over")),
      h(
        "button",
        { type: "button", class: "link", on: { click: () => openSignIn(app.account, app) } },
        t("account.signInAgain"),
      ),
    );
  };
  app.account.changed.on(draw);
  languageChanged.on(draw);
  return element;
}
