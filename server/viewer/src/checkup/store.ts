/** The state of the check-up: which run, indicator and unit are looked at, and what the server told of them. */
import { holds } from "../districtMap/outlines";
import { Signal } from "../signal";
import type { Choices, Fields, View } from "./address";
import { NO_CHOICES } from "./address";
import { checkup, type Tried } from "./api";
import { shownIndicators } from "./filters";
import type { By, Change, Evidence, IndicatorDocument, IndicatorEntry, Overview, Problem, Right, Run, RunSummary, UnitEntry, UnitMap } from "./types";

export class Store {
  /** Something of the link changed: the address follows. */
  readonly asked = new Signal();
  readonly viewChanged = new Signal();
  /** Another run was loaded. */
  readonly loaded = new Signal();
  /** There are other runs or sets, or they stand otherwise: the run that is looked at, too. */
  readonly known = new Signal();
  /** What of the run is listed changed. */
  readonly filtered = new Signal();
  /** Another indicator or unit is chosen; what is known of it comes later. */
  readonly chosenChanged = new Signal();
  /** Units or the map of the chosen indicator came or went. */
  readonly unitsLoaded = new Signal();
  readonly evidenceLoaded = new Signal();
  readonly problemsLoaded = new Signal();
  readonly compared = new Signal();
  /** Something could not be asked. */
  readonly failed = new Signal<unknown>();

  run: Run | null = null;
  problems: Problem[] = [];
  units: UnitEntry[] = [];
  map: UnitMap | null = null;
  /** Units of the earlier run, by id, while years are compared. */
  before = new Map<string, UnitEntry>();
  evidence: Evidence | null = null;
  changes: Change[] = [];
  /** What the composer tried last. */
  tried: Tried | null = null;
  /** Renewal projects that are seen, by id. */
  projectNames = new Map<string, string>();

  private choices: Choices = { ...NO_CHOICES };
  private pending = 0;
  private asking = { run: 0, units: 0, evidence: 0, changes: 0 };

  constructor(public overview: Overview) {}

  // ---- what is asked for

  get view(): View {
    return this.choices.view;
  }

  set view(view: View) {
    if (view === this.view) return;
    const composing = view === "compose" || this.view === "compose";
    this.choices.view = view;
    if (composing) this.forget();
    this.viewChanged.emit();
    this.asked.emit();
    if (view === "map" || view === "compare") this.chooseSomething();
    void this.loadUnits();
    void this.loadEvidence();
    if (view === "compare") void this.loadChanges();
  }

  field(name: keyof Fields): string {
    return this.choices[name];
  }

  /** The run that is looked at: the newest one unless another was chosen. */
  get summary(): RunSummary | null {
    const { runs } = this.overview;
    return runs.find(({ id }) => id === this.choices.run) ?? runs[0] ?? null;
  }

  /** The run it is compared with: the newest one of an earlier year, else the one before, unless another was chosen. */
  get earlier(): RunSummary | null {
    const { runs } = this.overview;
    const { summary } = this;
    const others = runs.filter(({ id, system }) => id !== summary?.id && system === summary?.system);
    return (
      runs.find(({ id }) => id === this.choices.from && id !== summary?.id) ??
      others.find(({ year }) => summary && year < summary.year) ??
      others[0] ??
      null
    );
  }

  get indicator(): IndicatorEntry | null {
    if (this.view === "compose") return this.tried?.entry ?? null;
    return this.run?.indicators.find(({ code }) => code === this.choices.indicator) ?? null;
  }

  /** The kind of units that the chosen indicator is told of. */
  get by(): By {
    if (this.view === "compose") return this.tried?.by ?? "district";
    const kinds = this.indicator?.by ?? [];
    return kinds.find((kind) => kind === this.choices.by) ?? kinds.find((kind) => kind !== "district") ?? "district";
  }

  get unit(): UnitEntry | null {
    return this.units.find(({ id }) => id === this.choices.unit) ?? null;
  }

