/** The frame of the check-up: header, choice of run and indicators, and the views of it. */
import type { Account } from "../account";
import type { City } from "../data/types";
import { h, icon, type IconName, replace } from "../dom";
import { language, languageChanged, t } from "../i18n";
import type { Live } from "../live";
import { brand } from "../page/opening";
import { accountMenu } from "../ui/accountMenu";
import { languageToggle } from "../ui/languageToggle";
import { menu, type MenuEntry } from "../ui/menu";
import { type View, VIEWS } from "./address";
import { checkup, REPORT_FORMS } from "./api";
import { chosenPanel } from "./chosen";
import { compareTable } from "./compareTable";
import { composer } from "./composer";
import { filterBar } from "./filterBar";
import { indicatorTable } from "./indicatorTable";
import { MapStage } from "./mapStage";
import { problemTable } from "./problemTable";
import { openDiscard, openRun, openSubmit } from "./runDialog";
import { openSets } from "./setsDialog";
import { SignsBoard } from "./signs";
import type { Store } from "./store";
import { unitList } from "./unitList";
import { wheel } from "./wheel";

const VIEW_ICONS: Record<View, IconName> = { board: "table", map: "map", compare: "history", problems: "warning", signs: "chart", compose: "gear" };

function header(city: City, account: Account, store: Store, live: Live): HTMLElement {
  const element = h("header", { class: "topbar" });
  const account_ = accountMenu(account, null);
  const files = menu("source");
  const lost = h("span", { class: "tag warning", role: "status" });
  const views = h("nav", { class: "segmented view-choice" });
  const drawViews = () => {
    views.setAttribute("aria-label", t("checkup.views"));
    replace(
      views,
      ...VIEWS.filter((view) => view !== "compose" || store.may("edit")).map((view) =>
        h(
          "button",
          { type: "button", "data-view": view, title: t(`checkup.view.${view}`), "aria-pressed": String(store.view === view), on: { click: () => (store.view = view) } },
          icon(VIEW_ICONS[view]),
          h("span", {}, t(`checkup.view.${view}`)),
        ),
      ),
    );
  };
  const drawFiles = () => {
    const { summary } = store;
    const entries: (MenuEntry | false)[] = [
      store.may("examine") && { icon: "plus", title: t("checkup.new"), run: () => openRun(store, live) },
      summary?.state === "draft" && store.may("submit") && { icon: "lock", title: t("checkup.submit"), run: () => openSubmit(store, live) },
      summary?.state === "draft" && store.may("submit") && { icon: "close", title: t("checkup.discard"), run: () => openDiscard(store) },
      (store.may("edit") || store.may("submit")) && { icon: "gear", title: t("checkup.sets"), run: () => openSets(store) },
      ...(summary && store.may("export")
        ? [
            ...REPORT_FORMS.map((form): MenuEntry => ({ icon: "download", title: t("checkup.report", { form }), href: checkup.reportFile(summary.id, form, language()) })),
            { icon: "table" as const, title: t("checkup.values"), href: checkup.valuesFile(summary.id) },
          ]
        : []),
    ];
    const there = entries.filter((entry): entry is MenuEntry => entry !== false);
    files.draw(t("checkup.files"), there);
    files.element.hidden = there.length === 0;
  };
  const drawLost = () => {
    replace(lost, icon("warning"), t("district.lost"));
    lost.hidden = live.status !== "lost";
  };
  const render = () => {
    replace(
      element,
      brand(city, t("checkup.title")),
      views,
      lost,
      h(
        "div",
        { class: "topbar-actions" },
        files.element,
        h("a", { class: "button small plain", href: `/renewal#lang=${language()}`, title: t("renewal.link") }, icon("phases"), h("span", {}, t("renewal.link"))),
        h("a", { class: "button small plain", href: `/#lang=${language()}`, title: t("district.viewer") }, icon("building"), h("span", {}, t("district.viewer"))),
        languageToggle(),
        account_,
      ),
    );
    drawViews();
    drawFiles();
    drawLost();
  };
  store.viewChanged.on(drawViews);
  store.loaded.on(drawFiles);
  store.known.on(drawFiles);
  live.state.on(drawLost);
  languageChanged.on(render);
  render();
  return element;
}

export interface Frame {
  element: HTMLElement;
  stage: MapStage;
  signs: SignsBoard;
}

export function frame(city: City, account: Account, store: Store, live: Live): Frame {
  const stage = new MapStage(city, store);
  const signs = new SignsBoard(store, live);
  const parts = {
    wheel: wheel(store),
    units: unitList(store),
    composer: composer(store),
    indicators: indicatorTable(store),
    comparison: compareTable(store),
    map: stage.element,
    problems: problemTable(store),
    signs: signs.element,
    chosen: chosenPanel(store, (feature) => stage.view?.goToFeature(feature)),
  };
  const inView: Record<View, readonly (keyof typeof parts)[]> = {
    board: ["wheel", "indicators", "chosen"],
    map: ["units", "map", "chosen"],
    compare: ["comparison", "map"],
    problems: ["problems"],
    signs: ["signs"],
    compose: ["composer", "map", "chosen"],
  };
  const element = h("div", { class: "checkup-app" }, header(city, account, store, live), filterBar(store), h("main", { class: "checkup-main" }, ...Object.values(parts)));
  const sync = () => {
    const { view } = store;
    element.dataset["view"] = view;
    document.body.classList.toggle("night", view === "signs");
    for (const [name, part] of Object.entries(parts)) part.hidden = !inView[view].includes(name as keyof typeof parts);
    parts.chosen.hidden ||= view === "board" && store.indicator === null;
    if (inView[view].includes("map")) void stage.open();
  };
  store.viewChanged.on(sync);
  store.chosenChanged.on(sync);
  store.loaded.on(sync);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (store.view === "signs") store.view = "board";
    else if (store.unit) store.chooseUnit(null);
    else if (store.view === "board") store.choose(null);
  });
  sync();
  return { element, stage, signs };
}
