/** What a thing says, in the fewest words. */
import { formatNumber, formatUnit } from "../i18n";
import type { Sensing } from "./things";
import type { Datastream, Thing } from "./types";

/** A value with its unit; "1" is none. */
export function withUnit(value: number, unit: string | null): string {
  const size = Math.abs(value);
  const text = formatNumber(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  const shown = unit === "1" ? "" : formatUnit(unit);
  return shown === "" ? text : shown === "°" ? `${text}°` : `${text} ${shown}`;
}

/** What is told first of a thing: what is in alarm, else what its class is mostly there for. */
export function primary(sensing: Sensing, thing: Thing): Datastream | null {
  const order = (sensing.classOf(thing)?.properties ?? []).map(({ id }) => id);
  const rank = ({ property, alarm, value }: Datastream) => {
    const place = order.indexOf(property);
    return (value === null ? 10_000 : 0) - (alarm ?? 0) * 1_000 + (place < 0 ? order.length : place);
  };
  return [...thing.datastreams].sort((a, b) => rank(a) - rank(b))[0] ?? null;
}
