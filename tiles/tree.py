"""Which features share a tile: an octree over the layer's frame, split until budgets hold."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Budget:
    """What one tile may hold; a single feature that is larger still gets its own tile.

    triangles, features
        Of a leaf; a repeated shape counts once for all its places.
    far_triangles
        Of a tile that stands for others from afar.
    """

    triangles: int = 32_000
    features: int = 2_000
    far_triangles: int = 8_000


@dataclass(slots=True)
class Node:
    """A tile to be: its features, and the children they are divided among, none for a leaf.

    bounds
        (2, 3) metres in the layer's frame, enclosing all geometry below.
    """

    bounds: Floats
    rows: NDArray[np.int64]
    children: list["Node"] = field(default_factory=list)


def plan(
    bounds: Floats, triangles: NDArray[np.int64], budget: Budget, largest: float = np.inf
) -> Node:
    """Sort features into a tree.

    bounds (n, 2, 3) are the features' boxes, triangles (n,) their sizes, n ≥ 1; no cell of a leaf is
    larger than `largest` metres, unless all it holds is smaller. Cells lie on a grid
    of powers of two that is fixed in the layer's frame, so that a change in one place leaves the
    tiles of other places as they are.
    """
    middles = bounds.mean(axis=1)
    low, high = middles.min(axis=0), middles.max(axis=0)
    side = 2.0 ** np.ceil(np.log2(max(float((high - low).max()), 1.0)))
    corner = np.floor(low / side) * side
    if np.any(high >= corner + side):  # it lies across a line of the grid: take the cells around 0
        side = 2.0 ** np.ceil(np.log2(max(float(np.abs([low, high]).max()), 1.0) * 1.000001))
        corner, side = np.full(3, -side), 2 * side
    rows = np.arange(len(bounds))
    return _split(rows, bounds, middles, triangles, corner, side, budget, largest, 0)


def _split(
    rows: NDArray[np.int64],
    bounds: Floats,
    middles: Floats,
    triangles: NDArray[np.int64],
    corner: Floats,
    side: float,
    budget: Budget,
    largest: float,
    depth: int,
) -> Node:
    box = _leaf(rows, bounds).bounds
    fits = triangles[rows].sum() <= budget.triangles and len(rows) <= budget.features
    fits = fits and (side <= largest or float((box[1] - box[0]).max()) <= largest)
    if fits or len(rows) == 1:
        return Node(box, rows)
    if depth == _MAX_DEPTH:
        pieces = _divided(rows, triangles, budget)
        return Node(box, rows, [_leaf(piece, bounds) for piece in pieces])
    half = side / 2
    octant = (middles[rows] >= corner + half) @ np.array([1, 2, 4])
    children = [
        _split(
            rows[octant == number], bounds, middles, triangles,
            corner + half * np.array([number & 1, number >> 1 & 1, number >> 2 & 1]),
            half, budget, largest, depth + 1,
        )
        for number in np.unique(octant)
    ]  # fmt: skip
    return children[0] if len(children) == 1 else Node(box, rows, children)


def _leaf(rows: NDArray[np.int64], bounds: Floats) -> Node:
    return Node(np.array([bounds[rows, 0].min(axis=0), bounds[rows, 1].max(axis=0)]), rows)


def _divided(
    rows: NDArray[np.int64], triangles: NDArray[np.int64], budget: Budget
) -> list[NDArray[np.int64]]:
    """What lies in one place all the same, in pieces that fit."""
    pieces: list[list[int]] = []
    size = 0
    for row in rows.tolist():
        size += int(triangles[row])
        if not pieces or size > budget.triangles or len(pieces[-1]) == budget.features:
            pieces.append([])
            size = int(triangles[row])
        pieces[-1].append(row)
    return [np.array(piece) for piece in pieces]
