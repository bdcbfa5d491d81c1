"""Who drives where: trips through the roads, lane by lane, drawn by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from sample_data.district.plan import Floats
from sample_data.district.traffic_map import Lane, Roads
from sample_data.district.traffic_signals import traffic_table

KINDS = ("passenger", "light-truck", "truck", "bus", "bicycle")
RIGHT_YIELD = 2.5
"""Those who turn right wait so far before what they let pass (m)."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Step:
    """A lane of a trip, where on it one leaves (m), and by which way; None for a pocket or the end."""

    lane: int
    leave: float
    way: int | None


@dataclass(slots=True)
class Trip:
    """A journey: when it begins (s), and all about who makes it; `links` and `turns` between them."""

    who: str
    kind: str
    begin: float
    length: float
    share: float
    links: list[str]
    turns: list[str]
    steps: list[Step]


@dataclass
class Tracks:
    """Lanes and ways as numbers, in the order of the roads.

    branch
        (lanes,) the pocket that begins on a lane, and of a pocket its lane; -1 without.
    branch_at
        (lanes,) where on the lane that is (m), NaN without.
    """

    of: Roads
    lane: dict[str, int] = field(init=False)
    way: dict[str, int] = field(init=False)
    lengths: Floats = field(init=False)
    speeds: Floats = field(init=False)
    way_lengths: Floats = field(init=False)
    way_speeds: Floats = field(init=False)
    branch: Numbers = field(init=False)
    branch_at: Floats = field(init=False)
    pocket: Any = field(init=False)

    def __post_init__(self) -> None:
        lanes, ways = list(self.of.lanes.values()), list(self.of.ways.values())
        self.lane = {one.id: n for n, one in enumerate(lanes)}
        self.way = {one.id: n for n, one in enumerate(ways)}
        self.lengths = np.array([one.line.length for one in lanes])
        self.speeds = np.array([one.speed for one in lanes])
        self.way_lengths = np.array([one.line.length for one in ways])
        self.way_speeds = np.array([one.speed for one in ways])
        self.branch = np.full(len(lanes), -1)
        self.branch_at = np.full(len(lanes), np.nan)
        self.pocket = np.zeros(len(lanes), bool)
        for n, one in enumerate(lanes):
            if one.branch is not None:
                above = self.lane[one.branch[0]]
                self.branch[n], self.branch[above] = above, n
                self.branch_at[n] = self.branch_at[above] = one.branch[1]
                self.pocket[n] = True

    def through(self, link: str, kind: str = "driving") -> list[Lane]:
        """The lanes of a link that are no pockets, from the middle of the road outwards."""
        return [x for x in self.of.of_link(link) if x.kind == kind and x.branch is None]

    def steps(self, links: Sequence[str], turns: Sequence[str], ranks: Sequence[int], kind: str) -> list[Step]:  # fmt: skip
        """The lanes one after the other, given the place of the lane on each link."""
        found: list[Step] = []
        for n, (link, rank) in enumerate(zip(links, ranks, strict=True)):
            lane = self.through(link, kind)[rank]
            number = self.lane[lane.id]
            if n == len(turns):
                found.append(Step(number, float(self.lengths[number]), None))
                break
            if turns[n] == "left":
                pocket = int(self.branch[number])
                found.append(Step(number, float(self.branch_at[number]), None))
                number = pocket
            start = list(self.of.lanes)[number]
            end = self.through(links[n + 1], kind)[ranks[n + 1]]
            way = self.way[f"{start}_{end.id}"]
            found.append(Step(number, float(self.lengths[number]), way))
        return found

    def yields(self) -> dict[int, tuple[str, float, int, float]]:
        """Whom those on each way to the right let pass.

        The link on whose crosswalk walkers are, where on the way one waits, the way of bicycles it
        crosses, and where on that: metres before the ends of the ways, negative.
        """
        found: dict[int, tuple[str, float, int, float]] = {}
        bikes = {
            (way.node, way.side): way for way in self.of.ways.values()
            if self.of.lanes[way.start].kind == "bike"
        }  # fmt: skip
        for way in self.of.ways.values():
            if way.turn != "right":
                continue
            beside = bikes[way.node, way.side]
            met = way.line.intersection(beside.line)
            out = self.of.lanes[way.end].link
            arm = next(arm for arm in self.of.arms[way.node] if arm.leaves == out)
            reach = shapely.intersection(way.line, arm.approach.crosswalk.buffer(0.5))
            points = [] if reach.is_empty else [shapely.Point(xy) for xy in reach.coords]
            other = float("inf")
            if not met.is_empty:
                points.append(met)
                other = beside.line.project(met) - beside.line.length
            at = min((way.line.project(point) for point in points), default=way.line.length)
            wait = at - RIGHT_YIELD - way.line.length
            found[self.way[way.id]] = (arm.enters, wait, self.way[beside.id], other)
        return found


