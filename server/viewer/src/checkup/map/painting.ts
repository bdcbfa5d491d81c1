/** What the units of the map are coloured by: the classes of the chosen indicator, or what became of it since another year. */
import type { Geometry } from "../../districtMap/outlines";
import { courseSign } from "../changeOf";
import { colourOf, COURSE_COLOURS, courseOf, type Course, type ValueClass, classesOf } from "../classes";
import type { Store } from "../store";
import type { UnitMap } from "../types";
import { signed, unitOf } from "../words";

/** Of units without a value. */
export const UNKNOWN = "#8a94a0";

type Unit = UnitMap["features"][number]["properties"];

export class Painting {
  classes: ValueClass[] = [];
  courses = new Map<Course, number>();
  /** Units without a value. */
  without = 0;
  /** Units whose value is that of a part. */
  inPart = 0;
  private units = new Map<string, Unit>();
  private courseByUnit = new Map<string, Course>();

  constructor(private readonly store: Store) {
    const make = () => this.make();
    store.unitsLoaded.on(make);
    make();
  }

  /** Another key, other shapes. */
  get key(): string {
    const { run, indicator, by } = this.store;
    return [run?.id, indicator?.code, by, this.store.map ? "map" : ""].join(" ");
  }

  /** Another place, another view of it. */
  get place(): string {
    const { run, by, map } = this.store;
    return [run?.id, by, map ? "map" : ""].join(" ");
  }

  /** Whether what became of it is shown. */
  get comparing(): boolean {
    return this.store.view === "compare" && this.store.earlier !== null;
  }

  hasPlace({ type }: Geometry): boolean {
    return type === "Polygon" || type === "MultiPolygon";
  }

  /** Without a value, or with one of a part only. */
  hatched(id: string): boolean {
    return this.units.get(id)?.status !== "ready" || (this.comparing && this.courseByUnit.get(id) === "unknown");
  }

  colourOf(id: string): string | null {
    if (this.comparing) return COURSE_COLOURS[this.courseByUnit.get(id) ?? "unknown"];
    const value = this.units.get(id)?.value ?? null;
    return value === null ? null : colourOf(this.classes, value);
  }

  toneOf(id: string): string | null {
    return this.comparing ? (this.courseByUnit.get(id) ?? null) : null;
  }

  /** How a unit went, as one sign. */
  signOf(id: string): string | null {
    if (!this.comparing) return null;
    return courseSign(this.courseByUnit.get(id) ?? "unknown");
  }

  textOf(id: string): string | null {
    const { indicator } = this.store;
    if (!this.comparing || !indicator) return null;
    return `${signed(indicator, this.changeOf(id))} ${unitOf(indicator)}`;
  }

  private changeOf(id: string): number | null {
    const [before, after] = [this.store.before.get(id)?.value ?? null, this.units.get(id)?.value ?? null];
    return before === null || after === null ? null : after - before;
  }

  private make(): void {
    const { indicator, map, before } = this.store;
    this.units = new Map(map?.features.map(({ properties }) => [properties.id, properties]));
    const all = [...this.units.values()];
    const values = all.flatMap(({ value }) => (value === null ? [] : [value]));
    this.without = all.length - values.length;
    this.inPart = all.filter(({ status }) => status === "partial").length;
    // What is held against nothing is not coloured as if it were.
    const target = all.some(({ met }) => met !== null) ? (indicator?.target?.value ?? null) : null;
    this.classes = indicator ? classesOf(values, target, indicator.direction, indicator.decimals) : [];
    this.courseByUnit = new Map(indicator ? all.map(({ id, value }) => [id, courseOf(before.get(id)?.value, value, indicator.direction)]) : []);
    this.courses = new Map();
    for (const course of this.courseByUnit.values()) this.courses.set(course, (this.courses.get(course) ?? 0) + 1);
  }
}