  /** The problems of the chosen indicator in the chosen unit; of the whole district those that have no unit of their own. */
  get problemsHere(): Problem[] {
    const { indicator, unit, by } = this;
    const own = this.problems.filter(({ code }) => code === indicator?.code);
    if (!unit) return own.filter((problem) => problem.by === "district");
    const of = own.filter((problem) => problem.by === by && problem.unit === unit.id);
    // A community fails with its estates, which the ledger names in its place.
    const boundary = this.map?.features.find(({ properties }) => properties.id === unit.id)?.geometry ?? null;
    return of.length > 0 ? of : own.filter(({ place }) => holds(boundary, place));
  }

  get listed(): IndicatorEntry[] {
    return shownIndicators(this.run?.indicators ?? [], this.choices);
  }

  filter(change: Partial<Pick<Fields, "level" | "dimension" | "status" | "q" | "sort" | "problems">>): void {
    this.choices = { ...this.choices, ...change };
    this.filtered.emit();
    this.asked.emit();
  }

  chooseRun(run: string): void {
    this.choices.run = run === this.overview.runs[0]?.id ? "" : run;
    this.asked.emit();
    void this.loadRun();
  }

  compareWith(run: string): void {
    this.choices.from = run;
    this.asked.emit();
    void this.loadChanges();
    void this.loadUnits();
  }

  choose(code: string | null, unit = "", by = this.choices.by): void {
    const other = (code ?? "") !== this.choices.indicator || by !== this.choices.by;
    if (!other && unit === this.choices.unit) return;
    this.choices = { ...this.choices, indicator: code ?? "", unit, by };
    this.evidence = null;
    if (other) {
      this.units = [];
      this.map = null;
    }
    this.chosenChanged.emit();
    this.asked.emit();
    if (other) void this.loadUnits();
    void this.loadEvidence();
  }

  chooseUnit(unit: string | null): void {
    this.choose(this.choices.indicator, unit ?? "");
  }

  chooseBy(by: string): void {
    this.choose(this.choices.indicator, "", by);
  }

  /** A map without an indicator shows nothing: the first that fails, else the first. */
  private chooseSomething(): void {
    if (this.indicator || !this.run) return;
    const told = this.run.indicators.filter(({ by }) => by.length > 0);
    const first = told.find(({ value }) => value.met === false) ?? told.find(({ value }) => value.status !== "unavailable") ?? told[0];
    if (first) this.choose(first.code);
  }

  get link(): Choices {
    return { ...this.choices };
  }

  takeUp(link: Choices): void {
    const before = this.choices;
    this.choices = { ...link };
    if (before.view !== link.view) this.viewChanged.emit();
    this.asked.emit();
    this.opened = this.loadRun();
  }

  /** Resolves when what a link asked for is there, or could not be had. */
  opened: Promise<void> = Promise.resolve();

  // ---- what the server tells

  get busy(): boolean {
    return this.pending > 0;
  }

  may(right: Right): boolean {
    return this.overview.rights[right];
  }

  /** An indicator of the composer, on the map of the units that the run knows. */
  async tryOut(document: IndicatorDocument, by: By): Promise<void> {
    const tried = await checkup.tryOut(document, by);
    const { run } = this;
    const drawn = run?.indicators.find((entry) => entry.by.includes(tried.by));
    const shapes = run && drawn ? await checkup.map(run.id, drawn.code, tried.by) : null;
    if (this.view !== "compose") return;
    const values = new Map(tried.units.map((unit) => [unit.id, unit]));
    this.forget();
    this.tried = tried;
    this.units = tried.units;
    this.map = shapes && {
      ...shapes,
      features: shapes.features.flatMap((feature) => {
        const unit = values.get(feature.properties.id);
        return unit ? [{ ...feature, properties: unit }] : [];
      }),
    };
    this.chosenChanged.emit();
    this.unitsLoaded.emit();
  }

  private forget(): void {
    this.tried = null;
    this.units = [];
    this.map = null;
    this.evidence = null;
    this.unitsLoaded.emit();
  }

