/** The chosen project: its head, and below it one page of several: how it stands, stages, land, orders, evidence, history. */
import { type Child, h, icon, type IconName, replace } from "../dom";
import { formatNumber, languageChanged, t } from "../i18n";
import { evidencePage } from "./chosen/evidencePage";
import { projectHead } from "./chosen/head";
import { historyPage } from "./chosen/historyPage";
import { householdsPage } from "./chosen/households";
import { landPage } from "./chosen/land";
import { overviewPage } from "./chosen/overview";
import { stagesPage } from "./chosen/stages";
import { type Desk, deskOf, type PageName, PAGES } from "./orders/desk";
import { orderDetail } from "./orders/detail";
import { orderList, type Page } from "./orders/list";
import type { Store } from "./store";
import type { Project, ProjectDetail } from "./types";

/** Pages that ask for themselves: when the project is told anew they stay and ask again. */
const ASKING: readonly PageName[] = ["orders", "evidence", "history", "households"];
const FOCUSABLE = "button, a, input, select, summary, textarea";

export function chosenPanel(store: Store): HTMLElement {
  const desk = deskOf(store);
  const head = h("div", {});
  const tabs = h("div", { class: "chosen-tabs", role: "tablist" });
  const stage = h("div", { class: "chosen-scroll", role: "tabpanel", id: "chosen-page", tabindex: -1 });
  const element = h("div", { class: "chosen-body" }, head, tabs, stage);
  let shown = "";
  let page: Page | null = null;

  const allowed = (project: Project) => PAGES.filter((name) => name !== "households" || store.may("households", project.town));

  const drawTabs = (project: Project) => {
    const had = tabs.contains(document.activeElement);
    const names = allowed(project);
    const go = (event: KeyboardEvent) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const step = event.key === "ArrowRight" ? 1 : names.length - 1;
      desk.show(names[(names.indexOf(desk.page) + step) % names.length]!);
      tabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    };
    tabs.setAttribute("aria-label", project.name);
    replace(tabs, ...names.map((name) => tab(desk, name, project, go)));
    if (had) tabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
  };

  const fill = (project: ProjectDetail) => {
    const key = [project.id, desk.page, desk.order ?? ""].join("\n");
    if (key === shown && page && ASKING.includes(desk.page)) return void page.load();
    const [scrolled, focused] = [stage.scrollTop, placeOfFocus(stage)];
    const again = key === shown;
    shown = key;
    page = pageOf(desk, project);
    if (page) {
      const made = page;
      if (!again) replace(stage, made.element);
      // What is there stays until the same has come anew.
      void made.load().then(() => {
        if (page !== made || !again) return;
        replace(stage, made.element);
        restore(stage, scrolled, focused);
      });
    } else replace(stage, h("div", { class: "chosen-parts" }, ...(desk.page === "stages" ? stagesPage : overviewPage)(desk, project)));
    if (again) restore(stage, scrolled, focused);
    else stage.scrollTop = 0;
  };

  const draw = () => {
    const { detail, chosen } = store;
    const known = detail ?? (chosen === null ? undefined : store.projects.get(chosen));
    if (!known) {
      shown = "";
      page = null;
      replace(head);
      replace(tabs);
      return replace(stage, chosen !== null && h("p", { class: "empty-note", role: "status" }, t("chosen.loading")));
    }
    if (!allowed(known).includes(desk.page)) desk.page = "overview";
    replace(head, projectHead(store, known));
    drawTabs(known);
    if (detail) fill(detail);
    else {
      shown = "";
      replace(stage, h("p", { class: "empty-note", role: "status" }, t("chosen.loading")));
    }
  };
  store.chosenChanged.on(draw);
  store.detailLoaded.on(draw);
  desk.changed.on(draw);
  languageChanged.on(() => {
    shown = "";
    draw();
  });
  draw();
  return element;
}

function pageOf(desk: Desk, project: ProjectDetail): Page | null {
  switch (desk.page) {
    case "land":
      return landPage(desk, project);
    case "orders":
      return desk.order === null ? orderList(desk, project) : orderDetail(desk, desk.order);
    case "evidence":
      return evidencePage(desk, project);
    case "history":
      return historyPage(desk, project);
    case "households":
      return householdsPage(desk, project);
    default:
      return null;
  }
}

/** The one page that only few have stands as a sign, so that all fit beside each other. */
const SIGNS: Partial<Record<PageName, IconName>> = { households: "lock" };

function tab(desk: Desk, name: PageName, project: Project, go: (event: KeyboardEvent) => void): HTMLElement {
  const { open, overdue } = project.orders;
  const title = t(`page.${name}`);
  const badge: Child =
    name === "orders" && open > 0 && h("span", { class: overdue > 0 ? "tab-badge over" : "tab-badge", title: t("page.openOrders", { n: open, overdue }) }, formatNumber(open));
  const sign = SIGNS[name];
  return h(
    "button",
    {
      type: "button",
      role: "tab",
      "data-page": name,
      "aria-selected": String(desk.page === name),
      "aria-controls": "chosen-page",
      "aria-label": sign ? title : null,
      title: sign ? title : null,
      tabindex: desk.page === name ? 0 : -1,
      on: { click: () => desk.show(name), keydown: go },
    },
    sign ? icon(sign) : title,
    badge,
  );
}

/** Which of the things that take the keyboard has it. */
function placeOfFocus(within: HTMLElement): number {
  return [...within.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement ?? within);
}

function restore(within: HTMLElement, scrolled: number, focused: number): void {
  within.scrollTop = scrolled;
  if (focused >= 0) within.querySelectorAll<HTMLElement>(FOCUSABLE)[focused]?.focus({ preventScroll: true });
}
