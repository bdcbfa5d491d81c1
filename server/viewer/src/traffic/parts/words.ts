/** Names of what is told of traffic. */
import { formatNumber, isTextKey, language, t } from "../../i18n";
import type { IntersectionSummary, LonLat, RoadState, RoadUser } from "../types";

export function kindName(kind: string): string {
  const key = `traffic.kind.${kind}`;
  return isTextKey(key) ? t(key) : kind;
}

const LETTERS: Record<string, string> = {
  "abnormal-stop": "P", accident: "!", "wrong-way": "↓", "queue-spillback": "≡", speeding: "»", pedestrian: "i", "hard-braking": "B",
  "signal-failure": "S", "off-route": "R", geofence: "G", notice: "N",
};

/** What stands in the sign of an event. */
export const eventLetter = (kind: string): string => LETTERS[kind] ?? "!";

export const userName = (user: RoadUser): string => t(`traffic.user.${user}`);
export const stateName = (state: RoadState | null): string => t(`traffic.state.${state ?? "none"}`);

export const intersectionName = ({ id, name, name_en }: Pick<IntersectionSummary, "id" | "name" | "name_en">): string =>
  (language() === "en" && name_en ? name_en : name) || id;

export const degrees = ([lon, lat]: LonLat): string => `${lon.toFixed(5)}, ${lat.toFixed(5)}`;

export const kmh = (metresPerSecond: number): string => formatNumber(metresPerSecond * 3.6, 0);

/** Hours, minutes and seconds. */
export function clockTime(time: number, seconds = true): string {
  return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}), hourCycle: "h23" });
}

export function dayTime(time: number): string {
  const day = new Date(time).toLocaleDateString(language() === "zh" ? "zh-CN" : "en-GB", { month: "short", day: "numeric" });
  return `${day} ${clockTime(time)}`;
}
