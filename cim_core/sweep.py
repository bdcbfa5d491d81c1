"""Tubes: cross-sections swept along lines, of any number of pipes in one go.

Rings stand plumb, however a pipe slopes, and halve the angle where it bends. So the lowest point of
a ring is the surveyed one, and the volume is the section's area times the length of the axis.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.sweep_sections import Section, boxes, circles, duct_blocks, hollow_boxes, pipes

Triangles = NDArray[np.int64]

TOLERANCE = 0.012
"""Metres by which a polygon's sides may miss the circle they stand for."""

FEWEST, MOST = 8, 24
"""Sides of a round tube seen from near."""

_STEEP = np.cos(np.radians(45.0))
"""Pipes that fall more are cut square to their axis: plumb cuts would be very long."""

_LONGEST_MITRE = 3.0
"""How far a sharp bend may reach out, in half widths."""

_SHADES = 2 * np.pi / 256

ROUND, BOX, DUCTS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Tubes:
    """What is to be swept, t lines of v vertices.

    owners
        (t,) whatever number the caller wants back.
    starts
        (t + 1,) where the vertices of each begin.
    points
        (v, 3) metres in a frame whose z is up.
    kinds
        (t,) `ROUND`, `BOX` or `DUCTS`.
    outer, inner
        (t, 2) width and height of the outside and of the clear inside; inner is 0 where only the
        outside is drawn.
    ducts, bores
        (t, 2) columns and rows of a block of ducts, and (t,) the diameter of one.
    """

    owners: Rows
    starts: Rows
    points: Floats
    kinds: NDArray[np.int8]
    outer: Floats
    inner: Floats
    ducts: NDArray[np.int16]
    bores: Floats

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def of(self) -> Rows:
        """(v,) the line of each vertex."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def __getitem__(self, rows: Rows | NDArray[np.bool_]) -> "Tubes":
        """Some of the lines, in the order given."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        begins, ends = self.starts[rows], self.starts[rows + 1]
        starts = np.concatenate([[0], np.cumsum(ends - begins)])
        vertices = ranges(begins, ends)
        return Tubes(
            self.owners[rows], starts, self.points[vertices], self.kinds[rows], self.outer[rows],
            self.inner[rows], self.ducts[rows], self.bores[rows],
        )  # fmt: skip

    @property
    def lengths(self) -> Floats:
        """(t,) along the lines."""
        step = np.zeros(len(self.points))
        step[1:] = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        step[self.starts[:-1]] = 0.0
        return np.bincount(self.of, step, len(self)).astype(np.float64)

    @property
    def bounds(self) -> Floats:
        """(t, 2, 3) boxes that hold what is swept."""
        reach = np.linalg.norm(self.outer, axis=1) / 2 * 1.1
        bent = np.diff(self.starts) > 2
        # Plumb rings of steep pipes are higher than the pipe, mitres longer than it is wide.
        reach *= np.where(bent, _LONGEST_MITRE, 1.5)
        low = np.minimum.reduceat(self.points, self.starts[:-1], axis=0)
        high = np.maximum.reduceat(self.points, self.starts[:-1], axis=0)
        return np.stack([low - reach[:, None], high + reach[:, None]], axis=1)


def ranges(begins: Rows, ends: Rows) -> Rows:
    """All numbers from each begin up to its end, one after the other.

    >>> ranges(np.array([3, 9]), np.array([5, 12])).tolist()
    [3, 4, 9, 10, 11]
    """
    counts = ends - begins
    shifts = begins - (np.cumsum(counts) - counts)
    numbers: Rows = np.repeat(shifts, counts) + np.arange(int(counts.sum()))
    return numbers


def joined_tubes(parts: list[Tubes]) -> Tubes:
    """Several sets of lines, end to end."""
    bases = np.cumsum([0, *(len(part.points) for part in parts)])
    starts = [part.starts[:-1] + base for part, base in zip(parts, bases[:-1], strict=True)]
    columns = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(Tubes)
        if item.name != "starts"
    }
    return Tubes(starts=np.concatenate([*starts, bases[-1:]]), **columns)


@dataclass(frozen=True, slots=True)
class Swept:
    """Triangles of tubes.

    positions, normals
        (n, 3) metres, unit vectors.
    triangles
        (m, 3) into them, counter-clockwise seen from outside.
    owners
        (n,) what `Tubes.owners` says of each vertex.
    """

    positions: Floats
    normals: Floats
    triangles: Triangles
    owners: Rows


