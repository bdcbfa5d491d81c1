"""Which ends of lines are one node: ends that lie together, within a tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph
from scipy.spatial import cKDTree

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress

_MOST_PAIRS = 20_000_000
"""A million pipes that are joined well have three to five million; each takes some 100 bytes."""


@dataclass(frozen=True, slots=True)
class Places:
    """What may become a node: e ends of lines, then k points that are nodes already.

    at
        (e + k, 2) metres in a plane.
    lines
        (e,) the line each end is of.
    names
        (e + k,) the number of the node's name where the source gives it one, else -1.
    """

    at: Floats
    lines: Rows
    names: Rows

    @property
    def points(self) -> NDArray[np.bool_]:
        """(e + k,) which of them are points."""
        return np.arange(len(self.at)) >= len(self.lines)


def joined_ends(places: Places, within: float, progress: Progress) -> Rows:
    """(e + k,) the number of the node each end and point belongs to, from 0 without gaps.

    Nearest first, ends join into one node whose place is their middle, or the point among them, as
    long as none of them moves by more than `within` metres, no line would have both ends in it, it
    has one point at most and all that have a name have the same.

    Raises `InvalidInput` where so many lie within the tolerance that pairs would fill the memory.
    """
    progress(0, 0, "joining")
    tree = cKDTree(places.at)
    # Each pair is counted twice, and each place with itself.
    near = (int(tree.count_neighbors(tree, 2 * within)) - len(places.at)) // 2
    if near > _MOST_PAIRS:
        raise InvalidInput(
            f"snap={within:g} is too far: {near} pairs of ends lie within twice that; give less"
        )
    pairs = tree.query_pairs(2 * within, output_type="ndarray")
    pairs = pairs[_may_join(places, pairs)]
    size = len(places.at)
    ones = np.ones(len(pairs), bool)
    _, groups = csgraph.connected_components(
        coo_array((ones, (pairs[:, 0], pairs[:, 1])), (size, size)), directed=False
    )
    # Nearly all groups of sound data are one node as they are; only the others need care.
    nodes = groups.astype(np.int64)
    odd = ~_is_one_node(places, nodes, within)
    careful = pairs[odd[nodes[pairs[:, 0]]]]
    if len(careful):
        apart = _one_by_one(places, careful, within, progress)
        rows = np.flatnonzero(odd[nodes])
        nodes[rows] = size + apart[rows]
    return np.unique(nodes, return_inverse=True)[1].astype(np.int64)


def node_places(places: Places, nodes: Rows, at: Floats) -> Floats:
    """(n, 2) the place of each node: its point's, else the middle of its ends.

    `at` (e + k, 2) are the places of ends and points in any coordinates.
    """
    count = int(nodes.max(initial=-1)) + 1
    points = places.points
    pointed = np.bincount(nodes[points], minlength=count) > 0
    counts = points | ~pointed[nodes]
    weight = np.bincount(nodes[counts], minlength=count)
    return np.column_stack(
        [np.bincount(nodes[counts], axis[counts], minlength=count) / weight for axis in at.T]
    )


def _may_join(places: Places, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    first, second = pairs[:, 0], pairs[:, 1]
    names = places.names
    same = (names[first] == names[second]) | (names[first] < 0) | (names[second] < 0)
    line = np.concatenate([places.lines, -1 - np.arange(len(places.at) - len(places.lines))])
    points = places.points
    may: NDArray[np.bool_] = same & (line[first] != line[second])
    return may & ~(points[first] & points[second])


def _is_one_node(places: Places, groups: Rows, within: float) -> NDArray[np.bool_]:
    """(g,) which groups can be one node each as they are."""
    count = int(groups.max()) + 1
    ends = groups[: len(places.lines)]
    points = np.bincount(groups[places.points], minlength=count)
    per_line = np.unique(np.column_stack([ends, places.lines]), axis=0)[:, 0]
    loops = np.bincount(ends, minlength=count) - np.bincount(per_line, minlength=count)
    named = places.names >= 0
    per_name = np.unique(np.column_stack([groups[named], places.names[named]]), axis=0)[:, 0]
    names = np.bincount(per_name, minlength=count)
    middles = node_places(places, groups, places.at)
    moved = np.linalg.norm(places.at - middles[groups], axis=1)
    farthest = np.zeros(count)
    np.maximum.at(farthest, groups, moved)
    whole: NDArray[np.bool_] = (points <= 1) & (loops == 0) & (names <= 1) & (farthest <= within)
    return whole


def _one_by_one(
    places: Places, pairs: NDArray[np.int64], within: float, progress: Progress
) -> Rows:
    """(e + k,) a number for each node, made of some pairs, the nearest first."""
    distances = np.linalg.norm(places.at[pairs[:, 0]] - places.at[pairs[:, 1]], axis=1)
    ordered = pairs[np.argsort(distances, kind="stable")].tolist()
    number = list(range(len(places.at)))
    members: dict[int, list[int]] = {}
    for step, (one, other) in enumerate(ordered):
        if step % 1000 == 0:
            progress(step, len(ordered), "joining")
        first, second = number[one], number[other]
        if first == second:
            continue
        both = [*members.get(first, [first]), *members.get(second, [second])]
        if _is_node(places, both, within):
            members[first] = both
            for member in members.pop(second, [second]):
                number[member] = first
    return np.array(number, np.int64)


def _is_node(places: Places, members: Sequence[int], within: float) -> bool:
    ends = [member for member in members if member < len(places.lines)]
    lines = places.lines[ends].tolist()
    names = {name for name in places.names[members].tolist() if name >= 0}
    if len(set(lines)) < len(lines) or len(names) > 1 or len(members) - len(ends) > 1:
        return False
    fixed = [member for member in members if member >= len(places.lines)]
    middle = places.at[fixed or members].mean(axis=0)
    return bool((np.linalg.norm(places.at[members] - middle, axis=1) <= within).all())
