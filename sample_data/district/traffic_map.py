"""The lanes of the signalised intersections and of the streets between them, in plan metres.

A lane of a street leads from one intersection's exit to the next one's stop line. Those who turn left
leave the innermost of them for a pocket, which is a lane of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
import shapely.ops

from sample_data.district.intersections import CROSSING, ENTRIES, EXITS, Approach, Intersection
from sample_data.district.plan import Floats, Shape
from sample_data.district.roadways import MEDIAN
from sample_data.district.streets import CARRIAGEWAYS, SPEEDS, Network, headings

POCKET = 75.0
"""How far before the stop line the pocket for those who turn left begins (m)."""
TAPER = 28.0
"""Along so much of the road a lane moves sideways (m)."""
BIKES = 1.3
"""The middle of the lane for bicycles, beside the carriageway (m)."""
BIKE_WIDTH = 2.4
SIDES = (("north", "北"), ("east", "东"), ("south", "南"), ("west", "西"))


@dataclass(frozen=True, slots=True)
class Link:
    """A street in one direction, from stop line to stop line; `zh` and `en` with the direction."""

    id: str
    zh: str
    en: str
    kind: str
    start: str | None
    end: str | None
    line: Shape
    arm: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane; `branch` is the lane and the place on it (m) where a pocket begins."""

    id: str
    link: str
    number: int
    kind: str
    turns: tuple[str, ...]
    width: float
    speed: float
    line: Shape
    branch: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way through an intersection; `side` is the arm that one comes in by."""

    id: str
    node: str
    start: str
    end: str
    turn: str
    group: str
    line: Shape
    side: str
    speed: float


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of an intersection: its side of the world, and the links that lead in and out."""

    side: str
    approach: Approach
    enters: str
    leaves: str
    stop: float


@dataclass
class Roads:
    """All of it: by their ids, in order."""

    nodes: dict[str, Intersection] = field(default_factory=dict)
    arms: dict[str, list[Arm]] = field(default_factory=dict)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)

    def of_link(self, link: str) -> list[Lane]:
        """The lanes of a link, from the middle of the road outwards."""
        return [lane for lane in self.lanes.values() if lane.link == link]


def roads(main: Network, crossings: Sequence[Intersection]) -> Roads:
    """The lanes of the intersections with signals and of the streets that lead to them."""
    found = Roads()
    lights = [one for one in crossings if one.signals]
    names = {one.node: f"I{n + 1:02d}" for n, one in enumerate(lights)}
    barred = {one.node for one in crossings} - set(names)
    for one in lights:
        found.nodes[names[one.node]] = one
        found.places[names[one.node]] = main.nodes[one.node]
    edge = 0
    sides: dict[str, dict[str, tuple[Approach, float, str, str]]] = {}
    for one in lights:
        here = sides.setdefault(names[one.node], {})
        for approach in one.approaches:
            street, far = _street(main, one.node, approach, set(names), barred)
            stop = street.project(shapely.Point(approach.line.coords[0]))
            if far in names:
                other = names[far]
            else:
                edge += 1
                other = f"E{edge:02d}"
            enters, leaves = f"{other}-{names[one.node]}", f"{names[one.node]}-{other}"
            here[_side(approach.bearing)] = (approach, stop, enters, leaves)
            inward = street.reverse()
            back = _stop_at(lights, names, other, street) if far in names else 0.0
            line = shapely.ops.substring(inward, back, street.length - stop)
            start = other if far in names else None
            _add_link(found, enters, approach, line, start, names[one.node])
            if far not in names:
                out = shapely.ops.substring(street, stop, street.length)
                _add_link(found, leaves, approach, out, names[one.node], None)
    for node, there in sides.items():
        found.arms[node] = [
            Arm(side, *there[side][:1], there[side][2], there[side][3], there[side][1])
            for side, _ in SIDES
            if side in there
        ]
        for arm in found.arms[node]:
            for way in _ways(found, node, arm):
                found.ways[way.id] = way
    return found


