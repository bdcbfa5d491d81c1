"""What an intersection is measured from: its part of the map, who passed it, what signals showed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, Ints, LaneMap, lane_map
from analysis.traffic.matching import Matched, lengths_of, match
from analysis.traffic.passages import Passages, passages
from analysis.traffic.queues import Queues, queues
from analysis.traffic.signal_use import Greens, Lights, lights
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.store.layers import LayerVersion
from cim_core.traffic.moving import (
    ROAD_USERS,
    Box,
    Positions,
    SignalStates,
    joined,
    nothing,
    take,
    within,
)
from cim_core.traffic.roads import Intersection, RoadMap

BEFORE, AFTER = 600_000, 180_000
"""Milliseconds looked at around a window: who crosses in it may have come before, and go on after."""

_BESIDE = 0.0005
"""Degrees around the lanes of an intersection that are looked at, some 50 m."""

LONGEST = 24 * 3_600_000
"""Milliseconds of the longest window that is measured."""

MOST_ROWS = 3_000_000
"""Positions near an intersection that are looked at together, each of which takes some 300 B of memory."""

NOT_MOTOR = tuple(ROAD_USERS.index(kind) for kind in ("bicycle", "pedestrian"))


@dataclass(frozen=True, eq=False)
class Scene:
    """One intersection from start to end (ms), with what happened a little before and after.

    until
        ms up to which there is something recorded.
    lengths
        (n,) metres of the vehicle of each row of `matched`.
    stays
        Those of everybody but pedestrians on the links that lead to it.
    """

    lanes: LaneMap
    intersection: Intersection
    start: int
    end: int
    until: int
    matched: Matched
    lengths: Floats
    stays: Passages
    lights: Lights
    _greens: dict[int, Greens] = field(default_factory=dict)

    @cached_property
    def connections(self) -> Ints:
        """Rows of the connections of the intersection in the road map."""
        rows = enumerate(self.lanes.roads.connections)
        own = [row for row, one in rows if one.intersection == self.intersection.id]
        return np.array(own, np.int32)

    @cached_property
    def approach_links(self) -> Ints:
        """Rows of the links that lead to it, in the order of its approaches."""
        named = [self.lanes.link_rows[one.link] for one in self.intersection.approaches]
        used = [self.lanes.link_of_lane[self.lanes.from_lanes[row]] for row in self.connections]
        return np.array(list(dict.fromkeys([*named, *map(int, used)])), np.int32)

    @cached_property
    def approach_lanes(self) -> Counts:
        """Rows of the lanes that vehicles come in by."""
        own = np.isin(self.lanes.link_of_lane, self.approach_links)
        return np.flatnonzero(own & ~self.lanes.for_feet[: len(own)])

    @cached_property
    def groups(self) -> Ints:
        """(C,) the number of the signal group of each connection of the map; -1 for others'."""
        result = np.full(len(self.lanes.roads.connections) + 1, -1, np.int32)
        for row in self.connections:
            result[row] = self.lights.number(self.lanes.roads.connections[row].group)
        return result

    @cached_property
    def motor(self) -> NDArray[np.bool_]:
        """(p,) which of the stays are those of motor vehicles."""
        return ~np.isin(self.stays.kinds, NOT_MOTOR)

    def greens(self, group: int) -> Greens:
        """The greens of a group, by its number."""
        if group not in self._greens:
            self._greens[group] = self.lights.greens(group)
        return self._greens[group]

    def queues(self, step: int) -> Queues:
        """The queues on all lanes that lead to it, every so many milliseconds."""
        return queues(
            self.lanes, self.matched, self.lengths, self.approach_lanes, self.start, self.end, step
        )


def scene_of(
    roads: RoadMap, positions: Positions, signals: SignalStates, intersection: str, start: int,
    end: int, *, middles: bool = False, progress: Progress | None = None, heard: int | None = None,
) -> Scene:  # fmt: skip
    """The scene of positions and signal states, which may be those of more than the intersection.

    heard
        The last time anything was heard of anywhere; None where that is in what is given.
    middles
        Whether positions are those of the middles of vehicles instead of their fronts.

    Raises `NotFound` for an intersection that is not in the map, `InvalidInput` for the window.
    """
    found = _intersection(roads, intersection)
    if end <= start:
        raise InvalidInput("end is not later than start; give a later end")
    tell = progress or Progress()
    tell(0, 4, "matching")
    lanes = lane_map(roads)
    near = near_links(roads, _links_of(roads, found), positions)
    matched = match(lanes, near, middles=middles)
    tell(1, 4, "passages")
    lengths = lengths_of(matched.positions)
    known = [int(times.max()) + 1 for times in (positions.times, signals.times) if len(times)]
    until = max([*known, *([] if heard is None else [heard + 1])], default=end)
    lit = lights(signals, intersection, until)
    tell(2, 4, "signals")
    stays = passages(lanes, matched, lengths)
    row = roads.intersections.index(found)
    own = (stays.intersections == row) & (stays.kinds != ROAD_USERS.index("pedestrian"))
    tell(3, 4, "measures")
    return Scene(lanes, found, start, end, until, matched, lengths, stays.where(own), lit)


