"""Pipes and cables that follow the ground at an even depth: water, gas, power and telecom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from sample_data.district.district import District
from sample_data.district.draft import Building
from sample_data.district.pipes_book import Book, Line
from sample_data.district.pipes_courses import Course, Road, Roads, chainages, courses, places
from sample_data.district.plan import Floats, Shape, random

VALVE_AT = {"arterial": 17.0, "collector": 11.0, "local": 8.0, "lane": 4.0}
"""How far from a crossing the valves of its arms lie (m), by class of street."""
HYDRANTS = 110.0
"""How far hydrants lie apart (m)."""
REACH = 34.0
"""A house is not connected from farther away (m)."""
ASIDE = {"water": -1.6, "gas": 0.0, "power": 1.6, "telecom": 3.2}
"""How far along the street each network leaves it for a house, so that they lie side by side (m)."""
AMISS = 0.3
"""A house whose pipe would have to begin so far from where it should (m) is not connected."""
APART = 7.0
"""Houses nearer to one another along their street (m) are not both connected."""
SHARES = {"water": 1.0, "gas": 0.8, "power": 0.8, "telecom": 0.6}
MAINS = ("arterial", "collector", "local")


@dataclass(frozen=True, slots=True)
class Branch:
    """What leaves a course: from its chainage along `path` (n, 2) to a point with an appurtenance.

    `level` is how deep it lies where that is not as deep as what it leaves.
    """

    along: float
    path: Floats
    size: str
    word: str
    year: int
    building: Building | None = None
    level: float | None = None


@dataclass
class Net:
    """One network while it is being laid.

    `served` are the houses that can be connected, `entries` the book's points where they are.
    """

    name: str
    of: District
    table: Mapping[str, Any]
    book: Book
    served: Sequence[Building] = ()
    entries: list[tuple[int, Building]] = field(default_factory=list)
    years: dict[str, int] = field(default_factory=dict)

    def year(self, street: str) -> int:
        """When the network was laid below a street."""
        if street not in self.years:
            rng = random(self.of.seed, f"pipes {self.name} {street}")
            self.years[street] = int(rng.integers(1992, self.table["latest"]))
        return self.years[street]

    def material(self, series: str, year: int) -> str:
        """What a series of materials has for a year."""
        known: Sequence[tuple[int, str]] = self.table["materials"][series]
        return [word for since, word in known if since <= year][-1]

    def conflict(self, street: str, what: str) -> Any:
        """What is wrong below a street on purpose, None for nothing."""
        for entry in self.table["conflicts"]:
            if entry["network"] == self.name and entry["street"] == street and what in entry:
                return entry[what]
        return None


@dataclass(frozen=True, slots=True)
class Manner:
    """What differs between networks that follow the ground.

    `series` names the materials by the size of a pipe and `more` gives columns of their own for a
    road, the size there and the year; `joint`, `inner` and `entry` are what stands at crossings,
    between them and at houses. `valves` tells whether arms are shut at crossings, those of lanes by a
    `lane`.
    """

    series: Callable[[str], str]
    more: Callable[[Road, str, int], dict[str, str]]
    joint: str = ""
    inner: str = ""
    entry: str = ""
    burial: str = "直埋"
    valves: bool = False
    lane: str = "阀门"
    hydrants: bool = False


def laid(net: Net, streets: Roads, manner: Manner) -> None:
    """Lay a network below the streets and to the houses beside them."""
    table, name = net.table, net.name
    without = table["direct"]["without_gas"] if name == "gas" else []
    offsets = table["offsets"][name]
    normal, joints = courses(streets, offsets, lambda road: road.zh not in without)
    own = [_moved(net, course, streets, offsets, joints) for course in normal]
    stations = _stations(net, joints)
    points: dict[int, int] = {}
    words = {node: stations.get(node, manner.joint) for node in joints}
    mains = {n for c in own if c.road.kind in MAINS for n in c.nodes}
    branches = _houses(net, own, manner)
    for entry in table["spurs"]:
        if entry["network"] == name:
            number, branch = _spur(entry, own)
            branches.setdefault(number, []).append(branch)
    arms: dict[int, int] = {}
    for course in own:
        for node in course.nodes:
            if course.road.kind in MAINS:
                arms[node] = arms.get(node, 0) + 1
    for number, course in enumerate(own):
        for node in course.nodes:
            if node not in points:
                (points[node],) = net.book.add(joints[node][None], course.road.zh, net.year(course.road.zh), words[node])  # fmt: skip
        marks = _marks(course, manner, arms, mains)
        _lay(net, course, manner, points, marks, branches.get(number, []))


def _moved(
    net: Net, course: Course, streets: Roads, offsets: Mapping[str, float], joints: Mapping[int, Floats]
) -> Course:  # fmt: skip
    """The course as it is, or nearer to another where that is wanted."""
    offset = net.conflict(course.road.zh, "offset")
    if offset is None:
        return course
    wrong, _ = courses(
        Roads((course.road,), streets.places), {course.road.kind: offset}, lambda _: True
    )
    inner = np.asarray(wrong[0].line.coords)[1:-1]
    ends = [joints[node] for node in course.nodes]
    line = shapely.LineString(np.vstack([ends[0], inner, ends[1]]))
    return Course(course.road, course.nodes, line)


def _stations(net: Net, joints: Mapping[int, Floats]) -> dict[int, str]:
    found = {}
    for entry in net.table["stations"]:
        if entry["network"] == net.name:
            found[nearest(joints, entry["at"])] = entry["word"]
    return found


def nearest(joints: Mapping[int, Floats], place: Sequence[float]) -> int:
    """The crossing nearest to a place."""
    away = {node: float(np.hypot(*(spot - place))) for node, spot in joints.items()}
    return min(away, key=lambda node: (away[node], node))


def _marks(
    course: Course, manner: Manner, arms: Mapping[int, int], mains: set[int]
) -> list[tuple[float, str]]:
    """The chainages of what stands on a course, and what it is."""
    found = []
    kind, length = course.road.kind, course.line.length
    if manner.valves:
        at = VALVE_AT[kind]
        for node, along in zip(course.nodes, (at, length - at), strict=True):
            crossing = arms.get(node, 0) >= 3 if kind in MAINS else node in mains
            if crossing and length > 2.5 * at:
                found.append((along, manner.lane if kind == "lane" else "阀门"))
    if manner.hydrants and kind in MAINS:
        count = int(length / HYDRANTS + 0.5)
        found.extend(((i + 0.5) * length / count, "栓") for i in range(count))
    return found


def _lay(
    net: Net, course: Course, manner: Manner, points: Mapping[int, int],
    marks: Sequence[tuple[float, str]], branches: Sequence[Branch],
) -> None:  # fmt: skip
    road, table = course.road, net.table
    year = net.year(road.zh)
    in_ground = net.name == "power" and road.zh in table["direct"]["streets"]
    size = table["direct"]["size"] if in_ground else table["sizes"][net.name][road.kind]
    size = net.conflict(road.zh, "size") or size
    usual = table["direct"]["level"] if in_ground else table["levels"][net.name]
    level = net.conflict(road.zh, "level") or usual
    forced = [along for along, _ in marks] + [branch.along for branch in branches]
    along = chainages(course.line, table["steps"][net.name], forced)
    spots = places(course.line, along[1:-1])
    inner = net.book.add(spots, road.zh, year, manner.inner)
    rows = [points[course.nodes[0]], *inner, points[course.nodes[1]]]
    taken: set[int] = set()
    for place, word in marks:
        at = int(np.argmin(np.abs(along - place)))
        if not 0 < at < len(rows) - 1 or at in taken:
            continue
        taken.add(at)
        if word == "栓":
            _hydrant(net, course, manner, rows[at], place, level)
        else:
            net.book.points[rows[at]].appurtenance = word
    burial = "直埋" if in_ground else manner.burial
    # Other streets' lines meet at the ends, at their own depth.
    depths = [usual, *[level] * len(inner), usual]
    for a, b, *deep in zip(rows, rows[1:], depths, depths[1:], strict=False):
        _line(net, manner, (a, b), road, size, deep, year, burial)
    for branch in branches:
        at = int(np.argmin(np.abs(along - branch.along)))
        if branch.building is not None and abs(along[at] - branch.along) > AMISS:
            continue
        _branch(net, manner, road, rows[at], branch, level, burial)


def _hydrant(
    net: Net, course: Course, manner: Manner, row: int, along: float, level: float
) -> None:
    """A hydrant a metre from the main, on the side of the houses."""
    spots = places(course.line, np.array([along - 0.5, along + 0.5]))
    way = spots[1] - spots[0]
    left = np.array([-way[1], way[0]]) / np.hypot(*way)
    spot = np.array([net.book.points[row].x, net.book.points[row].y]) + 0.9 * left
    (end,) = net.book.add(spot[None], course.road.zh, net.year(course.road.zh), "消防栓")
    _line(
        net,
        manner,
        (row, end),
        course.road,
        "DN100",
        [level, level],
        net.year(course.road.zh),
        "直埋",
    )


def _branch(
    net: Net, manner: Manner, road: Road, row: int, branch: Branch, level: float, burial: str
) -> None:
    inner = net.book.add(branch.path[:-1], road.zh, branch.year, manner.inner if len(branch.path) > 1 else "")  # fmt: skip
    (end,) = net.book.add(branch.path[-1:], road.zh, branch.year, branch.word)
    rows = [row, *inner, end]
    depths = [level, *[branch.level or level] * len(branch.path)]
    for ends, deep in zip(pairwise(rows), pairwise(depths), strict=True):
        _line(net, manner, ends, road, branch.size, deep, branch.year, burial)
    if branch.building is not None:
        net.entries.append((end, branch.building))


def _line(
    net: Net, manner: Manner, ends: tuple[int, int], road: Road, size: str, depths: Sequence[float],
    year: int, burial: str,
) -> None:  # fmt: skip
    material = "铜" if burial == "直埋" and net.name == "power" else net.material(manner.series(size), year)  # fmt: skip
    more = manner.more(road, size, year)
    net.book.lines.append(
        Line(*ends, (depths[0], depths[1]), size, material, burial, year, road.zh, more=more)
    )


def _spur(entry: Mapping[str, Any], own: Sequence[Course]) -> tuple[int, Branch]:
    path = np.array(entry["line"])
    start = shapely.Point(path[0])
    number = min(range(len(own)), key=lambda i: (own[i].line.distance(start), i))
    along = own[number].line.project(start)
    return number, Branch(
        along, path[1:], entry["size"], "", entry["year"], level=entry.get("level")
    )


def served(of: District, streets: Roads) -> list[Building]:
    """The houses that are connected, so far apart along their streets that pipes lie side by side."""
    houses = [b for b in of.buildings if b.use != "utility"]
    lines = np.array([road.line for road in streets.roads])
    middles = shapely.centroid(np.array([b.outline for b in houses]))
    house, road = shapely.STRtree(lines).query_nearest(
        middles, max_distance=3 * REACH, all_matches=False
    )
    along = shapely.line_locate_point(lines[road], middles[house])
    order = np.lexsort((house, along, road))
    chosen, last = [], (-1, 0.0)
    for i in order.tolist():
        if int(road[i]) != last[0] or along[i] - last[1] > APART:
            last = (int(road[i]), float(along[i]))
            chosen.append(int(house[i]))
    return [houses[i] for i in sorted(chosen)]


def _houses(net: Net, own: Sequence[Course], manner: Manner) -> dict[int, list[Branch]]:
    """The branches to houses by the number of the course they leave."""
    houses = net.served
    outlines = np.array([b.outline for b in houses])
    middles = shapely.centroid(outlines)
    lines = np.array([course.line for course in own])
    house, course = shapely.STRtree(lines).query_nearest(
        outlines, max_distance=REACH, all_matches=False
    )
    chosen = random(net.of.seed, f"houses {net.name}").random(len(house)) < SHARES[net.name]
    found: list[tuple[int, Building, Shape, float]] = []
    for i in np.flatnonzero(chosen):
        number, owner = int(course[i]), houses[house[i]]
        hit = _aside(own[number].line, middles[house[i]], owner.outline, ASIDE[net.name])
        if hit is not None:
            found.append((number, owner, *hit))
    ways = np.array([way for _, _, way, _ in found])
    tree = shapely.STRtree(np.array([b.outline for b in net.of.buildings]))
    blocked = np.bincount(tree.query(ways, predicate="intersects")[0], minlength=len(ways)) > 1
    kinds = np.array([own[number].road.kind in MAINS for number, _, _, _ in found])
    streets = np.array([own[number].road.line for number, _, _, _ in found])
    blocked |= kinds & shapely.intersects(ways, streets)
    branches: dict[int, list[Branch]] = {}
    size = net.table["sizes"][net.name]["house"]
    for (number, owner, way, along), no in zip(found, blocked, strict=True):
        if not no:
            end = shapely.get_coordinates(way)[1:]
            year = max(owner.year, net.year(own[number].road.zh))
            year = min(year, net.table["latest"])
            branches.setdefault(number, []).append(Branch(along, end, size, manner.entry, year, owner))  # fmt: skip
    return branches


def _aside(line: Shape, middle: Shape, outline: Shape, aside: float) -> tuple[Shape, float] | None:
    """A way straight from a line to a house, and its chainage; None where it would miss the house."""
    along = line.project(middle) + aside
    if not 3.0 < along < line.length - 3.0:
        return None
    here, there = places(line, np.array([along - 0.1, along + 0.1]))
    foot, tangent = (here + there) / 2, (there - here) / np.hypot(*(there - here))
    normal = np.array([-tangent[1], tangent[0]])
    side = np.sign(float(normal @ (np.array([middle.x, middle.y]) - foot)))
    far = foot + normal * side * (REACH + 5.0)
    met = shapely.LineString([foot, far]).intersection(outline.boundary)
    if met.is_empty:
        return None
    ends = shapely.get_coordinates(met)
    end = ends[int(np.argmin(np.hypot(*(ends - foot).T)))]
    way = shapely.LineString([foot, end])
    return (way, along) if 2.0 < way.length < REACH else None
