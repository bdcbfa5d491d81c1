/** What the tools draw over the scene. */
import { Cartesian3 } from "cesium";
import type { App } from "../../app";
import type { Point } from "../../geodesy";
import type { ClipBox } from "../../tools/clipBox";
import type { Here } from "../../tools/here";
import type { Measure } from "../../tools/measure";
import type { Section } from "../../tools/section";
import { formatArea, formatLength } from "../../units";
import type { Drawing, Sketcher } from "../sketch";

const world = ([lon, lat, height]: Point) => Cartesian3.fromDegrees(lon, lat, height);
const between = (a: Cartesian3, b: Cartesian3) => Cartesian3.midpoint(a, b, new Cartesian3());

function measured(tool: Measure): Drawing | null {
  if (!tool.on || tool.points.length === 0) return null;
  const points = tool.points.map(world);
  if (tool.name === "area") {
    const middle = points.reduce((sum, p) => Cartesian3.add(sum, p, new Cartesian3()), new Cartesian3());
    Cartesian3.divideByScalar(middle, points.length, middle);
    const text = tool.surface ? formatArea(tool.surface.area) : "";
    return {
      lines: [{ points, closed: points.length > 2, class: "surface" }],
      dots: points,
      labels: text ? [{ at: middle, text }] : [],
    };
  }
  if (tool.name === "height" && tool.points.length === 2) {
    const [from, to] = tool.points as [Point, Point];
    const corner = world([from[0], from[1], to[2]]);
    return {
      lines: [
        { points: [points[0]!, corner], class: "line" },
        { points: [corner, points[1]!], class: "help" },
      ],
      dots: points,
      labels: [{ at: between(points[0]!, corner), text: formatLength(tool.total!.vertical) }],
    };
  }
  return {
    lines: [{ points, class: "line" }],
    dots: points,
    labels: tool.legs.map((leg, i) => ({
      at: between(points[i]!, points[i + 1]!),
      text: formatLength(leg.horizontal),
    })),
  };
}

function box(tool: ClipBox): Drawing | null {
  const corners = tool.corners;
  if (corners.length === 0) return null;
  const [bottom, top] = [corners.slice(0, 4), corners.slice(4)];
  return {
    lines: [
      { points: bottom, closed: true, class: "frame" },
      { points: top, closed: true, class: "frame" },
      ...bottom.map((corner, i) => ({ points: [corner, top[i]!], class: "frame" })),
    ],
    dots: [],
    labels: [],
  };
}

function asked(tool: Here): Drawing | null {
  const places = [...tool.clicked.values()].filter(({ points }) => points.length > 0);
  if (!tool.on || places.length === 0) return null;
  const { circle } = tool;
  return {
    lines: [
      ...places.flatMap(({ mode, points }) => {
        if (mode === "point") return [];
        const closed = mode === "polygon" && points.length > 2;
        return [{ points: points.map(world), closed, class: closed ? "surface" : "line" }];
      }),
      ...(circle.length > 0 ? [{ points: circle, closed: true, class: "surface" }] : []),
    ],
    dots: places.flatMap(({ points }) => points.map(world)),
    labels: [],
  };
}

function plane(tool: Section): Drawing | null {
  const { corners } = tool;
  return corners.length === 0
    ? null
    : { lines: [{ points: corners, closed: true, class: "frame" }], dots: [], labels: [] };
}

/** The frames of box and plane show while their tool is in hand. */
export function toolSketchers({ toolbox }: App): Sketcher[] {
  const held = (name: string) => toolbox.active?.name === name;
  const here = toolbox.tool("here") as Here;
  return [
    () => asked(here),
    ...(["distance", "area", "height"] as const).map((name) => () => measured(toolbox.tool(name) as Measure)),
    () => (held("clip") ? box(toolbox.tool("clip") as ClipBox) : null),
    () => (held("section") ? plane(toolbox.tool("section") as Section) : null),
  ];
}
