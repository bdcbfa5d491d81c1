/** Which projects are wanted: by town, type, mode, stage, light, unit and word. */
import { h, icon, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { debounce } from "../signal";
import { type Filters, NO_FILTERS } from "./api";
import type { Store } from "./store";
import { LIGHTS } from "./types";
import { lightName, lightSign } from "./words";

const TYPING = 250;
const CHOICES = ["town", "type", "mode", "stage", "light", "unit"] as const;
type Choice = (typeof CHOICES)[number];

/** What can be chosen, as ids and titles. */
function options(store: Store, name: Choice): [string, string][] {
  const { towns, units, words, templates } = store.overview;
  const entries = (of: Record<string, Parameters<typeof localized>[0]>): [string, string][] =>
    Object.entries(of).map(([id, title]) => [id, localized(title)]);
  switch (name) {
    case "town":
      return towns.map(({ id, title }) => [id, localized(title) || id]);
    case "unit":
      return units.map(({ id, title }) => [id, localized(title) || id]);
    case "type":
      return entries(words.project_types);
    case "mode":
      return entries(words.modes);
    case "light":
      return LIGHTS.map((light) => [light, `${lightSign(light)} ${lightName(light)}`]);
    case "stage": {
      // Stages of the same name in several templates are one choice where they share their id.
      const stages = new Map(templates.flatMap(({ stages: all }) => all).map(({ id, title }) => [id, localized(title) || id]));
      return [...stages];
    }
  }
}

export function filterBar(store: Store): HTMLElement {
  const element = h("form", { class: "filters", role: "search", on: { submit: (event: Event) => event.preventDefault() } });
  const search = h("input", { type: "search", name: "q", autocomplete: "off" });
  const later = debounce(TYPING, () => store.filter({ q: search.value.trim() }));
  search.addEventListener("input", later);
  const selects = new Map<Choice, HTMLSelectElement>(
    CHOICES.map((name) => {
      const select = h("select", { name, on: { change: () => store.filter({ [name]: select.value } as Partial<Filters>) } });
      return [name, select];
    }),
  );
  const clear = h("button", { type: "button", class: "button small", on: { click: () => store.filter(NO_FILTERS) } });
  const count = h("output", { class: "filters-count" });

  const build = () => {
    element.setAttribute("aria-label", t("renewal.filters"));
    for (const [name, select] of selects) {
      const title = t(`renewal.filter.${name}`);
      select.setAttribute("aria-label", title);
      replace(
        select,
        h("option", { value: "" }, t("renewal.filter.any", { name: title })),
        ...options(store, name).map(([value, label]) => h("option", { value }, label)),
      );
    }
    search.placeholder = t("renewal.search");
    search.setAttribute("aria-label", t("renewal.search"));
    replace(clear, icon("close"), t("renewal.clear"));
    sync();
  };
  const sync = () => {
    for (const [name, select] of selects) {
      select.value = store.filters[name];
      select.classList.toggle("on", select.value !== "");
    }
    if (document.activeElement !== search) search.value = store.filters.q;
    clear.hidden = !store.filtered;
    count.textContent = t("renewal.found", { n: store.found.length, all: store.projects.size });
  };
  replace(element, icon("filter"), ...selects.values(), h("span", { class: "filters-search" }, icon("search"), search), clear, count);
  store.loaded.on(sync);
  store.asked.on(sync);
  languageChanged.on(build);
  build();
  return element;
}
