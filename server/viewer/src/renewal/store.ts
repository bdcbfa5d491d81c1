/** The state of the supervision view: which day, which projects, which one is chosen, and what the server told of them. */
import { Signal } from "../signal";
import { FILTERS, type Filters, type Moment, NO_FILTERS, renewal } from "./api";
import { today } from "./days";
import type { BuildingPage, Metric, Overview, Project, ProjectDetail, Right, Sums, Town } from "./types";

export const MODES = ["map", "wall", "table"] as const;
export type Mode = (typeof MODES)[number];

/** What a link holds. */
export interface Choices {
  at: string | null;
  then: boolean;
  filters: Filters;
  chosen: string | null;
  mode: Mode;
}

export class Store {
  /** Day, moment, filters, choice or mode changed: the address follows. */
  readonly asked = new Signal();
  /** Projects, towns and totals are those of `at`, `then` and `filters`. */
  readonly loaded = new Signal();
  /** States of the twin's buildings came. */
  readonly buildingsLoaded = new Signal();
  /** Another project is chosen, or none; its `detail` comes later. */
  readonly chosenChanged = new Signal();
  /** The detail of the chosen project came or went. */
  readonly detailLoaded = new Signal();
  readonly modeChanged = new Signal();
  /** Something could not be asked. */
  readonly failed = new Signal<unknown>();

  /** All projects of the day that are seen, whatever the filters, by id. */
  projects = new Map<string, Project>();
  /** Those that the filters leave, in the server's order, and their sums. */
  found: Project[] = [];
  totals: Sums | null = null;
  /** Ranked. */
  towns: Town[] = [];
  buildings: BuildingPage | null = null;
  /** The chosen project as of the day. */
  detail: ProjectDetail | null = null;
  revision = 0;

  private choices: Choices = { at: null, then: false, filters: NO_FILTERS, chosen: null, mode: "map" };
  private asking = 0;
  private pending = 0;

  constructor(public overview: Overview) {
    this.revision = overview.revision;
  }

  // ---- what is asked for

  /** The day that is looked at, as ISO text. */
  get at(): string {
    return this.choices.at ?? this.last;
  }

  set at(day: string) {
    this.change({ at: day === this.last ? null : day });
  }

  /** The newest day: what falls due does so whether or not something was recorded. */
  get last(): string {
    return today();
  }

  /** Whether the map is shown as it was known on that day. */
  get then(): boolean {
    return this.choices.then;
  }

  set then(then: boolean) {
    this.change({ then });
  }

  get moment(): Moment {
    return { at: this.at, known: this.then ? this.at : null };
  }

  get filters(): Filters {
    return this.choices.filters;
  }

  get filtered(): boolean {
    return FILTERS.some((name) => this.filters[name] !== "");
  }

  filter(change: Partial<Filters>): void {
    this.change({ filters: { ...this.filters, ...change } });
  }

  get mode(): Mode {
    return this.choices.mode;
  }

  set mode(mode: Mode) {
    if (mode === this.mode) return;
    this.choices.mode = mode;
    this.modeChanged.emit();
    this.asked.emit();
  }

  /** The id of the chosen project. */
  get chosen(): string | null {
    return this.choices.chosen;
  }

  choose(id: string | null): void {
    if (id === this.chosen) return;
    this.choices.chosen = id;
    this.detail = null;
    this.chosenChanged.emit();
    this.asked.emit();
    void this.loadDetail();
  }

  /** What a link holds, and taking it up. */
  get link(): Choices {
    return { ...this.choices };
  }

  takeUp(link: Choices): void {
    const { mode, chosen } = this.choices;
    this.choices = { ...link };
    if (mode !== link.mode) this.modeChanged.emit();
    if (chosen !== link.chosen) {
      this.detail = null;
      this.chosenChanged.emit();
    }
    this.asked.emit();
    void this.load();
  }

  private change(change: Partial<Choices>): void {
    this.choices = { ...this.choices, ...change };
    this.asked.emit();
    void this.load();
  }

  // ---- what the server tells

  get busy(): boolean {
    return this.pending > 0;
  }

  /** Asks for everything of the day anew; a later question makes an earlier answer void. */
  async load(): Promise<void> {
    const mine = ++this.asking;
    await this.waitingFor(async () => {
      const { moment, filters } = this;
      const [all, some, towns] = await Promise.all([
        renewal.projects(moment),
        this.filtered ? renewal.projects(moment, filters) : null,
        renewal.towns(moment),
        this.loadBuildings(),
        this.loadDetail(),
      ]);
      if (mine !== this.asking) return;
      this.projects = new Map(all.projects.map((project) => [project.id, project]));
      this.found = (some ?? all).projects;
      this.totals = (some ?? all).totals;
      this.towns = towns.towns;
      this.revision = all.revision;
      this.loaded.emit();
    });
  }

  /** After a change, here or elsewhere. */
  async refresh(): Promise<void> {
    await this.waitingFor(async () => {
      this.overview = await renewal.overview();
    });
    await this.load();
  }

  /** Shows the buildings of another day while it is replayed. */
  async showBuildings(at: string): Promise<void> {
    await this.waitingFor(async () => {
      this.buildings = await renewal.buildings({ at, known: null });
      this.buildingsLoaded.emit();
    });
  }

  private async loadBuildings(): Promise<void> {
    const { at, then } = this;
    const page = await renewal.buildings(this.moment);
    if (at !== this.at || then !== this.then) return;
    this.buildings = page;
    this.buildingsLoaded.emit();
  }

  private async loadDetail(): Promise<void> {
    const { chosen, at, then } = this;
    if (chosen === null) return this.detailLoaded.emit();
    await this.waitingFor(async () => {
      const detail = await renewal.project(chosen, this.moment);
      if (chosen !== this.chosen || at !== this.at || then !== this.then) return;
      this.detail = detail;
      this.detailLoaded.emit();
    });
  }

  private async waitingFor(work: () => Promise<void>): Promise<void> {
    this.pending++;
    try {
      await work();
    } catch (error) {
      this.failed.emit(error);
    } finally {
      this.pending--;
    }
  }

  // ---- words

  metric(id: string): Metric | undefined {
    return this.overview.metrics.find((metric) => metric.id === id);
  }

  /** Whether a right holds for a town, or for any town. */
  may(right: Right, town?: string): boolean {
    const scope = this.overview.rights[right];
    if (scope === "all") return true;
    return town === undefined ? scope.length > 0 : scope.includes(town);
  }
}
