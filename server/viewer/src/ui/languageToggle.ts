/** The switch between the languages, for the bar at the top. */
import { h } from "../dom";
import { language, setLanguage, t } from "../i18n";

export function languageToggle(): HTMLElement {
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
