"""Whether surfaces are closed."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices

Surface = tuple[Floats, Indices]
"""positions (n, 3) metres and triangles (m, 3) of a part of a body."""

_TRIANGLES_AT_ONCE = 500_000


def open_lengths(bodies: Sequence[Sequence[Surface]], weld: float) -> Floats:
    """How far each body is from being closed: metres of its open edges, (n,); 0 for a closed one.

    A body is given by its surfaces, which together bound it. An edge is open when an odd number of
    triangles meets there: solids that touch in an edge stay closed. Points in the same cell of a
    grid `weld` metres wide are one point; this is only looked at for bodies that are open without
    it, since welding opens nothing.

    >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32)
    >>> open_lengths([[(corners, faces)], [(corners, faces[:3])]], 1e-5).round(3).tolist()
    [0.0, 4.243]
    """
    lengths = np.zeros(len(bodies))
    for part in _portions(bodies):
        lengths[part] = _open_lengths([bodies[i] for i in part], None)
    suspects = np.flatnonzero(lengths)
    for part in _portions([bodies[i] for i in suspects]):
        rows = suspects[part]
        lengths[rows] = _open_lengths([bodies[i] for i in rows], weld)
    return lengths


def _portions(bodies: Sequence[Sequence[Surface]]) -> Iterator[list[int]]:
    """The numbers of the bodies, so many at once that memory stays bounded."""
    portion: list[int] = []
    size = 0
    for number, body in enumerate(bodies):
        portion.append(number)
        size += sum(len(triangles) for _, triangles in body)
        if size >= _TRIANGLES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _open_lengths(bodies: Sequence[Sequence[Surface]], weld: float | None) -> Floats:
    surfaces = [(number, *surface) for number, body in enumerate(bodies) for surface in body]
    if not surfaces:
        return np.zeros(len(bodies))
    positions = np.concatenate([points for _, points, _ in surfaces])
    starts = np.cumsum([0, *(len(points) for _, points, _ in surfaces)])
    owner = np.repeat([number for number, _, _ in surfaces], np.diff(starts))
    corners = np.concatenate(
        [triangles.astype(np.int64) + start for (_, _, triangles), start in zip(surfaces, starts[:-1], strict=True)]
    )  # fmt: skip
    points = corners if weld is None else _welded(positions, owner, weld)[corners]
    low, high = _edges(points)
    number = len(positions)
    keys, counted = np.unique((low * number + high)[low != high], return_counts=True)
    odd = keys[counted % 2 == 1]
    ends = np.column_stack([odd // number, odd % number])
    length = np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1)
    return np.asarray(np.bincount(owner[ends[:, 0]], length, len(bodies)), np.float64)


def _edges(triangles: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The edges of (m, 3) triangles, the lower and the higher end, (3 m,) each."""
    first, second = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    return np.minimum(first, second), np.maximum(first, second)


def _welded(positions: Floats, owner: NDArray[np.int64], weld: float) -> NDArray[np.int64]:
    """For each point the number of the first point of its body in the same cell of the grid."""
    cells = np.column_stack([owner, np.round(positions / weld).astype(np.int64)])
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()]
