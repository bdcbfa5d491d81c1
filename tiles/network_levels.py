"""Pipes from afar: fewer sides, then the network gathered cell by cell; never thinner than can be seen.

A level has an error of a power of three metres. What it draws is at least two fifths of that wide, so
that where it is on the screen lines are between six pixels and two; its cells are half the error large.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.sweep import BOX, DUCTS, Triangles, Tubes, ranges, sweep
from cim_core.sweep_scene import Scene
from tiles.shading import numbered
from tiles.shapes import Shape

_FACTOR = 3.0
_WIDTH, _CELL = 0.4, 0.5
"""Of the error of a level."""

_TOLERANCE, _FEWEST_SIDES = 0.1, 4
"""Of tubes at the lowest level."""

_ACROSS = np.array([-0.5, 0.5, 0.0])
_ABOVE = np.array([-0.15, -0.15, 0.3])
"""The corners of a line's section, in widths: rather flat, so that of lines side by side the upper
covers, and not so flat that they break up when seen aslant."""


def error_of(level: int) -> float:
    """The least error of a level, metres; 0 is the first above the tubes.

    >>> [error_of(level) for level in range(4)]
    [1.0, 3.0, 9.0, 27.0]
    """
    return _FACTOR**level


@dataclass(frozen=True, slots=True)
class Lines:
    """What is drawn of tubes at a level.

    positions, normals, colors
        (n, 3) metres in the frame, unit vectors, linear colours.
    triangles
        (m, 3) into them.
    owners
        (n,) the feature of each vertex.
    error
        By how many metres what is drawn differs from the tubes, measured.
    """

    positions: Floats
    normals: Floats
    colors: Floats
    triangles: Triangles
    owners: Rows
    error: float

    def shape(self) -> Shape:
        """As it is packed."""
        opaque = np.column_stack([self.colors, np.ones(len(self.colors))])
        triangles = self.triangles.astype(np.uint32)
        return Shape(self.positions, self.normals, opaque, triangles, len(triangles))


@dataclass(frozen=True, slots=True)
class _Gathered:
    """The vertices of all tubes at a level: their cells, the middle of each, how far they moved."""

    cells: Rows
    middles: Floats
    moved: Floats


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of tubes by their first vertex, those that are left, and how far vertices moved."""

    first: Rows
    kept: Rows
    moved: float


