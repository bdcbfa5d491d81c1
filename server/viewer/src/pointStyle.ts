/** How the points of a cloud are coloured: as photographed, by class, by intensity. */
import { Cesium3DTileStyle } from "cesium";
import type { Localized } from "./data/types";
import type { PointMode } from "./pointModes";

/** A class of points as the server names and colours it. */
export interface PointClass {
  code: number;
  title: Localized;
  color: string;
}

const UNNAMED = "#9aa3ad";
const PIXELS = 2;

/** Intensities are 16 bits wide, but most scanners use little of that. */
const BRIGHT = 4096;

export function pointStyle(
  mode: PointMode,
  classes: readonly PointClass[],
  hidden: ReadonlySet<string>,
  opacity: number,
): Cesium3DTileStyle {
  const colours: Record<PointMode, unknown> = {
    rgb: `\${COLOR} * color('#ffffff', ${opacity})`,
    classification: {
      conditions: [
        ...classes.map(({ code, color }) => [`\${classification} === ${code}`, `color('${color}', ${opacity})`]),
        ["true", `color('${UNNAMED}', ${opacity})`],
      ],
    },
    intensity: `vec4(vec3(clamp(sqrt(\${intensity} / ${BRIGHT}.0), 0.0, 1.0)), ${opacity})`,
  };
  const hide = [...hidden].map((code) => [`\${classification} === ${Number(code)}`, "false"]);
  return new Cesium3DTileStyle({
    color: colours[mode],
    show: hide.length === 0 ? "true" : { conditions: [...hide, ["true", "true"]] },
    pointSize: String(PIXELS),
  });
}
