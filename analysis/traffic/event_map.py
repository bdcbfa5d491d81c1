"""What the recogniser of events has to know of a road map, in arrays; it is made once for each map."""

import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.traffic.event_rules import EventRules
from analysis.traffic.lanes import LaneMap
from cim_core.mesh import Floats
from cim_core.traffic.roads import Hours, Line

Mask = NDArray[np.bool_]

_WHOLE = 0.8
"""A lane that is shorter than this share of its link does not begin where the link does."""
_CARRIAGEWAY = ("driving", "bus")
ZONE = ZoneInfo("Asia/Shanghai")
"""The zone of the local times of restrictions and of hours."""


class EventMap:
    """A lane map with what events ask of it."""

    def __init__(self, lanes: LaneMap, rules: EventRules) -> None:
        self.lanes = lanes
        self.roads = lanes.roads
        self._rules = rules

    @cached_property
    def driving(self) -> Mask:
        """(L,) whether a lane is for motor vehicles."""
        return np.array([lane.type in _CARRIAGEWAY for lane in self.roads.lanes], bool)

    @cached_property
    def widths(self) -> Floats:
        """(L,) metres."""
        return np.array([lane.width for lane in self.roads.lanes], np.float64)

    @cached_property
    def lengths(self) -> Floats:
        """(L,) metres."""
        return self.lanes.lengths[: len(self.roads.lanes)]

    @cached_property
    def queueing(self) -> Mask:
        """(L,) whether a queue that fills the lane blocks the intersection before it.

        It is long enough to queue in, begins where its link does, and there is an intersection.
        """
        links = self.roads.link_by_id
        nodes = self.roads.intersection_by_id
        starts = np.array([links[x.link].start in nodes for x in self.roads.lanes], bool)
        long = self.lengths >= self._rules["queue-spillback"]["lane"]
        found: Mask = self.driving & ~self.pockets & starts & long
        return found

    @cached_property
    def pockets(self) -> Mask:
        """(L,) whether a lane is a part of its link only, as those for who turns are."""
        links = self.roads.link_by_id
        whole = np.array([links[lane.link].length for lane in self.roads.lanes], np.float64)
        found: Mask = self.lengths < _WHOLE * whole
        return found

    def share_of_link(self, some: Mask) -> Floats:
        """(L,) the share that some lanes, (L,), have of those of their link that queues count in."""
        links, count = self.lanes.link_of_lane, len(self.roads.links)
        of = np.bincount(links, self.queueing, count)
        share: Floats = np.bincount(links, some & self.queueing, count) / np.maximum(of, 1)
        return share[links]

    @cached_property
    def riding(self) -> Mask:
        """(L,) whether a lane is for motor vehicles or bicycles."""
        bikes = np.array([lane.type == "bike" for lane in self.roads.lanes], bool)
        found: Mask = self.driving | bikes
        return found

    @cached_property
    def carriageway(self) -> Any:
        """Where nobody should walk, one shape in the plane of the lanes, prepared to be asked."""
        rule = self._rules["pedestrian"]
        shapes = []
        for link in range(len(self.roads.links)):
            rows = np.flatnonzero(self.driving & (self.lanes.link_of_lane == link)).tolist()
            lanes = [
                shapely.LineString(self.lanes.polylines[row]).buffer(self.widths[row] / 2, cap_style="flat")
                for row in rows
                if len(self.lanes.polylines[row]) > 1
            ]  # fmt: skip
            if lanes:
                shapes.append(shapely.union_all(lanes).buffer(-rule["inside"]))
        walked = [
            shapely.Polygon(self._ring(one.area)).buffer(rule["crosswalk"])
            for one in self.roads.crosswalks
            if len(one.area) > 2
        ]
        known = {one.intersection for one in self.roads.crosswalks}
        for node in self.roads.intersections:
            if node.id not in known:
                walked.append(shapely.Point(self._ring((node.place,))[0]).buffer(rule["unknown"]))
        shape = shapely.union_all(shapes).difference(shapely.union_all(walked))
        shapely.prepare(shape)
        return shape

    @cached_property
    def designed(self) -> dict[str, frozenset[tuple[str, str]]]:
        """By intersection, the pairs of groups that some plan shows green together."""
        found: dict[str, set[tuple[str, str]]] = {}
        for plan in self.roads.plans:
            pairs = found.setdefault(plan.intersection, set())
            for phase in plan.phases:
                green = [group for group, light in phase.lights.items() if "green" in light]
                pairs |= {(a, b) for a in green for b in green}
        return {node: frozenset(pairs) for node, pairs in found.items()}

    @cached_property
    def conflicts(self) -> dict[str, frozenset[tuple[str, str]]]:
        """By intersection, the pairs of groups whose ways cross and that no plan shows together.

        Where no plan is known nobody can tell what is meant, and there are none.
        """
        ways = self.roads.connection_by_id
        found: dict[str, set[tuple[str, str]]] = {}
        for one in self.roads.connections:
            designed = self.designed.get(one.intersection)
            if designed is None or one.group is None:
                continue
            for other in (ways[name] for name in one.conflicts):
                pair = (one.group, other.group or one.group)
                if pair[0] != pair[1] and pair not in designed and _crosses(one.line, other.line):
                    found.setdefault(one.intersection, set()).add(pair)
        return {node: frozenset(pairs) for node, pairs in found.items()}

    @cached_property
    def heads(self) -> dict[int, frozenset[tuple[str, str]]]:
        """By row of a lane, the intersections and groups that those obey who go on from it."""
        found: dict[int, set[tuple[str, str]]] = {}
        for way, lane in zip(self.roads.connections, self.lanes.from_lanes.tolist(), strict=True):
            if way.group is not None:
                found.setdefault(lane, set()).add((way.intersection, way.group))
        return {lane: frozenset(heads) for lane, heads in found.items()}

    @cached_property
    def vehicle_groups(self) -> dict[str, frozenset[str]]:
        """By intersection, the signal groups for vehicles."""
        return {
            node.id: frozenset(g.id for g in self.roads.groups_of(node.id) if g.kind == "vehicle")
            for node in self.roads.intersections
        }

    @cached_property
    def cycles(self) -> dict[str, float]:
        """By intersection, seconds of its longest plan."""
        found: dict[str, float] = {}
        for plan in self.roads.plans:
            found[plan.intersection] = max(found.get(plan.intersection, 0.0), plan.cycle)
        return found

    def limits(self, at: int) -> Floats:
        """(L + C,) the speed limit of every line at a moment, metres per second.

        That of a lane is lowered by works and restrictions that are in force; a connection has that
        of the faster of the lanes it joins.
        """
        rows = self.lanes.lane_rows
        found = np.array([lane.speed for lane in self.roads.lanes], np.float64)
        moment = datetime.datetime.fromtimestamp(at / 1000, ZONE)
        for work in self.roads.works:
            if (
                work.limit == "speed"
                and work.speed
                and _aware(work.first) <= moment < _aware(work.last)
            ):
                named = [rows[lane] for lane in work.lanes]
                named += [rows[one.id] for one in self.roads.lanes if one.link in work.links]
                found[named] = np.minimum(found[named], work.speed)
        for one in self.roads.restrictions:
            if one.kind == "speed" and one.value and (not one.hours or within(one.hours, at)):
                named = [rows[lane] for lane in one.lanes]
                found[named] = np.minimum(found[named], one.value)
        if not len(self.roads.connections):
            return found
        joined = np.maximum(found[self.lanes.from_lanes], found[self.lanes.to_lanes])
        return np.concatenate([found, joined])

    def line_name(self, lane: int, connection: int) -> tuple[str | None, str | None, str | None]:
        """The ids of link, lane and intersection where somebody is; of the link they came from."""
        if lane >= 0:
            one = self.roads.lanes[lane]
            return one.link, one.id, None
        if connection >= 0:
            way = self.roads.connections[connection]
            return self.roads.lane_by_id[way.from_lane].link, None, way.intersection
        return None, None, None

    def _ring(self, places: Line) -> Floats:
        flat = np.array([place[:2] for place in places], np.float64)
        return self.lanes.plane(flat[:, 0], flat[:, 1])


def within(hours: tuple[Hours, ...], at: int) -> bool:
    """Whether a moment, milliseconds since 1970, is within any of some hours, local time.

    >>> morning = Hours(days=(5,), start="07:00", end="09:30")
    >>> within((morning,), 1_769_730_000_000)  # a Friday, 07:40 in Shanghai
    True
    >>> within((Hours(start="22:00", end="06:00"),), 1_769_730_000_000)
    False
    """
    local = datetime.datetime.fromtimestamp(at / 1000, ZONE)
    day, time = local.isoweekday(), local.strftime("%H:%M")
    return any(day in one.days and between(one.start, one.end, time) for one in hours)


def between(start: str, end: str, time: str) -> bool:
    """Whether a time of the day, HH:MM, is from one until before another, also over midnight."""
    return start <= time < end if start < end else time >= start or time < end


def _crosses(one: Line, other: Line) -> bool:
    """Whether two ways cross, and do not only begin or end together."""
    a, b = (shapely.LineString([place[:2] for place in line]) for line in (one, other))
    return bool(a.crosses(b)) and one[0][:2] != other[0][:2] and one[-1][:2] != other[-1][:2]


def _aware(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
