"""Map messages as one road map: intersections, their roads in and out, the ways between lanes.

Messages of T/CSAE 53 say only what leads in; what leads out of one node leads into the next, where
that is among the messages. Where it is not, its road is drawn beside the way in of the same arm, or
the way the turn points, as long as `v2x_map.toml` says: its place is then no more than a sketch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Crosswalk,
    Intersection,
    Lane,
    Line,
    Link,
    RoadMap,
    SignalGroup,
    Turn,
)
from pipelines import v2x_map_csae, v2x_map_j2735
from pipelines.roads_geometry import (
    band,
    bearing,
    crossings,
    curve,
    length,
    metres_per_degree,
    middle,
    places,
    turn_between,
)
from pipelines.v2x_element import Element, intersection_id
from pipelines.v2x_told import (
    Key,
    ToldConnection,
    ToldLane,
    ToldLink,
    ToldNode,
    usual,
)

_ENVELOPES = (
    "mapFrame",
    "map",
    "payload",
    "data",
    "value",
    "MapData",
    "MessageFrame",
    "msgFrame",
    "MAP",
)
"""What a message may be wrapped in."""

_AHEAD: dict[Turn | None, float] = {"left": -90.0, "right": 90.0, "uturn": 180.0}


def map_message(payload: Any) -> Element | None:
    """The map in a message, whatever it is wrapped in; None where it is none."""
    element = Element(payload)
    for _ in range(6):
        if not isinstance(element.value, dict):
            return None
        if _is_csae(element) or _is_j2735(element):
            return element
        inner = next((x for key in _ENVELOPES if (x := element.find(key)) is not None), None)
        if inner is None:
            return None
        element = inner
    return None


def nodes_of(message: Element) -> list[ToldNode]:
    """What a map says of its intersections; raises `MessageRefused` naming the element."""
    return v2x_map_csae.nodes_of(message) if _is_csae(message) else v2x_map_j2735.nodes_of(message)


def roads_of(nodes: Iterable[ToldNode], source: str = "") -> tuple[RoadMap, tuple[str, ...]]:
    """The road map of intersections, and what is not as it should be; of two of one id the last."""
    latest = {node.id: node for node in nodes}
    work = _Work(list(latest.values()))
    return work.roads(source), tuple(work.warnings)


def _is_csae(element: Element) -> bool:
    nodes = element.value.get("nodes")
    return isinstance(nodes, list) and all(isinstance(x, dict) and "refPos" in x for x in nodes)


def _is_j2735(element: Element) -> bool:
    told = element.value.get("intersections")
    if isinstance(told, dict):
        told = told.get("intersectionGeometry")
    return isinstance(told, list) and any(isinstance(x, dict) and "laneSet" in x for x in told)


@dataclass(slots=True)
class _Work:
    """The intersections of messages while they become a map; its plane is in metres at the first."""

    nodes: list[ToldNode]
    warnings: list[str] = field(default_factory=list)
    links: dict[str, ToldLink] = field(default_factory=dict)
    ends: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    drawn: dict[tuple[str, int], Floats] = field(default_factory=dict)
    sketched: set[str] = field(default_factory=set)
    out: dict[str, list[str]] = field(default_factory=dict)

    def roads(self, source: str) -> RoadMap:
        """All of the map."""
        for node in self.nodes:
            self.out[node.id] = []
            for link in node.into:
                self._keep(link, (intersection_id(*link.far) if link.far else None, node.id))
            for link in node.out:
                self._keep(link, (node.id, intersection_id(*link.far) if link.far else None))
        for node in self.nodes:
            self._sketch_ways_out(node)
        for id_, (start, _) in self.ends.items():
            if start in self.out:
                self.out[start].append(id_)
        if self.sketched:
            self.warnings.append(
                f"{len(self.sketched)} roads lead to nodes that are not among the messages and are "
                "sketched; bring in the messages of those nodes together with these"
            )
        connections = [one for node in self.nodes for one in self._ways(node)]
        turns: dict[str, set[Turn]] = {}
        for one in connections:
            turns.setdefault(one.from_lane, set()).add(one.turn)
        return RoadMap(
            links=tuple(self._link(link) for link in self.links.values()),
            lanes=tuple(x for link in self.links.values() for x in self._lanes(link, turns)),
            intersections=tuple(self._intersection(node, connections) for node in self.nodes),
            connections=tuple(connections),
            crosswalks=tuple(x for node in self.nodes for x in self._crosswalks(node)),
            groups=tuple(x for node in self.nodes for x in self._groups(node, connections)),
            source=source,
        )

    def _keep(self, link: ToldLink, ends: tuple[str | None, str | None]) -> None:
        self.links[link.id] = link
        self.ends[link.id] = ends
        for lane in link.lanes:
            self.drawn[link.id, lane.number] = self._plane(lane.line)

    def _scale(self) -> tuple[Floats, Floats]:
        origin = np.array(self.nodes[0].place)
        return origin, np.array(metres_per_degree(self.nodes[0].place[1]))

    def _plane(self, line: Floats) -> Floats:
        """Degrees as metres in the map's plane; only differences of nearby places are asked of it."""
        origin, scale = self._scale()
        plane: Floats = (line - origin) * scale
        return plane

    def _line(self, plane: Floats) -> Line:
        origin, scale = self._scale()
        return places(plane / scale + origin, heights=False)

    def _sketch_ways_out(self, node: ToldNode) -> None:
        """Roads towards nodes that no message is of, with the lanes that are named of them."""
        wanted: dict[str, list[tuple[ToldLink, ToldLane, ToldConnection]]] = {}
        for link in node.into:
            for lane in link.lanes:
                for one in lane.connections:
                    if one.remote is not None:
                        id_ = f"{node.id}>{intersection_id(*one.remote)}"
                        if id_ not in self.links or id_ in self.sketched:
                            wanted.setdefault(id_, []).append((link, lane, one))
        for id_, asked in wanted.items():
            self._sketch(id_, node, asked)

    def _sketch(
        self, id_: str, node: ToldNode, asked: list[tuple[ToldLink, ToldLane, ToldConnection]]
    ) -> None:
        numbers = sorted({one.lane for _, _, one in asked if one.lane} or {1})
        _, like, how = asked[0]
        remote = how.remote
        start, towards = self._way_out(node, remote, like, how, len(numbers) * like.width)
        ahead = np.array([np.sin(np.radians(towards)), np.cos(np.radians(towards))])
        right = np.array([ahead[1], -ahead[0]])
        lanes = []
        for place, number in enumerate(numbers):
            aside = (place - (len(numbers) - 1) / 2) * like.width
            first = start + aside * right
            line = np.array([first, first + usual()["usual"]["exit_length"] * ahead])
            self.drawn[id_, number] = line
            lanes.append(ToldLane(number, "driving", line, like.width, like.speed))
        self.links[id_] = ToldLink(id_, remote, "", lanes)
        self.ends[id_] = (node.id, intersection_id(*remote) if remote else None)
        self.sketched.add(id_)

    def _way_out(
        self, node: ToldNode, remote: Key | None, lane: ToldLane, how: ToldConnection, width: float
    ) -> tuple[Floats, float]:
        """Where a road out begins, and its bearing: beside the way in of the same arm if there is one."""
        arm = next((link for link in node.into if link.far == remote), None)
        if arm is not None:
            lines = [self.drawn[arm.id, one.number] for one in arm.lanes]
            coming = bearing(lines[0])
            aside = (sum(x.width for x in arm.lanes) + width) / 2 + usual()["usual"]["exit_gap"]
            left = np.radians(coming - 90)
            at = np.mean([line[-1] for line in lines], axis=0)
            return at + aside * np.array([np.sin(left), np.cos(left)]), (coming + 180) % 360
        own = next(line for link in node.into for x in link.lanes if x is lane
                   for line in (self.drawn[link.id, x.number],))  # fmt: skip
        towards = (bearing(own) + _AHEAD.get(how.turn, 0.0)) % 360
        ahead = np.array([np.sin(np.radians(towards)), np.cos(np.radians(towards))])
        centre = self._plane(np.array([node.place]))[0]
        return centre + usual()["usual"]["exit_distance"] * ahead, towards

    def _ways(self, node: ToldNode) -> list[Connection]:
        found: dict[str, tuple[ToldConnection, tuple[str, str], Floats, Turn]] = {}
        for link in node.into:
            for lane in link.lanes:
                line = self.drawn[link.id, lane.number]
                for one in lane.connections:
                    into = self._target(node, one)
                    if into is None:
                        self.warnings.append(
                            f"lane {lane.number} of {link.id} connects to lane {one.lane}, which the "
                            "messages do not have; that way is left out"
                        )
                        continue
                    onward = self.drawn[into]
                    coming, leaving = bearing(line), bearing(onward, at_end=False)
                    ids = (f"{link.id}/{lane.number}", f"{into[0]}/{into[1]}")
                    way = curve(line[-1], coming, onward[0], leaving)
                    turn = one.turn or turn_between(coming, leaving)
                    found[f"{ids[0]}>{ids[1]}"] = (one, ids, way, turn)
        meeting = crossings(
            {k: v[2] for k, v in found.items()}, {k: v[1] for k, v in found.items()}
        )
        return [
            Connection(
                id=id_, intersection=node.id, from_lane=ids[0], to_lane=ids[1], turn=turn,
                group=str(one.group) if one.group else None, line=self._line(way),
                conflicts=meeting[id_],
            )
            for id_, (one, ids, way, turn) in found.items()
        ]  # fmt: skip

    def _target(self, node: ToldNode, one: ToldConnection) -> tuple[str, int] | None:
        """The link and the number of the lane that a connection leads to."""
        if one.remote is None:
            for link in node.out:
                if any(lane.number == one.lane for lane in link.lanes):
                    return link.id, one.lane or 0
            return None
        id_ = f"{node.id}>{intersection_id(*one.remote)}"
        link = self.links[id_]
        if one.lane is None:
            return id_, min(lane.number for lane in link.lanes)
        return (id_, one.lane) if (id_, one.lane) in self.drawn else None

    def _ordered(self, link: ToldLink) -> list[ToldLane]:
        """The lanes of a link from the left, where the middle of the road is, to the right."""
        at_end = self.ends[link.id][1] in self.out
        place = -1 if at_end else 0
        lines = [self.drawn[link.id, lane.number] for lane in link.lanes]
        along = np.radians(bearing(lines[0], at_end=at_end))
        right = np.array([np.cos(along), -np.sin(along)])
        aside = [float(line[place] @ right) for line in lines]
        return [link.lanes[row] for row in np.argsort(aside, kind="stable")]

    def _link(self, link: ToldLink) -> Link:
        lines = [self.drawn[link.id, lane.number] for lane in self._ordered(link)]
        line = middle(lines)
        start, end = self.ends[link.id]
        return Link(
            id=link.id, name=link.label if link.far else "", start=start, end=end,
            line=self._line(line), length=round(length(line), 3),
            speed=max(lane.speed for lane in link.lanes),
        )  # fmt: skip

    def _lanes(self, link: ToldLink, turns: dict[str, set[Turn]]) -> Iterable[Lane]:
        for number, lane in enumerate(self._ordered(link), 1):
            id_ = f"{link.id}/{lane.number}"
            used = turns.get(id_, set())
            yield Lane(
                id=id_, link=link.id, number=number, type=lane.type, width=lane.width,
                turns=lane.turns or tuple(x for x in ("uturn", "left", "straight", "right") if x in used),
                speed=lane.speed, line=self._line(self.drawn[link.id, lane.number]),
            )  # fmt: skip

    def _intersection(self, node: ToldNode, connections: Sequence[Connection]) -> Intersection:
        into = node.into
        stops = [self.drawn[link.id, lane.number][-1] for link in into for lane in link.lanes]
        begins = [
            self.drawn[id_, lane.number][0]
            for id_ in self.out[node.id]
            for lane in self.links[id_].lanes
        ]
        around = shapely.MultiPoint(np.array([*stops, *begins]).reshape(-1, 2)).convex_hull
        area = (
            self._line(shapely.get_coordinates(around.exterior))
            if isinstance(around, shapely.Polygon)
            else ()
        )
        signals = any(x.group for x in connections if x.intersection == node.id)
        return Intersection(
            id=node.id, name=node.name, node=node.key, control="signal" if signals else "priority",
            place=places(np.array([node.place]), heights=False)[0], area=area,
            approaches=tuple(
                Approach(
                    link=link.id, name=link.label if link.far else "",
                    bearing=round(bearing(middle([self.drawn[link.id, x.number] for x in self._ordered(link)])), 1),
                )
                for link in into
            ),
            exits=tuple(self.out[node.id]),
        )  # fmt: skip

    def _crosswalks(self, node: ToldNode) -> Iterable[Crosswalk]:
        for one in node.crosswalks:
            ring = band(self._plane(one.line), one.width)
            yield Crosswalk(
                id=f"{one.link or node.id}/walk{one.number}", intersection=node.id,
                link=one.link if one.link in self.links else None,
                group=str(one.group) if one.group else None, area=self._line(ring),
            )  # fmt: skip

    def _groups(self, node: ToldNode, connections: Sequence[Connection]) -> Iterable[SignalGroup]:
        vehicles = {x.group for x in connections if x.intersection == node.id and x.group}
        walks = {str(x.group) for x in node.crosswalks if x.group}
        for group in sorted(vehicles | walks, key=int):
            yield SignalGroup(
                id=group, intersection=node.id, number=int(group),
                kind="vehicle" if group in vehicles else "pedestrian",
            )  # fmt: skip
