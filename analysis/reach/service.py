"""What sites serve within minutes on a network: every part of every road, and the area beside them."""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph
from shapely.ops import substring

from analysis.reach.network import ReachNetwork, Roads, graph_of, reach_network
from analysis.reach.noding import Rows, Shapes, cut
from analysis.reach.rules import Mode, mode_rules
from cim_core.kept import kept
from cim_core.mesh import Floats

_NEAR_END = 1e-6
"""A site so near the end of an edge, metres, stands at its node."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A network with sites on it: an edge is split where a site is nearest to it.

    places
        (s, 2) metres, where the sites are.
    nodes
        (s,) int64, the node of each on the road; -1 for a site too far from every road.
    access
        (s,) minutes between the site and the road, infinite for one too far.
    sites, doors
        (d,) int64 each: a site, and a node by which it is on a road. There is more than one where
        roads lie over each other, as the two directions of a street may be drawn.
    """

    network: ReachNetwork
    places: Floats
    nodes: Rows
    access: Floats
    sites: Rows
    doors: Rows

    @property
    def far(self) -> NDArray[np.bool_]:
        """Which sites are too far from every road to be on the network, (s,)."""
        return self.nodes < 0

    def turned(self) -> "Joined":
        """The same with every edge's ways exchanged: for times to the sites instead of from them."""
        network = self.network
        other = replace(network, forward=network.backward, backward=network.forward)
        return replace(self, network=other)


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """The parts of edges within the minutes.

    parts
        (r,) LineStrings; an edge reached from both ends only has two.
    edges
        (r,) int64, the edge of each in the network with the sites.
    first, last
        (r,) minutes at the beginning and the end of each part, in the direction of the edge.
    forward, backward
        (r,) minutes for the whole part, in that direction and against it.
    """

    parts: Shapes
    edges: Rows
    first: Floats
    last: Floats
    forward: Floats
    backward: Floats


def served_area(
    roads: Roads, sites: NDArray[np.object_], minutes: float, mode: Mode
) -> shapely.Geometry:
    """The area within some minutes of any of (s,) points, in the plane of the roads, metres.

    All roads in reach and the ways from the sites to them, with what lies within the `spread` of
    `reach.toml` beside them. A site too far from every road serves nothing.
    """
    return service(network_of(roads, mode), sites, minutes)


def service(network: ReachNetwork, sites: NDArray[np.object_], minutes: float) -> shapely.Geometry:
    """The area within some minutes of any of (s,) points; see `served_area`."""
    at = joined(network, sites)
    found = reached(at, nearest_times(at, minutes), minutes)
    spread = mode_rules(network.mode).spread
    return area_beside([*found.parts, *ways_in(at, minutes)], spread)


def area_beside(lines: list[shapely.Geometry], spread: float) -> shapely.Geometry:
    """All within some metres of any of some lines; round corners are straight to half a percent of that."""
    if not lines:
        return shapely.Polygon()
    # Line by line: the union of all these is made in a tenth of the time one of all lines takes.
    return shapely.union_all(shapely.buffer(np.array(lines, object), spread, quad_segs=8))


def joined(network: ReachNetwork, sites: NDArray[np.object_]) -> Joined:
    """Put (s,) points on a network, each on the edge that is nearest."""
    rules = mode_rules(network.mode)
    places = shapely.get_coordinates(sites)
    count = len(places)
    rows = np.full(count, -1, np.int64)
    access = np.full(count, np.inf)
    if not count or not len(network.shapes):
        return Joined(network, places, rows, access, rows[:0], rows[:0])
    (site, edge), away = network.tree.query_nearest(
        sites, max_distance=rules.farthest, return_distance=True, all_matches=True
    )
    access[site] = away / rules.off_road
    where = shapely.line_locate_point(network.shapes[edge], sites[site])
    split, doors = _split(network, edge, where)
    rows[site] = doors
    return Joined(split, places, rows, access, site, doors)


def _split(network: ReachNetwork, edge: Rows, where: Floats) -> tuple[ReachNetwork, Rows]:
    """A network with (c,) edges split at metres along each, and the node of each place."""
    touched, row = np.unique(edge, return_inverse=True)
    pieces = cut(network.shapes[touched], row, where, _NEAR_END)
    of = touched[pieces.lines]
    fresh = pieces.start > 0  # such a piece begins at a node that was not there
    places = shapely.get_coordinates(shapely.get_point(pieces.shapes[fresh], 0))
    number = len(network.nodes) + np.cumsum(fresh) - 1
    final = np.append(np.diff(pieces.lines) != 0, True)
    ends = np.column_stack(
        [
            np.where(fresh, number, network.ends[of, 0]),
            np.where(final, network.ends[of, 1], np.append(number[1:], 0)),
        ]
    )
    lengths = pieces.end - pieces.start
    part = lengths / network.lengths[of]
    left = np.ones(len(network.shapes), bool)
    left[touched] = False

    def both(old: Floats, new: Floats) -> Floats:
        return np.concatenate([old[left], new])

    split = replace(
        network,
        nodes=np.concatenate([network.nodes, places]),
        ends=np.concatenate([network.ends[left], ends]),
        shapes=np.concatenate([network.shapes[left], pieces.shapes]),
        lengths=both(network.lengths, lengths),
        forward=both(network.forward, network.forward[of] * part),
        backward=both(network.backward, network.backward[of] * part),
        roads=np.concatenate([network.roads[left], network.roads[of]]),
    )
    # The piece that ends where a place is: the first of its line that does not end before it.
    reach = float(network.lengths.max()) + 1.0
    piece = np.searchsorted(pieces.lines * reach + pieces.end, row * reach + where - _NEAR_END)
    piece = np.minimum(piece, np.searchsorted(pieces.lines, row, side="right") - 1)
    at_start = where - pieces.start[piece] < pieces.end[piece] - where
    return split, np.where(at_start, ends[piece, 0], ends[piece, 1])


