"""A road map to the lane: the standard digital intersection, as one document.

Places are longitude, latitude and, where known, height: degrees, and metres in the city's vertical
datum. Lengths are metres, speeds metres per second, times seconds, bearings degrees clockwise from
north. The words are those of SUMO, SAE J2735 and T/CSAE 53. Ids are unique among the things of one
kind in one map.
"""

import datetime
from functools import cached_property
from typing import Annotated, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Length = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Speed = Annotated[float, msgspec.Meta(ge=0, le=200)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Place = Annotated[tuple[float, ...], msgspec.Meta(min_length=2, max_length=3)]
Line = tuple[Place, ...]

Turn = Literal["left", "straight", "right", "uturn"]
LaneType = Literal["driving", "bus", "bike", "sidewalk", "crosswalk", "tram", "parking", "shoulder"]
RoadClass = Literal["expressway", "arterial", "collector", "local", "other"]
"""快速路, 主干路, 次干路, 支路 (CJJ 37), and all else."""
Control = Literal["signal", "priority", "none"]
Light = Literal[
    "unknown", "dark", "flashing-red", "red", "flashing-green", "permissive-green",
    "protected-green", "yellow", "flashing-yellow",
]  # fmt: skip
"""In the order of the numbers of T/CSAE 53's `LightState`, beginning with 0."""
DeviceKind = Literal[
    "rsu", "camera", "radar", "lidar", "mec", "edge-box", "cabinet", "vms", "signal-controller",
    "detector",
]  # fmt: skip
RestrictionKind = Literal["no-turn", "bus-lane", "no-entry", "reversible", "speed", "weight"]


class _Thing(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Fields nobody knows are refused: a misspelt one would be lost without a word."""


class Link(_Thing, frozen=True, kw_only=True):
    """A road in one direction from one node to the next; what congestion is told of.

    start, end
        The intersections or other nodes it leads from and to, None where it leaves the map.
    line
        Its middle in the direction of travel.
    free_speed
        What is driven when nobody is in the way; None: the speed limit.
    corridor
        The arterial it belongs to for those who coordinate signals.
    """

    id: Id
    name: Text = ""
    start: Id | None = None
    end: Id | None = None
    line: Line
    length: Length
    road_class: RoadClass = "other"
    speed: Speed
    free_speed: Speed | None = None
    corridor: Text = ""


class Lane(_Thing, frozen=True, kw_only=True):
    """A lane of a link, in the direction of travel.

    number
        From the middle of the road outwards, beginning with 1.
    line
        Its middle; of a lane that leads to an intersection the last place is the stop line.
    """

    id: Id
    link: Id
    number: int
    type: LaneType = "driving"
    turns: tuple[Turn, ...] = ()
    width: Length
    speed: Speed
    line: Line


class Connection(_Thing, frozen=True, kw_only=True):
    """A way through an intersection from lane to lane.

    line
        Its middle; two places at least.
    group
        The signal group of the same intersection that it obeys, None without.
    conflicts
        The connections of the intersection that it crosses or joins.
    """

    id: Id
    intersection: Id
    from_lane: Id
    to_lane: Id
    turn: Turn
    group: Id | None = None
    line: Line
    conflicts: tuple[Id, ...] = ()


class Approach(_Thing, frozen=True, kw_only=True):
    """An arm of an intersection: the link that leads in.

    bearing
        In which direction those drive who come in; 0 is towards the north.
    """

    link: Id
    bearing: float
    name: Text = ""


class Intersection(_Thing, frozen=True, kw_only=True):
    """Where links meet.

    node
        Region and number of the map messages (`NodeReferenceID`), None without.
    area
        The ring of its ground; empty where unknown.
    exits
        The links that lead out.
    """

    id: Id
    name: Text = ""
    name_en: Text = ""
    control: Control = "signal"
    place: Place
    node: tuple[int, int] | None = None
    area: Line = ()
    approaches: tuple[Approach, ...] = ()
    exits: tuple[Id, ...] = ()


class Crosswalk(_Thing, frozen=True, kw_only=True):
    """A crossing for pedestrians over the arm of a link that leads in; `area` is a ring."""

    id: Id
    intersection: Id
    link: Id | None = None
    group: Id | None = None
    area: Line


class SignalGroup(_Thing, frozen=True, kw_only=True):
    """Signal heads that always show the same; `id` is unique in its intersection only.

    number
        That of the phase or signal group in messages and controller logs, None if it has none.
    """

    id: Id
    intersection: Id
    kind: Literal["vehicle", "pedestrian", "bike", "tram"] = "vehicle"
    number: int | None = None


class Phase(_Thing, frozen=True, kw_only=True):
    """A time in which nothing changes; `lights` of each signal group, others are red.

    shortest, longest
        Between which it may last where it depends on traffic.
    """

    duration: Seconds
    lights: dict[str, Light]
    name: Text = ""
    shortest: Seconds | None = None
    longest: Seconds | None = None


class Hours(_Thing, frozen=True, kw_only=True):
    """When something holds, local time: days of the week (1 is Monday), from and to as HH:MM."""

    days: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)
    start: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    end: Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "24:00"


class Plan(_Thing, frozen=True, kw_only=True):
    """A signal plan: phases one after the other, over and over.

    offset
        When its first phase begins, seconds after midnight UTC modulo the cycle.
    schedule
        When it is in force; empty for always.
    """

    id: Id
    intersection: Id
    offset: Seconds = 0.0
    phases: tuple[Phase, ...]
    schedule: tuple[Hours, ...] = ()

    @property
    def cycle(self) -> float:
        """How long all phases last together, seconds."""
        return sum(phase.duration for phase in self.phases)


class Device(_Thing, frozen=True, kw_only=True):
    """Equipment of an intersection.

    heading, height
        Where it looks, and how high it hangs above the road.
    thing
        The key of its thing among those of the city that observe, None without.
    """

    id: Id
    kind: DeviceKind
    intersection: Id | None = None
    link: Id | None = None
    place: Place
    model: Text = ""
    serial: Text = ""
    heading: float | None = None
    height: Length | None = None
    field_of_view: float | None = None
    status: Literal["online", "offline", "unknown"] = "unknown"
    thing: Text | None = None


class Restriction(_Thing, frozen=True, kw_only=True):
    """A traffic rule with its times, for lanes or connections."""

    id: Id
    kind: RestrictionKind
    lanes: tuple[Id, ...] = ()
    connections: tuple[Id, ...] = ()
    value: float | None = None
    hours: tuple[Hours, ...] = ()
    note: Text = ""


class RoadWork(_Thing, frozen=True, kw_only=True):
    """Works in the road (道路施工), from the first to the last moment.

    lanes, links
        What they concern; all lanes of a link that is named.
    limit
        `closed`, or `speed` with metres per second in `speed`.
    """

    id: Id
    name: Text = ""
    first: datetime.datetime
    last: datetime.datetime
    lanes: tuple[Id, ...] = ()
    links: tuple[Id, ...] = ()
    limit: Literal["closed", "speed"] = "closed"
    speed: Speed | None = None


class RoadMap(_Thing, frozen=True, kw_only=True, dict=True):
    """All of it. `source` says of what file it was made and how."""

    links: tuple[Link, ...] = ()
    lanes: tuple[Lane, ...] = ()
    intersections: tuple[Intersection, ...] = ()
    connections: tuple[Connection, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    groups: tuple[SignalGroup, ...] = ()
    plans: tuple[Plan, ...] = ()
    devices: tuple[Device, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    works: tuple[RoadWork, ...] = ()
    source: Text = ""

    @cached_property
    def link_by_id(self) -> dict[str, Link]:
        """Links by their ids."""
        return {link.id: link for link in self.links}

    @cached_property
    def lane_by_id(self) -> dict[str, Lane]:
        """Lanes by their ids."""
        return {lane.id: lane for lane in self.lanes}

    @cached_property
    def intersection_by_id(self) -> dict[str, Intersection]:
        """Intersections by their ids."""
        return {one.id: one for one in self.intersections}

    @cached_property
    def connection_by_id(self) -> dict[str, Connection]:
        """Connections by their ids."""
        return {one.id: one for one in self.connections}

    def lanes_of(self, link: str) -> tuple[Lane, ...]:
        """The lanes of a link, from the middle of the road outwards."""
        return tuple(sorted((x for x in self.lanes if x.link == link), key=lambda x: x.number))

    def connections_of(self, intersection: str) -> tuple[Connection, ...]:
        """The ways through an intersection."""
        return tuple(one for one in self.connections if one.intersection == intersection)

    def groups_of(self, intersection: str) -> tuple[SignalGroup, ...]:
        """The signal groups of an intersection."""
        return tuple(one for one in self.groups if one.intersection == intersection)

    def plans_of(self, intersection: str) -> tuple[Plan, ...]:
        """The signal plans of an intersection."""
        return tuple(one for one in self.plans if one.intersection == intersection)
