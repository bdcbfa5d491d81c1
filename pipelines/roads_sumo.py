"""SUMO's nets (.net.xml, also packed with gzip) as road maps.

Intersections are the signal controllers of the net under their ids, of one or several junctions,
and the junctions without signals under theirs; signal groups are the links of a controller under
their numbers ("0", "1", …), since each has a light of its own. Source: SUMO user documentation,
"SUMO Road Networks" and "Traffic Lights".
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely

from cim_core.errors import InvalidInput
from cim_core.importers.placing import Place
from cim_core.mesh import Floats
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Control,
    Crosswalk,
    Intersection,
    Lane,
    LaneType,
    Line,
    Link,
    RoadMap,
    Turn,
)
from pipelines.roads_classes import road_class
from pipelines.roads_geometry import (
    band,
    bearing,
    crossings,
    joined,
    length,
    level,
    middle,
    piece,
    turn_between,
)
from pipelines.roads_place import MapFile, Sheet
from pipelines.roads_sumo_file import Net, NetConnection, NetEdge, NetJunction, NetLane, read_net
from pipelines.roads_sumo_signals import groups_of, plans_of

_TURNS: dict[str, Turn] = {
    "s": "straight", "l": "left", "L": "left", "r": "right", "R": "right", "t": "uturn", "T": "uturn",
}  # fmt: skip
_ONLY: tuple[tuple[LaneType, frozenset[str]], ...] = (
    ("sidewalk", frozenset({"pedestrian", "wheelchair"})),
    ("bike", frozenset({"bicycle", "pedestrian", "wheelchair", "scooter"})),
    ("tram", frozenset({"tram", "rail_urban", "rail", "rail_electric", "rail_fast", "subway"})),
    ("bus", frozenset({"bus", "coach", "taxi", "bicycle", "emergency", "authority", "public", "tram"})),
    ("shoulder", frozenset({"emergency", "authority", "army", "vip"})),
)  # fmt: skip
"""What a lane is on which these classes alone may drive; the first that fits."""


def read_sumo(path: Path) -> RoadMap:
    """The road map of a net that says itself where it lies; raises `InvalidInput`."""
    return sumo_roads(MapFile.plain(path))[0]


def sumo_roads(file: MapFile) -> tuple[RoadMap, Place]:
    """The road map of a net and how it found its place; raises `InvalidInput`."""
    net = read_net(file.path, file.name)
    work = _Work(file.name, net)
    work.draw()
    lines, place = work.sheet.placed(file, net.projection, -net.offset)
    return _roads(work, lines), place


@dataclass(frozen=True, slots=True)
class _Way:
    """A connection of the net with the numbers of its lines and of its link in its junction."""

    id: str
    told: NetConnection
    start: NetLane
    end: NetLane
    junction: NetJunction
    line: int
    request: int | None


@dataclass(slots=True)
class _Work:
    """A net while its lines are put down; numbers are those of lines of the sheet."""

    name: str
    net: Net
    sheet: Sheet = field(default_factory=Sheet)
    owners: dict[str, str] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    lanes: dict[str, int] = field(default_factory=dict)
    ways: list[_Way] = field(default_factory=list)
    crosswalks: list[tuple[NetEdge, int]] = field(default_factory=list)
    centres: dict[str, int] = field(default_factory=dict)
    areas: dict[str, int] = field(default_factory=dict)

    def draw(self) -> None:
        """Put all lines on the sheet."""
        for edge in self.roads():
            for lane in edge.lanes:
                self.lanes[lane.id] = self.sheet.put(lane.shape)
            self.links[edge.id] = self.sheet.put(middle([lane.shape for lane in edge.lanes]))
        self._find_owners()
        self._draw_ways()
        for edge in self.net.edges.values():
            if edge.function == "crossing":
                lane = edge.lanes[0]
                ring = lane.outline if lane.outline is not None else band(lane.shape, lane.width)
                self.crosswalks.append((edge, self.sheet.put(ring)))
        self._draw_intersections()

    def roads(self) -> Iterable[NetEdge]:
        """The edges that are roads, in the order of the file."""
        return (e for e in self.net.edges.values() if e.function in ("normal", "connector"))

    def edge(self, id_: str) -> NetEdge:
        """An edge by its id; raises `InvalidInput` where there is none."""
        found = self.net.edges.get(id_)
        if found is None:
            raise InvalidInput(
                f"{self.name}: a connection names the edge {id_!r}, which the net does not have; "
                "build the net again with netconvert"
            )
        return found

    def lane(self, edge: NetEdge, index: int) -> NetLane:
        """A lane of an edge; raises `InvalidInput` where there is none."""
        for lane in edge.lanes:
            if lane.index == index:
                return lane
        raise InvalidInput(
            f"{self.name}: a connection names lane {index} of the edge {edge.id!r}, which has "
            f"{len(edge.lanes)}; build the net again with netconvert"
        )

    def _find_owners(self) -> None:
        """To which intersection each junction belongs: its controller's, else one of its own."""
        for told in self.net.connections:
            edge = self.net.edges.get(told.start)
            if told.logic and edge is not None and edge.end:
                self.owners[edge.end] = told.logic
        taken = set(self.owners.values())
        for told in self.net.connections:
            junction = self.net.edges[told.start].end if told.start in self.net.edges else ""
            if junction and junction not in self.owners:
                self.owners[junction] = f"{junction}~" if junction in taken else junction

    def _draw_ways(self) -> None:
        onward = {
            f"{c.start}_{c.start_lane}": c for c in self.net.connections if c.start[:1] == ":"
        }
        shapes = {
            lane.id: lane.shape
            for edge in self.net.edges.values()
            if edge.function == "internal"
            for lane in edge.lanes
        }
        for told in self.net.connections:
            start, end = self.edge(told.start), self.edge(told.end)
            if {start.function, end.function} - {"normal", "connector"}:
                continue
            junction = self.net.junctions.get(start.end)
            if junction is None:
                raise InvalidInput(
                    f"{self.name}: the edge {start.id!r} leads to the junction {start.end!r}, which "
                    "the net does not have; build the net again with netconvert"
                )
            first, last = self.lane(start, told.start_lane), self.lane(end, told.end_lane)
            inner, via = [], told.via
            while via in shapes and via not in inner:
                inner.append(via)
                via = onward[via].via if via in onward else ""
            parts = [first.shape[-1:], *(shapes[one] for one in inner), last.shape[:1]]
            line = joined(_alike(parts))
            if length(line) == 0:
                line = piece(first.shape)
            place = {one: number for number, one in enumerate(junction.ways)}
            request = next((place[one] for one in reversed(inner) if one in place), None)
            self.ways.append(
                _Way(
                    f"{first.id}>{last.id}",
                    told,
                    first,
                    last,
                    junction,
                    self.sheet.put(line),
                    request,
                )
            )

    def _draw_intersections(self) -> None:
        parts: dict[str, list[NetJunction]] = defaultdict(list)
        for junction, owner in self.owners.items():
            if junction in self.net.junctions:
                parts[owner].append(self.net.junctions[junction])
        for owner, junctions in parts.items():
            centre = np.mean([junction.place for junction in junctions], axis=0)
            self.centres[owner] = self.sheet.put(centre[None, :])
            rings = [j.shape[:, :2] for j in junctions if len(j.shape) > 2]
            if rings:
                whole = shapely.union_all([shapely.Polygon(ring).buffer(0) for ring in rings])
                if isinstance(whole, shapely.MultiPolygon):
                    whole = whole.convex_hull
                if isinstance(whole, shapely.Polygon) and not whole.is_empty:
                    self.areas[owner] = self.sheet.put(shapely.get_coordinates(whole.exterior))