class Levels:
    """Gathers a network's vertices, once for each level."""

    def __init__(self, scene: Scene) -> None:
        tubes = scene.tubes
        self._scene = scene
        self._begins = np.ones(len(tubes.points), bool)
        self._begins[tubes.starts[1:] - 1] = False
        self._of = tubes.of
        self._size = tubes.outer.max(axis=1)
        _, kinds = np.unique(scene.tube_colors, axis=0, return_inverse=True)
        self._kinds = kinds.ravel()
        self._gathered: dict[int, _Gathered] = {}

    def count(self, tubes: Rows, level: int) -> int:
        """How many lines there are of some tubes, at least one, at a level."""
        return len(self._pieces(tubes, level).kept) if level else len(tubes)

    def lines(self, tubes: Rows, level: int) -> Lines:
        """What is drawn of some tubes, at least one, at a level; never nothing."""
        return self._gathered_lines(tubes, level) if level else self._plain(tubes)

    def _plain(self, tubes: Rows) -> Lines:
        """Tubes with fewer sides, each in its place."""
        scene = self._scene
        chosen: Tubes = scene.tubes[tubes]
        wide = np.maximum(chosen.outer, error_of(0) * _WIDTH)
        swept = sweep(
            replace(
                chosen, owners=np.arange(len(chosen)), outer=wide, inner=np.zeros_like(wide),
                kinds=np.where(chosen.kinds == DUCTS, BOX, chosen.kinds).astype(np.int8),
            ),
            tolerance=_TOLERANCE, fewest=_FEWEST_SIDES,
        )  # fmt: skip
        grown = float((wide - chosen.outer).max()) / 2
        return Lines(
            swept.positions, swept.normals, scene.tube_colors[tubes][swept.owners],
            swept.triangles, chosen.owners[swept.owners], grown + _TOLERANCE,
        )  # fmt: skip

    def _pieces(self, tubes: Rows, level: int) -> _Pieces:
        """The widest of all pieces between two cells, pipes of different colours apart."""
        gathered = self._at(level)
        starts = self._scene.tubes.starts
        vertices = ranges(starts[tubes], starts[tubes + 1])
        first = vertices[self._begins[vertices]]
        a, b = gathered.cells[first], gathered.cells[first + 1]
        order = np.argsort(-self._size[self._of[first]], kind="stable")
        order = order[(a != b)[order]]
        one, _ = numbered((np.minimum(a, b)[order], np.maximum(a, b)[order]))
        return _Pieces(first, np.sort(order[one]), float(gathered.moved[vertices].max()))

    def _gathered_lines(self, tubes: Rows, level: int) -> Lines:
        gathered, pieces = self._at(level), self._pieces(tubes, level)
        first, kept, moved = pieces.first, pieces.kept, pieces.moved
        if len(kept):
            ends = gathered.middles[
                gathered.cells[np.stack([first[kept], first[kept] + 1], axis=1)]
            ]
        else:  # all of it lies within a cell: its widest piece stands for it
            kept = np.argsort(-self._size[self._of[first]], kind="stable")[:1]
            ends = self._scene.tubes.points[np.stack([first[kept], first[kept] + 1], axis=1)]
            moved = max(moved, error_of(level) * _CELL * 3**0.5)
        widest = self._of[first[kept]]
        widths = np.maximum(self._size[widest], error_of(level) * _WIDTH)
        positions, triangles = _prisms(ends, widths)
        scene = self._scene
        return Lines(
            positions, np.tile([0.0, 0.0, 1.0], (len(positions), 1)),
            np.repeat(scene.tube_colors[widest], 6, axis=0), triangles,
            np.repeat(scene.tubes.owners[widest], 6), moved + float(widths.max()) / 2,
        )  # fmt: skip

    def _at(self, level: int) -> _Gathered:
        if level not in self._gathered:
            points = self._scene.tubes.points
            grid = np.floor(points / (error_of(level) * _CELL)).astype(np.int64)
            _, cells = numbered((self._kinds[self._of], *grid.T))
            sums = [np.bincount(cells, points[:, axis]) for axis in range(3)]
            middles = np.column_stack(sums) / np.bincount(cells)[:, None]
            moved = np.linalg.norm(middles[cells] - points, axis=1)
            self._gathered[level] = _Gathered(cells, middles, moved)
        return self._gathered[level]


def _prisms(ends: Floats, widths: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Lines (e, 2, 3) as prisms with the edge up: 6 e vertices, 6 e triangles.

    They are open at their ends and all lit from above: lines on a map, not bodies.
    """
    way = ends[:, 1] - ends[:, 0]
    level = np.linalg.norm(way[:, :2], axis=1)
    upright = level < 1e-6
    way[upright, 0] = level[upright] = 1.0
    left = np.column_stack([-way[:, 1] / level, way[:, 0] / level, np.zeros(len(ends))])
    # An upright line has its width about the vertical instead.
    rise = np.where(upright[:, None], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    around = _ACROSS[:, None] * left[:, None] + _ABOVE[:, None] * rise[:, None]
    positions = ends[:, :, None] + widths[:, None, None, None] * around[:, None]
    i, j = np.arange(3), (np.arange(3) + 1) % 3
    sides = np.concatenate([np.stack([i, j, j + 3], axis=1), np.stack([i, j + 3, i + 3], axis=1)])
    triangles = np.arange(len(ends))[:, None, None] * 6 + sides
    return positions.reshape(-1, 3), triangles.reshape(-1, 3)