  /** After a change, here or elsewhere: what was examined stays as it was, so only what becomes of it is asked for. */
  async refresh(): Promise<void> {
    await this.waitingFor(async () => {
      const overview = await checkup.overview();
      const shown = this.summary?.id; // another may have been chosen while it was asked for
      this.overview = overview;
      const { runs } = overview;
      // A newer check-up takes nobody away from the one that is looked at.
      if (runs.some(({ id }) => id === shown)) this.choices.run = shown === runs[0]?.id ? "" : shown!;
    });
    const { run, summary } = this;
    if (run === null || summary?.id !== run.id) {
      await this.loadRun();
      return this.known.emit();
    }
    this.run = { ...run, ...summary };
    this.known.emit();
    this.asked.emit();
    await this.loadProblems();
  }

  /** After a while in which nothing was heard. */
  async reload(): Promise<void> {
    await this.refresh();
    await this.loadRun();
  }

  async loadRun(): Promise<void> {
    const mine = ++this.asking.run;
    const id = this.summary?.id;
    if (id === undefined) {
      this.run = null;
      this.problems = [];
      return this.loaded.emit();
    }
    await this.waitingFor(async () => {
      const [run, problems] = await Promise.all([checkup.run(id), checkup.problems(id)]);
      if (mine !== this.asking.run) return;
      this.run = run;
      this.problems = problems;
      this.loaded.emit();
      this.problemsLoaded.emit();
      if (this.view === "map" || this.view === "compare") this.chooseSomething();
      this.chosenChanged.emit();
      await Promise.all([this.loadUnits(), this.loadEvidence(), this.view === "compare" ? this.loadChanges() : null]);
    });
  }

  /** The projects that can answer a problem. */
  async loadProjects(): Promise<void> {
    await this.waitingFor(async () => {
      this.projectNames = new Map((await checkup.projects()).map(({ id, name }) => [id, name]));
      this.problemsLoaded.emit();
    });
  }

  async loadProblems(): Promise<void> {
    const { run } = this;
    if (!run) return;
    await this.waitingFor(async () => {
      const problems = await checkup.problems(run.id);
      if (run.id !== this.run?.id || JSON.stringify(problems) === JSON.stringify(this.problems)) return;
      this.problems = problems;
      this.problemsLoaded.emit();
    });
  }

  private async loadUnits(): Promise<void> {
    const mine = ++this.asking.units;
    const { run, indicator, by, earlier, view } = this;
    if (view === "compose") return; // what was tried stays
    if (!run || !indicator) {
      this.units = [];
      this.map = null;
      return this.unitsLoaded.emit();
    }
    await this.waitingFor(async () => {
      const onMap = view === "map" || view === "compare";
      const compared = view === "compare" && earlier !== null && this.changes.every(({ code, from }) => code !== indicator.code || from !== null);
      const [page, map, before] = await Promise.all([
        checkup.units(run.id, indicator.code, by),
        onMap ? checkup.map(run.id, indicator.code, by) : null,
        compared && earlier ? checkup.units(earlier.id, indicator.code, by) : null,
      ]);
      if (mine !== this.asking.units) return;
      this.units = page.units;
      this.map = map;
      this.before = new Map(before?.units.map((unit) => [unit.id, unit]));
      this.unitsLoaded.emit();
    });
  }

  private async loadEvidence(): Promise<void> {
    const mine = ++this.asking.evidence;
    const { run, indicator, by } = this;
    if (!run || !indicator || this.tried) {
      this.evidence = null;
      return this.evidenceLoaded.emit();
    }
    const { unit } = this.choices;
    await this.waitingFor(async () => {
      const evidence = await checkup.evidence(run.id, indicator.code, unit ? by : "district", unit || null);
      if (mine !== this.asking.evidence) return;
      this.evidence = evidence;
      this.evidenceLoaded.emit();
    });
  }

  private async loadChanges(): Promise<void> {
    const mine = ++this.asking.changes;
    const { summary, earlier } = this;
    await this.waitingFor(async () => {
      const changes = summary && earlier ? await checkup.compare(earlier.id, summary.id) : [];
      if (mine !== this.asking.changes) return;
      this.changes = changes;
      this.compared.emit();
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
}
