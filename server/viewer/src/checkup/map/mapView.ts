/** The map of an indicator: units by class, what is not served, and the features that speak against a value. */
import { Cartesian3, Cartographic } from "cesium";
import type { City } from "../../data/types";
import { ColouredBuildings } from "../../districtMap/colouredBuildings";
import { DistrictMap, type Hit } from "../../districtMap/districtMap";
import { type Mark, Marks } from "../../districtMap/marks";
import { boxOf, type Geometry, middleOf } from "../../districtMap/outlines";
import { type Look, Polygons } from "../../districtMap/polygons";
import { SEPARATOR, t } from "../../i18n";
import type { Store } from "../store";
import type { EvidenceFeature } from "../types";
import { standingName, standingOf, standingSign, unitName, withUnit } from "../words";
import { type Painting, UNKNOWN } from "./painting";

const SIGN_HEIGHT = 4;
/** Of what speaks against a value: unlike any class. */
export const EVIDENCE_COLOUR = "#c2185b";
const UNSERVED = "unserved";
/** Units that are named on the map; more would only cover it. */
const MOST_NAMED = 400;
/** Features of the evidence that get a sign of their own. */
const MOST_SIGNED = 80;
/** Degrees; what is smaller, or a point, is shown with this much around it. */
const LEAST = 0.0008;

export class MapView extends DistrictMap {
  readonly marks: Marks;
  readonly buildings: ColouredBuildings;
  /** What is not served, over the units. */
  private readonly over: Polygons;
  private shown = "";
  private lain = "";

  /** @throws NoWebGL when the browser cannot draw in 3D. */
  constructor(
    canvas: HTMLElement,
    city: City,
    private readonly store: Store,
    private readonly painting: Painting,
  ) {
    super(canvas, city, t("checkup.map"));
    const { widget, motion } = this.scene;
    this.buildings = new ColouredBuildings(this.layers);
    this.over = new Polygons(widget.scene, (position) => this.heightAt(position), () => EVIDENCE_COLOUR);
    this.marks = new Marks(widget, motion, (id) => this.store.chooseUnit(id));
    this.element.prepend(this.marks.element);
    store.unitsLoaded.on(() => {
      this.show();
      if (store.map && this.painting.place !== this.framed) this.home();
    });
    store.chosenChanged.on(() => this.show());
    store.evidenceLoaded.on(() => {
      this.show();
      this.goToUnit();
    });
  }
  private framed = "";

  override async start(): Promise<void> {
    await super.start();
    this.home(0);
    this.goToUnit(0);
  }

  home(seconds?: number): void {
    this.framed = this.painting.place;
    this.flyTo(boxOf(this.boundaries()), seconds);
  }

  /** A feature of the evidence, close by. */
  goToFeature({ bbox }: EvidenceFeature): void {
    if (!bbox) return;
    const [west, south, east, north] = bbox.length === 6 ? [bbox[0]!, bbox[1]!, bbox[3]!, bbox[4]!] : (bbox as [number, number, number, number]);
    this.flyTo([west - LEAST, south - LEAST, east + LEAST, north + LEAST]);
  }

  /** Where an indicator's colour is, for tests. */
  colourOf(unit: string): string | null {
    return this.polygons.colourOf(unit);
  }

  private goToUnit(seconds?: number): void {
    const unit = this.store.unit && this.boundaryOf(this.store.unit.id);
    if (unit) this.flyTo(boxOf([unit]), seconds);
  }

  private boundaryOf(id: string): Geometry | null {
    return this.store.map?.features.find(({ properties }) => properties.id === id)?.geometry ?? null;
  }

  protected boundaries() {
    return (this.store.map?.features ?? []).map(({ geometry }) => geometry);
  }

  protected show(anew = false): void {
    const { store, painting } = this;
    const units = (store.map?.features ?? []).flatMap(({ geometry, properties }) =>
      geometry && painting.hasPlace(geometry) ? [{ id: properties.id, boundary: geometry, hatched: painting.hatched(properties.id) }] : [],
    );
    if (anew) this.shown = this.lain = "";
    const key = JSON.stringify([painting.key, units.length, units.map(({ hatched }) => Number(hatched)).join("")]);
    if (key !== this.shown) {
      this.shown = key;
      this.polygons.show(units);
    }
    const chosen = store.unit?.id ?? null;
    const looks = new Map<string, Look>();
    for (const { id } of units) {
      const colour = painting.colourOf(id) ?? UNKNOWN;
      const aside = chosen !== null && id !== chosen;
      looks.set(id, { colour, fill: aside ? 0.34 : chosen === id ? 0.3 : 0.72, line: aside ? 0.5 : 0.95 });
    }
    this.polygons.colour(looks);
    this.polygons.choose(chosen);
    this.lay();
    this.sign();
  }