def sides_of(
    radii: Floats, tolerance: float = TOLERANCE, fewest: int = FEWEST, most: int = MOST
) -> NDArray[np.int64]:
    """How many sides circles (n,) get: multiples of four, so that they lie flat on all four sides.

    >>> sides_of(np.array([0.05, 0.3, 1.0, 5.0])).tolist()
    [8, 12, 24, 24]
    """
    share = 1 - np.minimum(tolerance / np.maximum(radii, tolerance), 1.0)
    needed = np.pi / np.maximum(np.arccos(share), 1e-6)
    sides: NDArray[np.int64] = np.clip(4 * np.ceil(needed / 4), fewest, most).astype(np.int64)
    return sides


def sweep(
    tubes: Tubes, *, tolerance: float = TOLERANCE, fewest: int = FEWEST, sharp: bool = True,
    lattice: Floats | None = None,
) -> Swept:  # fmt: skip
    """Sweep lines of at least two vertices each, no two of which are the same.

    The surface is closed: every edge belongs to two triangles. With `sharp`, the edges of boxes have
    a vertex for each side, so that these are shaded flat; without, every corner is one vertex.
    On a `lattice`, (3,) metres, all rings of a pipe are rounded alike, which compresses well, and
    their lowest inner points to the nearest step.
    """
    across, upward, outward = _rings(tubes)
    parts = []
    base = 0
    for rows, section in _sections(tubes, tolerance, fewest, sharp):
        chosen = tubes[rows]
        vertices = ranges(tubes.starts[rows], tubes.starts[rows + 1])
        of = chosen.of
        left, up = section.points[of, :, :1], section.points[of, :, 1:]
        reach = left * across[vertices, None] + up * upward[vertices, None]
        if lattice is None:
            places = chosen.points[:, None] + reach
        else:
            steps = np.rint(reach / lattice)
            low = (section.lowest[of, None] * upward[vertices])[:, None]
            places = (np.rint((chosen.points[:, None] + low) / lattice) - np.rint(low / lattice) + steps) * lattice  # fmt: skip
        turned = section.normals[None, :, :1] * outward[vertices, None, 0]
        turned = turned + section.normals[None, :, 1:] * outward[vertices, None, 1]
        size = section.points.shape[1]
        parts.append(
            Swept(
                places.reshape(-1, 3), turned.reshape(-1, 3),
                _triangles(chosen.starts, section) + base,
                np.repeat(chosen.owners[of], size),
            )
        )  # fmt: skip
        base += len(of) * size
    return joined_swept(parts, numbered=True)


def joined_swept(parts: list[Swept], *, numbered: bool = False) -> Swept:
    """Several as one; `numbered` says that their triangles have their final numbers already."""
    if not parts:
        return Swept(
            np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), np.int64), np.empty(0, np.int64)
        )
    bases = np.cumsum([0, *(len(part.positions) for part in parts)])
    triangles = [
        part.triangles if numbered else part.triangles + base
        for part, base in zip(parts, bases[:-1], strict=True)
    ]
    return Swept(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate(triangles),
        np.concatenate([part.owners for part in parts]),
    )


def _sections(
    tubes: Tubes, tolerance: float, fewest: int, sharp: bool
) -> Iterator[tuple[Rows, Section]]:
    """The lines whose sections are of one make, and those sections."""
    sides = np.where(tubes.kinds == ROUND, sides_of(tubes.outer[:, 0] / 2, tolerance, fewest), 0)
    hollow = tubes.inner.min(axis=1) > 0
    grid = np.where((tubes.kinds == DUCTS)[:, None] & (tubes.bores > 0)[:, None], tubes.ducts, 0)
    makes = np.column_stack([tubes.kinds, sides, hollow, grid]).astype(np.int64)
    different, number = np.unique(makes, axis=0, return_inverse=True)
    for which, (kind, count, open_, columns, rows_down) in enumerate(different.tolist()):
        rows = np.flatnonzero(number.ravel() == which)
        outer, inner = tubes.outer[rows], tubes.inner[rows]
        if kind == ROUND:
            yield rows, pipes(outer, inner, count) if open_ else circles(outer, count)
        elif columns * rows_down:
            yield rows, duct_blocks(outer, tubes.bores[rows], columns, rows_down, sharp=sharp)
        elif open_:
            yield rows, hollow_boxes(outer, inner, sharp=sharp)
        else:
            yield rows, boxes(outer, sharp=sharp)


