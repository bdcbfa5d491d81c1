/** What is known of roads and their traffic while the tool is on; what the panels beside the map are given. */
import type { App } from "../app";
import { language } from "../i18n";
import { Signal } from "../signal";
import { trafficApi } from "./api";
import { Events, tracksOf } from "./events";
import { Moving } from "./moving";
import { Replay } from "./replay";
import { RoadStatesStore } from "./roadStates";
import { eventLetter } from "./parts/words";
import type { Shows } from "./scene/trafficScene";
import { TrafficScene } from "./scene/trafficScene";
import type { TrafficTool } from "./trafficTool";
import type { Chosen, Intersection, IntersectionSummary, LonLat, TrafficContext, TrafficLayer } from "./types";

/** Metres from the eye up to which intersections are drawn to the lane, and how many at most. */
const NEAR = 1_100;
const MOST = 12;

const key = ({ layer, id }: Chosen) => `${layer}\n${id}`;

export class TrafficStore implements TrafficContext {
  readonly api = trafficApi;
  readonly changed = new Signal();
  readonly clock = new Replay();
  readonly events = new Events();
  readonly states = new RoadStatesStore();
  readonly scene: TrafficScene;
  readonly moving: Moving;
  layers: readonly TrafficLayer[] = [];
  intersections: readonly IntersectionSummary[] = [];
  error: unknown = null;
  private readonly known = new Map<string, Promise<Intersection>>();
  private readonly read = new Map<string, Intersection>();
  private marked: ReadonlySet<string> = new Set();
  private open = false;
  private asking = 0;
  private listened: string | null = null;
  private listedOf: string | null = null;
  /** The time that the link had when it was followed last. */
  private linked: number | null = null;

  constructor(
    readonly app: App,
    private readonly tool: TrafficTool,
  ) {
    this.scene = new TrafficScene(app, () => this.moving.lights, () => this.now);
    this.moving = new Moving(this.scene.vehicles, this.clock, (lon, lat) => this.scene.planeAt(lon, lat));
    this.moving.lit.on((others) => (others ? this.scene.light() : this.scene.sign()));
    app.motion.rested.on(() => this.open && void this.lookAround());
    app.places.changed.on(() => this.open && this.settle());
    this.events.changed.on(() => this.draw());
    this.states.changed.on(() => this.scene.congest(this.states));
    this.clock.changed.on(() => this.follow());
  }

  get busy(): boolean {
    return this.asking > 0 || this.events.busy || this.states.busy || this.clock.busy;
  }

  get layer(): string | null {
    return this.layerOf?.layer ?? null;
  }

  get layerOf(): TrafficLayer | null {
    const wanted = this.tool.choice?.layer ?? "";
    const { layers } = this;
    return layers.find(({ layer }) => layer === wanted) ?? layers.find(({ live }) => live) ?? layers.find(({ positions }) => positions !== null) ?? layers[0] ?? null;
  }

  get chosen(): Chosen | null {
    const id = this.tool.choice?.intersection ?? "";
    return id === "" || this.layer === null ? null : { layer: this.layer, id };
  }

  /** The time that is looked at, milliseconds since 1970. */
  get now(): number {
    const { heard } = this.moving;
    return this.clock.at ?? (heard ? heard.base + performance.now() - heard.at : Date.now());
  }

  lights(intersection: string) {
    return this.moving.lights.of(intersection);
  }

  choose(what: Chosen | null): void {
    this.tool.change({ intersection: what?.id ?? "", ...(what ? { layer: what.layer } : {}) });
  }

  intersection(what: Chosen): Promise<Intersection> {
    const found = this.known.get(key(what)) ?? trafficApi.intersection(what.id, what.layer);
    this.known.set(key(what), found);
    found.catch(() => this.known.delete(key(what)));
    return found;
  }

  mark(what: { lanes?: readonly string[]; connections?: readonly string[] } | null): void {
    this.marked = new Set([...(what?.lanes ?? []), ...(what?.connections ?? [])]);
    this.draw();
  }

  goTo(place: LonLat): Promise<void> {
    return this.scene.goTo(place);
  }

