"""Cross-sections of pipes, conduits and blocks of ducts as polygons.

A polygon in a circle is smaller than the circle. Here it gets a flat bottom and a flat top exactly
where the circle has its lowest and highest point, so that inverts and tops stand where they were
surveyed; its width is then chosen so that its area is the circle's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

_BORE_SIDES = 8
_WIDEST_BORE = 0.92
"""Of its cell in a block: between ducts there is always something."""


@dataclass(frozen=True, slots=True)
class Section:
    """Cross-sections of g lines, alike but for their sizes.

    points
        (g, k, 2) metres left of the axis and above it, for someone who looks along it.
    normals
        (k, 2) which way the surface faces there.
    sides
        (e, 2) between which points the surface runs, counter-clockwise around what is solid for
        someone who looks back along the axis.
    cap
        (c, 3) the triangles of the end, in the same sense.
    lowest
        (g,) how high above the axis the lowest point inside is, metres; below 0.
    """

    points: Floats
    normals: Floats
    sides: NDArray[np.int64]
    cap: NDArray[np.int64]
    lowest: Floats


def circle(count: int) -> Floats:
    """(count, 2) a polygon for the circle of diameter 1: flat below and above, of the same area.

    >>> polygon = circle(8)
    >>> polygon[:, 1].min().item(), polygon[:, 1].max().item()
    (-0.5, 0.5)
    """
    angles = (np.arange(count) + 0.5) * 2 * np.pi / count - np.pi / 2
    high = 1 / np.cos(np.pi / count)
    wide = np.pi / (count / 2 * np.sin(2 * np.pi / count)) / high
    points = np.column_stack([wide * np.cos(angles), high * np.sin(angles)]) / 2
    # Not by the rounding of a cosine off the height that was surveyed.
    flat = np.abs(points[:, 1]) > 0.5 - 1e-9
    points[flat, 1] = np.sign(points[flat, 1]) / 2
    return points


def circles(outer: Floats, count: int) -> Section:
    """Round tubes, closed at their ends; outer (g, 2)."""
    unit = circle(count)
    return Section(
        outer[:, None] * unit, _facing(unit), _loop(0, count), _fan(count), -outer[:, 1] / 2
    )


def pipes(outer: Floats, inner: Floats, count: int) -> Section:
    """Round pipes with a wall; outer and inner (g, 2)."""
    unit = circle(count)
    points = np.concatenate([outer[:, None] * unit, inner[:, None] * unit], axis=1)
    normals = np.vstack([_facing(unit), -_facing(unit)])
    sides = np.vstack([_loop(0, count), _loop(count, count)[:, ::-1]])
    return Section(points, normals, sides, _annulus(count), -inner[:, 1] / 2)


def boxes(outer: Floats, *, sharp: bool) -> Section:
    """Rectangular bodies; outer (g, 2)."""
    unit, normals, sides, corners = _box(sharp)
    return Section(outer[:, None] * unit, normals, sides, corners[_fan(4)], -outer[:, 1] / 2)


def hollow_boxes(outer: Floats, inner: Floats, *, sharp: bool) -> Section:
    """Rectangular conduits with a wall; outer and inner (g, 2)."""
    unit, normals, sides, corners = _box(sharp)
    count = len(unit)
    points = np.concatenate([outer[:, None] * unit, inner[:, None] * unit], axis=1)
    both = np.concatenate([corners, corners + count])
    return Section(
        points, np.vstack([normals, -normals]), np.vstack([sides, sides[:, ::-1] + count]),
        both[_annulus(4)], -inner[:, 1] / 2,
    )  # fmt: skip


def duct_blocks(outer: Floats, bores: Floats, columns: int, rows: int, *, sharp: bool) -> Section:
    """Blocks of round ducts, open from end to end; outer (g, 2), bores (g,) their diameters."""
    edge = _edge(columns, rows)
    unit = np.column_stack([edge[:, 0] / columns, edge[:, 1] / rows]) - 0.5
    corner = np.abs(unit).min(axis=1) > 0.499
    outline, normals, sides, first = _outline(unit, corner, sharp)
    inside = np.array([[i, j] for j in range(1, rows) for i in range(1, columns)]).reshape(-1, 2)
    lattice = np.vstack([outline, inside / [columns, rows] - 0.5])
    number = {tuple(point): int(vertex) for point, vertex in zip(edge.tolist(), first, strict=True)}
    number |= {tuple(point): len(outline) + i for i, point in enumerate(inside.tolist())}
    cells = np.array([[i, j] for j in range(rows) for i in range(columns)])
    cell = outer / [columns, rows]
    size = np.minimum(bores, _WIDEST_BORE * cell.min(axis=1))
    bore = circle(_BORE_SIDES)
    middles = (cells + 0.5) / [columns, rows] - 0.5
    holes = outer[:, None, None] * middles[:, None] + size[:, None, None, None] * bore
    base = len(lattice)
    around = [base + _BORE_SIDES * k for k in range(len(cells))]
    cap = [
        [(number[corners[a]] if kind else start + a) for a, kind in triangle]
        for start, (i, j) in zip(around, cells.tolist(), strict=True)
        for corners in [((i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j))]
        for triangle in _CELL
    ]
    points = np.concatenate([outer[:, None] * lattice, holes.reshape(len(outer), -1, 2)], axis=1)
    still = np.tile([0.0, 1.0], (len(inside), 1))
    inward = np.tile(-_facing(bore), (len(cells), 1))
    loops = [_loop(start, _BORE_SIDES)[:, ::-1] for start in around]
    return Section(
        points, np.vstack([normals, still, inward]), np.vstack([sides, *loops]), np.array(cap),
        -outer[:, 1] / 2,
    )  # fmt: skip


def _cell() -> list[list[tuple[int, bool]]]:
    """The triangles between a square cell's corners (True) and the eight-sided hole in it.

    Corners and sides are counter-clockwise; corner 0 is below to the right, before hole vertex 2.
    """
    triangles: list[list[tuple[int, bool]]] = []
    for corner in range(4):
        begin = 2 * corner  # the two hole vertices of the side after the corner before
        a, b, c = (begin % 8, (begin + 1) % 8, (begin + 2) % 8)
        triangles += [[(corner, True), (b, False), (a, False)], [(corner, True), (c, False), (b, False)]]  # fmt: skip
        triangles.append([(corner, True), ((corner + 1) % 4, True), (c, False)])
    return triangles


_CELL = _cell()


def _facing(points: Floats) -> Floats:
    unit: Floats = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit


def _loop(first: int, count: int) -> NDArray[np.int64]:
    numbers = np.arange(count)
    return first + np.column_stack([numbers, (numbers + 1) % count])


def _fan(count: int) -> NDArray[np.int64]:
    """A convex polygon as triangles, a strip across rather than a fan of slivers."""
    order = [0]
    for step in range(1, count):
        order.append((step + 1) // 2 if step % 2 else count - step // 2)
    strip = np.array(order)
    triangles = np.column_stack([strip[:-2], strip[1:-1], strip[2:]])
    triangles[1::2] = triangles[1::2, ::-1]
    return triangles


def _annulus(count: int) -> NDArray[np.int64]:
    i, j = _loop(0, count).T
    return np.vstack(
        [np.column_stack([i, j, j + count]), np.column_stack([i, j + count, i + count])]
    )


def _box(sharp: bool) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """A square of side 1: points, normals, sides, and the number of each corner."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    return _outline(corners, np.ones(4, bool), sharp)


