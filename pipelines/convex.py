"""How far convex bodies are from one another, many pairs at once.

A body is known by its support points: the farthest of it in a direction. The distance is found by
Gilbert, Johnson and Keerthi's algorithm (1988), the first touch along a ray by van den Bergen's
(2004). Both keep a bound beside what they found, so that an answer is as good as it says.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

TOLERANCE = 1e-5
"""Metres: so near to the true distance an answer is."""

_STEPS = 200
_NOTHING = 1e-9
"""Metres: what is as near as this touches."""
_FLAT = 1e-12
"""Of the squares of its sides: what a triangle's determinant is when it is a line."""
_EDGES = ((0,), (1,), (2,))
_FACES = ((0, 1), (0, 2), (1, 2))


class Convex(Protocol):
    """Bodies without dents, n of them."""

    def __len__(self) -> int: ...

    def support(self, directions: Floats) -> Floats:
        """The farthest point of each body in a direction of its own, (n, 3) → (n, 3)."""

    def taken(self, rows: NDArray[np.int64]) -> "Convex":
        """Some of the bodies."""


@dataclass(frozen=True, slots=True)
class Hulls:
    """The convex hulls of points, (n, k, 3): triangles, prisms, boxes anyhow turned."""

    points: Floats

    def __len__(self) -> int:
        return len(self.points)

    def support(self, directions: Floats) -> Floats:
        """See `Convex`."""
        along = np.einsum("nkj,nj->nk", self.points, directions)
        farthest: Floats = self.points[np.arange(len(self.points)), along.argmax(axis=1)]
        return farthest

    def taken(self, rows: NDArray[np.int64]) -> "Hulls":
        """See `Convex`."""
        return Hulls(self.points[rows])


@dataclass(frozen=True, slots=True)
class Shadows:
    """Bodies as they are seen from above: all their heights are 0."""

    bodies: Convex

    def __len__(self) -> int:
        return len(self.bodies)

    def support(self, directions: Floats) -> Floats:
        """See `Convex`; the heights of directions do not count."""
        level = directions * (1.0, 1.0, 0.0)
        # A direction straight up leaves the choice open.
        level[~level.any(axis=1), 0] = 1.0
        return self.bodies.support(level) * (1.0, 1.0, 0.0)

    def taken(self, rows: NDArray[np.int64]) -> "Shadows":
        """See `Convex`."""
        return Shadows(self.bodies.taken(rows))


@dataclass(frozen=True, slots=True)
class Gaps:
    """How far pairs of bodies are apart.

    distances
        (n,) metres, 0 where they touch, overlap or come within `TOLERANCE`; else never less than the
        truth by more than rounding, and more by at most `TOLERANCE`.
    here, there
        (n, 3) the points of the first and the second body that are so near; where bodies overlap
        some points of theirs.
    """

    distances: Floats
    here: Floats
    there: Floats


def apart(first: Convex, second: Convex) -> Gaps:
    """How far each body of `first` is from the one of `second` in the same row.

    Source: Gilbert, Johnson, Keerthi, "A fast procedure for computing the distance between complex
    objects in three-dimensional space", IEEE Journal of Robotics and Automation 4 (1988).
    """
    count = len(first)
    found = Gaps(np.zeros(count), np.zeros((count, 3)), np.zeros((count, 3)))
    rows = np.arange(count)
    east = np.tile([1.0, 0.0, 0.0], (count, 1))
    here, there = first.support(east), second.support(-east)
    nearest = here - there
    simplex, _, _ = _Simplex.of(count).grown(nearest, here, there)
    simplex = simplex.kept(np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)))
    least = np.zeros(count)
    for _ in range(_STEPS):
        if len(rows) == 0:
            break
        length = np.linalg.norm(nearest, axis=1)
        p, q = first.support(-nearest), second.support(nearest)
        w = p - q
        least = np.fmax(least, np.einsum("nj,nj->n", nearest, w) / np.fmax(length, _NOTHING))
        done = length - least <= TOLERANCE
        grown, weights, closer = simplex.grown(w, p, q)
        shorter = np.linalg.norm(closer, axis=1)
        # No nearer by a further point: as near as rounding lets it come.
        stuck = ~done & (shorter >= length)
        done |= stuck
        found.distances[rows] = np.where(length <= TOLERANCE, 0.0, length)
        found.here[rows], found.there[rows] = here, there
        going = np.flatnonzero(~done)
        rows, least = rows[going], least[going]
        first, second = first.taken(going), second.taken(going)
        simplex, nearest = grown.taken(going), closer[going]
        here = np.einsum("nk,nkj->nj", weights[going], simplex.here)
        there = np.einsum("nk,nkj->nj", weights[going], simplex.there)
        simplex = simplex.kept(weights[going])
    return found


