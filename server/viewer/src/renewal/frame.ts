/** The frame of the supervision view: header, sums, filters, towns, map or table, chosen project, timeline. */
import type { Account } from "../account";
import type { City } from "../data/types";
import { h, icon, iconButton, replace } from "../dom";
import { language, languageChanged, localized, t } from "../i18n";
import type { Live } from "../live";
import { brand } from "../page/opening";
import { accountMenu } from "../ui/accountMenu";
import { languageToggle } from "../ui/languageToggle";
import { attentionPanel } from "./attention";
import { chosenPanel } from "./chosen";
import { deskMenu } from "./dialogs/menu";
import { filterBar } from "./filterBar";
import { MapStage } from "./mapStage";
import { fillSheet } from "./printSheet";
import { projectTable } from "./projectTable";
import { Player } from "./replay";
import { MODES, type Store } from "./store";
import { timeline } from "./timeline";
import { totalsStrip } from "./totals";
import { townList } from "./townList";
import { Rotation, wallControls } from "./wall";

const MODE_ICONS = { map: "map", wall: "isolate", table: "table" } as const;

function header(city: City, account: Account, store: Store, live: Live): HTMLElement {
  const element = h("header", { class: "topbar" });
  const menu = accountMenu(account, null);
  const desk = deskMenu(store);
  const lost = h("span", { class: "tag warning", role: "status" });
  const when = h("span", { class: "wall-when" });
  const modes = h("div", { class: "segmented", role: "group" });
  const drawModes = () => {
    modes.setAttribute("aria-label", t("renewal.mode"));
    replace(
      modes,
      ...MODES.map((mode) =>
        h(
          "button",
          { type: "button", "data-mode": mode, "aria-pressed": String(store.mode === mode), on: { click: () => (store.mode = mode) } },
          icon(MODE_ICONS[mode]),
          h("span", {}, t(`renewal.mode.${mode}`)),
        ),
      ),
    );
  };
  const drawWhen = () => {
    const town = store.overview.towns.find(({ id }) => id === store.filters.town);
    const place = town ? localized(town.title) : t("renewal.wholeDistrict");
    replace(when, h("b", {}, place), h("span", {}, t("renewal.time.asOf", { day: store.at })));
    replace(lost, icon("warning"), t("district.lost"));
    lost.hidden = live.status !== "lost";
  };
  const render = () => {
    replace(
      element,
      brand(city, t("renewal.title")),
      when,
      lost,
      h(
        "div",
        { class: "topbar-actions" },
        desk,
        modes,
        iconButton("source", t("renewal.print"), () => window.print(), { class: "print-button" }),
        h("a", { class: "button small plain", href: `/#lang=${language()}` }, icon("building"), t("district.viewer")),
        languageToggle(),
        menu,
      ),
    );
    drawModes();
    drawWhen();
  };
  store.modeChanged.on(drawModes);
  store.asked.on(drawWhen);
  store.loaded.on(drawWhen);
  live.state.on(drawWhen);
  languageChanged.on(render);
  render();
  return element;
}

export interface Frame {
  element: HTMLElement;
  stage: MapStage;
  player: Player;
  rotation: Rotation;
}

export function frame(city: City, account: Account, store: Store, live: Live): Frame {
  const player = new Player(store);
  const rotation = new Rotation(store);
  const stage = new MapStage(city, store, player);
  const fly = (town: string | null) => (town === null ? stage.view?.home() : stage.view?.goToTown(town));
  rotation.arrived.on(fly);

  const attention = attentionPanel(store);
  const chosen = chosenPanel(store);
  const aside = h("aside", { class: "chosen" }, attention, chosen);
  const sheet = h("div", { class: "print-sheet", "aria-hidden": "true" });
  const table = projectTable(store);
  const towns = townList(store, player, fly);
  const element = h(
    "div",
    { class: "renewal-app" },
    header(city, account, store, live),
    totalsStrip(store),
    filterBar(store),
    h("main", { class: "renewal-main" }, towns, stage.element, table, aside),
    timeline(store, player),
    wallControls(store, rotation),
    sheet,
  );
  const sync = () => {
    const { mode } = store;
    element.dataset.mode = mode;
    stage.element.hidden = mode === "table";
    towns.hidden = mode === "table";
    // The table has room for the chosen project, the big screen for both.
    attention.hidden = store.chosen !== null && !(mode === "wall" && matchMedia("(min-aspect-ratio: 5/2)").matches);
    chosen.hidden = store.chosen === null;
    aside.hidden = mode === "table" && store.chosen === null;
    element.classList.toggle("with-chosen", store.chosen !== null);
  };
  store.modeChanged.on(sync);
  store.chosenChanged.on(sync);
  // Sums and the chosen project are those of the day before, until the replay stops.
  player.stepped.on(() => element.classList.toggle("replaying", player.step !== null));
  sync();
  window.addEventListener("beforeprint", () => fillSheet(sheet, store, city.name, stage.view?.snapshot() ?? null));
  return { element, stage, player, rotation };
}
