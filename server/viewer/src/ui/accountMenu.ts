/** Who looks at the city: a button to sign in, or a badge that says who it is and what they may. */
import { restart } from "../address";
import type { Account } from "../account";
import type { App } from "../app";
import { account } from "../data/session";
import { type Child, h, icon, type IconName, replace } from "../dom";
import { isTextKey, language, languageChanged, t } from "../i18n";
import { comma, roleName } from "../office/names";
import { inOrder } from "../office/roles";
import type { Person } from "../office/types";
import { errorText } from "./errors";
import { openPassword, openSecondFactor } from "./ownAccount";
import { openSignIn } from "./signIn";
import { toast } from "./toast";

/** Where people, keys and the policy are looked after, and where the log is read. */
const office = (tab: "people" | "log") => `/office#tab=${tab}&lang=${language()}`;

/** `app` is null where nothing of the city is shown. */
export function accountMenu(own: Account, app: App | null): HTMLElement {
  const element = h("div", { class: "account" });
  const menu = h("section", { class: "account-menu", id: "account-menu", hidden: true });
  let badge: HTMLButtonElement | null = null;

  const open = (shown: boolean) => {
    if (menu.hidden === !shown) return;
    menu.hidden = !shown;
    badge?.setAttribute("aria-expanded", String(shown));
    if (shown) {
      replace(menu, ...contents());
      menu.querySelector<HTMLElement>("button, a")?.focus();
    } else if (menu.contains(document.activeElement)) badge?.focus();
  };
  document.addEventListener("pointerdown", (event) => {
    if (!element.contains(event.target as Node)) open(false);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.stopPropagation(); // it closes the menu and nothing else
    open(false);
    badge?.focus();
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !element.contains(event.relatedTarget)) open(false);
  });

  const entry = (name: IconName, label: string, run: () => void, note: Child = null) =>
    h(
      "button",
      {
        type: "button",
        class: "account-entry",
        on: {
          click: () => {
            open(false);
            run();
          },
        },
      },
      icon(name),
      h("span", {}, label),
      note,
    );
  const page = (name: IconName, label: string, href: string) =>
    h("a", { class: "account-entry", href }, icon(name), h("span", {}, label));

  const contents = (): Child[] => {
    const { person, session } = own;
    if (!person) return [];
    const rights = session.may.map((verb) => `verb.${verb}.hint`).filter((key) => key !== "verb.own.hint").filter(isTextKey);
    const isOn = h("span", { class: "tag" }, t(person.totp ? "account.secondFactorOn" : "account.secondFactorOff"));
    return [
      h(
        "header",
        {},
        h("strong", {}, person.title || person.name),
        person.title !== "" && h("span", { class: "muted" }, person.name),
      ),
      facts(person),
      h("h3", {}, t("account.may")),
      rights.length === 0
        ? h("p", { class: "muted" }, t("account.mayNothing"))
        : h("ul", { class: "account-rights" }, ...rights.map((key) => h("li", {}, icon("check"), t(key)))),
      session.second_factor === "wanted" &&
        h("p", { class: "note warning" }, icon("warning"), h("span", {}, t("account.secondFactorWanted"))),
      h(
        "nav",
        { "aria-label": t("account.menu", { name: person.title || person.name }) },
        session.may.includes("administer") && page("gear", t("account.office"), office("people")),
        session.may.includes("audit") && page("source", t("account.log"), office("log")),
        person.has_password && entry("key", t("account.changePassword"), () => openPassword(own)),
        !person.sso && entry("shield", t("account.secondFactor"), () => openSecondFactor(own), isOn),
        entry("leave", t("account.signOut"), () => void signOut(app)),
      ),
    ];
  };

  const draw = () => {
    const { person, ended } = own;
    if (!person || ended) {
      open(false);
      badge = null;
      const label = t("account.signIn");
      replace(
        element,
        h(
          "button",
          {
            type: "button",
            class: "button small sign-in-button",
            title: label,
            on: { click: () => openSignIn(own, app) },
          },
          icon("person"),
          h("span", {}, label),
        ),
      );
      return;
    }
    const name = person.title || person.name;
    badge = h(
      "button",
      {
        type: "button",
        class: "account-badge",
        "aria-expanded": String(!menu.hidden),
        "aria-controls": menu.id,
        "aria-label": t("account.menu", { name }),
        title: name,
        on: { click: () => open(menu.hidden) },
      },
      icon("person"),
      h("span", {}, name),
    );
    menu.setAttribute("aria-label", t("account.menu", { name }));
    replace(menu, ...(menu.hidden ? [] : contents()));
    replace(element, badge, menu);
  };
  own.changed.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}

/** What is not set is left out. */
function facts({ roles, towns, department }: Person): HTMLElement {
  const rows: [string, string][] = [
    [t("account.roles"), inOrder(roles).map(roleName).join(comma()) || t("account.noRoles")],
    [t("account.towns"), towns.join(comma())],
    [t("account.department"), department ?? ""],
  ];
  const filled = rows.filter(([, value]) => value !== "");
  return h("dl", { class: "facts" }, ...filled.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

async function signOut(app: App | null): Promise<void> {
  try {
    await account.signOut();
    restart(app);
  } catch (error) {
    toast(t("account.signOutFailed", { detail: errorText(error) }), "error");
  }
}
