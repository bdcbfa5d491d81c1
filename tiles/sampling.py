"""Points on surfaces, dense enough that no cell of a grid is missed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices
from tiles.shapes import Drawing, Placements


@dataclass(frozen=True, slots=True)
class Scatter:
    """Points on the placed surfaces.

    points
        (k, 3) metres in the layer's frame.
    features
        (k,) the feature of each, as the placements name it.
    colors
        (k, 4) linear.
    """

    points: Floats
    features: NDArray[np.int64]
    colors: Floats


def scattered(drawing: Drawing, placements: Placements, cell: float) -> Scatter:
    """Points on placements, in each cell of any grid of `cell` metres that they cross."""
    spacing = 0.6 * cell  # a square of one cell, turned, holds a point at this distance
    numbers, index = np.unique(placements.shapes, return_inverse=True)
    soup = drawing.soup(numbers.tolist())
    points, triangle = sampled(soup.positions, soup.triangles, spacing)
    owner = soup.owners[soup.triangles[triangle, 0]]
    clear = soup.colors[triangle, 3] < 1
    kept = thinned(points, 2 * owner + clear, spacing / 2)
    points, owner, colors = points[kept], owner[kept], soup.colors[triangle[kept]]
    ends = np.searchsorted(owner, np.arange(len(numbers) + 1))
    counts = np.diff(ends)[index]
    chosen = np.arange(counts.sum()) + np.repeat(ends[index] - np.cumsum(counts) + counts, counts)
    linear = np.repeat(placements.transforms[:, :3, :3], counts, axis=0)
    offsets = np.repeat(placements.transforms[:, :3, 3], counts, axis=0)
    placed = np.einsum("kij,kj->ki", linear, points[chosen]) + offsets
    return Scatter(placed, np.repeat(placements.features, counts), colors[chosen])


def sampled(
    positions: Floats, triangles: Indices, spacing: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Points on triangles, none of whose own points is farther than `spacing` from one of them.

    positions (n, 3), triangles (m, 3). Returns points (k, 3) and the triangle of each, (k,).
    """
    corners = positions[triangles]
    edges = np.roll(corners, -1, axis=1) - corners
    lengths = np.linalg.norm(edges, axis=2)
    rows = np.arange(len(corners))
    longest = lengths.argmax(axis=1)
    start, base = corners[rows, longest], edges[rows, longest]
    side = corners[rows, (longest + 2) % 3] - start
    long = np.maximum(lengths[rows, longest], 1e-12)
    height = np.linalg.norm(np.cross(base, side), axis=1) / long
    across = np.ceil(long / spacing).astype(np.int64) + 1
    up = np.ceil(height / spacing).astype(np.int64) + 1
    counts = across * up
    owner = np.repeat(rows, counts)
    local = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    v = (local // across[owner]) / np.maximum(up[owner] - 1, 1)
    u = (local % across[owner]) / np.maximum(across[owner] - 1, 1) * (1 - v)
    points: Floats = start[owner] + u[:, None] * base[owner] + v[:, None] * side[owner]
    return points, owner


def thinned(points: Floats, owners: NDArray[np.int64], cell: float) -> NDArray[np.int64]:
    """The numbers of points (k, 3) that remain when each owner keeps one per cell."""
    grid = np.floor(points / cell).astype(np.int64)
    grid -= grid.min(axis=0, initial=0)
    size = grid.max(axis=0, initial=0) + 1
    key = ((owners * size[0] + grid[:, 0]) * size[1] + grid[:, 1]) * size[2] + grid[:, 2]
    _, first = np.unique(key, return_index=True)
    return first
