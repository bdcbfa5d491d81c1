/** The map's place on a page: its canvas, legend and buttons, or why there is none. */
import { append, h, icon, iconButton, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import type { DistrictMap } from "./districtMap";

export abstract class MapStage<View extends DistrictMap> {
  readonly canvas = h("div", { class: "canvas" });
  protected readonly legend = h("section", { class: "map-legend" });
  private readonly buttons = h("div", { class: "map-buttons" });
  private readonly none = h("div", { class: "map-none", hidden: true });
  readonly element = h("section", { class: "map-stage" }, this.canvas, this.buttons, this.legend, this.none);
  view: View | null = null;
  private opening: Promise<void> | null = null;
  private failed = false;

  constructor() {
    languageChanged.on(() => this.draw());
  }

  /** Makes the map when it is first wanted; a table needs no engine. */
  open(): Promise<void> {
    this.opening ??= this.make();
    return this.opening;
  }

  /** Loads the engine and makes the view. */
  protected abstract view3d(canvas: HTMLElement): Promise<View>;
  /** Resolves when there is something to draw. */
  protected abstract ready(): Promise<void>;
  protected abstract drawLegend(view: View | null): void;
  /** What a browser that cannot draw shows instead, and what its button says. */
  protected abstract readonly instead: { label: () => string; run: () => void };
  /** What the button says that shows all. */
  protected abstract homeLabel(): string;
  protected dress(): void {}

  private async make(): Promise<void> {
    const { NoWebGL } = await import("../scene/scene");
    try {
      this.view = await this.view3d(this.canvas);
    } catch (error) {
      if (!(error instanceof NoWebGL)) throw error;
      this.failed = true;
      return this.draw();
    }
    append(this.element, this.view.element);
    this.dress();
    await this.ready();
    await this.view.start();
    this.draw();
  }

  draw(): void {
    const { view } = this;
    this.drawLegend(view);
    this.legend.hidden = this.failed || this.legend.childElementCount === 0;
    this.none.hidden = !this.failed;
    if (this.failed) {
      replace(
        this.none,
        icon("map"),
        h("p", {}, t("district.none")),
        h("button", { type: "button", class: "button primary", on: { click: this.instead.run } }, icon("table"), this.instead.label()),
      );
    }
    replace(this.buttons, ...(view ? this.buttonsOf(view) : []));
  }

  private buttonsOf(view: View): HTMLElement[] {
    const { flight } = view;
    const picture = iconButton("terrain", t("district.picture"), () => {
      view.picture = !view.picture;
      this.draw();
    });
    picture.setAttribute("aria-pressed", String(view.picture ?? false));
    return [
      iconButton("home", this.homeLabel(), () => view.home()),
      iconButton(flight.above ? "box" : "map", t(flight.above ? "district.oblique" : "district.above"), () => {
        flight.turn();
        this.draw();
      }),
      ...(view.picture === null ? [] : [picture]),
    ];
  }
}
