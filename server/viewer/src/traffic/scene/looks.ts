/** How what moves and what lights up looks: sizes and colours, which tell apart with any colour vision. */
import type { Light, RoadState, RoadUser } from "../types";
import { ROAD_USERS } from "../types";

/** Metres; how much of its length its pointed front takes; pixels that it is long at least. */
export interface Shape {
  length: number;
  width: number;
  height: number;
  nose: number;
  pixels: number;
}

const CAR: Shape = { length: 4.5, width: 1.85, height: 1.5, nose: 0.22, pixels: 9 };
const CYCLE: Shape = { length: 1.9, width: 0.8, height: 1.6, nose: 0.5, pixels: 6.5 };
export const SHAPES: Record<RoadUser, Shape> = {
  unknown: CAR,
  passenger: CAR,
  "light-truck": { length: 6.2, width: 2.1, height: 2.6, nose: 0.12, pixels: 10 },
  truck: { length: 10, width: 2.5, height: 3.4, nose: 0.08, pixels: 13 },
  motorcycle: CYCLE,
  bus: { length: 12, width: 2.55, height: 3.1, nose: 0.06, pixels: 14 },
  emergency: { length: 6, width: 2.1, height: 2.5, nose: 0.15, pixels: 11 },
  bicycle: CYCLE,
  pedestrian: { length: 0.8, width: 0.8, height: 1.75, nose: 0.75, pixels: 5 },
  other: CAR,
};

/** After Okabe and Ito, somewhat darker where they would not show on a light ground. */
export const USER_COLOURS: Record<RoadUser, string> = {
  unknown: "#6b7887",
  passenger: "#0068a8",
  "light-truck": "#b0578f",
  truck: "#6a4c93",
  motorcycle: "#00875f",
  bus: "#e08e00",
  emergency: "#c1121f",
  bicycle: "#35a7e0",
  pedestrian: "#d55e00",
  other: "#6b7887",
};

/** Classes that are shown as one in the legend. */
export const USER_GROUPS: readonly (readonly RoadUser[])[] = [
  ["passenger"], ["bus"], ["truck"], ["light-truck"], ["motorcycle"], ["bicycle"], ["pedestrian"], ["emergency"], ["unknown", "other"],
];

/** Kilometres per hour from which on a colour holds. */
export const SPEEDS: readonly (readonly [number, string])[] = [
  [0, "#a50f2b"], [5, "#ee6c2c"], [20, "#e9b53a"], [40, "#4fa3d9"], [60, "#1f4e9c"],
];

export const speedClass = (metresPerSecond: number): number => {
  const speed = metresPerSecond * 3.6;
  let found = 0;
  for (let i = 1; i < SPEEDS.length; i++) if (speed >= SPEEDS[i]![0]) found = i;
  return found;
};

/** 畅通 to 严重拥堵: darker and wider the worse it is. Half the width in pixels. */
export const STATE_LOOKS: Record<RoadState, { colour: string; pixels: number }> = {
  free: { colour: "#2f9e6b", pixels: 1.5 },
  "light-free": { colour: "#8cc04b", pixels: 2 },
  light: { colour: "#f0b429", pixels: 2.8 },
  moderate: { colour: "#e4572e", pixels: 3.8 },
  severe: { colour: "#8b0a3d", pixels: 5 },
};
export const NO_STATE = { colour: "#9aa3ad", pixels: 1 };

/** Which lamp of three is lit: 0 the upper one. */
export type Lamp = 0 | 1 | 2;
export interface LightLook {
  colour: string;
  lamps: readonly Lamp[];
  flashing: boolean;
}

const RED = "#e5342b";
const YELLOW = "#f5b81c";
const GREEN = "#1fa35c";
export const LIGHT_LOOKS: Record<Light, LightLook> = {
  unknown: { colour: "#8a94a0", lamps: [], flashing: false },
  dark: { colour: "#3a4550", lamps: [], flashing: false },
  "flashing-red": { colour: RED, lamps: [0], flashing: true },
  red: { colour: RED, lamps: [0], flashing: false },
  "flashing-green": { colour: GREEN, lamps: [2], flashing: true },
  "permissive-green": { colour: GREEN, lamps: [2], flashing: false },
  "protected-green": { colour: GREEN, lamps: [2], flashing: false },
  yellow: { colour: YELLOW, lamps: [1], flashing: false },
  "flashing-yellow": { colour: YELLOW, lamps: [1], flashing: true },
};
export const LAMP_COLOURS = [RED, YELLOW, GREEN] as const;

/** Whether somebody may go. */
export const goes = (light: Light): boolean => LIGHT_LOOKS[light].colour === GREEN;

export const userOf = (kind: number): RoadUser => ROAD_USERS[kind] ?? "unknown";
