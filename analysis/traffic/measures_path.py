"""A way along links: of a corridor, or the shortest between two intersections."""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.traffic.lanes import LaneMap
from analysis.traffic.passage_ways import ways_of
from cim_core.errors import InvalidInput, NotFound
from cim_core.traffic.roads import Connection, RoadMap


@dataclass(frozen=True, slots=True)
class Path:
    """Links one after the other.

    links
        Their ids.
    begins, lengths
        Metres from the beginning of the path to that of each link, and of each link.
    ways
        The connections from each link to the next.
    """

    links: tuple[str, ...]
    begins: tuple[float, ...]
    lengths: tuple[float, ...]
    ways: tuple[tuple[Connection, ...], ...]

    @property
    def length(self) -> float:
        """Metres from the beginning to the end."""
        return self.begins[-1] + self.lengths[-1]


def corridor_path(lanes: LaneMap, corridor: str) -> Path:
    """The longest way along the links of a corridor, one direction; raises `NotFound`."""
    roads = lanes.roads
    own = {link.id for link in roads.links if link.corridor == corridor}
    if not corridor or not own:
        known = sorted({link.corridor for link in roads.links} - {""})
        names = ", ".join(known) or "none"
        raise NotFound(f"there is no corridor {corridor!r} in the road map; there are {names}")
    nexts = _nexts(roads)
    led_to = {two for one in own for two in nexts[one] if two in own}
    chains = []
    for first in sorted(own - led_to) or sorted(own)[:1]:
        chain = [first]
        while following := [x for x in nexts[chain[-1]] if x in own and x not in chain]:
            chain.append(following[0])
        chains.append(chain)
    return _path(lanes, max(chains, key=lambda x: sum(roads.link_by_id[y].length for y in x)))


def path_between(lanes: LaneMap, first: str, last: str) -> Path:
    """The shortest way from one intersection to another, with the approach of the first.

    Raises `NotFound` for an intersection that is not there, `InvalidInput` where no way leads.
    """
    roads, ways = lanes.roads, ways_of(lanes)
    rows = {one.id: row for row, one in enumerate(roads.intersections)}
    for one in (first, last):
        if one not in rows:
            raise NotFound(f"there is no intersection {one!r} in the road map")
    if first == last:
        raise InvalidInput(f"from and to are both {first!r}; give two intersections")
    nexts = _nexts(roads)
    of = dict(zip((link.id for link in roads.links), ways.intersection_of.tolist(), strict=True))
    ready: list[tuple[float, tuple[str, ...]]] = [
        (0.0, (link,)) for link, row in sorted(of.items()) if row == rows[first]
    ]
    done: set[str] = set()
    while ready:
        metres, chain = heapq.heappop(ready)
        if of[chain[-1]] == rows[last]:
            return _path(lanes, chain)
        if chain[-1] in done:
            continue
        done.add(chain[-1])
        for place, link in enumerate(nexts[chain[-1]]):
            # One metre for each turn: of ways of one length the straight one.
            more = roads.link_by_id[link].length + place
            heapq.heappush(ready, (metres + more, (*chain, link)))
    raise InvalidInput(
        f"no way leads from {first!r} to {last!r}; give intersections that links connect"
    )


def _nexts(roads: RoadMap) -> Mapping[str, list[str]]:
    """The links behind each link, straight on first."""
    found: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for one in roads.connections:
        pair = (one.turn != "straight", roads.lane_by_id[one.to_lane].link)
        found[roads.lane_by_id[one.from_lane].link].append(pair)
    return defaultdict(
        list,
        {link: list(dict.fromkeys(x for _, x in sorted(more))) for link, more in found.items()},
    )


def _path(lanes: LaneMap, links: Sequence[str]) -> Path:
    roads = lanes.roads
    rows = [np.flatnonzero(lanes.link_of_lane == lanes.link_rows[link]) for link in links]
    lengths = [
        float(lanes.lengths[row].max()) if len(row) else roads.link_by_id[link].length
        for row, link in zip(rows, links, strict=True)
    ]
    count, begins, ways = len(roads.lanes), [0.0], []
    for place, (one, two) in enumerate(pairwise(links)):
        own = [
            row
            for row, way in enumerate(roads.connections)
            if roads.lane_by_id[way.from_lane].link == one
            and roads.lane_by_id[way.to_lane].link == two
        ]
        ways.append(tuple(roads.connections[row] for row in own))
        through = float(np.mean(lanes.lengths[count + np.array(own)]))
        begins.append(begins[-1] + lengths[place] + through)
    return Path(tuple(links), tuple(begins), tuple(lengths), tuple(ways))
