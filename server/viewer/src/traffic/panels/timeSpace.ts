/** The time–space diagram of a corridor: where each vehicle was when, and where it was green. */
import { s } from "../../svg";
import { t } from "../../i18n";
import type { Extent, TimeSpace } from "../types";
import { axes, type Drawn } from "./chart";
import { timeOf } from "./measureRows";
import { timeText } from "./words";

const HEIGHT = 320;
const GREEN = "#1b8a4b";
const RED = "#d5463c";

/** Speeds of a track's two ends and all between: kilometres per hour. */
export function meanSpeed(times: readonly number[], metres: readonly number[]): number | null {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || last <= first) return null;
  return ((metres.at(-1)! - metres[0]!) / ((last - first) / 1000)) * 3.6;
}

/** Where a track was at a time, in proportion between its points; null before and after. */
export function placeAt(times: readonly number[], metres: readonly number[], time: number): number | null {
  if (times.length === 0 || time < times[0]! || time > times.at(-1)!) return null;
  let i = 0;
  while (i + 1 < times.length && times[i + 1]! < time) i++;
  const [a, b] = [times[i]!, times[i + 1] ?? times[i]!];
  const share = b > a ? (time - a) / (b - a) : 0;
  return metres[i]! + share * ((metres[i + 1] ?? metres[i]!) - metres[i]!);
}

const READ_EVERY = 10_000;

/** The name of the last intersection stands above its line, below the title of the axis. */
const HEADROOM = 1.12;

export function drawTimeSpace(width: number, answer: TimeSpace, [start, end]: Extent, label: string): Drawn {
  const tracks = answer.tracks.map(({ times, metres }) => ({ times: times.map(timeOf), metres }));
  const frame = axes({ width, height: HEIGHT, times: [start, end], values: [0, Math.max(1, answer.length * HEADROOM)], title: t("crossing.corridor.metres"), label });
  for (const { at_m } of answer.stops) {
    const y = frame.y(at_m).toFixed(1);
    frame.inner.append(s("line", { x1: frame.left, x2: frame.right, y1: y, y2: y, stroke: RED, "stroke-width": 3, class: "stop" }));
  }
  const at = new Map(answer.stops.map(({ intersection, at_m }) => [intersection, at_m]));
  for (const green of answer.greens) {
    const metres = at.get(green.intersection);
    if (metres === undefined) continue;
    const [x, y] = [frame.x(timeOf(green.start)), frame.y(metres) - 2.5];
    const wide = Math.max(0.5, frame.x(timeOf(green.end)) - x);
    frame.inner.append(s("rect", { x: x.toFixed(1), y: y.toFixed(1), width: wide.toFixed(1), height: 5, fill: GREEN, class: "green" }));
  }
  for (const { times, metres } of tracks) {
    const path = times.map((time, i) => `${i === 0 ? "M" : "L"}${frame.x(time).toFixed(1)},${frame.y(metres[i]!).toFixed(1)}`).join("");
    frame.inner.append(s("path", { d: path, fill: "none", stroke: "#25456b", "stroke-width": 0.9, "stroke-opacity": 0.75, class: "track" }));
  }
  for (const { at_m, name } of answer.stops) {
    frame.svg.append(
      s("text", { x: frame.left + 5, y: (frame.y(at_m) - 6).toFixed(1), fill: "#1c2733", "font-weight": 600, stroke: "#ffffff", "stroke-width": 3, "paint-order": "stroke" }, name),
    );
  }
  const times: number[] = [];
  for (let time = Math.ceil(start / READ_EVERY) * READ_EVERY; time <= end; time += READ_EVERY) times.push(time);
  return {
    axes: frame,
    times,
    read: (time) => {
      const there = tracks.filter((track) => placeAt(track.times, track.metres, time) !== null).length;
      const green = answer.stops.filter(({ intersection }) =>
        answer.greens.some((one) => one.intersection === intersection && timeOf(one.start) <= time && time < timeOf(one.end)),
      );
      return t("crossing.corridor.read", { n: there, green: green.map(({ name }) => name).join(", ") || "–" });
    },
    head: [t("crossing.corridor.enters"), t("crossing.corridor.leaves"), t("crossing.corridor.from"), t("crossing.corridor.to_m"), t("crossing.corridor.speed")],
    rows: () =>
      tracks
        .filter((track) => track.times.length > 0)
        .map((track) => {
          const speed = meanSpeed(track.times, track.metres);
          return [timeText(track.times[0]!), timeText(track.times.at(-1)!), track.metres[0]!, track.metres.at(-1)!, speed];
        }),
  };
}
