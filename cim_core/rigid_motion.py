"""Whether a surface is another one that was moved, and by what motion."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices, Mesh, transformed

_Cells = NDArray[np.int64]

_SAME_AREA = 1e-3
"""Relative; vertices within a tolerance leave areas within about this, a face more or less does not."""


@dataclass(frozen=True, slots=True)
class Surface:
    """The triangles of one feature in one frame.

    positions
        (n, 3) float64, metres.
    triangles
        (m, 3), indices into `positions`.
    """

    positions: Floats
    triangles: Indices

    @classmethod
    def of(cls, placed: Sequence[tuple[Mesh, Floats]]) -> "Surface":
        """All meshes of a feature, each taken into the frame by its (4, 4) matrix."""
        starts = np.cumsum([0, *(len(mesh.positions) for mesh, _ in placed)])
        return cls(
            np.vstack([transformed(mesh.positions, matrix) for mesh, matrix in placed]),
            np.vstack(
                [m.triangles + np.uint32(s) for (m, _), s in zip(placed, starts, strict=False)]
            ),
        )

    def bounds(self) -> Floats:
        """The axis-aligned box as (2, 3): lower corner, upper corner."""
        return np.array([self.positions.min(axis=0), self.positions.max(axis=0)])

    def area(self) -> float:
        """The summed area of all triangles, square metres."""
        return Mesh(self.positions, self.triangles).area()

    def moved(self, matrix: Floats) -> "Surface":
        """This surface after a motion (4, 4)."""
        return Surface(transformed(self.positions, matrix), self.triangles)


def motion_between(
    before: Surface, after: Surface, guess: Floats | None, tolerance: float
) -> Floats | None:
    """The rigid motion (4, 4) that takes `before` to `after`, None when their shapes differ.

    Vertices may be numbered otherwise and faces cut otherwise, as kernels and exporters do; each
    vertex must lie within `tolerance` metres of one of the other surface. `guess` is tried after
    standing still, then a shift of the box, then the best fit of vertices in their order.
    """
    if not math.isclose(before.area(), after.area(), rel_tol=_SAME_AREA):
        return None
    for motion in _candidates(before, after, guess):
        if _same(before.moved(motion), after, tolerance):
            return motion
    return None


def _candidates(before: Surface, after: Surface, guess: Floats | None) -> Iterator[Floats]:
    yield np.eye(4)
    if guess is not None:
        yield guess
    shift = np.eye(4)
    shift[:3, 3] = after.bounds().mean(axis=0) - before.bounds().mean(axis=0)
    yield shift
    if before.positions.shape == after.positions.shape:
        yield _best_fit(before.positions, after.positions)


def _best_fit(before: Floats, after: Floats) -> Floats:
    """The rotation and shift with the least squares between points in their order (Kabsch 1976)."""
    old, new = before.mean(axis=0), after.mean(axis=0)
    left, _, right = np.linalg.svd((before - old).T @ (after - new))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(right.T @ left.T)) or 1.0])
    motion = np.eye(4)
    motion[:3, :3] = right.T @ flip @ left.T
    motion[:3, 3] = new - motion[:3, :3] @ old
    return motion


def _same(one: Surface, other: Surface, tolerance: float) -> bool:
    if np.abs(one.bounds() - other.bounds()).max() > tolerance:
        return False
    if one.positions.shape == other.positions.shape:
        apart = np.linalg.norm(one.positions - other.positions, axis=1).max()
        if apart <= tolerance and np.array_equal(one.triangles, other.triangles):
            return True
    return _near(one.positions, other.positions, tolerance) and _near(
        other.positions, one.positions, tolerance
    )


def _near(points: Floats, others: Floats, tolerance: float) -> bool:
    """Whether each of `points` (n, 3) has one of `others` (m, 3) within `tolerance`.

    Cells of twice the tolerance: what is near lies in one of the eight cells around a point.
    """
    size = 2 * tolerance
    others = np.unique(others, axis=0)
    origin = others.min(axis=0) - 2 * size
    cells = np.floor((others - origin) / size).astype(np.int64)
    span = cells.max(axis=0) + 4
    order = np.argsort(_number(cells, span), kind="stable")
    keys, others = _number(cells, span)[order], others[order]
    found = np.zeros(len(points), bool)
    low = np.floor((points - tolerance - origin) / size).astype(np.int64)
    for step in product((0, 1), repeat=3):
        cell = np.clip(low + step, 0, span - 1)
        wanted = _number(cell, span)
        at, end = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        while (open_ := np.flatnonzero((at < end) & ~found)).size:
            apart = np.linalg.norm(others[at[open_]] - points[open_], axis=1)
            found[open_[apart <= tolerance]] = True
            at[open_] += 1
    return bool(found.all())


def _number(cells: _Cells, span: _Cells) -> _Cells:
    """One number for each cell (n, 3) of a grid of `span` (3,) cells."""
    return np.asarray((cells[:, 0] * span[1] + cells[:, 1]) * span[2] + cells[:, 2], np.int64)
