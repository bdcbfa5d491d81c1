/** The map: the city's ground and buildings, the projects on it by light, the buildings by state. */
import { Cartesian2, Cartesian3, Cartographic, Cesium3DTileFeature, ScreenSpaceEventHandler, ScreenSpaceEventType } from "cesium";
import { Base } from "../../base";
import { Capability } from "../../capability";
import type { City } from "../../data/types";
import { append, h, replace } from "../../dom";
import { localized, SEPARATOR, t } from "../../i18n";
import { isNetwork } from "../../kinds";
import { Layers } from "../../layers";
import { metadata } from "../../scene/features";
import { createScene } from "../../scene/scene";
import { debounce, Signal } from "../../signal";
import type { Player } from "../replay";
import type { Store } from "../store";
import type { Light } from "../types";
import { LIGHT_COLOURS } from "../words";
import { Buildings } from "./buildings";
import { Flight } from "./flight";
import { GroundHeights } from "./groundHeights";
import { Marks } from "./marks";
import { boxOf, middleOf, topOf } from "./outlines";
import { type Look, Polygons } from "./polygons";

const NOWHERE = { lon: 113.3, lat: 23.1, height: 0 };
/** Milliseconds between looks at what is under the mouse. */
const HOVER = 120;
/** Milliseconds of quiet after which the ground is taken to be there. */
const GROUND_QUIET = 600;
const SIGN_HEIGHT = 4;
/** Metres by which the ground has to change before what lies on it is drawn anew. */
const SHOWS = 3;
/** Of the canvas; beyond it the picture is enlarged. */
const MOST_PIXELS = 3_000_000;
const BORDERS = { day: "#8b99a8", night: "#4d637b" };

export class MapView {
  /** What is drawn changed by itself: ground came, names moved. */
  readonly changed = new Signal();
  readonly element: HTMLElement;
  readonly scene: ReturnType<typeof createScene>;
  readonly layers: Layers;
  readonly base: Base;
  private readonly ground: GroundHeights;
  readonly buildings: Buildings;
  readonly marks: Marks;
  readonly polygons: Polygons;
  readonly flight: Flight;
  /** Whether the ground shows its picture from the air. */
  private withPicture = false;
  private dark = false;
  private settling = false;
  private moving = false;

  /** @throws NoWebGL when the browser cannot draw in 3D. */
  constructor(
    canvas: HTMLElement,
    city: City,
    private readonly store: Store,
    private readonly player: Player,
  ) {
    this.scene = createScene(canvas, city.anchor ?? NOWHERE);
    const { widget, surroundings, motion, quality } = this.scene;
    const capability = new Capability();
    this.layers = new Layers(widget.scene, [], capability, true);
    this.base = new Base(widget.scene, this.layers, surroundings);
    this.ground = new GroundHeights(widget.scene, this.layers);
    this.flight = new Flight(widget, (lon, lat) => this.heightAt(Cartographic.fromDegrees(lon, lat)));
    this.buildings = new Buildings(this.layers, store);
    this.polygons = new Polygons(widget.scene, (position) => this.heightAt(position), () => (this.dark ? "#ffffff" : "#12273d"));
    this.marks = new Marks(widget, motion, (id) => store.choose(id));
    const tip = h("div", { class: "map-tip", hidden: true, role: "status" });
    this.element = h("div", { class: "map-over" }, this.marks.element, tip);
    widget.canvas.setAttribute("aria-label", t("renewal.map"));

    motion.started.on(() => (this.moving = true));
    motion.rested.on(() => (this.moving = false));
    new ResizeObserver(() => this.limitPixels()).observe(canvas);
    this.layers.listed.on(() => this.chooseLayers());
    this.layers.tilesChanged.on(() => quality.disturb());
    store.loaded.on(() => this.show());
    store.chosenChanged.on(() => {
      this.polygons.choose(store.chosen);
      this.sign();
      this.goToChosen();
    });
    player.stepped.on(() => this.paint());
    // Where the ground comes or gets finer, what lies on it moves.
    const reground = debounce(GROUND_QUIET, () => this.reground());
    widget.scene.globe.tileLoadProgressEvent.addEventListener((left: number) => {
      quality.disturb();
      this.settling = true;
      if (left === 0) reground();
    });
    this.listen(tip);
  }

  /** Loads the city and shows the projects. */
  async start(): Promise<void> {
    await this.layers.refresh();
    this.layers.start();
    this.show();
    this.home(0);
    this.goToChosen(0);
  }

