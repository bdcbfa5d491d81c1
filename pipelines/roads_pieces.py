"""Pieces of lanes that know what follows them and what lies beside them, put together as a road map.

Some formats know no roads in one direction and no ways through intersections, only pieces. Pieces
side by side are a link, those that follow each other one to one go on in it. Pieces inside of an
intersection are its ways, from the last piece before it to the first behind it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Crosswalk,
    Intersection,
    Lane,
    LaneType,
    Line,
    Link,
    RoadClass,
    RoadMap,
    SignalGroup,
    Turn,
)
from pipelines.roads_geometry import (
    bearing,
    crossings,
    joined,
    length,
    level,
    middle,
    piece,
    turn_between,
)

_ORDER: tuple[Turn, ...] = ("uturn", "left", "straight", "right")
_LONGEST_WAY, _MOST_WAYS = 64, 256
"""Pieces in a way through an intersection, and ways from one lane: beyond, the map is not sound."""

NEAR = 40.0
"""How far from an intersection its crosswalks and stop lines may lie, metres (own choice)."""

_JOINT = "joint-"


@dataclass(slots=True)
class Piece:
    """A piece of a lane, metres in the direction of travel.

    area
        The ring of its ground.
    after, beside
        The pieces that follow, and the one to its right that goes the same way; None for none.
    inside
        The intersection it is inside of, empty for none.
    lights
        The signal groups that those obey who leave it.
    turn
        Where it turns, None where its shape shows it.
    """

    id: str
    type: LaneType
    line: Floats
    area: Floats
    width: float
    speed: float
    name: str = ""
    rank: RoadClass = "other"
    after: list[str] = field(default_factory=list)
    beside: str | None = None
    inside: str = ""
    lights: list[str] = field(default_factory=list)
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Road:
    """A link: chains of pieces from the left, where the middle of the road is."""

    id: str
    chains: tuple[tuple[Piece, ...], ...]


def walks(pieces: dict[str, Piece]) -> Iterable[list[str]]:
    """Ways from a piece outside of intersections to the next outside, with those between."""
    for start in pieces.values():
        if start.inside:
            continue
        open_ = [[start.id, one] for one in start.after]
        for _ in range(_MOST_WAYS):
            if not open_:
                break
            way = open_.pop()
            if not pieces[way[-1]].inside:
                yield way
            elif len(way) < _LONGEST_WAY:
                open_ += [[*way, x] for x in pieces[way[-1]].after if x not in way]


@dataclass(slots=True)
class Assembly:
    """Pieces while they become a map; `to_line` takes (n, 2) metres to places.

    names
        Of intersections, by their ids.
    numbers
        Of signal groups in messages and logs, by their ids.
    """

    pieces: dict[str, Piece]
    to_line: Callable[[Floats], Line]
    names: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)
    lane_of: dict[str, str] = field(default_factory=dict)
    link_of: dict[str, str] = field(default_factory=dict)
    chains: dict[str, tuple[Piece, ...]] = field(default_factory=dict)
    lines: dict[str, Floats] = field(default_factory=dict)
    nodes: dict[str, list[Floats]] = field(default_factory=dict)

    def road_map(self, source: str, walkways: Sequence[Piece] = ()) -> RoadMap:
        """The map; `walkways` are crosswalks, each put to the intersection that is nearest."""
        reached = {one for way in walks(self.pieces) for one in way}
        for one in self.pieces.values():
            if one.id not in reached:
                one.inside = ""  # nobody comes to it: it is a lane of its own
        self._find_roads([one for one in self.pieces.values() if not one.inside])
        ways = self._ways()
        turns: dict[str, set[Turn]] = defaultdict(set)
        for way in ways:
            turns[way.from_lane].add(way.turn)
        ends = {self.link_of[way.from_lane]: way.intersection for way in ways}
        starts = {self.link_of[way.to_lane]: way.intersection for way in ways}
        links = [self._link(road, starts, ends) for road in self.roads]
        groups = {(x.intersection, x.group) for x in ways if x.group is not None}
        lit = {node for node, _ in groups}
        return RoadMap(
            links=tuple(links),
            lanes=tuple(
                Lane(
                    id=chain[0].id, link=road.id, number=number, type=chain[0].type,
                    turns=tuple(x for x in _ORDER if x in turns[chain[0].id]),
                    width=round(min(one.width for one in chain), 3), speed=chain[0].speed,
                    line=self.to_line(self.lines[chain[0].id]),
                )
                for road in self.roads
                for number, chain in enumerate(road.chains, 1)
            ),
            intersections=tuple(self._intersection(node, links, lit) for node in self.nodes),
            connections=tuple(ways),
            crosswalks=tuple(self._crosswalks(walkways)),
            groups=tuple(
                SignalGroup(id=group, intersection=node, number=self.numbers.get(group))
                for node, group in sorted(groups)
            ),
            source=source[:500],
        )  # fmt: skip

    def _find_roads(self, outer: list[Piece]) -> None:
        there = {one.id: one for one in outer}
        led = {one.beside for one in outer if one.beside in there}
        sections: list[tuple[str, ...]] = []
        for one in outer:
            if one.id not in led:
                section = [one.id]
                while (right := there[section[-1]].beside) in there and right not in section:
                    assert right is not None
                    section.append(right)
                sections.append(tuple(section))
        before: dict[str, int] = defaultdict(int)
        for any_ in self.pieces.values():
            for one_after in any_.after:
                before[one_after] += 1
        known = set(sections)
        onward: dict[tuple[str, ...], tuple[str, ...]] = {}
        for key in sections:
            parts = [there[one] for one in key]
            following = tuple(x for one in parts for x in one.after)
            plain = all(len(one.after) == 1 and not one.lights for one in parts)
            if plain and following in known and all(before[x] == 1 for x in following):
                onward[key] = following
        followed = set(onward.values())
        for key in [*(x for x in sections if x not in followed), *sections]:  # then rings
            if key[0] in self.lane_of:
                continue
            row = [key]
            while row[-1] in onward and onward[row[-1]] not in row:
                row.append(onward[row[-1]])
            self._keep(
                Road(key[0], tuple(tuple(there[x[lane]] for x in row) for lane in range(len(key))))
            )

    def _keep(self, road: Road) -> None:
        self.roads.append(road)
        for chain in road.chains:
            id_ = chain[0].id
            self.lines[id_] = joined([one.line for one in chain])
            self.link_of[id_] = road.id
            self.chains[id_] = chain
            for one in chain:
                self.lane_of[one.id] = id_

    def _ways(self) -> list[Connection]:
        """The ways between lanes; keeps the ground of each intersection."""
        found: dict[str, tuple[str, str, str, Floats, list[Piece]]] = {}
        for way in walks(self.pieces):
            start, end = self.lane_of[way[0]], self.lane_of[way[-1]]
            between = [self.pieces[one] for one in way[1:-1]]
            if start == end or (way[0] != self.chains[start][-1].id and not between):
                continue
            node = between[0].inside if between else f"{_JOINT}{self.link_of[start]}"
            line = joined([x.line for x in between]) if between else piece(self.lines[start])
            found.setdefault(f"{start}>{end}", (node, start, end, line, between))
            ground = [one.area for one in between] or [line]
            self.nodes.setdefault(node, []).extend(ground)
        meeting: dict[str, tuple[str, ...]] = {}
        by_node: dict[str, list[str]] = defaultdict(list)
        for id_, told in found.items():
            by_node[told[0]].append(id_)
        for ids in by_node.values():
            meeting |= crossings(
                {id_: found[id_][3] for id_ in ids},
                {id_: (found[id_][1], found[id_][2]) for id_ in ids},
            )
        return [
            Connection(
                id=id_, intersection=node, from_lane=start, to_lane=end,
                turn=self._turn(start, end, between),
                line=self.to_line(line), conflicts=meeting[id_],
                group=self._light(start, between),
            )
            for id_, (node, start, end, line, between) in found.items()
        ]  # fmt: skip

    def _turn(self, start: str, end: str, between: list[Piece]) -> Turn:
        for one in between:
            if one.turn is not None:
                return one.turn
        return turn_between(bearing(self.lines[start]), bearing(self.lines[end], at_end=False))

    def _light(self, start: str, between: list[Piece]) -> str | None:
        """The group a way obeys: one that its own pieces and the lane before have, else the lane's."""
        lane = self.chains[start][-1].lights
        own = [x for one in between for x in one.lights]
        return next((x for x in own if x in lane), next(iter([*own, *lane]), None))

    def _link(self, road: Road, starts: dict[str, str], ends: dict[str, str]) -> Link:
        line = middle([self.lines[chain[0].id] for chain in road.chains])
        first = road.chains[0][0]
        return Link(
            id=road.id, name=first.name, start=starts.get(road.id), end=ends.get(road.id),
            line=self.to_line(line), length=round(length(line), 3), road_class=first.rank,
            speed=max(chain[0].speed for chain in road.chains),
        )  # fmt: skip

    def _intersection(self, node: str, links: list[Link], lit: set[str]) -> Intersection:
        ground = shapely.MultiPoint(np.vstack(self.nodes[node])[:, :2]).convex_hull
        centre = shapely.get_coordinates(ground.centroid)
        plain = node.startswith(_JOINT)
        whole = isinstance(ground, shapely.Polygon)
        return Intersection(
            id=node, name=self.names.get(node, ""), place=self.to_line(centre)[0],
            control="signal" if node in lit else "none" if plain else "priority",
            area=self.to_line(shapely.get_coordinates(ground.exterior)) if whole else (),
            approaches=tuple(
                Approach(link=x.id, name=x.name, bearing=round(bearing(level(x.line)), 1))
                for x in links
                if x.end == node
            ),
            exits=tuple(x.id for x in links if x.start == node),
        )  # fmt: skip

    def _crosswalks(self, walkways: Sequence[Piece]) -> Iterable[Crosswalk]:
        grounds = {
            node: shapely.MultiPoint(np.vstack(inside)[:, :2]).convex_hull
            for node, inside in self.nodes.items()
            if not node.startswith(_JOINT)
        }
        for one in walkways:
            area = shapely.Polygon(one.area[:, :2]).buffer(0)
            near = min(grounds, key=lambda node: grounds[node].distance(area), default=None)
            if near is None or grounds[near].distance(area) > NEAR:
                self.warnings.append(f"crosswalk {one.id} lies at no intersection and is left out")
                continue
            over = (
                road.id for road in self.roads for chain in road.chains
                if shapely.LineString(self.lines[chain[0].id][:, :2]).intersects(area)
            )  # fmt: skip
            yield Crosswalk(
                id=one.id, intersection=near, link=next(over, None), area=self.to_line(one.area),
                group=one.lights[0] if one.lights else None,
            )  # fmt: skip