def _alike(parts: Sequence[Floats]) -> list[Floats]:
    """Parts that all have heights, or none."""
    size = min(part.shape[1] for part in parts)
    return [part[:, :size] for part in parts]


def _roads(work: _Work, lines: list[Line]) -> RoadMap:
    """The road map of a net whose lines are placed."""
    turns: dict[str, set[Turn]] = defaultdict(set)
    connections = _connections(work, lines)
    for one in connections:
        turns[one.from_lane].add(one.turn)
    links, lanes = [], []
    for edge in work.roads():
        start, end = work.owners.get(edge.start), work.owners.get(edge.end)
        links.append(
            Link(
                id=edge.id, name=edge.name, start=start if start in work.centres else None,
                end=end if end in work.centres else None, line=lines[work.links[edge.id]],
                length=edge.lanes[0].length, road_class=road_class(edge.type),
                speed=max(lane.speed for lane in edge.lanes),
            )
        )  # fmt: skip
        lanes += [
            Lane(
                id=lane.id, link=edge.id, number=len(edge.lanes) - place, type=_type(lane),
                turns=tuple(sorted(turns[lane.id], key=list(_ORDER).index)), width=lane.width,
                speed=lane.speed, line=lines[work.lanes[lane.id]],
            )
            for place, lane in enumerate(edge.lanes)
        ][::-1]  # fmt: skip
    crosswalks = tuple(_crosswalks(work, lines, {one.id: one for one in links}))
    known = set(work.centres)
    return RoadMap(
        links=tuple(links),
        lanes=tuple(lanes),
        intersections=tuple(_intersections(work, lines, links)),
        connections=tuple(connections),
        crosswalks=crosswalks,
        groups=groups_of(work.net, work.name, connections, crosswalks, {x.id: x for x in lanes}),
        plans=plans_of(work.net, work.name, known, connections, crosswalks),
        source=f"SUMO net {work.name}",
    )


