"""Longitudinal profiles (纵断面): a path through a network and what lies along it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cim_core.errors import InvalidInput, NotFound
from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind, Pieces, Rows
from pipelines.graph import Graph, graph_of
from pipelines.levels import tops_and_inverts


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A way through a network: k segments, one after the other.

    nodes
        (k + 1,) rows of the nodes in the order they are passed.
    segments
        (k,) rows of the segments.
    forward
        (k,) whether each is passed from its start to its end.
    """

    nodes: Rows
    segments: Rows
    forward: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.segments)


@dataclass(frozen=True, slots=True, eq=False)
class PathProfile:
    """What lies along a path of k segments; a number that is not known is NaN.

    Of a segment whose size is not known only the surveyed one of invert and top is known.

    chainages
        (k + 1,) metres from the first node, as the segments' lengths have it.
    ground, bottoms
        (k + 1,) elevations of the ground at the nodes and of the floors of wells.
    inverts, axes, tops
        (k, 2) elevations of each segment where the path enters and where it leaves it: its lowest
        point inside, its middle, its highest point outside.
    slopes
        (k,) how much the segment falls along the path, per mille; less than nothing where it rises.
    """

    path: Path
    chainages: Floats
    ground: Floats
    bottoms: Floats
    inverts: Floats
    axes: Floats
    tops: Floats
    slopes: Floats


def path_between(network: Network, start: int, end: int) -> Path:
    """The shortest way from a node to another, whichever way its segments flow; raises `NotFound`.

    It passes as few closed segments as can be: none where there is a way without them.
    """
    if start == end:
        raise InvalidInput("a profile ends at another node than it begins at; name two nodes")
    graph, size = graph_of(network), len(network.nodes)
    # One closed segment costs more than all others together are long.
    costs = graph.lengths + network.segments.closed * (graph.lengths.sum() + 1.0)
    matrix = csr_array(
        (np.tile(costs, 2)[graph.arcs], graph.heads[graph.arcs], graph.first.astype(np.int32)),
        (size, size),
    )
    distance, previous = dijkstra(matrix, indices=start, return_predecessors=True)
    if not np.isfinite(distance[end]):
        ids = network.nodes.ids
        raise NotFound(
            f"no pipes connect {ids[start]!r} with {ids[end]!r}; name nodes of one network"
        )
    nodes = _back(previous, end)
    pairs = pairwise(nodes)
    rows = [graph.between(*pair, "any", through_closed=True, costs=costs) for pair in pairs]
    return _path(network, nodes, rows)


def path_down(network: Network, segment: int) -> Path:
    """The way that what flows in a segment takes: along it and on to the nearest outfall.

    Where no outfall is reached it goes on to the farthest node that nothing leaves. Closed segments
    are not passed, but for the first one if it is closed itself. A segment whose direction is not known is passed either way; the first one towards the nearer outfall, or
    else downwards. Raises `NotFound` where it comes to no end.
    """
    segments, graph = network.segments, graph_of(network)
    ends = int(segments.starts[segment]), int(segments.ends[segment])
    away, following = graph.nearest(NodeKind.OUTFALL, "down", through_closed=False)
    flow = int(segments.flows[segment])
    if not flow and away[ends[0]] != away[ends[1]]:
        flow = 1 if away[ends[1]] < away[ends[0]] else -1
    elif not flow:
        flow = -1 if segments.elevations[segment, 1] > segments.elevations[segment, 0] else 1
    begin, onward = ends[::flow]
    if np.isfinite(away[onward]):
        nodes = [onward]
        while following[nodes[-1]] >= 0:
            nodes.append(int(following[nodes[-1]]))
    else:
        nodes = _to_sink(graph, segment, onward)
    rows = [graph.between(*pair, "down", through_closed=False) for pair in pairwise(nodes)]
    rest = _path(network, nodes, rows)
    return Path(
        np.concatenate([[begin], rest.nodes]),
        np.concatenate([[segment], rest.segments]),
        np.concatenate([[flow > 0], rest.forward]),
    )