def nearest_times(at: Joined, limit: float = np.inf) -> Floats:
    """Minutes, (n,), from the nearest site to every node; infinite beyond the limit."""
    network = at.network
    count = len(network.nodes)
    if not len(at.doors):
        return np.full(count, np.inf)
    start, end, minutes = network.arcs
    # One more node that leads to all sites, so that one search does for all.
    graph = graph_of(
        count + 1,
        np.concatenate([start, np.full(len(at.doors), count)]),
        np.concatenate([end, at.doors]),
        np.concatenate([minutes, at.access[at.sites]]),
    )
    found: Floats = csgraph.dijkstra(graph, indices=count, limit=limit)
    return found[:count]


def travel_times(
    network: ReachNetwork, sites: NDArray[np.object_], limit: float = np.inf,
    *, towards: bool = False,
) -> Floats:  # fmt: skip
    """Minutes, (s, n), from each of (s,) points to every node of a network, or `towards` it.

    Infinite for what is beyond the limit or cannot be reached.
    """
    at = joined(network, sites).turned() if towards else joined(network, sites)
    found = np.full((len(at.places), len(network.nodes)), np.inf)
    if len(at.doors):
        times = csgraph.dijkstra(at.network.graph, indices=at.doors, limit=limit)
        whole = times[:, : len(network.nodes)] + at.access[at.sites][:, None]
        np.minimum.at(found, at.sites, whole)
    return np.where(found <= limit, found, np.inf)


def reached(at: Joined, times: Floats, minutes: float) -> Reached:
    """The parts of edges within some minutes by the times, (n,), of the nodes."""
    network = at.network
    start, end = times[network.ends[:, 0]], times[network.ends[:, 1]]
    with np.errstate(invalid="ignore"):  # infinite less infinite: such an edge is not reached
        from_start = np.clip((minutes - start) / network.forward, 0.0, 1.0)
        from_end = np.clip((minutes - end) / network.backward, 0.0, 1.0)
    from_start = np.where(np.isfinite(start + network.forward), from_start, 0.0)
    from_end = np.where(np.isfinite(end + network.backward), from_end, 0.0)
    whole = from_start + from_end >= 1.0
    half = np.flatnonzero(~whole & (from_start + from_end > 0))
    low = np.concatenate([np.zeros(len(half)), 1.0 - from_end[half]])
    high = np.concatenate([from_start[half], np.ones(len(half))])
    some = high > low
    rows = np.tile(half, 2)[some]
    cuts = zip(network.shapes[rows], low[some].tolist(), high[some].tolist(), strict=True)
    cut_off = [substring(shape, begin, to, normalized=True) for shape, begin, to in cuts]
    complete = np.flatnonzero(whole)
    share = np.concatenate([np.ones(len(complete)), (high - low)[some]])
    begins = np.concatenate([np.ones(len(complete), bool), low[some] == 0])
    ends = np.concatenate([np.ones(len(complete), bool), high[some] == 1])
    rows = np.concatenate([complete, rows])
    parts = np.empty(len(rows), object)
    parts[:] = [*network.shapes[complete], *cut_off]
    # Where a part ends that does not end at a node, the minutes are over.
    return Reached(
        parts, rows, np.where(begins, start[rows], minutes), np.where(ends, end[rows], minutes),
        network.forward[rows] * share, network.backward[rows] * share,
    )  # fmt: skip


def ways_in(at: Joined, minutes: float) -> list[shapely.Geometry]:
    """The ways from the sites to the road, as far as one gets."""
    found = []
    for row in np.flatnonzero(~at.far).tolist():
        place, road = at.places[row], at.network.nodes[at.nodes[row]]
        share = 1.0 if at.access[row] <= minutes else minutes / at.access[row]
        found.append(shapely.LineString([place, place + share * (road - place)]))
    return found


def network_of(roads: Roads, mode: Mode) -> ReachNetwork:
    """The network of some roads, made once for the same roads."""
    return _made(_Asked(roads, mode))


class _Asked:
    """Roads that are known by what they are, not by which object they are in."""

    def __init__(self, roads: Roads, mode: Mode) -> None:
        self.roads, self.mode = roads, mode
        self.key = sha256(mode.encode())
        for shape in shapely.to_wkb(roads.shapes).tolist():
            self.key.update(shape)
        for name, values in sorted(roads.columns.items()):
            self.key.update(repr((name, values.tolist())).encode())
        self.digest = self.key.digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.digest == other.digest


@kept(4)
def _made(asked: _Asked) -> ReachNetwork:
    return reach_network(asked.roads, asked.mode)
