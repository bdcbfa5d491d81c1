/** The map: the city's ground and buildings, the projects on it by light, the buildings by state. */
import { Cartesian3, Cartographic } from "cesium";
import type { City } from "../../data/types";
import { DistrictMap, type Hit } from "../../districtMap/districtMap";
import { Marks } from "../../districtMap/marks";
import { boxOf, middleOf, topOf } from "../../districtMap/outlines";
import type { Look } from "../../districtMap/polygons";
import { append, h } from "../../dom";
import { localized, SEPARATOR, t } from "../../i18n";
import type { Player } from "../replay";
import type { Store } from "../store";
import { type Light, LIGHTS } from "../types";
import { LIGHT_COLOURS, lightName, lightSign } from "../words";
import { Buildings } from "./buildings";

const SIGN_HEIGHT = 4;
const BORDERS = { day: "#8b99a8", night: "#4d637b" };
const NO_LIGHT = "#8a94a0";

export class MapView extends DistrictMap {
  readonly buildings: Buildings;
  readonly marks: Marks;
  private bordered = "";
  private shown = "";

  /** @throws NoWebGL when the browser cannot draw in 3D. */
  constructor(
    canvas: HTMLElement,
    city: City,
    private readonly store: Store,
    private readonly player: Player,
  ) {
    super(canvas, city, t("renewal.map"));
    const { widget, motion } = this.scene;
    this.buildings = new Buildings(this.layers, store);
    this.marks = new Marks(widget, motion, (id) => store.choose(id));
    this.element.prepend(this.marks.element);
    store.loaded.on(() => this.show());
    store.chosenChanged.on(() => {
      this.polygons.choose(store.chosen);
      this.sign();
      this.goToChosen();
    });
    player.stepped.on(() => this.paint());
  }

  /** Loads the city and shows the projects. */
  override async start(): Promise<void> {
    await super.start();
    this.home(0);
    this.goToChosen(0);
  }

  override set night(night: boolean) {
    this.buildings.night = night;
    super.night = night;
  }

  home(seconds?: number): void {
    const found = this.store.found.length > 0 ? this.store.found : [...this.store.projects.values()];
    this.flyTo(boxOf(found.map(({ boundary }) => boundary)), seconds);
  }

  /** Flies to a town: its projects, or its boundary where it has none. */
  goToTown(id: string): void {
    const projects = [...this.store.projects.values()].filter(({ town }) => town === id);
    const town = this.store.towns.find((one) => one.id === id);
    this.flyTo(boxOf(projects.map(({ boundary }) => boundary)) ?? boxOf([town?.boundary ?? null]));
  }

  private goToChosen(seconds?: number): void {
    this.flyTo(boxOf([this.store.projects.get(this.store.chosen ?? "")?.boundary ?? null]), seconds);
  }

  /** The light of a project at the step that is replayed, else of the day. */
  lightOf(id: string): Light | null {
    return this.player.step ? this.player.lightOf(id) : (this.store.projects.get(id)?.light ?? null);
  }

  // ---- what is drawn

  protected boundaries() {
    return [...this.store.projects.values()].map(({ boundary }) => boundary);
  }

  protected show(anew = false): void {
    if (anew) this.shown = this.bordered = "";
    const drawn = [...this.store.projects.values()].flatMap(({ id, boundary }) => (boundary ? [{ id, boundary }] : []));
    const key = JSON.stringify(drawn);
    if (key !== this.shown) {
      this.shown = key;
      this.polygons.show(drawn);
    }
    const borders = this.store.towns.flatMap(({ id, boundary }) => (boundary ? [{ id, boundary }] : []));
    const borderKey = JSON.stringify([borders, this.dark]);
    if (borderKey !== this.bordered) {
      this.bordered = borderKey;
      this.polygons.showBorders(borders, this.dark ? BORDERS.night : BORDERS.day);
    }
    this.polygons.choose(this.store.chosen);
    this.paint();
  }