def trips(tracks: Tracks, begin: float, end: float, rng: np.random.Generator) -> list[Trip]:
    """All trips that begin between two moments, by the moment."""
    table = traffic_table()
    found: list[Trip] = []
    kinds = [kind for kind in KINDS if table["kind"][kind]["share"] > 0]
    shares = np.array([table["kind"][kind]["share"] for kind in kinds])
    for link in tracks.of.links.values():
        if link.start is not None:
            continue
        flow = table["demand"][link.kind]["flow"] * table["demand"]["more"].get(link.id, 1.0)
        for at in _arrivals(begin, end, flow, rng):
            links, turns = _walk(tracks.of, link.id, rng)
            kind = str(rng.choice(kinds, p=shares / shares.sum()))
            ranks = _ranks(tracks, links, turns, rng)
            steps = tracks.steps(links, turns, ranks, "driving")
            found.append(_trip(kind, at, links, turns, steps, rng))
        for at in _arrivals(begin, end, table["bicycles"]["flow"], rng):
            links, turns = _straight(tracks.of, link.id)
            steps = tracks.steps(links, turns, [0] * len(links), "bike")
            found.append(_trip("bicycle", at, links, turns, steps, rng))
    for key in table["key"]:
        links = list(_turned(tracks.of, key["from"], key["turns"]))
        ranks = _ranks(tracks, links, key["turns"], rng)
        steps = tracks.steps(links, key["turns"], ranks, "driving")
        for at in key["at"]:
            if begin <= at < end:
                kind = "bus" if key["kind"] == "school-bus" else "truck"
                found.append(_trip(kind, at, links, key["turns"], steps, rng, key["who"]))
    found.sort(key=lambda trip: trip.begin)
    counted = {"bicycle": 0, "other": 0}
    for trip in found:
        if not trip.who:
            sort = "bicycle" if trip.kind == "bicycle" else "other"
            counted[sort] += 1
            trip.who = f"{'B' if sort == 'bicycle' else 'V'}{counted[sort]:05d}"
    return found


def _arrivals(begin: float, end: float, flow: float, rng: np.random.Generator) -> list[float]:
    gaps = rng.exponential(3600.0 / flow, int((end - begin) / 3600 * flow * 1.5 + 40))
    at = begin + np.cumsum(gaps)
    return [float(x) for x in at[at < end]]


def _trip(
    kind: str, at: float, links: list[str], turns: list[str], steps: list[Step],
    rng: np.random.Generator, who: str = "",
) -> Trip:  # fmt: skip
    table = traffic_table()["kind"][kind]
    mean, spread = table["speed"]
    share = float(np.clip(rng.normal(mean, spread), mean - 2 * spread, mean + 2 * spread))
    length = round(float(rng.uniform(*table["length"])), 1)
    return Trip(who, kind, at, length, share, links, turns, steps)


def _next(of: Roads, link: str, turn: str) -> str | None:
    """The link after a turn, None where there is none."""
    for way in of.ways.values():
        if way.turn == turn and of.lanes[way.start].link == link:
            return of.lanes[way.end].link
    return None


def _turned(of: Roads, link: str, turns: Sequence[str]) -> Iterator[str]:
    yield link
    for turn in turns:
        ahead = _next(of, link, turn)
        assert ahead is not None
        link = ahead
        yield link


def _walk(of: Roads, link: str, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Links one after the other until one leads out, turning as often as is usual."""
    links, turns = [link], list[str]()
    while of.links[link].end is not None:
        share = traffic_table()["demand"][of.links[link].kind]
        draw = rng.random()
        turn = (
            "left" if draw < share["left"] else "right" if draw > 1 - share["right"] else "straight"
        )
        # Nobody drives in a circle.
        if turn != "straight" and turns.count(turn) >= 2:
            turn = "straight"
        ahead = _next(of, link, turn)
        assert ahead is not None
        links.append(link := ahead)
        turns.append(turn)
    return links, turns


def _straight(of: Roads, link: str) -> tuple[list[str], list[str]]:
    links, turns = [link], list[str]()
    while of.links[link].end is not None:
        ahead = _next(of, link, "straight")
        assert ahead is not None
        links.append(link := ahead)
        turns.append("straight")
    return links, turns


def _ranks(
    tracks: Tracks, links: Sequence[str], turns: Sequence[str], rng: np.random.Generator
) -> list[int]:
    """Which lane on each link: the one that the next turn asks for, kept from the turn before on."""
    found: list[int] = []
    begun = 0
    for n in range(len(links)):
        last = n == len(turns)
        if not last and turns[n] == "straight":
            continue
        count = len(tracks.through(links[begun]))
        outer = count - 1
        if last:
            weights = np.array([0.36, 0.42, 0.22] if count == 3 else [0.55, 0.45])
            rank = int(rng.choice(count, p=weights))
        else:
            rank = 0 if turns[n] == "left" else outer
        found += [rank] * (n + 1 - begun)
        begun = n + 1
    return found
