"""Drains: which way each street drains, how large its pipe is and how deep it must lie."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely.ops

from sample_data.district.pipes_courses import Course, Road, chainages, places
from sample_data.district.plan import Floats
from sample_data.district.relief import Relief

CLIMB = 400.0
"""A drain rather goes so many metres round than one metre up."""
MOST = 2.0
"""What lies so much lower (m) than where its street leads is not drained."""
SUMMIT = 0.4
"""A street whose middle is so much higher than its ends (m) drains to both."""
SUMMIT_GAP = 8.0
"""How far from the top of such a street its drains begin (m)."""
STEEP = 0.035
"""The steepest a drain falls where the ground does not."""
LEAST = 15.0
"""A drain that nothing flows into is not shorter than this (m)."""


@dataclass(slots=True)
class Reach:
    """A drain from its upper end to a crossing; `up` is None where it begins between crossings.

    `along` (n,) are its points' chainages, `places` (n, 2) where they lie, `ground` (n,) how high;
    `carried` is what it drains in metres of street, `bottoms` (n,) the elevations of its bottom.
    """

    road: Road
    up: int | None
    down: int
    along: Floats
    places: Floats
    ground: Floats
    carried: float = 0.0
    bottoms: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def length(self) -> float:
        """How long it is (m)."""
        return float(self.along[-1])


@dataclass(frozen=True)
class Drains:
    """The reaches of a network, from those above to those below, and the bottoms at crossings."""

    reaches: Sequence[Reach]
    bottoms: Mapping[int, float]


Rule = Callable[[Reach], tuple[float, float]]
"""Of a reach: how deep its bottom lies at least (m), and its least slope."""


def drained(
    courses: Sequence[Course], sinks: Sequence[int], ground: Relief, step: float,
    *, head: Callable[[Road, int], float], through: Callable[[Road], float],
) -> Drains:  # fmt: skip
    """Let each course drain to the next sink, crossing by crossing.

    Courses no way leads through begin beyond the crossing they do not drain to, by `head` metres;
    `through` says how much longer than it is a street counts as part of a
    way.
    """
    profiles = [_profile(course, ground) for course in courses]
    split = [_summit(p) for p in profiles]
    cost, parent = _ways(courses, profiles, split, sinks, through)
    reaches = []
    for number, course in enumerate(courses):
        a, b = course.nodes
        if a not in cost or b not in cost:
            continue
        if number in (parent.get(a), parent.get(b)):
            up, down = (a, b) if parent.get(a) == number else (b, a)
            reaches.append(_reach(course, up, down, 0.0, step, ground))
            continue
        top = split[number]
        if top is None:
            heights = profiles[number][1]
            rise = {n: float(heights.max() - heights[h]) for n, h in ((a, -1), (b, 0))}
            lower = min((a, b), key=lambda n: (cost[n] + CLIMB * rise[n], n))
            if rise[lower] > MOST:
                continue
            reaches.append(
                _reach(course, None, lower, head(course.road, a + b - lower), step, ground)
            )
        else:
            whole = course.line.length
            reaches.append(_reach(course, None, a, whole - top + SUMMIT_GAP, step, ground))
            reaches.append(_reach(course, None, b, top + SUMMIT_GAP, step, ground))
    kept = [r for r in reaches if r.up is not None or r.length > LEAST]
    order = sorted(cost, key=lambda node: (-cost[node], node))
    rank = {node: at for at, node in enumerate(order)}
    kept.sort(key=lambda r: (r.up is not None, rank.get(r.up, 0) if r.up is not None else 0))
    _carry(kept)
    return Drains(kept, {})


def _profile(course: Course, ground: Relief) -> tuple[Floats, Floats]:
    along = np.linspace(0.0, course.line.length, max(2, int(course.line.length / 15.0) + 1))
    spots = places(course.line, along)
    return along, ground.at(spots[:, 0], spots[:, 1])


def _summit(profile: tuple[Floats, Floats]) -> float | None:
    along, heights = profile
    top = int(np.argmax(heights))
    return float(along[top]) if heights[top] > max(heights[0], heights[-1]) + SUMMIT else None


def _ways(
    courses: Sequence[Course], profiles: Sequence[tuple[Floats, Floats]],
    split: Sequence[float | None], sinks: Sequence[int], through: Callable[[Road], float],
) -> tuple[dict[int, float], dict[int, int]]:  # fmt: skip
    """What the best way from each crossing to a sink costs, and the course it begins with."""
    arms: dict[int, list[int]] = {}
    for number, course in enumerate(courses):
        for node in course.nodes:
            arms.setdefault(node, []).append(number)
    cost: dict[int, float] = {}
    parent: dict[int, int] = {}
    queue: list[tuple[float, int, int]] = [(0.0, node, -1) for node in sorted(sinks)]
    while queue:
        spent, node, by = heapq.heappop(queue)
        if node in cost:
            continue
        cost[node] = spent
        if by >= 0:
            parent[node] = by
        for number in arms.get(node, []):
            a, b = courses[number].nodes
            other = a if b == node else b
            if other in cost:
                continue
            heights = profiles[number][1]
            climb = max(0.0, float(heights.max() - heights[0 if other == a else -1]))
            if climb > MOST:
                continue
            length = courses[number].line.length * through(courses[number].road)
            # What is split carries nothing through, unless there is no other way.
            apart = 0.0 if split[number] is None else 1e6
            heapq.heappush(queue, (spent + length + CLIMB * climb + apart, other, number))
    return cost, parent


def _reach(
    course: Course, up: int | None, down: int, cut: float, step: float, ground: Relief
) -> Reach:
    """The part of a course that flows to `down`, without the first `cut` metres."""
    line = course.line if down == course.nodes[1] else course.line.reverse()
    if cut > 0.0:
        line = shapely.ops.substring(line, min(cut, line.length - 0.1), line.length)
    along = chainages(line, step)
    spots = places(line, along)
    return Reach(course.road, up, down, along, spots, ground.at(spots[:, 0], spots[:, 1]))


def _carry(reaches: Sequence[Reach]) -> None:
    """Add up what flows from reach to reach; they come in the order of the flow."""
    arrived: dict[int, float] = {}
    for reach in reaches:
        own = reach.length if reach.road.kind != "lane" else reach.length * 0.7
        above = arrived.get(reach.up, 0.0) if reach.up is not None else 0.0
        reach.carried = above + own
        arrived[reach.down] = arrived.get(reach.down, 0.0) + reach.carried


def lay(drains: Drains, rule: Rule, ceiling: Mapping[int, float]) -> Drains:
    """Lay the reaches: as high as cover, slope and the `ceiling` of crossings allow.

    `ceiling` are the highest elevations of a drain's bottom by crossing. All drains at a crossing
    have one bottom there; what is too high before it falls evenly over its whole length.
    """
    bottoms: dict[int, float] = {}

    def lower(node: int, height: float) -> None:
        bottoms[node] = min(bottoms.get(node, np.inf), height, ceiling.get(node, np.inf))

    for reach in drains.reaches:
        start = np.inf if reach.up is None else _begin(reach, rule, bottoms, lower)
        lower(reach.down, float(_own(reach, rule, start)[-1]))
    # From below: where a drain would fall too steeply its upper end comes down.
    for reach in reversed(drains.reaches):
        if reach.up is not None:
            limit = bottoms[reach.down] + _steepest(reach) * reach.length
            bottoms[reach.up] = min(bottoms[reach.up], limit)
    for reach in drains.reaches:
        limit = bottoms[reach.down] + _steepest(reach) * reach.length
        start = limit if reach.up is None else bottoms[reach.up]
        own = _own(reach, rule, start)
        reach.bottoms = own - (own[-1] - bottoms[reach.down]) * reach.along / reach.length
        if reach.up is not None:
            reach.bottoms[0] = bottoms[reach.up]
    return Drains(drains.reaches, bottoms)


def _begin(
    reach: Reach, rule: Rule, bottoms: Mapping[int, float], lower: Callable[[int, float], None]
) -> float:
    assert reach.up is not None
    lower(reach.up, float(reach.ground[0]) - rule(reach)[0])
    return bottoms[reach.up]


def _steepest(reach: Reach) -> float:
    fall = float(reach.ground[0] - reach.ground[-1]) / reach.length
    return float(np.clip(fall + 0.02, STEEP, 0.14))


def _own(reach: Reach, rule: Rule, start: float) -> Floats:
    """The bottoms (n,) of a reach by its own cover and slope."""
    deep, slope = rule(reach)
    allowed = reach.ground - deep + slope * reach.along
    allowed[0] = min(allowed[0], start)
    own: Floats = np.minimum.accumulate(allowed) - slope * reach.along
    return own
