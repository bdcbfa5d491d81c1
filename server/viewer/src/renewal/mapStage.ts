/** The map of the projects, with its legend of lights and of the states of buildings. */
import type { City } from "../data/types";
import { MapStage as Stage } from "../districtMap/mapStage";
import { h, replace } from "../dom";
import { localized, t } from "../i18n";
import { lamp } from "./chosen/lamp";
import type { MapView } from "./map/mapView";
import type { Player } from "./replay";
import type { Store } from "./store";
import { LIGHTS } from "./types";

export class MapStage extends Stage<MapView> {
  protected readonly instead = { label: () => t("renewal.mode.table"), run: () => void (this.store.mode = "table") };

  constructor(
    private readonly city: City,
    private readonly store: Store,
    private readonly player: Player,
  ) {
    super();
    const draw = () => this.draw();
    store.loaded.on(draw);
    store.buildingsLoaded.on(draw);
    player.stepped.on(draw);
    store.modeChanged.on(() => {
      if (store.mode !== "table") void this.open();
      this.dress();
    });
    draw();
  }

  protected async view3d(canvas: HTMLElement): Promise<MapView> {
    const { MapView } = await import("./map/mapView");
    return new MapView(canvas, this.city, this.store, this.player);
  }

  protected async ready(): Promise<void> {
    if (!this.store.totals) await new Promise<void>((resolve) => this.store.loaded.on(resolve));
  }

  protected override dress(): void {
    if (this.view) this.view.night = this.store.mode === "wall";
  }

  protected homeLabel(): string {
    return t("renewal.map.home");
  }

  protected drawLegend(view: MapView | null): void {
    const { store, player } = this;
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
  }
}
