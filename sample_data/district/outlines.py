"""Outlines and how they are turned, split and drawn in; plan metres, angles in degrees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, radians, sin

import numpy as np
import shapely
import shapely.affinity

from sample_data.district.plan import Floats, Shape


def polygons(shape: Shape, least: float = 0.0) -> list[Shape]:
    """The polygons of a shape that are larger than `least` square metres."""
    if shape.is_empty:
        return []
    return [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > least]


def lines(shape: Shape, least: float = 0.0) -> list[Shape]:
    """The lines of a shape that are longer than `least` metres."""
    if shape.is_empty:
        return []
    merged = shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape
    return [
        p for p in shapely.get_parts(merged) if p.geom_type == "LineString" and p.length > least
    ]


def largest(shape: Shape) -> Shape:
    """The largest polygon of a shape, an empty one if it has none."""
    return max(polygons(shape), key=lambda p: p.area, default=shapely.Polygon())


def placed(points: Floats, x: float, y: float, turn: float) -> Shape:
    """A polygon of (n, 2) points, turned about the origin and moved to (x, y)."""
    c, s = cos(radians(turn)), sin(radians(turn))
    return shapely.Polygon(points @ np.array([[c, s], [-s, c]]) + (x, y))


def turned(shape: Shape, degrees: float) -> Shape:
    """A shape turned about the origin of the plan, and so back with the negative angle."""
    return shapely.affinity.rotate(shape, degrees, origin=(0.0, 0.0))


def bearing(shape: Shape) -> float:
    """The direction of the long side of a shape's smallest rectangle, in -90..90 degrees from east."""
    box = shapely.minimum_rotated_rectangle(shape)
    if box.geom_type != "Polygon":
        return 0.0
    ring = np.asarray(box.exterior.coords)
    sides = np.diff(ring[:3], axis=0)
    dx, dy = sides[np.argmax(np.hypot(*sides.T))]
    return float((np.degrees(np.arctan2(dy, dx)) + 90.0) % 180.0 - 90.0)


def facing_south(shape: Shape) -> float:
    """The direction along a shape that is nearest to east, within 45 degrees: rows look south."""
    angle = bearing(shape)
    return angle - 90.0 if angle > 45.0 else angle + 90.0 if angle < -45.0 else angle


def split(shape: Shape, share: float, gap: float, tilt: float = 0.0) -> tuple[list[Shape], Shape]:
    """Cut a shape across its long side; returns the parts and the line of the cut, clipped.

    `share` is where along the long side (0..1), `gap` the width left free in between and `tilt`
    how much the cut leans.
    """
    angle = bearing(shape)
    flat = turned(shape, -angle)
    x0, y0, x1, y1 = flat.bounds
    x, y = x0 + share * (x1 - x0), (y0 + y1) / 2
    reach = (x1 - x0) + (y1 - y0)
    lean = np.tan(radians(tilt)) * reach
    cut = shapely.LineString([(x - lean, y - reach), (x + lean, y + reach)])
    half = gap / 2
    left = shapely.Polygon(
        [(x - lean - half, y - reach), (x + lean - half, y + reach), (x - 3 * reach, y + reach),
         (x - 3 * reach, y - reach)]
    )  # fmt: skip
    right = shapely.Polygon(
        [(x - lean + half, y - reach), (x + lean + half, y + reach), (x + 3 * reach, y + reach),
         (x + 3 * reach, y - reach)]
    )  # fmt: skip
    parts = [p for side in (left, right) for p in polygons(flat.intersection(side), 1.0)]
    return [turned(p, angle) for p in parts], turned(cut.intersection(flat), angle)


def divide(
    shape: Shape, most: float, gap: float, rng: np.random.Generator, spread: float = 0.1,
    tilt: float = 0.0, least: float = 0.0,
) -> list[Shape]:  # fmt: skip
    """Cut a shape again and again until no part is larger than `most` square metres."""
    done: list[Shape] = []
    todo = [shape]
    while todo:
        part = todo.pop()
        if part.area <= most:
            done.append(part)
            continue
        share = 0.5 + rng.uniform(-spread, spread)
        pieces, _ = split(part, share, gap, rng.uniform(-tilt, tilt) if tilt else 0.0)
        if len(pieces) < 2:
            done.append(part)
            continue
        todo.extend(p for p in pieces if p.area > least)
    return done


def apart(candidates: Sequence[Shape], inside: Shape | None, gap: float = 0.0) -> list[int]:
    """Which of the candidates stand inside and keep their distance, the earlier before the later."""
    if not candidates:
        return []
    shapes = np.array(candidates, dtype=object)
    good = np.ones(len(shapes), bool)
    if inside is not None:
        shapely.prepare(inside)
        good = shapely.covers(inside, shapes)
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="dwithin", distance=gap)
    for a, b in sorted(zip(left.tolist(), right.tolist(), strict=True)):
        if a < b and good[a] and good[b]:
            good[b] = False
    return [int(i) for i in np.flatnonzero(good)]


def rectangle(width: float, depth: float) -> Floats:
    """The corners (4, 2) of a rectangle around the origin."""
    w, d = width / 2, depth / 2
    return np.array([(-w, -d), (w, -d), (w, d), (-w, d)])


def rows(area: Shape, angle: float, pitch: float) -> Iterable[tuple[float, float, float]]:
    """The chords (y, x0, x1) of an area turned by -angle, `pitch` metres apart, the rest halved."""
    flat = turned(area, -angle)
    if flat.is_empty:
        return
    west, south, east, north = flat.bounds
    y = south + 0.01 + (north - south) % pitch / 2
    while y < north:
        chord = flat.intersection(shapely.LineString([(west - 1, y), (east + 1, y)]))
        for part in lines(chord):
            x0, _, x1, _ = part.bounds
            yield y, x0, x1
        y += pitch