def _street(
    main: Network, node: int, approach: Approach, lights: set[int], barred: set[int]
) -> tuple[Shape, int]:
    """The street outwards from a node, to the next with signals, else to where another crosses."""
    middle = approach.line.interpolate(0.5, normalized=True)
    first = min(main.arms[node], key=lambda i: float(main.segments[i].line.distance(middle)))
    parts: list[Shape] = []
    kept: tuple[list[Shape], int] | None = None
    at, segment = node, main.segments[first]
    while True:
        parts.append(segment.line if segment.nodes[0] == at else segment.line.reverse())
        at = segment.nodes[1] if segment.nodes[0] == at else segment.nodes[0]
        if at in lights:
            break
        if at in barred and kept is None:
            kept = (list(parts), at)
        ahead = [
            main.segments[i] for i in main.arms[at]
            if main.segments[i] is not segment and main.segments[i].street == segment.street
        ]  # fmt: skip
        if not ahead:
            if kept is not None:
                parts, at = kept
            break
        segment = ahead[0]
    points = [xy for part in parts for xy in part.coords]
    return shapely.remove_repeated_points(shapely.LineString(points), 0.01), at


def _stop_at(
    lights: Sequence[Intersection], names: Mapping[int, str], other: str, street: Shape
) -> float:
    """How far from the far end of a street the stop line is that is there (m)."""
    there = next(one for one in lights if names[one.node] == other)
    starts = [shapely.Point(approach.line.coords[0]) for approach in there.approaches]
    nearest = min(starts, key=street.distance)
    return float(street.length - street.project(nearest))


def _side(bearing: float) -> str:
    """The side of the world where those come from who drive in a direction."""
    return SIDES[round((bearing + 180.0) / 90.0) % 4][0]


def _add_link(
    found: Roads, name: str, approach: Approach, line: Shape, start: str | None, end: str | None
) -> None:
    points = np.asarray(line.coords)
    heading = 90.0 - np.degrees(np.arctan2(*(points[-1] - points[0])[::-1]))
    side = SIDES[round(heading / 90.0) % 4]
    zh, en = f"{approach.street}{side[1]}行", f"{approach.street_en} {side[0]}bound"
    link = Link(name, zh, en, approach.kind, start, end, line)
    found.links[name] = link
    count, half = EXITS[link.kind], CARRIAGEWAYS[link.kind] / 2
    speed = round(SPEEDS[link.kind] / 3.6, 2)
    inner = MEDIAN if link.kind == "arterial" else 0.0
    middle = [inner + (half - inner) / count * (rank + 0.5) for rank in range(count)]
    leaving = [half / count * (rank + 0.5) for rank in range(count)] if start else middle
    entries = ENTRIES[link.kind]
    pockets = int(end is not None)
    width = round(half / entries - 0.05, 2)
    for rank in range(count):
        arriving = half / entries * (rank + 1.5) if end else middle[rank]
        turns = () if end is None else ("straight", "right") if rank == count - 1 else ("straight",)
        number = rank + 1 + pockets
        path = _moved(line, [leaving[rank], middle[rank], arriving])
        lane = Lane(f"{name}-{number}", name, number, "driving", turns, width, speed, path)
        if pockets and rank == 0:
            begin = path.length - POCKET
            tail = shapely.ops.substring(path, begin, path.length)
            side_step = half / entries
            pocket = _moved(tail, [0.0, -side_step, -side_step])
            pocket_id = f"{name}-1"
            found.lanes[pocket_id] = Lane(
                pocket_id, name, 1, "driving", ("left",), width, speed, pocket, (lane.id, begin)
            )
        found.lanes[lane.id] = lane
    bikes = f"{name}-{count + pockets + 1}"
    beside = _moved(line, [half + BIKES] * 3)
    ahead = ("straight",) if end else ()
    found.lanes[bikes] = Lane(
        bikes, name, count + pockets + 1, "bike", ahead, BIKE_WIDTH, 6.94, beside
    )


