/** What the points of a cloud can be coloured by; the engine is not needed to know that. */
export type PointMode = "rgb" | "classification" | "intensity";
export const POINT_MODES: readonly PointMode[] = ["rgb", "classification", "intensity"];
