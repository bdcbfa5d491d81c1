"""The few solids everything in the sample buildings is made of.

All numbers are metres in the frame of the element that owns the solid; z is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

Point = tuple[float, float, float]
Point2 = tuple[float, float]
Axis = Literal["x", "y", "z"]


@dataclass(frozen=True)
class Box:
    """A box from its lower corner (x, y, z) with sizes dx, dy, dz (m)."""

    x: float
    y: float
    z: float
    dx: float
    dy: float
    dz: float
    style: str


@dataclass(frozen=True)
class Prism:
    """A polygon swept along one axis.

    `outline` is counter-clockwise in (x, y) for axis z, (y, z) for x and (x, z) for y; the
    sweep starts at coordinate `start` of that axis and is `depth` long (m).
    """

    outline: tuple[Point2, ...]
    axis: Axis
    start: float
    depth: float
    style: str


@dataclass(frozen=True)
class Rod:
    """A round bar or pipe between two points (m)."""

    start: Point
    end: Point
    radius: float
    style: str


@dataclass(frozen=True)
class Mesh:
    """A closed triangle mesh, vertices in metres and faces counter-clockwise from outside."""

    vertices: tuple[Point, ...]
    faces: tuple[tuple[int, int, int], ...]
    style: str


Solid = Box | Prism | Rod | Mesh


def frame(
    x: float, y: float, z: float, w: float, d: float, h: float, t: float, style: str
) -> list[Solid]:
    """Return the four bars (width t, depth d) around a w by h rectangle standing in x and z."""
    return [
        Box(x, y, z, t, d, h, style),
        Box(x + w - t, y, z, t, d, h, style),
        Box(x + t, y, z, w - 2 * t, d, t, style),
        Box(x + t, y, z + h - t, w - 2 * t, d, t, style),
    ]


def blob(radius: float, height: float, base: float, style: str, sides: int = 8) -> Mesh:
    """Return a low-polygon ellipsoid standing on z = base, used for tree crowns.

    Three rings and two poles: enough to read as foliage and only `6 * sides` triangles.
    """
    rings = ((0.72, 0.2), (1.0, 0.5), (0.72, 0.82))
    vertices: list[Point] = [(0.0, 0.0, base)]
    for turn, (share, level) in enumerate(rings):
        for i in range(sides):
            # Every other ring is turned by half a step, which avoids a lantern-like look.
            angle = 2 * pi * (i + 0.5 * (turn % 2)) / sides
            r = radius * share
            vertices.append((r * cos(angle), r * sin(angle), base + height * level))
    vertices.append((0.0, 0.0, base + height))
    top = len(vertices) - 1
    faces: list[tuple[int, int, int]] = []
    for i in range(sides):
        j = (i + 1) % sides
        faces += [(0, 1 + j, 1 + i), (top - sides + i, top - sides + j, top)]
        for ring in range(len(rings) - 1):
            low, high = 1 + ring * sides, 1 + (ring + 1) * sides
            if ring % 2:  # the upper ring lags half a step behind
                faces += [(low + i, low + j, high + j), (low + i, high + j, high + i)]
            else:
                faces += [(low + i, low + j, high + i), (low + j, high + j, high + i)]
    return Mesh(tuple(vertices), tuple(faces), style)


def column_mesh(radius: float, height: float, style: str, sides: int = 6) -> Mesh:
    """Return a closed prism mesh with a regular polygon as base, used for tree trunks."""
    vertices: list[Point] = [(0.0, 0.0, 0.0), (0.0, 0.0, height)]
    for z in (0.0, height):
        for i in range(sides):
            angle = 2 * pi * i / sides
            vertices.append((radius * cos(angle), radius * sin(angle), z))
    faces: list[tuple[int, int, int]] = []
    for i in range(sides):
        j = (i + 1) % sides
        a, b, c, d = 2 + i, 2 + j, 2 + sides + i, 2 + sides + j
        faces += [(0, b, a), (1, c, d), (a, b, c), (b, d, c)]
    return Mesh(tuple(vertices), tuple(faces), style)
