/** The map of a page that supervises the district: its ground and buildings, and polygons on it by how they stand. */
import { Cartesian2, Cartographic, Cesium3DTileFeature, ScreenSpaceEventHandler, ScreenSpaceEventType } from "cesium";
import { Base } from "../base";
import { Capability } from "../capability";
import type { City } from "../data/types";
import { h, replace } from "../dom";
import { languageChanged } from "../i18n";
import { isNetwork } from "../kinds";
import { Layers } from "../layers";
import { metadata } from "../scene/features";
import { createScene } from "../scene/scene";
import { debounce, Signal } from "../signal";
import { Flight } from "./flight";
import { GroundHeights } from "./groundHeights";
import { type Box, type Geometry, middleOf } from "./outlines";
import { Polygons, wholeOf } from "./polygons";

const NOWHERE = { lon: 113.3, lat: 23.1, height: 0 };
/** Milliseconds between looks at what is under the mouse. */
const HOVER = 120;
/** Milliseconds of quiet after which the ground is taken to be there. */
const GROUND_QUIET = 600;
/** Metres by which the ground has to change before what lies on it is drawn anew. */
const SHOWS = 3;
/** Of the canvas; beyond it the picture is enlarged. */
const MOST_PIXELS = 3_000_000;

/** Something under the mouse, and what is said of it. */
export interface Hit {
  id: string;
  text: string;
}

export abstract class DistrictMap {
  /** What is drawn changed by itself: ground came, names moved. */
  readonly changed = new Signal();
  readonly scene: ReturnType<typeof createScene>;
  readonly layers: Layers;
  readonly base: Base;
  readonly polygons: Polygons;
  readonly flight: Flight;
  /** What lies over the canvas. */
  readonly element: HTMLElement;
  protected dark = false;
  private readonly ground: GroundHeights;
  /** Whether the ground shows its picture from the air. */
  private withPicture = false;
  private settling = false;
  private moving = false;
  private heights = "";

  /** @throws NoWebGL when the browser cannot draw in 3D. */
  constructor(canvas: HTMLElement, city: City, label: string) {
    this.scene = createScene(canvas, city.anchor ?? NOWHERE);
    const { widget, surroundings, motion, quality } = this.scene;
    this.layers = new Layers(widget.scene, [], new Capability(), true);
    this.base = new Base(widget.scene, this.layers, surroundings);
    this.ground = new GroundHeights(widget.scene, this.layers);
    this.flight = new Flight(widget, (lon, lat) => this.heightAt(Cartographic.fromDegrees(lon, lat)));
    this.polygons = new Polygons(widget.scene, (position) => this.heightAt(position), () => (this.dark ? "#ffffff" : "#12273d"));
    const tip = h("div", { class: "map-tip", hidden: true, role: "status" });
    this.element = h("div", { class: "map-over" }, tip);
    widget.canvas.setAttribute("aria-label", label);

    motion.started.on(() => (this.moving = true));
    motion.rested.on(() => (this.moving = false));
    new ResizeObserver(() => (this.limitPixels(), this.flight.resized())).observe(canvas);
    this.layers.listed.on(() => this.chooseLayers());
    this.layers.tilesChanged.on(() => quality.disturb());
    // Where the ground comes or gets finer, what lies on it moves.
    const reground = debounce(GROUND_QUIET, () => this.reground());
    widget.scene.globe.tileLoadProgressEvent.addEventListener((left: number) => {
      quality.disturb();
      this.settling = true;
      if (left === 0) reground();
    });
    languageChanged.on(() => this.show());
    this.listen(tip);
  }

  /** Loads the city. */
  async start(): Promise<void> {
    await this.layers.refresh();
    this.layers.start();
    this.show();
  }

  /** Whether nothing is being loaded or moved. */
  get settled(): boolean {
    return this.layers.tilesLoaded() && this.base.loaded && !this.settling && !this.moving;
  }

  set night(night: boolean) {
    this.dark = night;
    this.scene.surroundings.look = night ? "night" : "map";
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

  /** Flies to all of it. */
  abstract home(seconds?: number): void;

  /** Draws what is to be drawn; `anew` where the ground has moved under it. */
  protected abstract show(anew?: boolean): void;

  /** What lies on the ground: by its heights is known whether it has to be drawn anew. */
  protected abstract boundaries(): readonly (Geometry | null)[];

  /** What a polygon or a building of the twin is, by the mouse. */
  protected abstract polygonAt(id: string): Hit | null;
  protected abstract buildingAt(layer: string, feature: string): Hit | null;

  /** A click; null where nothing is. */
  protected abstract clicked(hit: Hit | null): void;

  protected flyTo(box: Box | null, seconds?: number): void {
    if (box) this.flight.to(box, seconds);
  }

  protected heightAt(position: Cartographic): number {
    return this.ground.at(position);
  }

  /** A wall has more pixels than its picture needs. */
  private limitPixels(): void {
    const { widget, resolution } = this.scene;
    const { clientWidth, clientHeight } = widget.canvas;
    const pixels = clientWidth * clientHeight * window.devicePixelRatio ** 2;
    resolution.limit = Math.sqrt(MOST_PIXELS / Math.max(1, pixels));
  }

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

  private reground(): void {
    this.settling = false;
    this.ground.forget();
    const heights = this.boundaries().map((boundary) => this.groundKey(boundary)).join();
    const moved = heights !== this.heights;
    this.heights = heights;
    if (moved) this.show(true);
    this.changed.emit();
  }

  /** How high the ground is in the middle of a boundary, so finely that it shows. */
  private groundKey(boundary: Geometry | null): number {
    const middle = middleOf(boundary);
    return middle ? Math.round(this.heightAt(Cartographic.fromDegrees(...middle)) / SHOWS) : 0;
  }

  // ---- the mouse

  private at(x: number, y: number): Hit | null {
    const hit = this.scene.widget.scene.pick(new Cartesian2(x, y)) as { id?: unknown } | undefined;
    if (hit instanceof Cesium3DTileFeature) {
      const layer = this.layers.ofTileset(hit.tileset)?.layer.collection.id;
      const building = layer === undefined ? null : this.buildingAt(layer, metadata(hit).id);
      if (building) return building;
    }
    return typeof hit?.id === "string" ? this.polygonAt(wholeOf(hit.id)) : null;
  }

  private listen(tip: HTMLElement): void {
    const { widget, motion } = this.scene;
    const handler = new ScreenSpaceEventHandler(widget.canvas);
    handler.setInputAction((event: ScreenSpaceEventHandler.PositionedEvent) => {
      this.clicked(this.at(event.position.x, event.position.y));
    }, ScreenSpaceEventType.LEFT_CLICK);
    let next: Cartesian2 | null = null;
    const look = () => {
      const at = next;
      next = null;
      const hit = at && this.at(at.x, at.y);
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
}
