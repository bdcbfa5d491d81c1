/** The address of the check-up: run, indicator, unit, filters, view and language. */
import type { Lang } from "../data/types";
import { language, languageChanged, setLanguage } from "../i18n";
import { debounce } from "../signal";
import type { Store } from "./store";

export const VIEWS = ["board", "map", "compare", "problems", "signs", "compose"] as const;
export type View = (typeof VIEWS)[number];

/** What a link holds beside the view; an empty text for what is left open. */
export const FIELDS = ["run", "from", "level", "dimension", "status", "q", "sort", "indicator", "by", "unit", "problems"] as const;
export type Fields = Record<(typeof FIELDS)[number], string>;

export interface Choices extends Fields {
  view: View;
}

export const NO_CHOICES: Choices = {
  view: "board", run: "", from: "", level: "", dimension: "", status: "", q: "", sort: "", indicator: "", by: "", unit: "", problems: "",
};

export function readAddress(hash: string): { choices: Choices; lang?: Lang } {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const choices: Choices = { ...NO_CHOICES };
  for (const name of FIELDS) choices[name] = values.get(name) ?? "";
  const view = VIEWS.find((one) => one === values.get("view"));
  if (view) choices.view = view;
  const lang = values.get("lang");
  return { choices, ...(lang === "zh" || lang === "en" ? { lang } : {}) };
}

export function writeAddress(choices: Choices, lang?: Lang): string {
  const values = new URLSearchParams();
  if (choices.view !== "board") values.set("view", choices.view);
  for (const name of FIELDS) if (choices[name] !== "") values.set(name, choices[name]);
  if (lang) values.set("lang", lang);
  return values.toString();
}

const DELAY = 150;

/** Keeps the address in step with the view, and the view with an address that is pasted over it. */
export function keepAddress(store: Store): void {
  let written = location.hash;
  const write = debounce(DELAY, () => {
    if (location.hash !== written) return; // changed by hand, which is about to be heard of
    history.replaceState(null, "", `#${writeAddress(store.link, language())}`);
    written = location.hash;
  });
  store.asked.on(write);
  languageChanged.on(write);
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    written = location.hash;
    const { choices, lang } = readAddress(location.hash);
    if (lang) setLanguage(lang);
    store.takeUp(choices);
  });
  write();
}
