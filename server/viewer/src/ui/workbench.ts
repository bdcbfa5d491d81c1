/** The one panel at the left: layers, analyses and imports. */
import type { App } from "../app";
import { h, icon, iconButton, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { isActive } from "../imports";
import { may } from "../rights";
import { openImportDialog } from "./importDialog";
import { importsPanel } from "./importsPanel";
import { analysisPanel } from "./analysisPanel";
import { comparisonPanel } from "./comparisonPanel";
import { layersPanel } from "./layersPanel";
import { versionsPanel } from "./versionsPanel";

const TABS = ["layers", "analysis", "imports"] as const;
type Tab = (typeof TABS)[number];

export interface Workbench {
  element: HTMLElement;
  open: (tab?: Tab) => void;
  toggle: () => void;
}

/** Below this width the panel would cover the model, so it starts closed. */
const ROOM = 900;

export function workbench(app: App): Workbench {
  let tab: Tab = "layers";
  let isOpen = window.innerWidth >= ROOM;
  const layers = h("div", { class: "workbench-stack" });
  const views = { list: layersPanel(app), versions: versionsPanel(app), comparison: comparisonPanel(app) };
  replace(layers, ...Object.values(views));
  let shownView: keyof typeof views = "list";
  const panels = { layers, analysis: analysisPanel(app), imports: importsPanel(app) };
  for (const [name, panel] of Object.entries(panels)) {
    panel.id = `panel-${name}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${name}`);
  }
  const head = h("div", { class: "workbench-head" });
  const foot = h("div", { class: "workbench-foot" });
  const element = h("aside", { class: "panel workbench" }, head, panels.layers, panels.analysis, panels.imports, foot);

  /** Who may import nothing still sees jobs that are told to them. */
  const offersImports = () => may("manage") || app.imports.entries.length > 0;

  const tabButton = (name: Tab, label: string, badge: number) =>
    h(
      "button",
      {
        type: "button",
        id: `tab-${name}`,
        role: "tab",
        "aria-selected": String(tab === name),
        "aria-controls": `panel-${name}`,
        tabindex: tab === name ? 0 : -1,
        on: {
          click: () => {
            if (name === "layers" && tab === "layers") app.versions.close();
            open(name);
          },
          keydown: (event: KeyboardEvent) => {
            if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
            const tabs = TABS.filter((one) => one !== "imports" || offersImports());
            const step = event.key === "ArrowRight" ? 1 : tabs.length - 1;
            open(tabs[(tabs.indexOf(name) + step) % tabs.length]);
            head.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
          },
        },
      },
      label,
      badge > 0 && h("span", { class: "badge" }, String(badge)),
    );

  const render = () => {
    element.hidden = !isOpen;
    document.body.classList.toggle("workbench-open", isOpen);
    element.setAttribute("aria-label", t("bench.label"));
    const active = app.imports.entries.filter(isActive).length;
    replace(
      head,
      h(
        "div",
        { role: "tablist", "aria-label": t("bench.label") },
        tabButton("layers", t("bench.layers"), 0),
        tabButton("analysis", t("bench.analysis"), 0),
        offersImports() && tabButton("imports", t("bench.imports"), active),
      ),
      iconButton("close", t("bench.close"), () => toggle()),
    );
    replace(
      foot,
      h(
        "button",
        { type: "button", class: "button primary", on: { click: () => openImportDialog(app) } },
        icon("upload"),
        t("import.button"),
      ),
      h("span", { class: "muted" }, t("import.hint")),
    );
    for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== tab;
    const view = app.comparison.current ? "comparison" : app.versions.layer === null ? "list" : "versions";
    for (const [name, panel] of Object.entries(views)) panel.hidden = name !== view;
    if (view !== shownView) {
      shownView = view;
      views[view].querySelector("button")?.focus(); // what had the focus is hidden now
    }
    foot.hidden = !may("manage") || tab === "analysis" || (tab === "layers" && view !== "list");
    element.classList.toggle("wide", tab === "layers" && view === "comparison");
  };

  const open = (next: Tab = tab) => {
    tab = next;
    if (tab === "analysis") void app.analysis.list();
    isOpen = true;
    render();
  };
  const toggle = () => {
    isOpen = !isOpen;
    render();
  };

  let badge = 0;
  let offered = offersImports();
  app.imports.changed.on(() => {
    const active = app.imports.entries.filter(isActive).length;
    if (active === badge && offered === offersImports()) return;
    badge = active;
    offered = offersImports();
    render();
  });
  app.comparison.opened.on(() => open("layers"));
  let asking = false;
  app.toolbox.changed.on(() => {
    const before = asking;
    asking = app.toolbox.tool("here").on;
    if (asking && !before) open("analysis");
  });
  app.versions.changed.on(render);
  languageChanged.on(render);
  render();
  return { element, open, toggle };
}
