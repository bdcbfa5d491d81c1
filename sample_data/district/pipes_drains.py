"""Storm drains to the river and the lake, and sewers to a pumping station."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from sample_data.district.pipes_book import Line
from sample_data.district.pipes_courses import Road, Roads, courses, places
from sample_data.district.pipes_gravity import Drains, Reach, drained, lay
from sample_data.district.pipes_mains import Net, nearest
from sample_data.district.plan import Floats, Shape
from sample_data.district.streets import CARRIAGEWAYS

HEAD = 3.0
"""How far beyond the street it crosses a drain begins that does not come out of the crossing (m)."""
INLET_DEPTH = 1.0
"""How deep the pipe leaves an inlet, by its bottom (m)."""
MOUTH = 0.7
"""How much ground lies over the mouth of a drain (m)."""
STEEP_STREET = 0.35
"""A street has no inlets where its edges are so much higher or lower than its middle (m)."""
CLEAR = 3.5
"""Inlets stand so far beyond the streets that cross theirs (m): other lines cross there."""
CURB = 0.6
"""The middle of an inlet lies so far within the carriageway (m)."""

Size = tuple[int, int, float]
"""Width and height in millimetres, and the least slope."""


def storm(net: Net, streets: Roads) -> dict[int, float]:
    """Lay the storm drains; returns the elevation below which nothing of them lies, by crossing."""
    own, joints = courses(streets, net.table["offsets"]["storm"], lambda _: True)
    mouths = {
        nearest(joints, place): water
        for water, listed in net.table["outfalls"].items() for place in listed
    }  # fmt: skip
    drains = drained(own, list(mouths), net.book.ground, net.table["steps"]["storm"], head=_head(net, streets), through=lambda _: 1.0)  # fmt: skip
    arrived = _arrived(drains)
    ends = np.array([joints[node] for node in mouths])
    top = net.book.ground.at(ends[:, 0], ends[:, 1]) - net.table["levels"]["drains"]
    sizes = [_size(net, arrived[node]) for node in mouths]
    ceiling = {n: float(t) - s[1] / 1000 - _wall(s) for n, t, s in zip(mouths, top, sizes, strict=True)}  # fmt: skip
    drains = lay(drains, lambda reach: _rule(net, reach), ceiling)
    points = _write(net, drains, joints, "雨水井")
    _inlets(net, streets, drains, points)
    for node, water in mouths.items():
        wet = net.of.water.river if water == "river" else net.of.water.lake
        size = _size(net, arrived[node])
        _mouth(net, points[node], drains.bottoms[node], size, wet)
    return {
        node: bottom - _wall(_size(net, arrived.get(node, 0.0)))
        for node, bottom in drains.bottoms.items()
    }


def sewage(net: Net, streets: Roads, below: Mapping[int, float]) -> None:
    """Lay the sewers, under the storm drains where those are."""
    own, joints = courses(streets, net.table["offsets"]["sewage"], lambda _: True)
    (station,) = (entry for entry in net.table["stations"] if entry["network"] == "sewage")
    sink = nearest(joints, station["at"])
    drains = drained(
        own, [sink], net.book.ground, net.table["steps"]["sewage"], head=_head(net, streets),
        through=lambda road: 3.0 if road.kind == "lane" else 1.0,
    )  # fmt: skip
    largest: dict[int, float] = {}
    for reach in drains.reaches:
        size = _size(net, reach.carried)
        over = size[1] / 1000 + _wall(size)
        for node in (reach.up, reach.down):
            if node is not None:
                largest[node] = max(largest.get(node, 0.0), over)
    free = net.table["levels"]["below_storm"]
    ceiling = {n: below[n] - free - over for n, over in largest.items() if n in below}
    drains = lay(drains, lambda reach: _rule(net, reach), ceiling)
    points = _write(net, drains, joints, "污水井")
    net.book.points[points[sink]].appurtenance = station["word"]


def _head(net: Net, streets: Roads) -> Callable[[Road, int], float]:
    crossed = streets.crossed()
    aside = net.table["offsets"][net.name]
    return lambda road, node: crossed[node][road.zh] + abs(aside[road.kind]) + HEAD


def _size(net: Net, carried: float) -> Size:
    rows: Sequence[Sequence[Any]] = net.table["drains"][net.name]
    width, height, slope = [row[1:] for row in rows if row[0] <= carried][-1]
    return int(width), int(height), float(slope)


def _wall(size: Size) -> float:
    """How thick the wall is at most (m)."""
    return 0.2 if size[0] != size[1] else size[0] / 10_000


def _rule(net: Net, reach: Reach) -> tuple[float, float]:
    size = _size(net, reach.carried)
    return net.table["levels"]["drains"] + size[1] / 1000 + _wall(size), size[2]


def _arrived(drains: Drains) -> dict[int, float]:
    """What comes to each crossing, in metres of street."""
    found: dict[int, float] = {}
    for reach in drains.reaches:
        found[reach.down] = found.get(reach.down, 0.0) + reach.carried
    return found


def _text(size: Size) -> str:
    return f"DN{size[0]}" if size[0] == size[1] else f"{size[0]}×{size[1]}"


def _write(net: Net, drains: Drains, joints: Mapping[int, Floats], word: str) -> dict[int, int]:
    """Write the reaches into the book; returns the points of the crossings."""
    points: dict[int, int] = {}

    def at(node: int, road: Road) -> int:
        if node not in points:
            (points[node],) = net.book.add(joints[node][None], road.zh, net.year(road.zh), word)
        return points[node]

    for reach in drains.reaches:
        road = reach.road
        year, size = net.year(road.zh), _size(net, reach.carried)
        first = [] if reach.up is None else [at(reach.up, road)]
        inner = net.book.add(reach.places[len(first) : -1], road.zh, year, word)
        rows = [*first, *inner, at(reach.down, road)]
        for i, (a, b) in enumerate(pairwise(rows)):
            _drain(net, (a, b), (reach.bottoms[i], reach.bottoms[i + 1]), size, year, road.zh)
    return points


def _drain(
    net: Net, ends: tuple[int, int], bottoms: Sequence[float], size: Size, year: int, road: str
) -> None:
    points = net.book.points
    first, last = (
        round(points[end].ground - float(bottom), 2)
        for end, bottom in zip(ends, bottoms, strict=True)
    )
    material = net.material("drain" if size[0] <= 600 else "drain_large", year)
    net.book.lines.append(
        Line(*ends, (first, last), _text(size), material, "直埋", year, road, more={"流向": "+"})
    )


def _inlets(net: Net, streets: Roads, drains: Drains, points: Mapping[int, int]) -> None:
    """An inlet at both edges of the carriageway for each well between crossings."""
    joints = set(points.values())
    wells = {}
    for line in net.book.lines:
        for end, other in ((line.start, line.end), (line.end, line.start)):
            if end not in joints:
                wells[end] = other
    kinds = {reach.road.zh: reach.road for reach in drains.reaches}
    middle = {zh: [r.road.line for r in drains.reaches if r.road.zh == zh] for zh in kinds}
    joined = {zh: shapely.multilinestrings(found) for zh, found in middle.items()}
    crossed = streets.crossed()
    clear = {
        zh: shapely.union_all([
            shapely.Point(streets.places[node]).buffer(widths[zh] + CLEAR)
            for node, widths in crossed.items() if zh in widths
        ])
        for zh in kinds
    }  # fmt: skip
    for well in sorted(wells):
        point = net.book.points[well]
        spot = shapely.Point(point.x, point.y)
        if clear[point.road].contains(spot):
            continue
        kind = kinds[point.road].kind
        foot, _ = shapely.shortest_line(joined[point.road], spot).coords
        way = np.array([foot[0] - point.x, foot[1] - point.y])
        across = way / max(float(np.hypot(*way)), 1e-9)
        half = CARRIAGEWAYS[kind] / 2 - CURB
        edges = np.array(foot) + np.array([half, -half])[:, None] * across
        heights = net.book.ground.at(edges[:, 0], edges[:, 1])
        if np.abs(heights - point.ground).max() > STEEP_STREET:
            continue
        for edge in net.book.add(edges, point.road, point.year, "雨水箅"):
            inlet = net.book.points[edge]
            length = float(np.hypot(inlet.x - point.x, inlet.y - point.y))
            bottom = min(inlet.ground, point.ground) - INLET_DEPTH
            _drain(net, (edge, well), (bottom, bottom - 0.02 * length), (300, 300, 0.0), point.year, point.road)  # fmt: skip


def _mouth(net: Net, joint: int, bottom: float, size: Size, wet: Shape) -> None:
    """A drain from a crossing to the bank of the water, to where it would come out of the ground."""
    from_ = net.book.points[joint]
    start = shapely.Point(from_.x, from_.y)
    way = shapely.shortest_line(start, wet)
    along = np.arange(0.0, way.length, 0.5)
    spots = places(way, along)
    heights = net.book.ground.at(spots[:, 0], spots[:, 1])
    covered = heights - (bottom - size[2] * along) > size[1] / 1000 + _wall(size) + MOUTH
    last = float(along[np.flatnonzero(covered)[-1]])
    count = int(np.ceil(last / net.table["steps"]["storm"]))
    marks = np.linspace(0.0, last, count + 1)
    inner = net.book.add(places(way, marks[1:-1]), from_.road, from_.year, "雨水井")
    end = net.book.add(places(way, marks[-1:]), from_.road, from_.year, "出水口")
    rows = [joint, *inner, *end]
    for i, (a, b) in enumerate(pairwise(rows)):
        ends = [bottom - size[2] * float(mark) for mark in marks[i : i + 2]]
        _drain(net, (a, b), ends, size, from_.year, from_.road)