  /** What is not served, hatched, and the buildings of the evidence. */
  private lay(): void {
    const { evidence } = this.store;
    const unserved = evidence?.unserved && this.painting.hasPlace(evidence.unserved) ? evidence.unserved : null;
    const key = unserved ? JSON.stringify(unserved) : "";
    if (key !== this.lain) {
      this.lain = key;
      this.over.show(unserved ? [{ id: UNSERVED, boundary: unserved, hatched: true }] : []);
      this.over.colour(new Map([[UNSERVED, { colour: EVIDENCE_COLOUR, fill: 0.55, line: 0.9 }]]));
    }
    const colours = new Map<string, Map<string, string>>();
    for (const { layer, id } of evidence?.features ?? []) {
      const own = colours.get(layer) ?? new Map<string, string>();
      colours.set(layer, own.set(id, EVIDENCE_COLOUR));
    }
    this.buildings.show(colours);
  }

  private sign(): void {
    const { store, painting } = this;
    const features = store.map?.features ?? [];
    const chosen = store.unit?.id ?? null;
    const named = features.length > MOST_NAMED || store.by === "cell" || store.by === "building" ? features.filter(({ properties }) => properties.id === chosen) : features;
    const units = named.flatMap(({ geometry, properties }): Mark[] => {
      const middle = middleOf(geometry);
      if (!middle || !store.indicator) return [];
      const standing = standingOf(properties);
      const tone = painting.toneOf(properties.id) ?? standing;
      return [{
        id: properties.id, name: unitName(properties), place: this.placeOf(middle), tone,
        word: [withUnit(store.indicator, properties.value), standingName(standing)].join(SEPARATOR),
        sign: painting.signOf(properties.id) ?? standingSign(standing),
        rank: standing === "failed" ? 0 : standing === "unavailable" ? 2 : 1,
        found: true,
      }];
    });
    this.marks.show([...units, ...this.evidenceMarks()], chosen, []);
    this.scene.widget.scene.requestRender();
  }

  /** What of the evidence no building in the twin stands for. */
  private evidenceMarks(): Mark[] {
    if (!this.store.unit) return [];
    const standing = (layer: string) => {
      const found = this.layers.get(layer);
      return found !== undefined && found.view.visible && this.layers.drawn(found).length > 0;
    };
    return (this.store.evidence?.features ?? [])
      .filter(({ layer, bbox }) => bbox !== null && !standing(layer))
      .slice(0, MOST_SIGNED)
      .map(({ layer, id, name, bbox }) => {
        const half = bbox!.length / 2;
        return {
          id: `${layer}/${id}`, name: name ?? "", tone: "evidence", word: t("checkup.evidence.feature"), sign: "!", rank: 3, found: true,
          place: this.placeOf([(bbox![0]! + bbox![half]!) / 2, (bbox![1]! + bbox![half + 1]!) / 2]),
        };
      });
  }

  private placeOf(point: readonly [number, number]): Cartesian3 {
    return Cartesian3.fromDegrees(...point, this.heightAt(Cartographic.fromDegrees(...point)) + SIGN_HEIGHT);
  }

  // ---- the mouse

  protected polygonAt(id: string): Hit | null {
    const { store } = this;
    if (id === UNSERVED) return { id: store.unit?.id ?? "", text: t("checkup.map.unserved") };
    const unit = store.map?.features.find(({ properties }) => properties.id === id)?.properties;
    if (!unit || !store.indicator) return null;
    return { id, text: [unitName(unit), this.painting.textOf(id) ?? withUnit(store.indicator, unit.value), standingName(standingOf(unit))].join(SEPARATOR) };
  }

  protected buildingAt(layer: string, feature: string): Hit | null {
    const found = this.store.evidence?.features.find((one) => one.layer === layer && one.id === feature);
    return found ? { id: this.store.unit?.id ?? "", text: [found.name ?? found.id, t("checkup.evidence.feature")].join(SEPARATOR) } : null;
  }

  protected clicked(hit: Hit | null): void {
    this.store.chooseUnit(hit?.id || null);
  }
}
