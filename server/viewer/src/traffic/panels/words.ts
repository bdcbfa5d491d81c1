/** What approaches, movements, lanes and phases are called. */
import type { Cell, Intersection, Turn } from "../types";
import { isTextKey, language, SEPARATOR, t } from "../../i18n";
import { apart, turned, TURNS, usualExit } from "./directions";
import type { MeasureRow } from "./measureRows";

export const TURN_SIGNS: Record<Turn, string> = { uturn: "↶", left: "↰", straight: "↑", right: "↱" };

const WINDS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;

/** Where an approach comes from, of those who drive in a direction. */
export function windOf(bearing: number): (typeof WINDS)[number] {
  return WINDS[Math.round(turned(bearing + 180) / 45) % WINDS.length]!;
}

export function turnWord(turn: string): string {
  const key = `crossing.turn.${turn}`;
  return isTextKey(key) ? t(key) : turn;
}

/** Names of one intersection's parts, in the language of now. */
export class Names {
  private readonly lanes;

  constructor(private readonly of: Intersection) {
    this.lanes = new Map(of.lanes.map((lane) => [lane.id, lane]));
  }

  get title(): string {
    const { name, name_en, id } = this.of;
    return (language() === "en" ? name_en || name : name || name_en) || id;
  }

  /** The name in the other language, if it has one. */
  get other(): string {
    const { name, name_en } = this.of;
    const other = language() === "en" ? name : name_en;
    return other === this.title ? "" : other;
  }

  approach(link: string | null): string {
    const known = this.of.approaches.find((one) => one.link === link);
    if (!known) return link ?? "";
    const wind = windOf(known.bearing);
    const same = this.of.approaches.filter(({ bearing }) => windOf(bearing) === wind);
    const word = t(`crossing.from.${wind}`);
    // Two that come from the same side are told apart by their numbers.
    return same.length === 1 ? word : `${word} ${same.indexOf(known) + 1}`;
  }

  /** With the name of the road. */
  approachFull(link: string): string {
    const road = this.of.approaches.find((one) => one.link === link)?.name ?? "";
    return road === "" ? this.approach(link) : `${this.approach(link)}${SEPARATOR}${road}`;
  }

  movement(link: string | null, turn: string | null): string {
    if (turn === null) return this.approach(link);
    return t("crossing.movement", { approach: this.approach(link), turn: turnWord(turn) });
  }

  lane(id: string): string {
    const lane = this.lanes.get(id);
    return lane ? t("crossing.lane", { approach: this.approach(lane.link), n: lane.number }) : id;
  }

  phase(id: string): string {
    const group = this.of.groups.find((one) => one.id === id);
    return t("crossing.phase", { name: group?.number == null ? id : String(group.number) });
  }

  /** What a row of measures is about. */
  row({ about, link, turn }: Pick<MeasureRow, "about" | "link" | "turn">, by: string): string {
    if (by === "lane") return this.lane(about);
    if (by === "phase") return this.phase(about);
    if (by === "approach") return this.approach(link ?? about);
    return link === null ? about : this.movement(link, turn);
  }

  intersection(id: string): string {
    return id === this.of.id ? this.title : id;
  }
}

/** In which direction those leave who turn so: as the lanes lead that they drive into, else as usual. */
export function exitOf({ approaches, lanes, connections }: Intersection, link: string, turn: Turn): number {
  const own = new Set(lanes.filter((lane) => lane.link === link).map(({ id }) => id));
  const ways = connections.filter((one) => one.turn === turn && own.has(one.from_lane) && one.line.length >= 2);
  const bearing = approaches.find((one) => one.link === link)?.bearing ?? 0;
  let [east, north] = [0, 0];
  for (const { to_lane, line } of ways) {
    // The lane that it leads to is longer than the last piece of the way.
    const lane = lanes.find(({ id }) => id === to_lane)?.line ?? [];
    const [a, b] = lane.length >= 2 ? [lane[0]!, lane[1]!] : [line.at(-2)!, line.at(-1)!];
    const [dx, dy] = [(b[0] - a[0]) * Math.cos((a[1] * Math.PI) / 180), b[1] - a[1]];
    const length = Math.hypot(dx, dy) || 1;
    east += dx / length;
    north += dy / length;
  }
  if (east === 0 && north === 0) return usualExit(bearing, turn);
  const out = turned((Math.atan2(east, north) * 180) / Math.PI);
  // A short last piece of a way may point anywhere; what it cannot be is not believed.
  return apart(out, usualExit(bearing, turn)) <= 75 ? out : usualExit(bearing, turn);
}

/** The movements there are, in the order of approaches and turns. */
export function movementsOf({ approaches, lanes, connections }: Intersection): { link: string; turn: Turn }[] {
  const linkOf = new Map(lanes.map(({ id, link }) => [id, link]));
  const there = new Set(connections.map((one) => `${linkOf.get(one.from_lane)} ${one.turn}`));
  return approaches.flatMap(({ link }) => TURNS.filter((turn) => there.has(`${link} ${turn}`)).map((turn) => ({ link, turn })));
}

export function isTurn(turn: string | null): turn is Turn {
  return turn !== null && (TURNS as readonly string[]).includes(turn);
}

/** A number with so many digits after the point, so that a column of them can be compared at a glance. */
export function figure(value: number, digits: number): string {
  return value.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A cell that is a number. */
export function numberOf(cell: Cell | undefined): number | null {
  return typeof cell === "number" && Number.isFinite(cell) ? cell : null;
}

/** A time of the day to the second, by the clock of whoever looks. */
export function timeText(time: number): string {
  return new Date(time).toLocaleTimeString(language() === "zh" ? "zh-CN" : "en-GB", { hourCycle: "h23" });
}

/** Without seconds where it has none. */
export function shortTime(time: number): string {
  return time % 60_000 === 0 ? timeText(time).slice(0, 5) : timeText(time);
}
