"""Bodies that clash or come near: the door of trimesh and python-fcl.

First all pairs whose boxes come near one another are found; of these the triangles decide. What lies
wholly inside another body touches none of its triangles, so that is asked as well, of bodies whose
surface is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fcl
import numpy as np
import shapely
import trimesh
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.progress import Progress

_CONTACTS = 1000
_MOST_POINTS = 2000
"""Of a body are asked how deep they lie in another."""

_SOLID_ANGLES = 2_000_000
"""Pairs of a point and a triangle that are computed at a time."""

_NO_SCALE = 1e-15
_POINT = 1e-6
"""Metres: the radius of what stands for a point."""


@dataclass(frozen=True, slots=True)
class Shell:
    """The surface of a body.

    positions
        (n, 3) metres.
    triangles
        (m, 3) into them.
    points
        (k, 3) points all through it, that tell how deep it lies in another; none if nobody asks.
    """

    positions: Floats
    triangles: NDArray[np.int64] | NDArray[np.uint32]
    points: Floats

    @property
    def box(self) -> Floats:
        """(2, 3) lower and upper corner."""
        return np.array([self.positions.min(axis=0), self.positions.max(axis=0)])


@dataclass(frozen=True, slots=True)
class Clash:
    """Two bodies that touch, overlap or come near.

    planned, existing
        Which of those given.
    distance
        Metres between their surfaces, 0 where these touch or one is inside the other.
    depth
        How deep the deepest of the existing body's points lies below the surface of the planned one, 0
        where none lies in it; None where the planned one's surface is not closed, so that nothing
        is inside it.
    place
        (3,) metres: the deepest point, else amid where surfaces meet or between the nearest points.
    """

    planned: int
    existing: int
    distance: float
    depth: float | None
    place: Floats


def clashes(
    planned: Sequence[Shell], existing: Sequence[Shell], margin: float, progress: Progress
) -> list[Clash]:
    """All pairs that touch, overlap or come within a margin of metres, in their order."""
    pairs = near_boxes(boxes_of(planned), boxes_of(existing), margin)
    others: dict[int, Any] = {}
    found = []
    last, one, closed = -1, None, False
    for number, (row, other) in enumerate(pairs.tolist()):
        progress(number, len(pairs), "clashes")
        if row != last:
            last, one, closed = row, _collider(planned[row]), is_closed(planned[row])
        if other not in others:
            others[other] = _collider(existing[other])
        clash = _clash(planned[row], existing[other], one, others[other], margin, closed=closed)
        if clash is not None:
            distance, depth, place = clash
            found.append(Clash(row, other, distance, depth, place))
    return found


def boxes_of(shells: Sequence[Shell]) -> Floats:
    """The boxes of bodies, (n, 2, 3)."""
    return np.array([shell.box for shell in shells]).reshape(-1, 2, 3)


def near_boxes(one: Floats, other: Floats, margin: float) -> NDArray[np.int64]:
    """Which boxes, (n, 2, 3) and (m, 2, 3), come within a margin: (p, 2) rows of both."""
    one = one + np.array([[-margin], [margin]])
    tree = shapely.STRtree(shapely.box(*other[:, 0, :2].T, *other[:, 1, :2].T))
    rows = np.stack(tree.query(shapely.box(*one[:, 0, :2].T, *one[:, 1, :2].T)), axis=1)
    a, b = one[rows[:, 0], :, 2], other[rows[:, 1], :, 2]
    pairs = rows[(a[:, 0] <= b[:, 1]) & (b[:, 0] <= a[:, 1])]
    found: NDArray[np.int64] = pairs[np.lexsort(pairs.T[::-1])]
    return found


def is_closed(shell: Shell) -> bool:
    """Whether each edge of a surface belongs to two triangles, so that it has an inside."""
    return bool(trimesh.Trimesh(shell.positions, shell.triangles, process=True).is_watertight)


def _collider(shell: Shell) -> Any:
    model = fcl.BVHModel()
    model.beginModel(len(shell.positions), len(shell.triangles))
    model.addSubModel(shell.positions, shell.triangles.astype(np.int64))
    model.endModel()
    return fcl.CollisionObject(model)


def _clash(
    planned: Shell, existing: Shell, one: Any, other: Any, margin: float, *, closed: bool
) -> tuple[float, float | None, Floats] | None:
    result = fcl.CollisionResult()
    request = fcl.CollisionRequest(num_max_contacts=_CONTACTS, enable_contact=True)
    fcl.collide(one, other, request, result)
    depth, deepest = _depth(planned, existing, one) if closed else (None, None)
    if depth:
        return 0.0, depth, np.asarray(deepest)
    if result.contacts:
        rows = np.array([(contact.b1, contact.b2) for contact in result.contacts])
        met = _meeting(
            planned.positions[planned.triangles[rows[:, 0]]],
            existing.positions[existing.triangles[rows[:, 1]]],
        )
        # Where they only touch, flat on flat, no edge goes through.
        places = met if len(met) else np.array([contact.pos for contact in result.contacts])
        return 0.0, depth, places.mean(axis=0)
    if is_closed(existing) and inside(planned.positions[:1], existing)[0]:
        return 0.0, depth, planned.positions.mean(axis=0)
    measured = fcl.DistanceResult()
    wanted = fcl.DistanceRequest(enable_nearest_points=True)
    distance = float(fcl.distance(one, other, wanted, measured))
    if distance > margin:
        return None
    return distance, depth, np.mean(measured.nearest_points, axis=0)


def _meeting(first: Floats, second: Floats) -> Floats:
    """Where the edges of triangles go through the triangles of the same row, (k, 3); both (n, 3, 3).

    Source: Möller and Trumbore (1997).
    """
    found = [np.empty((0, 3))]
    for edges, triangles in ((first, second), (second, first)):
        origin, u, v = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]  # fmt: skip
        for i, j in ((0, 1), (1, 2), (2, 0)):
            start, way = edges[:, i], edges[:, j] - edges[:, i]
            normal = np.cross(way, v)
            scale = np.einsum("nj,nj->n", u, normal)
            rows = np.flatnonzero(np.abs(scale) > _NO_SCALE)
            w = (start - origin)[rows]
            turned = np.cross(w, u[rows])
            s = np.einsum("nj,nj->n", w, normal[rows]) / scale[rows]
            t = np.einsum("nj,nj->n", way[rows], turned) / scale[rows]
            along = np.einsum("nj,nj->n", v[rows], turned) / scale[rows]
            through = (s >= 0) & (t >= 0) & (s + t <= 1) & (along >= 0) & (along <= 1)
            kept = rows[through]
            found.append(start[kept] + along[through, None] * way[kept])
    return np.concatenate(found)


def _depth(planned: Shell, existing: Shell, one: Any) -> tuple[float, Floats | None]:
    """How deep the deepest point of the existing body lies in the planned one, and that point."""
    low, high = planned.box
    points = existing.points
    points = points[((points > low) & (points < high)).all(axis=1)]
    points = points[:: -(-len(points) // _MOST_POINTS) or 1]
    points = points[inside(points, planned)]
    deepest, place = 0.0, None
    for point in points:
        ball = fcl.CollisionObject(fcl.Sphere(_POINT), fcl.Transform(point))
        away = float(fcl.distance(ball, one, fcl.DistanceRequest(), fcl.DistanceResult())) + _POINT
        if away > deepest:
            deepest, place = away, point
    return deepest, place


def inside(points: Floats, shell: Shell) -> NDArray[np.bool_]:
    """Which points, (k, 3), lie inside a closed surface: (k,).

    Source: the solid angles of its triangles, van Oosterom and Strackee (1983), make ±4π there.
    """
    found = np.zeros(len(points), bool)
    corners = shell.positions[shell.triangles]
    at_once = max(_SOLID_ANGLES // max(len(corners), 1), 1)
    for begin in range(0, len(points), at_once):
        a, b, c = np.moveaxis(corners[None] - points[begin : begin + at_once, None, None], 2, 0)
        la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
        volume = np.einsum("ktj,ktj->kt", a, np.cross(b, c))
        base = la * lb * lc
        for p, q, length in ((a, b, lc), (b, c, la), (c, a, lb)):
            base += np.einsum("ktj,ktj->kt", p, q) * length
        angles = 2 * np.arctan2(volume, base).sum(axis=1)
        found[begin : begin + at_once] = np.abs(angles) > 2 * np.pi
    return found