def scene(
    city: City, layer: str, intersection: str, start: int, end: int,
    progress: Progress | None = None, *, middles: bool = False,
) -> Scene:  # fmt: skip
    """The scene of what a city recorded. Raises as `scene_of`, and `NotFound` for the layer.

    Only what is near is in memory; `InvalidInput` is raised where that is too much as well.
    """
    _, roads = road_map_of(city, layer)
    links = _links_of(roads, _intersection(roads, intersection))
    is_measurable(start, end)
    window = start - BEFORE, end + AFTER
    positions = positions_near(city, layer, roads, links, *window)
    signals = signals_of(city, layer, [intersection], *window)
    lasts = [city.traffic.last(layer, kind, *window) for kind in (Positions, SignalStates)]
    return scene_of(
        roads, positions, signals, intersection, start, end, middles=middles, progress=progress,
        heard=max((one for one in lasts if one is not None), default=None),
    )  # fmt: skip


def road_map_of(city: City, layer: str) -> tuple[LayerVersion, RoadMap]:
    """The road map of a layer; raises `NotFound`."""
    version = city.layers.get(layer)
    roads = city.roads(version)
    if roads is None:
        raise NotFound(f"the layer {layer!r} has no road map; import one, or name another layer")
    return version, roads


def is_measurable(start: int, end: int) -> None:
    """Raises `InvalidInput` for a window that is longer than a day."""
    if end - start > LONGEST:
        raise InvalidInput(
            f"that is {(end - start) / 60_000:g} minutes, and at most {LONGEST / 60_000:g} are told "
            "at once; ask for a shorter time"
        )


def positions_near(
    city: City, layer: str, roads: RoadMap, links: Collection[str], start: int, end: int
) -> Positions:
    """What `near_links` leaves of all positions, read piece by piece; raises `InvalidInput`."""
    box = _box(roads, links)
    if box is None:
        return nothing(Positions)
    return joined(
        list(bounded(city.traffic.pieces(layer, Positions, start, end, box), MOST_ROWS)), Positions
    )


def bounded(pieces: Iterator[Positions], most: int) -> Iterator[Positions]:
    """The pieces, until there are too many rows in them: then it raises `InvalidInput`."""
    rows = 0
    for one in pieces:
        rows += len(one)
        if rows > most:
            raise InvalidInput(
                f"that is {rows} rows, and at most {most} are told at once; ask for a shorter time"
            )
        yield one


def signals_of(
    city: City, layer: str, intersections: Collection[str], start: int, end: int
) -> SignalStates:
    """What signals of some intersections showed; many devices repeat it ten times a second."""
    pieces = city.traffic.pieces(layer, SignalStates, start, end)
    return joined(
        [take(one, one.intersections.are(*intersections)) for one in pieces], SignalStates
    )


def near_links(roads: RoadMap, links: Collection[str], positions: Positions) -> Positions:
    """The positions in the box around the lanes of some links, some 50 m wider."""
    box = _box(roads, links)
    return nothing(Positions) if box is None else within(positions, box)


def _box(roads: RoadMap, links: Collection[str]) -> Box | None:
    lines = [lane.line for lane in roads.lanes if lane.link in links]
    places = np.array([place[:2] for line in lines for place in line], np.float64).reshape(-1, 2)
    if not len(places):
        return None
    (west, south), (east, north) = places.min(axis=0) - _BESIDE, places.max(axis=0) + _BESIDE
    return float(west), float(south), float(east), float(north)


def _intersection(roads: RoadMap, name: str) -> Intersection:
    found = roads.intersection_by_id.get(name)
    if found is None:
        raise NotFound(
            f"there is no intersection {name!r} in the road map; ask /intersections for "
            "those there are"
        )
    return found


def _links_of(roads: RoadMap, intersection: Intersection) -> set[str]:
    """The links that lead to an intersection and from it."""
    links = {one.link for one in intersection.approaches} | set(intersection.exits)
    for way in roads.connections_of(intersection.id):
        links |= {roads.lane_by_id[way.from_lane].link, roads.lane_by_id[way.to_lane].link}
    return links
