/** The map of the chosen indicator, with its legend: classes, target, and what values are divided by. */
import type { City } from "../data/types";
import { MapStage as Stage } from "../districtMap/mapStage";
import { h, replace } from "../dom";
import { localized, t } from "../i18n";
import { COURSE_COLOURS, type Course } from "./classes";
import type { MapView } from "./map/mapView";
import { Painting } from "./map/painting";
import type { Store } from "./store";
import { amountText, byName, targetText, unitOf, valueText } from "./words";

const COURSES: readonly Course[] = ["better", "same", "worse", "up", "down", "unknown"];

export class MapStage extends Stage<MapView> {
  protected readonly instead = { label: () => t("checkup.view.board"), run: () => void (this.store.view = "board") };
  readonly painting: Painting;

  constructor(
    private readonly city: City,
    private readonly store: Store,
  ) {
    super();
    this.painting = new Painting(store);
    const draw = () => this.draw();
    store.unitsLoaded.on(draw);
    store.evidenceLoaded.on(draw);
    store.chosenChanged.on(draw);
    draw();
  }

  protected async view3d(canvas: HTMLElement): Promise<MapView> {
    const { MapView } = await import("./map/mapView");
    return new MapView(canvas, this.city, this.store, this.painting);
  }

  protected async ready(): Promise<void> {
    // What is asked for first stands when the page does.
  }

  protected homeLabel(): string {
    return t("checkup.map.home");
  }

  protected drawLegend(): void {
    const { store, painting, legend } = this;
    const { indicator, evidence } = store;
    legend.setAttribute("aria-label", t("checkup.legend"));
    if (!indicator || !store.map) return replace(legend);
    const row = (colour: string, text: string, count: number, extra = "") =>
      h("li", {}, h("i", { class: `swatch ${extra}`, style: `--swatch:${colour}` }), h("span", {}, text), h("b", { title: t("checkup.legend.units", { n: count }) }, `×${count}`));
    const rows = painting.comparing
      ? COURSES.flatMap((course) => (painting.courses.get(course) ? [row(COURSE_COLOURS[course], t(`checkup.course.${course}`), painting.courses.get(course)!, course === "unknown" ? "hatched" : "")] : []))
      : [
          ...painting.classes.map(({ from, to, colour, count, met }) => {
            const [least, most] = [valueText(indicator, from), valueText(indicator, to)];
            const range = least === most ? least : `${least} – ${most}`;
            return row(colour, met === null ? range : `${met ? "✓" : "✕"} ${range}`, count);
          }),
          ...(painting.without > 0 ? [row("#8a94a0", t("checkup.legend.without"), painting.without, "hatched")] : []),
        ];
    const { numerator, denominator } = indicator.value;
    replace(
      legend,
      h("h3", {}, `${localized(indicator.name)} (${[unitOf(indicator), byName(store, store.by)].filter(Boolean).join(", ")})`),
      h("ul", { class: "legend-classes" }, ...rows),
      h(
        "p",
        { class: "legend-note" },
        indicator.target && !painting.comparing ? h("span", {}, t("checkup.legend.target", { target: targetText(indicator) })) : null,
        painting.inPart > 0 ? h("span", { class: "legend-in-part" }, h("i", { class: "swatch hatched", style: "--swatch:#6b7887" }), t("checkup.legend.inPart", { n: painting.inPart })) : null,
        denominator !== null && denominator !== 1
          ? h("span", {}, t("checkup.legend.denominator", { numerator: amountText(numerator), denominator: amountText(denominator) }))
          : null,
        evidence?.unserved ? h("span", { class: "legend-unserved" }, h("i", { class: "swatch hatched", style: "--swatch:#c2185b" }), t("checkup.map.unserved")) : null,
      ),
    );
  }
}
