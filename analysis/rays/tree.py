"""A tree of boxes around triangles (a bounding volume hierarchy), and rays cast at it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_IN_LEAF = 4
_ROOM = 1e-6
"""Metres by which boxes are wider than their triangles, so that rounding leaves no ray outside."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Triangles in a complete binary tree: the children of node i are 2i + 1 and 2i + 2.

    lows, highs
        (k, 3) the boxes of all nodes, the leaves last.
    starts
        (leaves + 1,) where in `corners` the triangles of each leaf begin.
    corners
        (m, 3, 3) metres, in the order of the leaves.
    order
        (m,) which of the given triangles each of them is.
    """

    lows: Floats
    highs: Floats
    starts: Ints
    corners: Floats
    order: Ints

    def first(
        self, origins: Floats, directions: Floats, far: Floats | float = np.inf
    ) -> tuple[Floats, Ints]:
        """What rays meet first: distances (n,) in lengths of their directions, and triangles (n,).

        origins and directions are (n, 3), no direction is zero; `far`, (n,) or one for all, is how far
        is looked. Where nothing is met it is inf and -1. A ray that begins on a triangle does not meet
        it. Both sides of a triangle count. Of triangles at one distance it is always the same.
        """
        from analysis.rays import kernels

        count = len(origins)
        distances, found = np.full(count, np.inf), np.full(count, -1, np.int64)
        if len(self.corners):
            kernels.first_hits(
                *self._arrays, *_rays(origins, directions), _reach(far, count), distances, found
            )
        met = found >= 0
        distances[~met] = np.inf
        found[met] = self.order[found[met]]
        return distances, found

    def met(self, origins: Floats, directions: Floats, far: Floats | float = np.inf) -> Bools:
        """Whether rays, as for `first`, meet anything, (n,)."""
        from analysis.rays import kernels

        count = len(origins)
        found = np.zeros(count, np.bool_)
        if len(self.corners):
            kernels.hits(*self._arrays, *_rays(origins, directions), _reach(far, count), found)
        return found

    def met_from_each(self, origins: Floats, directions: Floats) -> Bools:
        """Whether rays from (n, 3) origins in each of (k, 3) directions meet anything, (n, k)."""
        from analysis.rays import kernels

        found = np.zeros((len(origins), len(directions)), np.bool_)
        if len(self.corners):
            kernels.hits_of_each(*self._arrays, *_rays(origins, directions), found)
        return found

    @property
    def _arrays(self) -> tuple[Floats, Floats, Ints, Floats]:
        return self.lows, self.highs, self.starts, self.corners


def tree_of(corners: Floats) -> Tree:
    """The tree of triangles (m, 3, 3), split at medians, level by level and the same every time."""
    count = len(corners)
    if count == 0:
        return Tree(np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(2, np.int64), corners, np.zeros(0, np.int64))  # fmt: skip
    levels = max(0, int(np.ceil(np.log2(count / _IN_LEAF))))
    middles = corners.mean(axis=1)
    order = np.arange(count)
    for level in range(levels):
        # Within each part of this level the triangles are put in the order of its longest side.
        starts = _starts(count, level)
        parts = np.repeat(np.arange(1 << level), np.diff(starts))
        placed = middles[order]
        low = np.minimum.reduceat(placed, starts[:-1])
        high = np.maximum.reduceat(placed, starts[:-1])
        axis = np.argmax(high - low, axis=1)[parts]
        order = order[np.lexsort((placed[np.arange(count), axis], parts))]
    starts = _starts(count, levels)
    placed = np.ascontiguousarray(corners[order], np.float64)
    lows = [np.minimum.reduceat(placed.min(axis=1), starts[:-1]) - _ROOM]
    highs = [np.maximum.reduceat(placed.max(axis=1), starts[:-1]) + _ROOM]
    while len(lows[0]) > 1:
        lows.insert(0, lows[0].reshape(-1, 2, 3).min(axis=1))
        highs.insert(0, highs[0].reshape(-1, 2, 3).max(axis=1))
    return Tree(np.vstack(lows), np.vstack(highs), starts, placed, order)


def _starts(count: int, level: int) -> Ints:
    """Where the parts of a level begin among so many triangles, and where the last ends."""
    return np.arange((1 << level) + 1, dtype=np.int64) * count >> level


def _rays(origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
    return (
        np.ascontiguousarray(origins, np.float64),
        np.ascontiguousarray(directions, np.float64),
    )


def _reach(far: Floats | float, count: int) -> Floats:
    return np.array(np.broadcast_to(far, count), np.float64)