  private paint(): void {
    const found = new Set(this.store.found.map(({ id }) => id));
    const looks = new Map<string, Look>();
    for (const id of this.store.projects.keys()) {
      const light = this.lightOf(id);
      const colour = light ? LIGHT_COLOURS[light] : NO_LIGHT;
      looks.set(id, found.has(id) ? { colour, fill: light ? 0.42 : 0.18, line: 0.95 } : { colour: NO_LIGHT, fill: 0.1, line: 0.35 });
    }
    this.polygons.colour(looks);
    this.sign();
  }

  private sign(): void {
    const found = new Set(this.store.found.map(({ id }) => id));
    const marks = [...this.store.projects.values()].flatMap(({ id, name, boundary }) => {
      const middle = middleOf(boundary);
      if (!middle) return [];
      const light = this.lightOf(id);
      return [{
        id,
        name,
        place: Cartesian3.fromDegrees(...middle, this.heightAt(Cartographic.fromDegrees(...middle)) + SIGN_HEIGHT),
        tone: light,
        word: light ? lightName(light) : "",
        sign: light ? lightSign(light) : "·",
        rank: light ? LIGHTS.indexOf(light) : 5,
        found: found.has(id),
      }];
    });
    const towns = this.store.towns.flatMap(({ title, boundary }) => {
      const top = topOf(boundary);
      return top ? [{ name: localized(title), place: Cartesian3.fromDegrees(...top, this.heightAt(Cartographic.fromDegrees(...top))) }] : [];
    });
    this.marks.show(marks, this.store.chosen, towns);
    this.scene.widget.scene.requestRender();
  }

  // ---- the mouse

  protected buildingAt(layer: string, feature: string): Hit | null {
    const building = this.buildings.of(layer, feature);
    if (!building) return null;
    const state = localized(this.store.overview.words.building_states[building.state]);
    const project = this.store.projects.get(building.project)?.name ?? building.project;
    return { id: building.project, text: [state, project].join(SEPARATOR) };
  }

  protected polygonAt(id: string): Hit | null {
    const project = this.store.projects.get(id);
    return project ? { id, text: project.name } : null;
  }

  protected clicked(hit: Hit | null): void {
    this.store.choose(hit?.id ?? null);
  }

  /** The map as a picture with its signs, for paper. */
  snapshot(): HTMLCanvasElement {
    const { scene, canvas } = this.scene.widget;
    scene.requestRender(); // without a request, render() does nothing and the buffer is empty
    scene.render();
    const picture = h("canvas", { width: canvas.width, height: canvas.height });
    const context = picture.getContext("2d")!;
    context.drawImage(canvas, 0, 0);
    const scale = canvas.width / Math.max(1, canvas.clientWidth);
    context.scale(scale, scale);
    context.font = "600 12px 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif";
    context.textAlign = "center";
    context.fillStyle = "#556373";
    for (const { name, x, y } of this.marks.townNames) context.fillText(name, x, y - 5);
    for (const { x, y, id, sign, name, element } of [...this.marks.placed].reverse()) {
      const light = this.lightOf(id);
      context.fillStyle = light ? LIGHT_COLOURS[light] : NO_LIGHT;
      context.strokeStyle = "#fff";
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, 8.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.font = "600 11px 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif";
      context.textBaseline = "middle";
      context.textAlign = "center";
      context.fillStyle = "#fff";
      context.fillText(sign, x, y + 0.5);
      if (!element.classList.contains("named")) continue;
      const leftwards = element.classList.contains("leftwards");
      context.textAlign = leftwards ? "right" : "left";
      const edge = x + (leftwards ? -12 : 12);
      context.strokeStyle = "rgb(255 255 255 / 90%)";
      context.lineWidth = 3;
      context.strokeText(name, edge, y);
      context.fillStyle = "#1c2733";
      context.fillText(name, edge, y);
    }
    append(picture, t("renewal.map"));
    return picture;
  }
}
