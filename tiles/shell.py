"""Many small things far away: the cells of a grid that they fill, drawn as blocks.

A block covers at least what it stands for, so nothing that was closed becomes a hole, however thin
the things are; and no point of a block is farther than the diagonal of a cell from one of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from tiles.sampling import scattered
from tiles.shading import numbered
from tiles.shapes import Drawing, Placements, Shape
from tiles.simplify import VERTICES_OF_A_BOX, boxes


@dataclass(frozen=True, slots=True)
class Cells:
    """Filled cells of a grid in the frame, each with the feature that fills it most.

    grid
        (k, 3) whole numbers: the cell reaches from `grid * cell` to `(grid + 1) * cell`.
    features, colors
        (k,) rows and (k, 4) linear.
    weights
        (k,) how much of the feature is in the cell, in points.
    """

    grid: NDArray[np.int64]
    features: NDArray[np.int64]
    colors: Floats
    weights: NDArray[np.int64]
    cell: float


def filled(drawing: Drawing, placements: Placements, cell: float) -> Cells:
    """The cells that placements touch."""
    scatter = scattered(drawing, placements, cell)
    grid = np.floor(scatter.points / cell).astype(np.int64)
    weights = np.ones(len(grid), np.int64)
    return _strongest(grid, scatter.features, scatter.colors, weights, cell)


def coarser(cells: Cells) -> Cells:
    """The same in cells of twice the size."""
    return _strongest(cells.grid // 2, cells.features, cells.colors, cells.weights, 2 * cells.cell)


def _strongest(
    grid: NDArray[np.int64], features: NDArray[np.int64], colors: Floats,
    weights: NDArray[np.int64], cell: float,
) -> Cells:  # fmt: skip
    """Each cell once, with the feature of most weight in it; opaque ones before clear ones."""
    clear = (colors[:, 3] < 1).astype(np.int64)
    first, pair = numbered((*grid.T, clear, features))
    weight = np.bincount(pair, weights).astype(np.int64)
    place = numbered((*grid[first].T,))[1]
    order = np.lexsort((-weight, clear[first], place))
    best = order[np.unique(place[order], return_index=True)[1]]
    chosen = first[best]
    return Cells(grid[chosen], features[chosen], colors[chosen], weight[best], cell)


def blocks(cells: Cells) -> tuple[Shape, NDArray[np.int64]]:
    """Blocks over filled cells, and the feature of each vertex; neighbours alike are one block."""
    tint = np.rint(cells.colors * 255).astype(np.int64)
    clear = (cells.colors[:, 3] < 1).astype(np.int64)
    first, look = numbered((clear, cells.features, *tint.T))
    low, high = cells.grid, cells.grid + 1
    for axis in range(3):
        low, high, look = _joined(low, high, look, axis)
    order = np.argsort(look, kind="stable")  # looks are numbered with the opaque ones first
    low, high, kind = low[order], high[order], first[look[order]]
    shape = boxes(
        low.astype(np.float64) * cells.cell,
        high.astype(np.float64) * cells.cell,
        cells.colors[kind],
    )
    return shape, np.repeat(cells.features[kind], VERTICES_OF_A_BOX)


def _joined(
    low: NDArray[np.int64], high: NDArray[np.int64], look: NDArray[np.int64], axis: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Boxes (b, 3) to (b, 3) that continue each other along an axis as one."""
    others = [other for other in range(3) if other != axis]
    sides = np.column_stack([look, low[:, others], high[:, others]])
    order = np.lexsort((low[:, axis], *sides.T[::-1]))
    low, high, look, sides = low[order], high[order], look[order], sides[order]
    begins = np.ones(len(low), bool)
    begins[1:] = (sides[1:] != sides[:-1]).any(axis=1) | (low[1:, axis] != high[:-1, axis])
    ends = np.append(np.flatnonzero(begins)[1:] - 1, len(low) - 1)
    return low[begins], high[ends], look[begins]