def first_touch(
    moving: Convex, standing: Convex, way: Floats, beyond: Floats, most: Floats
) -> Floats:
    """How far each body can go one way until it touches the one that stands, (n,) metres.

    way
        (3,) the direction, of length 1.
    beyond
        (n,) so far back, against the way, a body surely touches nothing. Where bodies overlap the
        answer is negative: how far back they touch no more.
    most
        (n,) so far on, a body has surely passed the other. Inf where they never touch.

    Source: van den Bergen, "Ray casting against general convex objects with application to
    continuous collision detection" (2004).
    """
    count = len(moving)
    found = np.full(count, np.inf)
    rows = np.arange(count)
    gone = -beyond.copy()
    east = np.tile([1.0, 0.0, 0.0], (count, 1))
    at = gone[:, None] * way
    point = standing.support(east) - moving.support(-east)
    nearest, simplex = at - point, _Simplex.of(count)
    for _ in range(_STEPS):
        if len(rows) == 0:
            break
        length = np.linalg.norm(nearest, axis=1)
        point = standing.support(nearest) - moving.support(-nearest)
        w = at - point
        ahead = np.einsum("nj,nj->n", nearest, w)
        slope = nearest @ way
        touches = length <= TOLERANCE
        misses = ~touches & (ahead > 0) & (slope >= 0)
        steps = ~touches & ~misses & (ahead > 0)
        gone = gone - np.divide(ahead, slope, out=np.zeros(len(rows)), where=steps)
        at = gone[:, None] * way
        misses |= gone > most[rows]
        found[rows] = np.where(misses, np.inf, gone)
        going = np.flatnonzero(~touches & ~misses)
        rows, gone, at = rows[going], gone[going], at[going]
        moving, standing = moving.taken(going), standing.taken(going)
        # The points stay, and it is the origin that has moved along the ray.
        held = simplex.taken(going)
        held = _Simplex(at[:, None, :] - held.here, held.here, held.there, held.used)
        w = at - point[going]
        held, weights, nearest = held.grown(w, point[going], w)
        simplex = held.kept(weights)
    return found


@dataclass(frozen=True, slots=True)
class _Simplex:
    """Up to three points of a difference of bodies, (n, 3, 3), and of which points they are one."""

    points: Floats
    here: Floats
    there: Floats
    used: NDArray[np.bool_]

    @classmethod
    def of(cls, count: int) -> "_Simplex":
        none = np.zeros((count, 3, 3))
        return cls(none, none, none, np.zeros((count, 3), bool))

    def taken(self, rows: NDArray[np.int64]) -> "_Simplex":
        return _Simplex(self.points[rows], self.here[rows], self.there[rows], self.used[rows])

    def grown(self, w: Floats, p: Floats, q: Floats) -> tuple["_Simplex", Floats, Floats]:
        """With a fourth point; the weights of all, and the point of them nearest to the origin."""
        larger = _Simplex(
            np.concatenate([self.points, w[:, None]], axis=1),
            np.concatenate([self.here, p[:, None]], axis=1),
            np.concatenate([self.there, q[:, None]], axis=1),
            np.column_stack([self.used, np.ones(len(w), bool)]),
        )
        weights = _nearest_weights(larger.points, larger.used)
        return larger, weights, np.einsum("nk,nkj->nj", weights, larger.points)

    def kept(self, weights: Floats) -> "_Simplex":
        """Without the points that have no weight."""
        order = np.argsort(weights <= 0, axis=1, kind="stable")[:, :3]
        used = np.take_along_axis(weights, order, axis=1) > 0
        moved = [np.take_along_axis(part, order[..., None], axis=1) for part in (self.points, self.here, self.there)]  # fmt: skip
        return _Simplex(moved[0], moved[1], moved[2], used)


def _nearest_weights(points: Floats, used: NDArray[np.bool_]) -> Floats:
    """Which mixture of up to four points, (n, 4, 3), of which the last counts, is nearest to 0: (n, 4).

    Every point, side, face and body that has the last point is asked for its own nearest, and the
    nearest of those that lie inside wins.
    """
    count = len(points)
    last = points[:, 3]
    sides = points[:, :3] - last[:, None]
    gram = np.einsum("nik,njk->nij", sides, sides)
    lean = -np.einsum("nik,nk->ni", sides, last)
    base = np.einsum("nk,nk->n", last, last)
    best, weights = base.copy(), np.zeros((count, 4))
    weights[:, 3] = 1.0

    def offer(parts: tuple[int, ...], shares: Floats, fits: NDArray[np.bool_]) -> None:
        inside = fits & (shares > 0).all(axis=1) & (shares.sum(axis=1) < 1)
        inside &= used[:, list(parts)].all(axis=1)
        chosen = np.flatnonzero(inside)
        mixed = last[chosen] + np.einsum(
            "ni,nik->nk", shares[chosen], sides[chosen][:, list(parts)]
        )
        norm = np.einsum("nk,nk->n", mixed, mixed)
        better = norm < best[chosen]
        rows = chosen[better]
        best[rows] = norm[better]
        weights[rows] = 0.0
        weights[rows[:, None], list(parts)] = shares[rows]
        weights[rows, 3] = 1.0 - shares[rows].sum(axis=1)

    with np.errstate(divide="ignore", invalid="ignore"):
        for (i,) in _EDGES:
            offer((i,), (lean[:, i] / gram[:, i, i])[:, None], gram[:, i, i] > 0)
        for i, j in _FACES:
            a, b, c = gram[:, i, i], gram[:, i, j], gram[:, j, j]
            d, e = lean[:, i], lean[:, j]
            area = a * c - b * b
            shares = np.column_stack([c * d - b * e, a * e - b * d]) / area[:, None]
            offer((i, j), shares, area > _FLAT * a * c)
        x, y, z = sides[:, 0], sides[:, 1], sides[:, 2]
        crosses = np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)], axis=1)
        volume = np.einsum("nk,nk->n", x, crosses[:, 0])
        shares = -np.einsum("nik,nk->ni", crosses, last) / volume[:, None]
        largest = np.prod(np.einsum("nii->ni", gram), axis=1)
        offer((0, 1, 2), shares, volume * volume > _FLAT * largest)
    return weights
