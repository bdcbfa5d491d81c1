import type { App } from "../app";
import { h, icon, iconButton, replace } from "../dom";
import { language, languageChanged, setLanguage, t } from "../i18n";
import { openHelp } from "./help";
import { searchBox } from "./search";
import { copyText, toast } from "./toast";

export interface Topbar {
  element: HTMLElement;
  focusSearch: () => void;
}

async function share(): Promise<void> {
  toast(t((await copyText(location.href)) ? "top.shareDone" : "top.shareFailed"));
}

function languageToggle(): HTMLElement {
  const option = (lang: "zh" | "en", label: string) =>
    h(
      "button",
      {
        type: "button",
        lang: lang === "zh" ? "zh-CN" : "en",
        "aria-pressed": String(language() === lang),
        on: { click: () => setLanguage(lang) },
      },
      label,
    );
  return h(
    "div",
    { class: "segmented language", role: "group", "aria-label": t("top.language") },
    option("zh", "中文"),
    option("en", "English"),
  );
}

export function topbar(app: App, toggleWorkbench: () => void): Topbar {
  const element = h("header", { class: "topbar" });
  const search = searchBox(app);
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
        iconButton("home", t("top.home"), () => void app.camera.home()),
        iconButton("share", t("top.share"), () => void share()),
        iconButton("help", t("top.help"), () => openHelp(app.toolbox), { class: "optional" }),
        languageToggle(),
      ),
    );
  };
  languageChanged.on(render);
  render();
  return { element, focusSearch: search.focus };
}