def _moved(line: Shape, offsets: Sequence[float]) -> Shape:
    """A line beside another, to its right: at its start, along it and at its end (m)."""
    along = np.unique(np.append(np.arange(0.0, line.length, 4.0), line.length))
    places = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 6.0))
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.clip(along - 6.0, 0, None))
    )
    steps = ahead - behind
    steps /= np.hypot(steps[:, 0], steps[:, 1])[:, None]
    right = np.column_stack([steps[:, 1], -steps[:, 0]])
    first, middle, last = offsets
    end = line.length
    # The pocket needs its full width well before the stop line, the exits theirs at once.
    beside = _smooth(along, 0.0, TAPER, first, middle)
    if last != middle:
        beside = beside + _smooth(along, end - POCKET, end - POCKET + TAPER, 0.0, last - middle)
    points = places + right * np.asarray(beside)[:, None]
    return shapely.simplify(shapely.LineString(points), 0.03)


def _smooth(at: Floats, begin: float, end: float, before: float, after: float) -> Floats:
    share = np.clip((at - begin) / (end - begin), 0.0, 1.0)
    found: Floats = before + (after - before) * share * share * (3 - 2 * share)
    return found


def _ways(found: Roads, node: str, arm: Arm) -> Iterator[Way]:
    inward = found.links[arm.enters]
    heading = headings(inward.line)[1] + 180.0
    for other in found.arms[node]:
        if other is arm:
            continue
        outward = found.links[other.leaves]
        change = (heading - headings(outward.line)[0] + 180.0) % 360.0 - 180.0
        turn = "straight" if abs(change) < 45.0 else "right" if change > 0 else "left"
        exits = [lane for lane in found.of_link(outward.id) if "left" not in lane.turns]
        entries = [lane for lane in found.of_link(inward.id) if turn in lane.turns]
        speed = {"straight": entries[-1].speed, "left": 7.5, "right": 5.5}[turn]
        for start in entries:
            for end in exits:
                if (start.kind == "bike") != (end.kind == "bike"):
                    continue
                ahead = turn == "straight"
                if ahead and start.kind != "bike" and exits.index(end) != entries.index(start):
                    continue
                yield Way(
                    f"{start.id}_{end.id}", node, start.id, end.id, turn,
                    f"{arm.side}-{'left' if turn == 'left' else 'through'}",
                    _bend(start.line, end.line), arm.side,
                    speed if start.kind != "bike" else start.speed,
                )  # fmt: skip


def _bend(start: Shape, end: Shape) -> Shape:
    """A smooth line from the end of one to the start of the other."""
    a, b = np.asarray(start.coords)[-2:], np.asarray(end.coords)[:2]
    out, into = (a[1] - a[0]) / np.hypot(*(a[1] - a[0])), (b[1] - b[0]) / np.hypot(*(b[1] - b[0]))
    reach = 0.39 * float(np.hypot(*(b[0] - a[1])))
    t = np.linspace(0.0, 1.0, 15)[:, None]
    points = (
        (1 - t) ** 3 * a[1] + 3 * (1 - t) ** 2 * t * (a[1] + out * reach)
        + 3 * (1 - t) * t**2 * (b[0] - into * reach) + t**3 * b[0]
    )  # fmt: skip
    return shapely.LineString(points)


def conflicts(found: Roads) -> dict[str, tuple[str, ...]]:
    """The ways that cross or join each way of the same intersection, by ids."""
    result: dict[str, tuple[str, ...]] = {}
    for node in found.nodes:
        ways = [way for way in found.ways.values() if way.node == node]
        lines = np.array([way.line for way in ways])
        meets = shapely.intersects(lines[:, None], lines[None, :])
        for i, way in enumerate(ways):
            result[way.id] = tuple(
                other.id for j, other in enumerate(ways)
                if other.start != way.start and (meets[i, j] or other.end == way.end)
            )  # fmt: skip
    return result


def walk(arm: Arm) -> tuple[Floats, Floats]:
    """The two ends of the middle of an arm's crosswalk, at the kerbs: right of those coming in first."""
    street = shapely.get_coordinates(arm.approach.line)[:2]
    inward = (street[0] - street[1]) / np.hypot(*(street[0] - street[1]))
    middle = street[0] + inward * (1.5 + CROSSING / 2)
    right = np.array([inward[1], -inward[0]]) * CARRIAGEWAYS[arm.approach.kind] / 2
    return middle + right, middle - right