def _rings(tubes: Tubes) -> tuple[Floats, Floats, Floats]:
    """What a metre left and a metre up of the axis is at each vertex: (v, 3) each.

    And (v, 2, 3) the unit vectors left and up that are square to the axis.
    """
    points, starts = tubes.points, tubes.starts
    count = len(points)
    first, last = np.zeros(count, bool), np.zeros(count, bool)
    first[starts[:-1]] = last[starts[1:] - 1] = True
    step = np.zeros((count, 3))
    step[:-1] = np.diff(points, axis=0)  # from each vertex to the next, also where lines meet
    after = np.where(last[:, None], np.roll(step, 1, axis=0), step)
    before = np.where(first[:, None], step, np.roll(step, 1, axis=0))
    level = [_unit(leg[:, :2], np.array([1.0, 0.0])) for leg in (before, after)]
    ahead = _unit(level[0] + level[1], level[0])
    half = np.einsum("vi,vi->v", ahead, level[0])
    left = np.column_stack([-ahead[:, 1], ahead[:, 0], np.zeros(count)])
    across = left / np.maximum(half, 1 / _LONGEST_MITRE)[:, None]
    # A pipe falls evenly, so its slope is that of the whole.
    run = np.linalg.norm(after[:, :2], axis=1)
    length = np.linalg.norm(after, axis=1)
    cosine = np.divide(run, length, out=np.zeros(count), where=length > 0)
    sine = np.divide(after[:, 2], length, out=np.ones(count), where=length > 0)
    square = np.column_stack([-sine[:, None] * ahead, cosine])
    outward = _shading(ahead, sine)
    plumb = np.zeros((count, 3))
    plumb[:, 2] = 1 / np.maximum(cosine, _STEEP)
    upward = np.where((cosine > _STEEP)[:, None], plumb, square)
    return across, upward, outward


def _shading(ahead: Floats, sine: Floats) -> Floats:
    """(v, 2, 3) left and up for normals, rounded to a degree or so.

    No eye sees that, and pipes along a street have the same normals, which compress to nothing.
    """
    heading = np.rint(np.arctan2(ahead[:, 1], ahead[:, 0]) / _SHADES) * _SHADES
    rise = np.rint(np.arcsin(np.clip(sine, -1, 1)) / _SHADES) * _SHADES
    x, y, none = np.cos(heading), np.sin(heading), np.zeros(len(heading))
    up = np.column_stack([-np.sin(rise) * x, -np.sin(rise) * y, np.cos(rise)])
    return np.stack([np.column_stack([-y, x, none]), up], axis=1)


def lean(tubes: Tubes) -> Floats:
    """(t,) how much higher a plumb ring is than the section it is cut of; 1 where cuts are square."""
    along = tubes.points[tubes.starts[1:] - 1] - tubes.points[tubes.starts[:-1]]
    step = np.zeros(len(tubes.points))
    step[1:] = np.linalg.norm(np.diff(tubes.points[:, :2], axis=0), axis=1)
    step[tubes.starts[:-1]] = 0.0
    run = np.bincount(tubes.of, step, len(tubes))
    length = np.hypot(run, along[:, 2])
    cosine = np.divide(run, length, out=np.zeros(len(run)), where=length > 0)
    return np.where(cosine > _STEEP, 1 / np.maximum(cosine, _STEEP), 1.0)


def _unit(vectors: Floats, other: Floats) -> Floats:
    """Unit vectors; `other` where there is no direction."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), other)
    return unit


def _triangles(starts: Rows, section: Section) -> Triangles:
    """The triangles of lines of one make, their vertices ring by ring."""
    size = section.points.shape[1]
    begins = np.ones(starts[-1], bool)
    begins[starts[1:] - 1] = False
    rings = np.flatnonzero(begins)[:, None] * size
    i, j = section.sides.T
    # Where a falling pipe bends its sides are a little twisted: above and below are divided along
    # the same diagonal, as seen from above, so that no volume is won or lost between them.
    rightward = section.points[0, i, 0] < section.points[0, j, 0]
    one = np.stack([i, j, j + size, i, j + size, i + size], axis=1)
    other = np.stack([i, j, i + size, j, j + size, i + size], axis=1)
    quads = np.where(rightward[:, None], other, one).reshape(1, -1)
    caps = section.cap.ravel()[None, :]
    near = (starts[:-1, None] * size + section.cap[:, ::-1].ravel()[None, :]).reshape(-1, 3)
    far = ((starts[1:, None] - 1) * size + caps).reshape(-1, 3)
    return np.concatenate([(rings + quads).reshape(-1, 3), near, far])
