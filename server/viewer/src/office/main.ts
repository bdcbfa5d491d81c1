import "../css/base.css";
import "../css/frame.css";
import "../css/panels.css";
import "../css/analysis.css";
import "../css/attributes.css";
import "../css/dialogs.css";
import "../css/account.css";
import "../css/office.css";
import "../css/officeTables.css";
import "../css/officePages.css";
import "../css/officePolicy.css";
import { Account } from "../account";
import { api, ApiError } from "../data/api";
import { account } from "../data/session";
import type { City } from "../data/types";
import { append, h } from "../dom";
import { initialLanguage, languageChanged, setLanguage, t } from "../i18n";
import { accountMenu } from "../ui/accountMenu";
import { errorText } from "../ui/errors";
import { overlayElement, showMessage } from "../ui/overlay";
import { openSignIn } from "../ui/signIn";
import { readAddress } from "./address";
import { Desk } from "./desk";
import { officeBar, officeTabs } from "./frame";
import type { Session } from "./types";

const ASK_AGAIN = 3_000;

/** Asks until the server answers. */
async function cityAndSession(): Promise<[City, Session]> {
  for (;;) {
    try {
      return await Promise.all([api.city(), account.session()]);
    } catch (error) {
      let retry: () => void = () => undefined;
      const clicked = new Promise<void>((resolve) => (retry = resolve));
      showMessage({
        icon: "warning",
        title: () => t("app.unreachable"),
        hint: () => (error instanceof ApiError && error.status === 0 ? t("app.unreachableHint") : errorText(error)),
        action: { label: () => t("app.retry"), run: () => retry() },
      });
      await Promise.race([clicked, new Promise((resolve) => setTimeout(resolve, ASK_AGAIN))]);
    }
  }
}

/** In place of the pages for those who are not signed in, or not any more. */
function askToSignIn(own: Account): void {
  const { ended } = own;
  showMessage({
    icon: "lock",
    title: () => t(ended ? "office.ended" : "office.nobody"),
    hint: () => t(ended ? "office.endedHint" : own.session.policy === "none" ? "office.noPolicy" : "office.nobodyHint"),
    action: { label: () => t("account.signIn"), run: () => openSignIn(own, null) },
  });
}

async function start(root: HTMLElement): Promise<void> {
  setLanguage(readAddress(location.hash).lang ?? initialLanguage(navigator.language));
  const stage = h("div", { class: "office-whole" }, overlayElement());
  append(root, stage);
  const [city, session] = await cityAndSession();
  showMessage(null);
  const title = () => (document.title = `${city.name} – ${t("office.title")}`);
  languageChanged.on(title);
  title();
  const own = new Account(session);
  root.prepend(officeBar(city, accountMenu(own, null)));
  if (!session.person) {
    askToSignIn(own);
    return openSignIn(own, null);
  }
  const desk = new Desk(own);
  const pages = officeTabs(desk);
  stage.prepend(pages);
  const rights = session.may.join();
  own.changed.on(() => {
    if (!own.ended) {
      // With other rights there are other tabs.
      if (own.session.may.join() !== rights) location.reload();
      return;
    }
    pages.inert = true;
    askToSignIn(own);
  });
}

void start(document.getElementById("app")!);
