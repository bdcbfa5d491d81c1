"""Canonical meshes: what is the same shape gets the same bytes, whoever made it in whatever order.

A shape is moved to the origin, its vertices are rounded to a grid, ordered and met once, its
triangles begin at their lowest vertex and are ordered; where triangles lie in one plane, those of
all ways to cut it are taken that Delaunay's rule names, since geometry kernels cut the same face
now this way and now that.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Mesh

GRID = 2.0**-17
"""Metres, 7.6 µm: what vertices are rounded to.

A power of two is exact in binary, in float32 too over 128 m, and no multiple of a micrometre lies
half way between two of its lines, where float noise would decide.
"""

_FLAT = 2.0
"""Grid units, 15 µm: four points this near to a plane lie in it."""

_TIE = 1e-10
"""Relative: four points this near to a circle lie on it."""

_ROUNDS = 200
"""More than a face with as many corners needs; ends what rounding might send in circles."""

_TRIANGLES_AT_ONCE = 50_000

_AXIS_BIAS = np.array([1.0, 1.0123, 1.0247])
"""Keeps planes at 45° from being seen now along one axis and now along another."""

Numbers = NDArray[np.int64]
Shape = Sequence[Mesh]


def canonical(shapes: Sequence[Shape]) -> list[tuple[Floats, tuple[Mesh, ...]]]:
    """Each shape as (lower corner (3,), meshes), the meshes moved by minus the corner.

    The parts of a shape are moved together. Vertices move by at most half a grid unit along each
    axis besides, faces are cut anew without leaving their plane by more than 15 µm. Triangles that
    the grid makes points or lines are left out, and meshes without triangles too.
    """
    found: list[tuple[Floats, tuple[Mesh, ...]]] = []
    # Stray vertices may lie anywhere, at infinity too; they are somebody else's to judge.
    with np.errstate(over="ignore", invalid="ignore"):
        for portion in _portions(shapes):
            found += _canonical(portion)
    return found


def _portions(shapes: Sequence[Shape]) -> Iterator[list[Shape]]:
    """Many shapes at once, since numpy is slow on small arrays, but bounded in memory."""
    portion: list[Shape] = []
    size = 0
    for shape in shapes:
        portion.append(shape)
        size += sum(len(mesh.triangles) for mesh in shape)
        if size >= _TRIANGLES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _canonical(shapes: Sequence[Shape]) -> list[tuple[Floats, tuple[Mesh, ...]]]:
    meshes = [mesh for shape in shapes for mesh in shape]
    counts = np.array([len(mesh.positions) for mesh in meshes])
    positions = np.concatenate([mesh.positions for mesh in meshes])
    vertex_mesh = np.repeat(np.arange(len(meshes)), counts)
    parts = np.array([len(shape) for shape in shapes])
    ends = np.concatenate([[0], np.cumsum(counts)])[np.concatenate([[0], np.cumsum(parts)])]
    corners = np.minimum.reduceat(positions, ends[:-1], axis=0)
    points = np.rint((positions - np.repeat(corners, np.diff(ends), axis=0)) / GRID) + 0.0
    points, met = _met_once(points, vertex_mesh)
    triangles = met[
        np.concatenate([m.triangles for m in meshes]).astype(np.int64)
        + np.repeat(np.cumsum(counts) - counts, [len(m.triangles) for m in meshes])[:, None]
    ]
    triangle_mesh = np.repeat(np.arange(len(meshes)), [len(m.triangles) for m in meshes])
    a, b, c = triangles.T
    whole = (a != b) & (b != c) & (c != a)
    triangles, triangle_mesh = triangles[whole], triangle_mesh[whole]
    _cut_alike(points, triangles)
    triangles = _from_lowest(triangles)
    order = np.lexsort((triangles[:, 2], triangles[:, 1], triangles[:, 0]))
    triangles, triangle_mesh = triangles[order], triangle_mesh[order]
    # Vertices are ordered by mesh first, so triangles now are as well.
    firsts = np.searchsorted(triangle_mesh, np.arange(len(meshes) + 1))
    made = [
        _mesh(points, triangles[firsts[number] : firsts[number + 1]], mesh)
        for number, mesh in enumerate(meshes)
    ]
    first = np.concatenate([[0], np.cumsum(parts)])
    return [
        (
            corners[number],
            tuple(mesh for mesh in made[first[number] : first[number + 1]] if mesh is not None),
        )
        for number in range(len(shapes))
    ]


def _met_once(points: Floats, vertex_mesh: Numbers) -> tuple[Floats, Numbers]:
    """The different points of each mesh in their order, and where each given one now stands."""
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0], vertex_mesh))
    ordered, owner = points[order], vertex_mesh[order]
    new = np.ones(len(points), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1) | (owner[1:] != owner[:-1])
    met = np.empty(len(points), np.int64)
    met[order] = np.cumsum(new) - 1
    return ordered[new], met


def _from_lowest(triangles: Numbers) -> Numbers:
    """Triangles turned so that the lowest corner comes first."""
    first = triangles.argmin(axis=1)[:, None]
    return np.take_along_axis(triangles, (first + np.arange(3)) % 3, axis=1)


def _mesh(points: Floats, triangles: Numbers, mesh: Mesh) -> Mesh | None:
    if len(triangles) == 0:
        return None
    used, index = np.unique(triangles, return_inverse=True)
    return Mesh(points[used] * GRID, index.reshape(-1, 3).astype(np.uint32), mesh.material)


def _cut_alike(points: Floats, triangles: Numbers) -> None:
    """Turn edges inside flat faces, in place, until the triangulation is Delaunay's.

    Of corners on one circle, the lowest is joined to the others. What comes out does not depend on
    what goes in (Lawson 1977, with a symbolic perturbation for the ties).
    """
    touched = np.ones(len(points), np.bool_)
    for _ in range(_ROUNDS):
        # Only an edge whose ends were both touched may have another quadrangle around it now.
        rows = np.flatnonzero(touched[triangles].sum(axis=1) >= 2)
        touched = np.zeros(len(points), np.bool_)
        touched[_turn(points, triangles, rows)] = True
        if not touched.any():
            return


def _turn(points: Floats, triangles: Numbers, rows: Numbers) -> Numbers:
    """Turn such edges of triangles[rows] as do not disturb each other.

    Returns the corners around all edges that should be turned, now or later.
    """
    one, corner, two, across = _neighbours(triangles, rows)
    a = triangles[one, corner]
    b = triangles[one, (corner + 1) % 3]
    c = triangles[one, (corner + 2) % 3]
    d = triangles[two, (across + 2) % 3]
    wanted = _to_turn(points, a, b, c, d)
    one, two, a, b, c, d = (values[wanted] for values in (one, two, a, b, c, d))
    # The first wanted edge of a triangle goes first: no triangle may lose two edges at once.
    order = np.arange(len(one))
    turn = np.full(len(triangles), len(one))
    np.minimum.at(turn, one, order)
    np.minimum.at(turn, two, order)
    free = (turn[one] == order) & (turn[two] == order)
    triangles[one[free]] = np.column_stack([a, d, c])[free]
    triangles[two[free]] = np.column_stack([d, b, c])[free]
    return np.concatenate([a, b, c, d])


def _neighbours(triangles: Numbers, rows: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """(triangle, corner) and (triangle, corner) where an edge begins that just two share."""
    start = triangles[rows].ravel()
    end = triangles[rows][:, [1, 2, 0]].ravel()
    key = np.minimum(start, end) * (triangles.max(initial=0) + 1) + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    key = key[order]
    same = key[1:] == key[:-1]
    before = np.concatenate([[False], same])
    after = np.concatenate([same, [False]])
    first = np.flatnonzero(after & ~before)
    first = first[~after[first + 1]]  # an edge of three triangles is the end of a face
    one, two = order[first], order[first + 1]
    opposed = start[one] == end[two]
    one, two = one[opposed], two[opposed]
    return rows[one // 3], one % 3, rows[two // 3], two % 3


def _to_turn(points: Floats, a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> Numbers:
    """Where the edge ab of the triangles abc and bad had better be cd."""
    pa, pb, pc = (points[corner] - points[d] for corner in (a, b, c))
    ours, theirs = _cross(pb - pa, pc - pa), _cross(pb, pa)
    volume = np.abs(_dot(ours, pa))
    squares = [_dot(n, n) for n in (ours, theirs, _cross(pa, pc), _cross(pc, pb))]
    flat = (_dot(ours, theirs) > 0) & (volume <= _FLAT * np.sqrt(np.max(squares, axis=0)))
    found = np.flatnonzero(flat)
    normal = (ours + theirs)[found]
    axis = np.argmax(np.abs(normal) * _AXIS_BIAS, axis=1)
    facing = np.sign(normal[np.arange(len(found)), axis])
    # The plane along the axis, with d as its origin.
    keep = np.array([[1, 2], [2, 0], [0, 1]])[axis]
    (ax, ay), (bx, by), (cx, cy) = (
        np.take_along_axis(p[found], keep, axis=1).T for p in (pa, pb, pc)
    )
    ab, bc, ca = ax * by - ay * bx, bx * cy - by * cx, cx * ay - cy * ax
    convex = (facing * ca > 0) & (facing * bc > 0)
    terms = np.array([(ax * ax + ay * ay) * bc, (bx * bx + by * by) * ca, (cx * cx + cy * cy) * ab])
    inside = facing * terms.sum(axis=0)
    tie = np.abs(inside) <= _TIE * np.abs(terms).sum(axis=0)
    lower = np.minimum(c, d)[found] < np.minimum(a, b)[found]
    result: Numbers = found[convex & np.where(tie, lower, inside > 0)]
    return result


def _cross(u: Floats, v: Floats) -> Floats:
    """(n, 3) × (n, 3); NumPy's own takes three times as long."""
    (x, y, z), (p, q, r) = u.T, v.T
    return np.column_stack([y * r - z * q, z * p - x * r, x * q - y * p])


def _dot(u: Floats, v: Floats) -> Floats:
    result: Floats = np.einsum("ij,ij->i", u, v)
    return result