  /** Whether nothing is being loaded or moved. */
  get settled(): boolean {
    return this.layers.tilesLoaded() && this.base.loaded && !this.settling && !this.moving;
  }

  set night(night: boolean) {
    this.dark = night;
    this.scene.surroundings.look = night ? "night" : "map";
    this.buildings.night = night;
    this.show();
  }

  /** Whether there is a picture from the air, and whether it is shown. */
  get picture(): boolean | null {
    const there = [...this.layers.all.values()].some(({ collection }) => collection.kind === "imagery");
    return there ? this.withPicture : null;
  }

  set picture(shown: boolean) {
    this.withPicture = shown;
    this.chooseLayers();
  }

  home(seconds?: number): void {
    const found = this.store.found.length > 0 ? this.store.found : [...this.store.projects.values()];
    const box = boxOf(found.map(({ boundary }) => boundary));
    if (box) this.flight.to(box, seconds);
  }

  /** Flies to a town: its projects, or its boundary where it has none. */
  goToTown(id: string): void {
    const projects = [...this.store.projects.values()].filter(({ town }) => town === id);
    const town = this.store.towns.find((one) => one.id === id);
    const box = boxOf(projects.map(({ boundary }) => boundary)) ?? boxOf([town?.boundary ?? null]);
    if (box) this.flight.to(box);
  }

  private goToChosen(seconds?: number): void {
    const box = boxOf([this.store.projects.get(this.store.chosen ?? "")?.boundary ?? null]);
    if (box) this.flight.to(box, seconds);
  }

  /** The light of a project at the step that is replayed, else of the day. */
  lightOf(id: string): Light | null {
    return this.player.step ? this.player.lightOf(id) : (this.store.projects.get(id)?.light ?? null);
  }

  /** A wall has more pixels than its picture needs. */
  private limitPixels(): void {
    const { widget } = this.scene;
    const { clientWidth, clientHeight } = widget.canvas;
    const pixels = clientWidth * clientHeight * window.devicePixelRatio ** 2;
    widget.resolutionScale = Math.min(1, 2 / window.devicePixelRatio, Math.sqrt(MOST_PIXELS / Math.max(1, pixels)));
  }

  // ---- what is drawn

  /** Buildings and ground; what else the city has would only distract. */
  private chooseLayers(): void {
    for (const layer of this.layers.all.values()) {
      const { collection, view } = layer;
      const { kind } = collection;
      const drawn = collection.tileset !== null && !isNetwork(collection) && !["points", "terrain", "imagery", "vector"].includes(kind);
      const wanted = collection.lifecycle !== "planned" && (drawn || kind === "terrain" || (kind === "imagery" && this.withPicture));
      if (view.visible !== wanted) this.layers.update(layer, (its) => (its.visible = wanted));
    }
    const base = this.withPicture ? "imagery" : "plain";
    if (this.base.choice !== base) this.base.choice = base;
  }

  private show(): void {
    const drawn = [...this.store.projects.values()].flatMap(({ id, boundary }) => (boundary ? [{ id, boundary }] : []));
    const key = JSON.stringify(drawn);
    if (key !== this.shown) {
      this.shown = key;
      this.polygons.show(drawn);
    }
    const borders = this.store.towns.flatMap(({ id, boundary }) => (boundary ? [{ id, boundary }] : []));
    const borderKey = JSON.stringify([borders, this.dark, this.heights]);
    if (borderKey !== this.bordered) {
      this.bordered = borderKey;
      this.polygons.showBorders(borders, this.dark ? BORDERS.night : BORDERS.day);
    }
    this.polygons.choose(this.store.chosen);
    this.paint();
  }
  private bordered = "";
  private shown = "";

  private reground(): void {
    this.settling = false;
    this.ground.forget();
    const heights = [...this.store.projects.values()].map(({ boundary }) => this.groundKey(boundary)).join();
    if (heights === this.heights) return this.changed.emit();
    this.heights = heights;
    this.shown = "";
    this.show();
    this.changed.emit();
  }
  private heights = "";

  /** How high the ground is in the middle of a boundary, so finely that it shows. */
  private groundKey(boundary: Parameters<typeof middleOf>[0]): number {
    const middle = middleOf(boundary);
    return middle ? Math.round(this.heightAt(Cartographic.fromDegrees(...middle)) / SHOWS) : 0;
  }

