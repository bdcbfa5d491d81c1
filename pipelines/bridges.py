"""What a network hangs on: bridges and articulation points of a graph with parallel edges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

from cim_core.kept import kept
from cim_core.network import Network, Rows
from pipelines.graph import Mask, grouped


@dataclass(frozen=True, eq=False)
class Hanging:
    """What must not fail: (m,) the bridges among the edges, (n,) the articulation points."""

    bridges: Mask
    points: Mask


@kept(2)
def hanging_of(network: Network) -> Hanging:
    """What a network hangs on, closed links counted as open; found once for the same network."""
    return hanging(len(network.nodes), network.segments.starts, network.segments.ends)


def hanging(count: int, starts: Rows, ends: Rows) -> Hanging:
    """The bridges and articulation points of a graph of `count` vertices and edges, (m,) each end.

    A bridge is an edge without which its ends are no longer connected: never one of two parallel
    ones, never a loop. An articulation point is a vertex without which others are no longer
    connected. Found by the lowest vertex that each branch of a depth-first tree leads back to
    (Tarjan 1972, "Depth-first search and linear graph algorithms").
    """
    edges = np.flatnonzero(starts != ends)
    if len(edges) == 0:
        return Hanging(np.zeros(len(starts), bool), np.zeros(count, bool))
    tree = _depth_first(count, starts[edges], ends[edges])
    # The tree takes one edge of each vertex to its parent; a parallel one leads back like any other.
    numbers = np.stack([tree.numbers[starts[edges]], tree.numbers[ends[edges]]])
    upper, lower = numbers.min(axis=0), numbers.max(axis=0)
    own = tree.parents[lower] == upper
    taken = np.full(count + 1, -1)
    rows = np.flatnonzero(own)[::-1]
    taken[lower[rows]] = rows
    back = np.ones(len(edges), bool)
    back[taken[taken >= 0]] = False
    lowest = np.arange(count + 1)
    np.minimum.at(lowest, lower[back], upper[back])
    lowest = _least(lowest, tree.lasts)

    bridges = np.zeros(len(starts), bool)
    children = np.flatnonzero(taken >= 0)
    alone = children[lowest[children] >= children]
    bridges[edges[taken[alone]]] = True

    points = np.zeros(count + 1, bool)
    parents = tree.parents[children]
    top = tree.parents[parents] == 0  # the first vertex of a connected part
    points[parents[(lowest[children] >= parents) & ~top]] = True
    branches = np.bincount(parents[top], minlength=count + 1)
    points[branches > 1] = True
    return Hanging(bridges, points[tree.numbers[:count]])


@dataclass(frozen=True, eq=False)
class _Tree:
    """A depth-first tree over all connected parts, its root the number 0 above them.

    numbers
        (n + 1,) of each vertex in the order of visiting; the last is the root's.
    parents, lasts
        (n + 1,) by that number: the parent, -1 for the root, and the last of the branch.
    """

    numbers: Rows
    parents: Rows
    lasts: Rows


def _depth_first(count: int, starts: Rows, ends: Rows) -> _Tree:
    tails = np.concatenate([starts, ends]).astype(np.int32)
    heads = np.concatenate([ends, starts]).astype(np.int32)
    first, arcs = grouped(tails, count)
    data = np.ones(len(arcs))
    graph = csr_array((data, heads[arcs], first.astype(np.int32)), (count, count))
    labels = csgraph.connected_components(graph, directed=False)[1]
    roots = np.unique(labels, return_index=True)[1]
    whole = csr_array(
        (
            np.ones(len(arcs) + len(roots)),
            np.concatenate([heads[arcs], roots]).astype(np.int32),
            np.append(first, len(arcs) + len(roots)).astype(np.int32),
        ),
        (count + 1, count + 1),
    )
    order, before = csgraph.depth_first_order(whole, count)
    numbers = np.empty(count + 1, np.int64)
    numbers[order] = np.arange(count + 1)
    parents = np.concatenate([[-1], numbers[before[order[1:]]]])
    return _Tree(numbers, parents, _lasts(parents))


def _lasts(parents: Rows) -> Rows:
    """The last number of each branch: that of its last child's branch, again and again."""
    lasts = np.arange(len(parents))
    np.maximum.at(lasts, parents[1:], np.arange(1, len(parents)))
    while True:
        further = lasts[lasts]
        if np.array_equal(further, lasts):
            return lasts
        lasts = further


def _least(values: NDArray[np.int64], lasts: Rows) -> NDArray[np.int64]:
    """The least of the values from each number to the last of its branch.

    Two runs of a power of two cover any range, so each range is answered when the minima of runs
    of its power are known.
    """
    found = values.copy()
    runs = values
    spans = lasts - np.arange(len(values)) + 1
    powers = np.frexp(spans)[1] - 1
    by_power = np.argsort(powers, kind="stable")
    begins = np.searchsorted(powers[by_power], np.arange(powers.max() + 2))
    for power in range(int(powers.max()) + 1):
        rows = by_power[begins[power] : begins[power + 1]]
        found[rows] = np.minimum(runs[rows], runs[lasts[rows] - (1 << power) + 1])
        step = 1 << power
        runs = np.minimum(runs[:-step], runs[step:]) if step < len(runs) else runs[:0]
    return found
