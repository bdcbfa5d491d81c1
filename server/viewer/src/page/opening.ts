/** Opening a page of its own: who asks for which city, and what stands there while that is not known. */
import type { Account } from "../account";
import { api, ApiError } from "../data/api";
import { account } from "../data/session";
import type { City } from "../data/types";
import { h, icon } from "../dom";
import { t } from "../i18n";
import type { Session } from "../office/types";
import { errorText } from "../ui/errors";
import { showMessage } from "../ui/overlay";
import { openSignIn } from "../ui/signIn";

const ASK_AGAIN = 3_000;

/** Asks until the server answers. */
export async function cityAndSession(): Promise<[City, Session]> {
  for (;;) {
    try {
      return await Promise.all([api.city(), account.session()]);
    } catch (error) {
      showMessage({
        icon: "warning",
        title: () => t("app.unreachable"),
        hint: () => (error instanceof ApiError && error.status === 0 ? t("app.unreachableHint") : errorText(error)),
      });
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    }
  }
}

/** In place of the page for those who may not read, or who are not signed in any more. */
export function askToSignIn(own: Account): void {
  showMessage({
    icon: "lock",
    title: () => t(own.ended ? "office.ended" : "account.closed"),
    hint: () => t(own.ended ? "office.endedHint" : own.person ? "account.closedToYou" : "account.closedHint"),
    action: { label: () => t("account.signIn"), run: () => openSignIn(own, null) },
  });
}

/** Starts a page; what it dies of is told in its place. */
export function open(start: (root: HTMLElement) => Promise<void>): void {
  start(document.getElementById("app")!).catch((error: unknown) =>
    showMessage({
      icon: "warning",
      title: () => t("app.unreachable"),
      hint: () => errorText(error),
      action: { label: () => t("app.reload"), run: () => location.reload() },
    }),
  );
}

/** The name of the city and of the page, at the beginning of its header. */
export function brand(city: City, title: string): HTMLElement {
  return h(
    "div",
    { class: "brand" },
    h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("building")),
    h("h1", { title: city.name }, city.name),
    h("span", { class: "brand-product" }, title),
  );
}
