/** The address of the view: day, filters, the chosen project, mode and language, and whether towns are visited in turn. */
import type { Lang } from "../data/types";
import { language, languageChanged, setLanguage } from "../i18n";
import { debounce } from "../signal";
import { FILTERS, type Filters, NO_FILTERS } from "./api";
import { isDay } from "./days";
import { type Choices, type Mode, MODES, type Store } from "./store";

export interface Address {
  choices: Choices;
  lang?: Lang;
  rotate: boolean;
}

export function readAddress(hash: string): Address {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const filters: Filters = { ...NO_FILTERS };
  for (const name of FILTERS) filters[name] = values.get(name) ?? "";
  const at = values.get("at");
  const mode = values.get("view") as Mode | null;
  const choices: Choices = {
    at: isDay(at) ? at : null,
    then: values.get("then") === "1",
    filters,
    chosen: values.get("project"),
    mode: mode !== null && MODES.includes(mode) ? mode : "map",
  };
  const lang = values.get("lang");
  return { choices, rotate: values.get("rotate") === "1", ...(lang === "zh" || lang === "en" ? { lang } : {}) };
}

export function writeAddress({ choices, lang, rotate }: Address): string {
  const values = new URLSearchParams();
  if (choices.at) values.set("at", choices.at);
  if (choices.then) values.set("then", "1");
  for (const name of FILTERS) if (choices.filters[name] !== "") values.set(name, choices.filters[name]);
  if (choices.chosen !== null) values.set("project", choices.chosen);
  if (choices.mode !== "map") values.set("view", choices.mode);
  if (rotate) values.set("rotate", "1");
  if (lang) values.set("lang", lang);
  return values.toString();
}

const DELAY = 150;

/** Keeps the address in step with the view, and the view with an address that is pasted over it. */
export function keepAddress(store: Store, rotation: { on: boolean; link: boolean }): void {
  let written = location.hash;
  const write = debounce(DELAY, () => {
    if (location.hash !== written) return; // changed by hand, which is about to be heard of
    history.replaceState(null, "", `#${writeAddress({ choices: store.link, lang: language(), rotate: rotation.link })}`);
    written = location.hash;
  });
  store.asked.on(write);
  languageChanged.on(write);
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    written = location.hash;
    const { choices, lang, rotate } = readAddress(location.hash);
    if (lang) setLanguage(lang);
    rotation.on = rotate;
    store.takeUp(choices);
  });
  write();
}
