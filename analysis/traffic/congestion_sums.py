"""Who drove how far in what time: the sums that congestion is made of.

Vehicles are followed from each position to their next. What they drove in between, how long they took
and how long they would have taken with nobody in the way belongs to the link, the place and the time
they were at first; who is in the middle of an intersection belongs to the link they came from, so that
the time lost at its stop line and behind it is told of one road. Such sums may be added up over bins,
roads and cells, and come to the same as the sums of all at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.congestion_index import counted
from analysis.traffic.lanes import LaneMap
from analysis.traffic.matching import match
from cim_core.mesh import Floats
from cim_core.observations import Times
from cim_core.traffic.moving import ROAD_USERS, Positions, take
from cim_core.traffic.roads import RoadMap

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Pieces:
    """From one position of a vehicle to its next, n times.

    times, lon, lat, who, links
        (n,) each: milliseconds since 1970 and degrees of the first of the two, the vehicle's code
        among those of the positions, the row of its link in the road map.
    metres, seconds, free_seconds
        (n,) float64 each.
    """

    times: Times
    lon: Floats
    lat: Floats
    who: NDArray[np.int32]
    links: NDArray[np.int32]
    metres: Floats
    seconds: Floats
    free_seconds: Floats

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Rows | NDArray[np.bool_]) -> "Pieces":
        """Some of them."""
        return Pieces(
            self.times[rows], self.lon[rows], self.lat[rows], self.who[rows], self.links[rows],
            self.metres[rows], self.seconds[rows], self.free_seconds[rows],
        )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Sums:
    """Sums by place and bin, in the order of both.

    places, bins
        (n,) int64: whatever number a road or cell goes by, and the beginning of the bin,
        milliseconds since 1970.
    metres, seconds, free_seconds
        (n,) float64: vehicle-metres, vehicle-seconds, and vehicle-seconds with nobody in the way.
    """

    places: Rows
    bins: Times
    metres: Floats
    seconds: Floats
    free_seconds: Floats

    def __len__(self) -> int:
        return len(self.places)

    def regrouped(self, places: Rows, bins: Times) -> "Sums":
        """The same by other places and bins, (n,) each, of which several may be one."""
        return summed(places, bins, self.metres, self.seconds, self.free_seconds)


def summed(
    places: Rows, bins: Times, metres: Floats, seconds: Floats, free_seconds: Floats
) -> Sums:
    """The sums of rows by place and bin.

    >>> summed(np.array([1, 1]), np.array([0, 0]), *np.ones((3, 2))).metres.tolist()
    [2.0]
    """
    order = np.lexsort((bins, places))
    places, bins = places[order], bins[order]
    new = np.ones(len(places), bool)
    new[1:] = (places[1:] != places[:-1]) | (bins[1:] != bins[:-1])
    begins = np.flatnonzero(new)
    if not len(begins):
        return Sums(places, bins, metres, seconds, free_seconds)
    columns = (np.add.reduceat(what[order], begins) for what in (metres, seconds, free_seconds))
    return Sums(places[begins], bins[begins], *columns)


def added(parts: list[Sums]) -> Sums:
    """Several together."""
    if not parts:
        none = np.empty(0)
        return Sums(np.empty(0, np.int64), np.empty(0, np.int64), none, none, none)
    return summed(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("places", "bins", "metres", "seconds", "free_seconds")
        )
    )


def pieces(lanes: LaneMap, positions: Positions) -> Pieces:
    """What those vehicles did whose time counts, as `congestion.toml` has it.

    Positions in any order, none of them twice.
    """
    rules = counted()
    matched = match(lanes, counting(positions))
    found = matched.positions
    here = np.arange(max(len(found) - 1, 0))
    links = _links(lanes.roads, matched.links, matched.connections)
    lasted = np.diff(found.times)
    same = (np.diff(found.who.codes) == 0) & (found.who.codes[here] >= 0)
    kept = here[same & (lasted > 0) & (lasted <= 1000 * rules["gap"]) & (links[here] >= 0)]
    after = kept + 1
    on_lane = (matched.lanes[kept] == matched.lanes[after]) & (matched.lanes[kept] >= 0)
    # Along one lane forth and back cancel out, so that the noise of who stands is no way they drive.
    along = (matched.along[after] - matched.along[kept]).astype(np.float64)
    plane = lanes.plane(found.lon, found.lat)
    straight = np.hypot(*(plane[after] - plane[kept]).T)
    metres = np.where(on_lane, along, straight)
    free = free_speeds(lanes.roads)[links[kept]]
    return Pieces(
        found.times[kept], found.lon[kept], found.lat[kept], found.who.codes[kept],
        links[kept], metres, lasted[kept] / 1000.0, metres / free,
    )  # fmt: skip


def counting(positions: Positions) -> Positions:
    """Those positions that sums are made of, as `congestion.toml` has it; those of these are the same."""
    rules = counted()
    return thinned(positions, round(1000 * rules["step"]), rules["users"])


def free_speeds(roads: RoadMap) -> Floats:
    """What is driven on each link when nobody is in the way, (n,) metres per second, never 0."""
    speeds = [one.speed if one.free_speed is None else one.free_speed for one in roads.links]
    return np.maximum(np.array(speeds, np.float64), 1.0)


def thinned(positions: Positions, step: int, users: list[str] | None = None) -> Positions:
    """The first position of each in every `step` milliseconds; of some road users only.

    Which one that is depends on the time alone, not on where a window begins.
    """
    if users is not None:
        wanted = [number for number, one in enumerate(ROAD_USERS) if one in users]
        positions = take(positions, np.isin(positions.kinds, wanted))
    order = np.lexsort((positions.times, positions.who.codes))
    who, ticks = positions.who.codes[order], positions.times[order] // step
    first = np.ones(len(order), bool)
    first[1:] = (who[1:] != who[:-1]) | (ticks[1:] != ticks[:-1])
    return take(positions, order[first])


def _links(
    roads: RoadMap, links: NDArray[np.int32], connections: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The link of each row; of who is in an intersection, the one they came from."""
    rows = {link.id: row for row, link in enumerate(roads.links)}
    lanes = roads.lane_by_id
    came = np.array([rows[lanes[c.from_lane].link] for c in roads.connections] or [-1], np.int32)
    return np.where(connections >= 0, came[np.maximum(connections, 0)], links)