_ORDER: tuple[Turn, ...] = ("uturn", "left", "straight", "right")


def _type(lane: NetLane) -> LaneType:
    if not lane.allow:
        cars = lane.disallow & {"all", "passenger"}
        return "shoulder" if cars else "driving"
    return next((kind for kind, only in _ONLY if lane.allow <= only), "driving")


def _connections(work: _Work, lines: list[Line]) -> list[Connection]:
    by_request = {(way.junction.id, way.request): way.id for way in work.ways}
    bare: dict[str, list[_Way]] = defaultdict(list)
    for way in work.ways:
        if way.request is None:
            bare[way.junction.id].append(way)
    crossing: dict[str, tuple[str, ...]] = {}
    for ways in bare.values():
        crossing |= crossings(
            {way.id: work.sheet.lines[way.line] for way in ways},
            {way.id: (way.start.id, way.end.id) for way in ways},
        )
    found = []
    for way in work.ways:
        foes = crossing.get(way.id, ())
        if way.request is not None:
            others = (
                by_request.get((way.junction.id, x)) for x in way.junction.foes.get(way.request, ())
            )
            foes = tuple(other for other in others if other)
        told, shape = way.told, work.sheet.lines
        turn = _TURNS.get(told.turn) or turn_between(
            bearing(shape[work.lanes[way.start.id]]),
            bearing(shape[work.lanes[way.end.id]], at_end=False),
        )
        found.append(
            Connection(
                id=way.id, intersection=work.owners[way.junction.id], from_lane=way.start.id,
                to_lane=way.end.id, turn=turn, line=lines[way.line], conflicts=foes,
                group=str(told.link) if told.logic and told.link is not None else None,
            )
        )  # fmt: skip
    return found


def _intersections(work: _Work, lines: list[Line], links: list[Link]) -> Iterable[Intersection]:
    junctions: dict[str, list[NetJunction]] = defaultdict(list)
    for junction, owner in work.owners.items():
        if junction in work.net.junctions:
            junctions[owner].append(work.net.junctions[junction])
    signals = {way.told.logic for way in work.ways if way.told.logic}
    inward, outward = defaultdict(list), defaultdict(list)
    for link in links:
        if link.start != link.end:
            inward[link.end].append(link)
            outward[link.start].append(link)
    for owner, parts in junctions.items():
        meeting = any(foes for part in parts for foes in part.foes.values())
        control: Control = "signal" if owner in signals else "priority" if meeting else "none"
        yield Intersection(
            id=owner, name=next((part.name for part in parts if part.name), ""), control=control,
            place=lines[work.centres[owner]][0],
            area=lines[work.areas[owner]] if owner in work.areas else (),
            approaches=tuple(
                Approach(link=x.id, bearing=round(bearing(level(x.line)), 1), name=x.name)
                for x in inward[owner]
            ),
            exits=tuple(link.id for link in outward[owner]),
        )  # fmt: skip


def _crosswalks(work: _Work, lines: list[Line], links: dict[str, Link]) -> Iterable[Crosswalk]:
    logics = {told.end: told for told in work.net.connections if told.logic}
    for edge, line in work.crosswalks:
        owner = work.owners.get(edge.id[1:].rpartition("_")[0])
        if owner is None:
            continue
        told = logics.get(edge.id)
        into = [one for one in edge.crossed if one in links and links[one].end == owner]
        yield Crosswalk(
            id=edge.id, intersection=owner, link=into[0] if into else None, area=lines[line],
            group=str(told.link) if told is not None and told.link is not None else None,
        )  # fmt: skip
