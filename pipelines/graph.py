"""A network as a graph of nodes and segments, kept as long as the network is asked about.

Parallel segments stay apart, and a segment that ends where it begins stays a segment. Rows, unknown
ones and units are those of `cim_core.network`.
"""

from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.network import Network, Rows

Way = Literal["any", "down", "up"]
"""How a segment is passed: either way, with the flow, against it; an unknown flow is passed both ways."""

Mask = NDArray[np.bool_]


class Graph:
    """The segments at each node of a network, as arcs: each segment is one arc each way.

    first, arcs
        (n + 1,) where the arcs that leave each node begin, and (2 m,) those arcs: `a` below m goes
        from start to end of the segment of that row, `a` from m on from end to start of `a - m`.
    tails, heads
        (2 m,) the node an arc leaves and the one it comes to, by arc.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        segments = network.segments
        self.tails = np.concatenate([segments.starts, segments.ends]).astype(np.int32)
        self.heads = np.concatenate([segments.ends, segments.starts]).astype(np.int32)
        self.first, self.arcs = grouped(self.tails, len(network.nodes))
        self._matrices: dict[tuple[Way, bool], csr_array] = {}
        self._nearest: dict[tuple[int, Way, bool], tuple[Floats, Rows]] = {}
        self._components: dict[bool, Rows] = {}

    @cached_property
    def lengths(self) -> Floats:
        """(m,) metres; what is not known counts as nothing."""
        return np.nan_to_num(self.network.segments.lengths)

    def matrix(self, way: Way, *, through_closed: bool) -> csr_array:
        """(n, n) a graph for scipy: the lengths of the arcs that may be passed, parallel ones apart."""
        key = (way, through_closed)
        if key not in self._matrices:
            may = self._passable(way, through_closed=through_closed)[self.arcs]
            taken = self.arcs[may]
            begins = np.concatenate([[0], np.cumsum(may)])[self.first].astype(np.int32)
            lengths = np.concatenate([self.lengths, self.lengths])[taken]
            size = len(self.network.nodes)
            self._matrices[key] = csr_array((lengths, self.heads[taken], begins), (size, size))
        return self._matrices[key]

    def component(self, *, through_closed: bool) -> Rows:
        """(n,) the number of the connected part of the network each node lies in."""
        if through_closed not in self._components:
            matrix = self.matrix("any", through_closed=through_closed)
            labels = csgraph.connected_components(matrix, directed=False)[1]
            self._components[through_closed] = labels
        return self._components[through_closed]

    def reached(self, starts: Rows, way: Way, *, through_closed: bool) -> Mask:
        """(n,) which nodes can be reached from some nodes, (s,), those included."""
        size = len(self.network.nodes)
        if way == "any":
            labels = self.component(through_closed=through_closed)
            return np.isin(labels, labels[starts])
        found = np.zeros(size, bool)
        matrix = self.matrix(way, through_closed=through_closed)
        for start in starts.tolist():
            if not found[start]:
                order = csgraph.breadth_first_order(matrix, start, return_predecessors=False)
                found[order] = True
        return found

    def passed(self, reached: Mask, way: Way, *, through_closed: bool) -> Mask:
        """(m,) the segments that are passed by going on from every node reached, (n,)."""
        may = self._passable(way, through_closed=through_closed) & reached[self.tails]
        count = len(self.network.segments)
        return np.asarray(may[:count] | may[count:])

    def nearest(self, kind: int, way: Way, *, through_closed: bool) -> tuple[Floats, Rows]:
        """How far it is from each node to the nearest node of a kind, and the next node on the way.

        (n,) metres along the segments, infinite where none can be reached; (n,) rows, negative
        where the way ends.
        """
        key = (kind, way, through_closed)
        if key not in self._nearest:
            size = len(self.network.nodes)
            targets = np.flatnonzero(self.network.nodes.kinds == kind)
            if len(targets) == 0:
                self._nearest[key] = np.full(size, np.inf), np.full(size, -1)
            else:
                # From the targets backwards: whoever goes there with the flow is met against it.
                back: Way = {"any": "any", "down": "up", "up": "down"}[way]  # type: ignore[assignment]
                matrix = self.matrix(back, through_closed=through_closed)
                away, following, _ = csgraph.dijkstra(
                    matrix, indices=targets, min_only=True, return_predecessors=True
                )
                self._nearest[key] = away, following.astype(np.int64)
        return self._nearest[key]

    def between(
        self, tail: int, head: int, way: Way, *, through_closed: bool, costs: Floats | None = None
    ) -> int:
        """The row of the shortest segment that leads from one node to the next, or the cheapest.

        `costs` (m,) count instead of lengths where they are given.
        """
        arcs = self.arcs[self.first[tail] : self.first[tail + 1]]
        arcs = arcs[self.heads[arcs] == head]
        rows = arcs % len(self.network.segments)
        arcs, rows = (some[self._allowed(arcs, rows, way, through_closed)] for some in (arcs, rows))
        return int(rows[(self.lengths if costs is None else costs)[rows].argmin()])

    def _passable(self, way: Way, *, through_closed: bool) -> Mask:
        """(2 m,) which arcs may be passed."""
        count = len(self.network.segments)
        arcs = np.arange(2 * count)
        rows = np.concatenate([np.arange(count), np.arange(count)])
        return self._allowed(arcs, rows, way, through_closed)

    def _allowed(self, arcs: Rows, rows: Rows, way: Way, through_closed: bool) -> Mask:
        segments = self.network.segments
        forward = arcs < len(segments)
        flows = segments.flows[rows]
        may = np.ones(len(arcs), bool)
        if way != "any":
            against = -1 if way == "down" else 1
            may = np.where(forward, flows != against, flows != -against)
        return may if through_closed else may & ~segments.closed[rows]


@kept(2)
def graph_of(network: Network) -> Graph:
    """The graph of a network; the same one for the same network as long as few others are asked."""
    return Graph(network)


def grouped(keys: NDArray[np.int32], count: int) -> tuple[Rows, Rows]:
    """Rows by their key, 0 to `count`: (count + 1,) where each key's rows begin, and the rows.

    >>> first, rows = grouped(np.array([1, 0, 1], np.int32), 3)
    >>> first.tolist(), rows.tolist()
    ([0, 1, 3, 3], [1, 0, 2])
    """
    # A matrix of one entry in each row, turned: scipy sorts by counting, many times as fast as
    # numpy by comparing.
    size = len(keys)
    entries = (np.ones(size, np.int8), keys, np.arange(size + 1, dtype=np.int32))
    turned = csr_array(entries, (size, count)).tocsc()
    return turned.indptr.astype(np.int64), turned.indices.astype(np.int64)
