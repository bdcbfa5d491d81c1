"""Which features can be seen from outside: far levels leave the others out.

The surfaces are put into a grid of cells, and the grid is looked at along the 26 directions between
neighbouring cells. What lies in the first opaque cell of a line of sight, or before it, is seen.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from tiles.sampling import scattered
from tiles.shapes import Drawing

_CELLS = 56
"""Cells along the diagonal of the model."""

_AXES = [d for d in product((-1, 0, 1), repeat=3) if d > (0, 0, 0)]


def seen_from_outside(drawing: Drawing, see_through: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Per feature (f,), whether it is seen.

    see_through (f,) marks features that hide nothing though they are opaque (spaces, openings):
    they are taken as seen. Translucent surfaces hide nothing either. What is in doubt is seen.
    """
    placements = drawing.placements
    low, high = placements.bounds[:, 0].min(axis=0), placements.bounds[:, 1].max(axis=0)
    cell = max(float(np.linalg.norm(high - low)) / _CELLS, 1e-6)
    solid = placements[~see_through[placements.features]]
    if not len(solid):
        return np.ones(len(drawing.features), bool)
    scatter = scattered(drawing, solid, cell)
    grid = np.maximum(np.floor((scatter.points - low) / cell), 0).astype(np.int64)
    seen = see_through.copy()
    seen[_seen(grid, scatter.features, scatter.colors[:, 3] == 1)] = True
    return seen


def _seen(
    grid: NDArray[np.int64], features: NDArray[np.int64], blocks: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The features (numbers) that have a point in the first blocked cell of a line, or before."""
    seen = np.zeros(len(grid), bool)
    for direction in _AXES:
        along = next(axis for axis in range(3) if direction[axis])
        # Moved along the direction, a cell keeps these two numbers: they name the line of sight.
        line = np.zeros(len(grid), np.int64)
        for axis in range(3):
            if axis != along:
                number = grid[:, axis] - direction[axis] * direction[along] * grid[:, along]
                number = number - number.min()
                line = line * (int(number.max()) + 1) + number
        depth = grid[:, along]
        lines = int(line.max()) + 1
        first, last = np.full(lines, np.iinfo(np.int64).max), np.full(lines, -1)
        np.minimum.at(first, line[blocks], depth[blocks])
        np.maximum.at(last, line[blocks], depth[blocks])
        # Lines that nothing blocks show all they meet, from both ends.
        seen |= (depth <= first[line]) | (depth >= last[line])
    return np.unique(features[seen])
