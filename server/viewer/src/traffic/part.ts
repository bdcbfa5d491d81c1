/** All of traffic but its button: loaded when it is first taken in hand. */
import "../css/traffic.css";
import type { App } from "../app";
import { append, h } from "../dom";
import { languageChanged } from "../i18n";
import type { Control } from "../ui/controls";
import { trafficBar } from "./parts/bar";
import { trafficCard } from "./parts/card";
import { intersectionFrame } from "./parts/frame";
import { trafficTip } from "./parts/tip";
import { TrafficStore } from "./store";
import type { TrafficTool } from "./trafficTool";

/** Milliseconds between two looks at what is told in figures: counts, age, countdowns. */
const TICK = 250;

/** Milliseconds from which on a frame is slow; then the machine is given time for other things as well. */
const SLOW = 40;
const REST = 2;

export class TrafficPart {
  readonly store: TrafficStore;
  private readonly stage = h("div", { class: "traffic-stage", hidden: true });
  private bar: Control;
  private opened: Control | null = null;
  private readonly frame: { element: HTMLElement; sync: () => void };
  private readonly tip: { element: HTMLElement; off: () => void };
  private timer: ReturnType<typeof setInterval> | undefined;
  private runs = false;
  private last = 0;
  private drawnAt = 0;
  private took = 0;
  private drew = false;

  constructor(
    private readonly app: App,
    private readonly tool: TrafficTool,
  ) {
    this.store = new TrafficStore(app, tool);
    const { store, stage } = this;
    this.bar = trafficBar(store);
    this.frame = intersectionFrame(store);
    this.tip = trafficTip(store);
    append(stage, store.scene.signs.element, this.bar.element, this.frame.element, this.tip.element);
    append(document.querySelector(".stage")!, stage);
    store.moving.status.on(() => this.run());
    for (const signal of [store.changed, store.clock.changed, store.clock.loaded, store.moving.status, store.events.changed, store.states.changed]) {
      signal.on(() => this.sync());
    }
    languageChanged.on(() => this.rewrite());
  }

  get busy(): boolean {
    return this.store.busy;
  }

  /** Follows the tool: what is chosen, or that it is off. */
  follow(): void {
    const on = this.tool.on;
    this.stage.hidden = !on;
    document.body.classList.toggle("traffic-on", on);
    clearInterval(this.timer);
    if (on) this.timer = setInterval(() => this.tick(), TICK);
    else this.tip.off();
    this.store.follow();
    if (on) this.run();
    this.sync();
  }

  /** The card of the tool, made anew each time it is opened. */
  card(): Control {
    this.opened = trafficCard(this.store, this.tool);
    return this.opened;
  }

  /** Takes a click on the scene; false where nothing of traffic stands there. */
  pick(x: number, y: number): boolean {
    const { store, tool } = this;
    const sign = store.scene.signs.at(x, y);
    if (!sign) return false;
    if (sign.what === "event") tool.change({ event: sign.id, view: "events" });
    else store.choose({ layer: store.layer!, id: sign.what === "head" ? sign.head.intersection : sign.id });
    return true;
  }

  /** What is on the map, for those who check it. */
  told() {
    const { store } = this;
    const { scene, moving, clock } = store;
    const { ways } = scene.vehicles;
    const frame = Array.from({ length: ways.count }, (_, i) => {
      const { east, north, heading } = scene.vehicles.placeOf(i);
      const [lon, lat] = scene.plane.degrees(east, north);
      return { id: ways.id[i]!, lon, lat, heading: (heading * 180) / Math.PI, speed: ways.speed[i]!, kind: ways.kind[i]!, colour: scene.vehicles.colourOf(i), ...scene.screenOf(i) };
    });
    const lights = [...moving.lights.known].flatMap(([id, groups]) => [...groups].map(([group, { light, remaining }]) => [`${id}/${group}`, { light, remaining }] as const));
    return {
      layer: store.layer, at: clock.at, playing: clock.playing, state: moving.state, stale: moving.stale, age: moving.age, vehicles: frame,
      lights: Object.fromEntries(lights),
      signs: scene.signs.places.map(({ sign, x, y }) => ({ what: sign.what, id: sign.what === "head" ? `${sign.head.intersection}/${sign.head.group}` : sign.id, x, y })),
      states: Object.fromEntries([...store.states.rows].map(([id, { state, tti }]) => [id, { state, tti }])),
      events: store.events.all.map(({ id, kind }) => ({ id, kind })),
    };
  }

  private rewrite(): void {
    const bar = trafficBar(this.store);
    this.bar.element.replaceWith(bar.element);
    this.bar = bar;
    this.sync();
  }

  private sync(): void {
    this.bar.sync();
    this.frame.sync();
    if (this.tool.on && this.app.toolbox.active === this.tool) this.opened?.sync();
  }

  private tick(): void {
    if (document.hidden) return;
    this.sync();
    this.store.scene.signs.draw();
    this.run();
  }

  /** Lets what moves move, as long as anything does. */
  private run(): void {
    if (this.runs) return;
    this.runs = true;
    this.last = performance.now();
    requestAnimationFrame(() => this.step());
  }

  private step(): void {
    const { store, app } = this;
    const now = performance.now();
    if (!this.tool.on || document.hidden) {
      this.runs = false;
      return;
    }
    // How long the last frame took, the graphics included: until the browser asked for the next one.
    if (this.drew) this.took = now - this.drawnAt;
    this.drew = false;
    const slow = this.took > SLOW;
    if (slow && now - this.drawnAt < this.took * REST) return void requestAnimationFrame(() => this.step());
    const { playing } = store.clock;
    if (playing) store.clock.pass(now - this.last);
    this.last = now;
    store.moving.step();
    if (store.scene.vehicles.due) {
      if (slow) app.quality.disturb();
      app.widget.scene.requestRender();
      this.drawnAt = now;
      this.drew = true;
    }
    // What rests is looked at again when something comes, at the next tick at the latest.
    this.runs = this.drew || playing;
    if (this.runs) requestAnimationFrame(() => this.step());
  }
}
