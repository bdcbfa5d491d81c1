/** The frame of the office: the bar at the top, and one tab for each thing that one may look after. */
import type { City } from "../data/types";
import { h, icon, replace } from "../dom";
import { language, languageChanged, setLanguage, t } from "../i18n";
import type { TextKey } from "../texts";
import { languageToggle } from "../ui/languageToggle";
import { readAddress, type TabName, TABS, writeAddress } from "./address";
import type { Desk } from "./desk";
import { keysPage } from "./keys";
import { logPage } from "./log";
import type { Filters } from "./logFilters";
import { mePage } from "./me";
import { peoplePage } from "./people";
import { placesPage } from "./places";
import { policyPage } from "./policy";

const TITLES: Record<TabName, TextKey> = {
  me: "tab.me",
  people: "tab.people",
  places: "tab.places",
  keys: "tab.keys",
  policy: "tab.policy",
  log: "tab.log",
};

/** The verb that a tab is for. */
const NEEDS: Partial<Record<TabName, string>> = { people: "administer", places: "administer", policy: "administer", log: "audit" };

export function tabsFor(may: (verb: string) => boolean): TabName[] {
  return TABS.filter((tab) => NEEDS[tab] === undefined || may(NEEDS[tab]));
}

/** The bar at the top, with who is here at its right. */
export function officeBar(city: City, account: HTMLElement): HTMLElement {
  const element = h("header", { class: "topbar" });
  const render = () =>
    replace(
      element,
      h(
        "div",
        { class: "brand" },
        h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("building")),
        h("h1", { title: city.name }, city.name),
        h("span", { class: "brand-product" }, t("office.title")),
      ),
      h(
        "div",
        { class: "topbar-actions" },
        h("a", { class: "button small plain", href: `/#lang=${language()}` }, icon("map"), t("office.viewer")),
        languageToggle(),
        account,
      ),
    );
  languageChanged.on(render);
  render();
  return element;
}

export function officeTabs(desk: Desk): HTMLElement {
  const tabs = tabsFor((verb) => desk.may(verb));
  const start = readAddress(location.hash);
  let filters: Filters = start.filters;
  const usual: TabName = desk.may("administer") ? "people" : desk.may("audit") ? "log" : "me";
  let tab: TabName = start.tab && tabs.includes(start.tab) ? start.tab : usual;
  const pages = new Map<TabName, HTMLElement>();
  const strip = h("nav", { class: "office-tabs" });
  const stage = h("main", { class: "office-stage" });

  const make: Record<TabName, () => HTMLElement> = {
    me: () => mePage(desk),
    people: () => peoplePage(desk),
    places: () => placesPage(desk),
    keys: () => keysPage(desk),
    policy: () => policyPage(desk),
    log: () => logPage(desk, filters),
  };
  const open = (next: TabName) => {
    tab = next;
    if (!pages.has(tab)) {
      const page = h("section", { id: `page-${tab}`, role: "tabpanel", "aria-labelledby": `tab-${tab}`, class: "office-tabpanel" }, make[tab]());
      pages.set(tab, page);
      stage.append(page);
    }
    for (const [name, page] of pages) page.hidden = name !== tab;
    render();
    keep();
  };
  const keep = () => history.replaceState(null, "", `#${writeAddress({ tab, lang: language(), filters })}`);
  const button = (name: TabName) =>
    h(
      "button",
      {
        type: "button",
        id: `tab-${name}`,
        role: "tab",
        "aria-selected": String(tab === name),
        "aria-controls": pages.has(name) ? `page-${name}` : null,
        tabindex: tab === name ? 0 : -1,
        on: {
          click: () => open(name),
          keydown: (event: KeyboardEvent) => {
            if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
            const step = event.key === "ArrowRight" ? 1 : tabs.length - 1;
            open(tabs[(tabs.indexOf(name) + step) % tabs.length]!);
            strip.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
          },
        },
      },
      t(TITLES[name]),
    );
  const render = () => {
    const had = strip.contains(document.activeElement);
    replace(strip, h("div", { role: "tablist", "aria-label": t("office.title") }, ...tabs.map(button)));
    if (had) strip.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
  };
  desk.logAsked.on((asked) => {
    filters = asked;
    keep();
  });
  languageChanged.on(() => {
    render();
    keep();
  });
  window.addEventListener("hashchange", () => {
    const { tab: wanted, lang } = readAddress(location.hash);
    if (lang) setLanguage(lang);
    if (wanted && wanted !== tab && tabs.includes(wanted)) open(wanted);
  });
  if (desk.may("administer")) for (const source of [desk.people, desk.towns, desk.departments]) void source.refresh();
  open(tab);
  return h("div", { class: "office-body" }, strip, stage);
}
