/** What every tool of the toolbar is. */
import type { Cartesian2 } from "cesium";
import type { IconName } from "../dom";
import type { Signal } from "../signal";

export type ToolName =
  | "base"
  | "flat"
  | "underground"
  | "section"
  | "clip"
  | "distance"
  | "area"
  | "height"
  | "phases"
  | "sun"
  | "views"
  | "pipes"
  | "here"
  | "sensors"
  | "heat"
  | "traffic";

export interface Tool {
  readonly name: ToolName;
  readonly icon: IconName;
  /** The letter that presses its button. */
  readonly letter: string;
  /** Its state, or whether it is on, changed. */
  readonly changed: Signal;
  /** Whether it changes the picture or takes the clicks now. */
  readonly on: boolean;
  start(): void;
  stop(): void;
  /** Given for tools that take the clicks on the scene while they are the active one. */
  click?(point: Cartesian2): void;
  /** Called when another tool becomes the active one. */
  leave?(): void;
  /** Its state in the permalink; null while it is off. */
  link: string | null;
}

/** Numbers of a permalink's field; null where they are not as many or not numbers. */
export function numbers(text: string, count: number): number[] | null {
  const found = text.split(",").map(Number);
  return found.length === count && found.every(Number.isFinite) ? found : null;
}

/** A number as a permalink has it. */
export function short(value: number, digits = 2): string {
  return String(Number(value.toFixed(digits)));
}