def _to_sink(graph: Graph, segment: int, onward: int) -> list[int]:
    """The nodes from one to the farthest that what flows reaches and does not leave."""
    matrix = graph.matrix("down", through_closed=False)
    distance, previous = dijkstra(matrix, indices=onward, return_predecessors=True)
    sinks = np.flatnonzero(np.isfinite(distance) & (np.diff(matrix.indptr) == 0))
    if not len(sinks):
        raise NotFound(
            f"what flows in {graph.network.segments.ids[segment]!r} comes to no outfall; name the "
            "node where the profile ends"
        )
    return _back(previous, int(sinks[distance[sinks].argmax()]))


def path_along(network: Network, rows: Sequence[int]) -> Path:
    """The way along segments in their order; raises `InvalidInput` where two do not meet."""
    segments = network.segments
    ends = [(int(segments.starts[row]), int(segments.ends[row])) for row in rows]
    # The first is passed towards the second, one alone from its start to its end.
    begin, node = ends[0]
    if len(ends) > 1 and node not in ends[1]:
        begin, node = node, begin
    nodes, forward = [begin, node], [begin == ends[0][0]]
    for row, (start, end) in zip(rows[1:], ends[1:], strict=True):
        if node not in (start, end):
            raise InvalidInput(
                f"the segment {segments.ids[row]!r} does not go on from the one before it; name "
                "segments in their order"
            )
        forward.append(node == start)
        node = end if node == start else start
        nodes.append(node)
    return Path(np.array(nodes), np.array(rows, np.int64), np.array(forward))


def profile_along(network: Network, path: Path) -> PathProfile:
    """The elevations along a path."""
    segments, nodes = network.segments, network.nodes
    rows = path.segments
    turned = np.where(path.forward[:, None], [[0, 1]], [[1, 0]])
    axes = np.take_along_axis(segments.axes[rows], turned, axis=1)
    tops, inverts = tops_and_inverts(segments, rows, axes)
    lengths = segments.lengths[rows]
    fall = axes[:, 0] - axes[:, 1]
    slopes = np.divide(1000 * fall, lengths, out=np.full(len(rows), np.nan), where=lengths > 0)
    return PathProfile(
        path, np.concatenate([[0.0], np.cumsum(np.nan_to_num(lengths))]),
        nodes.ground[path.nodes], nodes.bottom[path.nodes],
        inverts, axes, tops, slopes,
    )  # fmt: skip


def places_along(
    pieces: Pieces, plane: Floats, profile: PathProfile, step: float
) -> tuple[Floats, Floats]:
    """Places on a path at least every `step` metres: chainages (s,), longitude and latitude (s, 2).

    `pieces` and `plane` (p, 2, 3) as in `Pieces.flat`. All vertices are among them. Chainages grow
    evenly along a segment, however its surveyed length differs from how it lies.
    """
    chainages, places = [], []
    for number, (row, forward) in enumerate(
        zip(profile.path.segments.tolist(), profile.path.forward.tolist(), strict=True)
    ):
        first, after = np.searchsorted(pieces.segments, [row, row + 1])
        own = slice(first, after) if forward else slice(after - 1, first - 1 if first else None, -1)
        ends = pieces.ends[own, :: 1 if forward else -1, :2]
        lengths = np.hypot(*(plane[own, 1, :2] - plane[own, 0, :2]).T)
        vertices = np.vstack([ends[:, 0], ends[-1:, 1]])
        walked = np.concatenate([[0.0], np.cumsum(lengths)])
        total = walked[-1] or 1.0
        between = np.arange(1, np.ceil(total / step)) * step
        at = np.union1d(walked, between[between < total])
        begin, end = profile.chainages[number : number + 2]
        chainages.append(begin + at / total * (end - begin))
        places.append(np.column_stack([np.interp(at, walked, vertices[:, i]) for i in range(2)]))
    return np.concatenate(chainages), np.vstack(places)


def _path(network: Network, nodes: Sequence[int], rows: Sequence[int]) -> Path:
    """The path along nodes that follow one another, and the segments between them."""
    segments = np.array(rows, np.int64)
    tails = np.array(nodes[:-1], np.int64)
    return Path(np.array(nodes), segments, network.segments.starts[segments] == tails)


def _back(previous: Rows, end: int) -> list[int]:
    """The nodes up to an end, by the node before each."""
    nodes = [end]
    while previous[nodes[-1]] >= 0:
        nodes.append(int(previous[nodes[-1]]))
    return nodes[::-1]