  /** Follows what is chosen; where the tool is off, nothing is asked for and nothing drawn. */
  follow(): void {
    const { choice } = this.tool;
    const before = this.open;
    this.open = choice !== null;
    if (!choice) return before ? this.end() : undefined;
    if (!before) void this.begin();
    const { layer } = this;
    this.clock.of(layer, this.layerOf?.positions ?? null);
    if (layer !== null && choice.at !== this.linked) {
      this.linked = choice.at;
      if (choice.at !== this.clock.at) this.clock.go(choice.at);
    }
    this.scene.vehicles.colourBy = choice.colour;
    const live = this.clock.at === null ? layer : null;
    const listened = live ?? `replay ${layer ?? ""}`;
    if (listened !== this.listened) {
      this.listened = listened;
      this.moving.listen(live);
    }
    const window = this.clock.window;
    this.events.of(layer, window);
    void this.events.choose(choice.event);
    this.states.of(layer, choice.roads, window);
    if (layer !== this.listedOf) void this.list(layer);
    else void this.lookAround();
    this.draw();
    this.changed.emit();
  }

  /** Looks at the live traffic, or at an instant; the link keeps it. */
  look(at: number | null): void {
    this.linked = at;
    this.clock.go(at);
    this.tool.change({ at });
  }

  private async begin(): Promise<void> {
    this.asking++;
    try {
      this.layers = await trafficApi.layers();
      this.error = null;
    } catch (error) {
      this.error = error;
    } finally {
      this.asking--;
      if (this.open) this.follow();
    }
  }

  private end(): void {
    this.linked = null;
    this.clock.go(null);
    this.moving.listen(null);
    this.listened = this.listedOf = null;
    this.events.of(null, null);
    void this.events.choose("");
    this.states.of(null, "off", null);
    this.scene.show(null);
    this.marked = new Set();
    this.drawn = "";
    this.changed.emit();
  }

  private async list(layer: string | null): Promise<void> {
    this.listedOf = layer;
    this.intersections = [];
    if (layer === null) return;
    this.asking++;
    try {
      const found = await trafficApi.intersections(layer);
      if (layer === this.listedOf) this.intersections = found;
    } catch (error) {
      this.error = error;
    } finally {
      this.asking--;
      await this.lookAround();
      this.changed.emit();
    }
  }

  /** Reads the intersections near the eye, and the chosen one. */
  private async lookAround(): Promise<void> {
    const { chosen, layer } = this;
    const wanted = this.near.slice(0, MOST).map(({ id }) => ({ layer: layer!, id }));
    if (chosen && this.intersections.some(({ id }) => id === chosen.id)) wanted.unshift(chosen);
    const unread = wanted.filter((one) => !this.read.has(key(one)));
    if (unread.length > 0) {
      this.asking++;
      try {
        for (const one of await Promise.all(unread.map((one) => this.intersection(one)))) this.read.set(key(one), one);
      } catch (error) {
        this.error = error;
      } finally {
        this.asking--;
      }
    }
    this.draw();
  }

  private get near(): IntersectionSummary[] {
    const eye = this.app.widget.camera.positionWC;
    const away = new Map(this.intersections.map((one) => {
      const { x, y, z } = this.scene.plane.at(one.place);
      return [one, Math.hypot(x - eye.x, y - eye.y, z - eye.z)];
    }));
    const found = this.intersections.filter((one) => away.get(one)! < NEAR);
    return found.sort((a, b) => away.get(a)! - away.get(b)!);
  }

  private settle(): void {
    this.scene.settle();
    this.scene.congest(this.states);
  }

  private drawn = "";
  private draw(): void {
    if (!this.open) return;
    const near = [...this.read.values()].filter(({ layer }) => layer === this.layer);
    const event = this.events.chosen;
    const shows: Shows = {
      intersections: this.intersections,
      near,
      chosen: this.chosen?.id ?? "",
      marked: this.marked,
      events: this.events.all,
      event: event ? String(event.id) : "",
      tracks: event ? tracksOf(event) : [],
      letterOf: eventLetter,
      nameOf: (one) => (language() === "en" && one.name_en ? one.name_en : one.name || one.id),
    };
    // Much asks for it; little of that changes the picture.
    const now = JSON.stringify([this.layer, language(), this.intersections.length, near.map(({ id }) => id), shows.chosen, [...this.marked], shows.events, shows.event, shows.tracks.length]);
    if (now === this.drawn) return;
    this.drawn = now;
    this.scene.show(shows);
  }
}
