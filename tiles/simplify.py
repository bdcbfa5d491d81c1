"""A shape with fewer triangles, and how far it really is from what it stands for."""

from itertools import product

import numpy as np

from cim_core.mesh import Floats
from tiles import meshopt
from tiles.shapes import Shape, in_order

_BOX_TRIANGLES = 12
_WORTH_IT = 0.8
"""A simpler mesh is kept where it has less than this share of the triangles."""

_THIN = 1 / 8
"""Never move a surface by more than this share of the smallest extent: thin things would vanish."""

_PAIRS = 16_000
"""Of points and triangles, in one measurement: what is larger is measured at fewer points."""

_BOX_SIDES = 300
"""The largest triangles of a shape, against which its box is measured: fewer never flatter it."""

_AROUND = np.array([p for p in product((-1.0, 0.0, 1.0), repeat=3) if any(p)])


def simplified(shape: Shape, error: float, boxy: float) -> tuple[Shape, float]:
    """The simplest stand-in for a shape within `error` metres, and its measured deviation.

    The stand-in is the box around the shape, the shape with fewer triangles, or the shape itself.
    `boxy` is what `box_deviation` says of the shape.
    """
    if len(shape.triangles) > _BOX_TRIANGLES:
        if boxy <= error:
            return box(shape), boxy
        simpler = _reduced(shape, error)
        if simpler is not None:
            missed = max(deviation(shape, simpler), deviation(simpler, shape))
            if missed <= error:
                return simpler, missed
    return shape, 0.0


def _reduced(shape: Shape, error: float) -> Shape | None:
    if not meshopt.AVAILABLE:
        return None
    low, high = shape.bounds
    bound = min(error, _THIN * float((high - low).min()))
    if bound <= 0:  # flat: nothing is thinner
        bound = error
    attributes = np.hstack([shape.normals, shape.colors])
    # A normal turned over, or a colour that is another, counts like moving by the bound.
    weights = np.array([bound / 2] * 3 + [bound] * 4)
    triangles = meshopt.simplified(shape.positions, attributes, weights, shape.triangles, bound)
    if not 0 < len(triangles) < _WORTH_IT * len(shape.triangles):
        return None
    return in_order(shape.positions, shape.normals, shape.colors, triangles)


def box(shape: Shape) -> Shape:
    """The box around a shape in the shape's mean colour."""
    low, high = shape.bounds
    corners = shape.positions[shape.triangles]
    area = np.linalg.norm(
        cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    color = (shape.colors[shape.triangles[:, 0]] * area[:, None]).sum(axis=0) / area.sum()
    return boxes(low[None, :], high[None, :], color[None, :])


_SIDES = np.array(
    [[[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]], [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
     [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
     [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]]
)  # fmt: skip
_OUTWARD = np.repeat(np.kron(np.eye(3), np.array([[-1.0], [1.0]])), 4, axis=0)
VERTICES_OF_A_BOX = 24


def boxes(low: Floats, high: Floats, colors: Floats) -> Shape:
    """Boxes between corners (b, 3) and (b, 3), coloured (b, 4), as one shape.

    Box after box has its 24 vertices; opaque ones must come first.
    """
    corner = _SIDES.reshape(1, VERTICES_OF_A_BOX, 3)
    positions = np.where(corner, high[:, None, :], low[:, None, :]).reshape(-1, 3).astype(float)
    quads = np.arange(len(positions)).reshape(-1, 1, 4)
    triangles = quads[:, :, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3).astype(np.uint32)
    opaque = int((colors[:, 3] >= 1).sum())
    return Shape(
        positions, np.tile(_OUTWARD, (len(low), 1)),
        np.repeat(colors, VERTICES_OF_A_BOX, axis=0), triangles, opaque * _BOX_TRIANGLES,
    )  # fmt: skip


def box_deviation(shape: Shape) -> float:
    """How far the box around a shape reaches from the shape, measured at 26 points; metres."""
    if len(shape.triangles) <= _BOX_TRIANGLES:
        return 0.0
    low, high = shape.bounds
    points = (low + high) / 2 + _AROUND * (high - low) / 2
    sides = shape.positions[shape.triangles]
    if len(sides) > _BOX_SIDES:
        area = np.linalg.norm(cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]), axis=1)
        sides = sides[np.argpartition(area, -_BOX_SIDES)[-_BOX_SIDES:]]
    return _farthest(points, sides)


def deviation(one: Shape, other: Shape) -> float:
    """The farthest that vertices and middles of triangles of one shape are from the other."""
    middles = one.positions[one.triangles].mean(axis=1)
    return _farthest(np.vstack([middles, one.positions]), other.positions[other.triangles])


def _farthest(points: Floats, triangles: Floats) -> float:
    """The largest distance of points (n, 3), or of some of them, from triangles (m, 3, 3)."""
    stride = -(-len(points) * len(triangles) // _PAIRS)
    fewest = min(len(points), 32)
    stride = min(stride, len(points) // fewest)
    return float(distances(points[::stride], triangles).max())


def cross(one: Floats, other: Floats) -> Floats:
    """The cross products of vectors (m, 3) and (m, 3); numpy's own takes twice as long for few."""
    x, y, z = one.T
    u, v, w = other.T
    return np.column_stack([y * w - z * v, z * u - x * w, x * v - y * u])


def distances(points: Floats, triangles: Floats) -> Floats:
    """The distance of each point (n, 3) from the nearest of triangles (m, 3, 3), (n,).

    Inside the prism over a triangle it is the height, outside the distance from the nearest edge.
    """
    a, edges = triangles, np.roll(triangles, -1, axis=1) - triangles
    normal = cross(edges[:, 0], edges[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    nearest = np.full((len(points), len(triangles)), np.inf)
    inside = np.ones_like(nearest, bool)
    for side in range(3):
        along = edges[:, side]
        to = points[:, None, :] - a[None, :, side]
        inside &= np.einsum("nmc,mc->nm", to, cross(normal, along)) >= 0
        share = np.einsum("nmc,mc->nm", to, along) / np.maximum((along**2).sum(axis=1), 1e-300)
        to -= np.clip(share, 0, 1)[:, :, None] * along
        nearest = np.minimum(nearest, np.einsum("nmc,nmc->nm", to, to))
    height = points @ normal.T - (normal * a[:, 0]).sum(axis=1)
    nearest = np.where(inside, height**2, nearest)
    return np.asarray(np.sqrt(nearest.min(axis=1)), np.float64)
