import type { App } from "../app";
import { h, icon, iconButton, replace } from "../dom";
import { language, languageChanged, t } from "../i18n";
import { may } from "../rights";
import { alarmBadge } from "../sensing/panels/alarmBadge";
import { accountMenu } from "./accountMenu";
import { openHelp } from "./help";
import { languageToggle } from "./languageToggle";
import { searchBox } from "./search";
import { copyText, toast } from "./toast";

export interface Topbar {
  element: HTMLElement;
  focusSearch: () => void;
}

async function share(): Promise<void> {
  toast(t((await copyText(location.href)) ? "top.shareDone" : "top.shareFailed"));
}

export function topbar(app: App, toggleWorkbench: () => void): Topbar {
  const element = h("header", { class: "topbar" });
  const search = searchBox(app);
  const alarms = alarmBadge(app);
  const account = accountMenu(app.account, app);
  const render = () => {
    replace(
      element,
      iconButton("panel", t("top.workbench"), toggleWorkbench, { class: "workbench-toggle" }),
      h(
        "div",
        { class: "brand" },
        h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("building")),
        h("h1", { title: app.city.name }, app.city.name),
        h("span", { class: "brand-product" }, t("app.title")),
      ),
      search.element,
      h(
        "div",
        { class: "topbar-actions" },
        may("read") && h("a", { class: "button small optional", href: `/renewal#lang=${language()}` }, icon("phases"), t("renewal.link")),
        may("read") && h("a", { class: "button small optional", href: `/checkup#lang=${language()}` }, icon("shield"), t("checkup.link")),
        alarms,
        iconButton("home", t("top.home"), () => void app.camera.home()),
        iconButton("share", t("top.share"), () => void share()),
        iconButton("help", t("top.help"), () => openHelp(app.toolbox), { class: "optional" }),
        languageToggle(),
        account,
      ),
    );
  };
  languageChanged.on(render);
  render();
  return { element, focusSearch: search.focus };
}