  private paint(): void {
    const found = new Set(this.store.found.map(({ id }) => id));
    const looks = new Map<string, Look>();
    for (const id of this.store.projects.keys()) {
      const light = this.lightOf(id);
      const colour = light ? LIGHT_COLOURS[light] : "#8a94a0";
      looks.set(id, found.has(id) ? { colour, fill: light ? 0.42 : 0.18, line: 0.95 } : { colour: "#8a94a0", fill: 0.1, line: 0.35 });
    }
    this.polygons.colour(looks);
    this.sign();
  }

  private sign(): void {
    const found = new Set(this.store.found.map(({ id }) => id));
    const marks = [...this.store.projects.values()].flatMap((project) => {
      const middle = middleOf(project.boundary);
      if (!middle) return [];
      const height = this.heightAt(Cartographic.fromDegrees(...middle)) + SIGN_HEIGHT;
      const place = Cartesian3.fromDegrees(...middle, height);
      return [{ project, place, light: this.lightOf(project.id), found: found.has(project.id) }];
    });
    const towns = this.store.towns.flatMap(({ title, boundary }) => {
      const top = topOf(boundary);
      return top ? [{ name: localized(title), place: Cartesian3.fromDegrees(...top, this.heightAt(Cartographic.fromDegrees(...top))) }] : [];
    });
    this.marks.show(marks, this.store.chosen, towns);
    this.scene.widget.scene.requestRender();
  }

  private heightAt(position: Cartographic): number {
    return this.ground.at(position);
  }

  // ---- the mouse

  private projectAt(x: number, y: number): { id: string; text: string } | null {
    const hit = this.scene.widget.scene.pick(new Cartesian2(x, y)) as { id?: unknown } | undefined;
    if (hit instanceof Cesium3DTileFeature) {
      const layer = this.layers.ofTileset(hit.tileset)?.layer.collection.id;
      const building = layer === undefined ? null : this.buildings.of(layer, metadata(hit).id);
      if (building) {
        const state = localized(this.store.overview.words.building_states[building.state]);
        const project = this.store.projects.get(building.project)?.name ?? building.project;
        return { id: building.project, text: [state, project].join(SEPARATOR) };
      }
    }
    const id = typeof hit?.id === "string" ? hit.id : null;
    return id !== null && this.store.projects.has(id) ? { id, text: this.store.projects.get(id)!.name } : null;
  }

  private listen(tip: HTMLElement): void {
    const { widget, motion } = this.scene;
    const handler = new ScreenSpaceEventHandler(widget.canvas);
    handler.setInputAction((event: ScreenSpaceEventHandler.PositionedEvent) => {
      const hit = this.projectAt(event.position.x, event.position.y);
      this.store.choose(hit?.id ?? null);
    }, ScreenSpaceEventType.LEFT_CLICK);
    let next: Cartesian2 | null = null;
    const look = () => {
      const at = next;
      next = null;
      const hit = at && this.projectAt(at.x, at.y);
      tip.hidden = !hit;
      widget.canvas.style.cursor = hit ? "pointer" : "";
      if (!hit) return;
      replace(tip, hit.text);
      const right = at.x > widget.canvas.clientWidth * 0.65;
      tip.style.transform = `translate(${at.x + (right ? -14 : 14)}px, ${at.y + 12}px)${right ? " translateX(-100%)" : ""}`;
    };
    handler.setInputAction(({ endPosition }: ScreenSpaceEventHandler.MotionEvent) => {
      if (next === null) setTimeout(look, HOVER);
      next = Cartesian2.clone(endPosition);
    }, ScreenSpaceEventType.MOUSE_MOVE);
    const hide = () => (tip.hidden = true);
    motion.started.on(hide);
    widget.canvas.addEventListener("pointerleave", () => {
      next = null;
      hide();
    });
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
    for (const { x, y, light, element } of [...this.marks.placed].reverse()) {
      context.fillStyle = light ? LIGHT_COLOURS[light] : "#8a94a0";
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
      context.fillText(element.querySelector("i")!.textContent!, x, y + 0.5);
      if (!element.classList.contains("named")) continue;
      const leftwards = element.classList.contains("leftwards");
      context.textAlign = leftwards ? "right" : "left";
      const edge = x + (leftwards ? -12 : 12);
      context.strokeStyle = "rgb(255 255 255 / 90%)";
      context.lineWidth = 3;
      context.strokeText(element.querySelector("span")!.textContent!, edge, y);
      context.fillStyle = "#1c2733";
      context.fillText(element.querySelector("span")!.textContent!, edge, y);
    }
    append(picture, t("renewal.map"));
    return picture;
  }
}