def _outline(
    points: Floats, corner: NDArray[np.bool_], sharp: bool
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """A rectangle's outline with its corners split, if they are to be sharp.

    points (k, 2) counter-clockwise. Returns points, normals, sides and the number of each point.
    """
    along = np.roll(points, -1, axis=0) - points
    facing = _facing(np.column_stack([along[:, 1], -along[:, 0]]))
    if not sharp:
        return points, _facing(points), _loop(0, len(points)), np.arange(len(points))
    twice = np.where(corner, 2, 1)
    first = np.cumsum(twice) - twice
    split = np.repeat(points, twice, axis=0)
    normals = np.empty_like(split)
    normals[first] = np.roll(facing, 1, axis=0)  # of the side that ends here
    leaving = first + twice - 1
    normals[leaving] = facing
    sides = np.column_stack([leaving, np.roll(first, -1)])
    return split, normals, sides, first


def _edge(columns: int, rows: int) -> NDArray[np.int64]:
    """The points of a grid's border, counter-clockwise from below on the left."""
    right = [[i, 0] for i in range(columns)]
    up = [[columns, j] for j in range(rows)]
    left = [[i, rows] for i in range(columns, 0, -1)]
    down = [[0, j] for j in range(rows, 0, -1)]
    return np.array([*right, *up, *left, *down])
