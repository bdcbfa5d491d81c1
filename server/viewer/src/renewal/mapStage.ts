/** The map's place on the page: its canvas, legend and buttons, or why there is none. */
import type { City } from "../data/types";
import { append, h, icon, iconButton, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { lamp } from "./chosen/lamp";
import type { MapView } from "./map/mapView";
import type { Player } from "./replay";
import type { Store } from "./store";
import { LIGHTS } from "./types";

export class MapStage {
  readonly canvas = h("div", { class: "canvas" });
  private readonly legend = h("section", { class: "map-legend" });
  private readonly buttons = h("div", { class: "map-buttons" });
  private readonly none = h("div", { class: "map-none", hidden: true });
  readonly element = h("section", { class: "map-stage" }, this.canvas, this.buttons, this.legend, this.none);
  view: MapView | null = null;
  private opening: Promise<void> | null = null;
  private failed = false;

  constructor(
    private readonly city: City,
    private readonly store: Store,
    private readonly player: Player,
  ) {
    const draw = () => this.draw();
    store.loaded.on(draw);
    store.buildingsLoaded.on(draw);
    player.stepped.on(draw);
    languageChanged.on(draw);
    store.modeChanged.on(() => {
      if (store.mode !== "table") void this.open();
      this.night();
    });
    draw();
  }

  /** Makes the map when it is first wanted; a table needs no engine. */
  open(): Promise<void> {
    this.opening ??= this.make();
    return this.opening;
  }

  private async make(): Promise<void> {
    const [{ MapView }, { NoWebGL }] = await Promise.all([import("./map/mapView"), import("../scene/scene")]);
    try {
      this.view = new MapView(this.canvas, this.city, this.store, this.player);
    } catch (error) {
      if (!(error instanceof NoWebGL)) throw error;
      this.failed = true;
      return this.draw();
    }
    append(this.element, this.view.element);
    this.night();
    if (!this.store.totals) await new Promise<void>((resolve) => this.store.loaded.on(resolve));
    await this.view.start();
    this.draw();
  }

  private night(): void {
    if (this.view) this.view.night = this.store.mode === "wall";
  }

  private draw(): void {
    const { view, store, player } = this;
    const { building_states: states } = store.overview.words;
    const counts = view?.buildings.counts() ?? new Map<string, number>();
    const lights = (light: (typeof LIGHTS)[number]) =>
      player.step ? store.found.filter(({ id }) => player.lightOf(id) === light).length : (store.totals?.lights[light] ?? 0);
    this.legend.setAttribute("aria-label", t("renewal.legend"));
    replace(
      this.legend,
      h("h3", {}, t("renewal.legend.projects")),
      h("ul", {}, ...LIGHTS.map((light) => h("li", {}, lamp(light), h("b", {}, String(lights(light)))))),
      counts.size > 0 && h("h3", {}, t("renewal.legend.buildings")),
      counts.size > 0 &&
        h(
          "ul",
          { class: "legend-states" },
          ...Object.entries(states).map(([id, state]) =>
            h("li", {}, h("i", { class: "swatch", style: `background:${/^#[0-9a-f]{6}$/i.test(state.color) ? state.color : "#8a94a0"}` }), h("span", {}, localized(state)), h("b", {}, String(counts.get(id) ?? 0))),
          ),
        ),
    );
    this.legend.hidden = this.failed;
    this.none.hidden = !this.failed;
    if (this.failed) {
      replace(
        this.none,
        icon("map"),
        h("p", {}, t("renewal.map.none")),
        h("button", { type: "button", class: "button primary", on: { click: () => (store.mode = "table") } }, icon("table"), t("renewal.mode.table")),
      );
    }
    replace(this.buttons, ...(view ? this.buttonsOf(view) : []));
  }

  private buttonsOf(view: MapView): HTMLElement[] {
    const { flight } = view;
    const picture = iconButton("terrain", t("renewal.map.picture"), () => {
      view.picture = !view.picture;
      this.draw();
    });
    picture.setAttribute("aria-pressed", String(view.picture ?? false));
    return [
      iconButton("home", t("renewal.map.home"), () => view.home()),
      iconButton(flight.above ? "box" : "map", t(flight.above ? "renewal.map.oblique" : "renewal.map.above"), () => {
        flight.turn();
        this.draw();
      }),
      ...(view.picture === null ? [] : [picture]),
    ];
  }
}
