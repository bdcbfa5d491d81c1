"""From a grid of heights to triangles: few where the ground is even, many where it is not.

The triangles are right-angled and halved again and again (Evans, Kirkpatrick and Townsend 2001,
"Right-Triangulated Irregular Networks"). A vertex counts when leaving it out, or any that depends
on it, would be off by more than the tolerance. That is decided over a grid of many tiles at once,
so that two tiles decide alike on the edge they share.
"""

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices

CELLS = 64
"""Cells along the side of a tile; a power of two."""

_EARTH_RADIUS = 6_378_137.0


def errors(heights: Floats, step: float) -> Floats:
    """How much each vertex of a grid matters, metres.

    heights
        (r, c) metres, r - 1 and c - 1 multiples of `CELLS`; rows go north, columns east.
    step
        The distance of neighbours, degrees.

    Exact for vertices at least `CELLS` away from the border. No vertex matters less than one that
    depends on it, so any threshold gives a mesh without gaps.
    """
    found = np.zeros(heights.shape)
    finer: Floats | None = None
    size = 2
    while size <= CELLS:
        half = size // 2
        corners = heights[::size, ::size]
        bulge = _EARTH_RADIUS * np.radians(size * step) ** 2 / 8
        rows = np.abs(heights[::size, half::size] - (corners[:, :-1] + corners[:, 1:]) / 2) + bulge
        columns = np.abs(heights[half::size, ::size] - (corners[:-1] + corners[1:]) / 2) + bulge
        if finer is not None:
            around = np.pad(finer, 1)
            rows = np.maximum(rows, _largest(around, slice(None), slice(1, -1)))
            columns = np.maximum(columns, _largest(around, slice(1, -1), slice(None)))
        rising = (corners[:-1, :-1] + corners[1:, 1:]) / 2
        falling = (corners[1:, :-1] + corners[:-1, 1:]) / 2
        row, column = np.ogrid[: rising.shape[0], : rising.shape[1]]
        diagonal = np.where(((row + column) % 2 == 0) | (size == CELLS), rising, falling)
        middles = np.abs(heights[half::size, half::size] - diagonal) + 2 * bulge
        for side in (rows[:-1], rows[1:], columns[:, :-1], columns[:, 1:]):
            middles = np.maximum(middles, side)
        found[::size, half::size] = rows
        found[half::size, ::size] = columns
        found[half::size, half::size] = finer = middles
        size *= 2
    return found


def detail(heights: Floats) -> Floats:
    """What the vertices of a grid (r, c) add to one of every second vertex: (r, c) metres.

    Nought at every second vertex, which both have.
    """
    found = np.zeros(heights.shape)
    corners = heights[::2, ::2]
    found[::2, 1::2] = np.abs(heights[::2, 1::2] - (corners[:, :-1] + corners[:, 1:]) / 2)
    found[1::2, ::2] = np.abs(heights[1::2, ::2] - (corners[:-1] + corners[1:]) / 2)
    four = corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]
    found[1::2, 1::2] = np.abs(heights[1::2, 1::2] - four / 4)
    return found


def _largest(around: Floats, rows: slice, columns: slice) -> Floats:
    """The largest of the four middles of smaller squares that touch each midpoint of a side."""
    part = around[rows, columns]
    result: Floats = np.maximum(
        np.maximum(part[::2, ::2], part[1::2, ::2]), np.maximum(part[::2, 1::2], part[1::2, 1::2])
    )
    return result


def triangulated(
    matters: NDArray[np.bool_], corners: NDArray[np.int64]
) -> tuple[Indices, NDArray[np.int64]]:
    """The triangles of tiles in a grid.

    matters
        (r, c): which vertices are to be there.
    corners
        (n, 2) row and column of the south-west corner of each tile, multiples of `CELLS`.

    Returns triangles (m, 3) as indices into the flat grid, counter-clockwise from above and sorted
    by tile, and where each tile's begin and end, (n + 1,).
    """
    width = matters.shape[1]
    flat = matters.ravel()
    south_west = corners[:, 0] * width + corners[:, 1]
    north_east = south_west + CELLS * width + CELLS
    lower = np.column_stack([south_west + CELLS, north_east, south_west])
    upper = np.column_stack([south_west + CELLS * width, south_west, north_east])
    open_ones = np.concatenate([lower, upper])
    tile = np.tile(np.arange(len(corners)), 2)
    done, done_tile = [], []
    for _ in range(2 * int(np.log2(CELLS))):
        apex, left, right = open_ones.T
        middle = (left + right) // 2
        split = flat[middle]
        done.append(open_ones[~split])
        done_tile.append(tile[~split])
        apex, left, right, middle = apex[split], left[split], right[split], middle[split]
        open_ones = np.concatenate(
            [np.column_stack([middle, apex, left]), np.column_stack([middle, right, apex])]
        )
        tile = np.tile(tile[split], 2)
    triangles = np.concatenate([*done, open_ones])
    tiles = np.concatenate([*done_tile, tile])
    order = np.argsort(tiles, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(tiles, minlength=len(corners)))])
    return triangles[order], bounds
