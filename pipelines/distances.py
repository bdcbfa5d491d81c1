"""How far straight pieces of pipes and ducts are from one another: net, from surface to surface.

A piece is a solid with flat ends: a cylinder, or a box whose width lies level. All is computed on
pairs of pieces, row by row, in a plane of metres (east, north, elevation).
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Network, Pieces, Profile, Rows
from pipelines.convex import Gaps, Shadows, apart, first_touch

_UP = np.array([0.0, 0.0, 1.0])
_LEVEL = 1e-12


@dataclass(frozen=True, slots=True)
class Solids:
    """Straight pieces with their cross-section, n of them.

    ends
        (n, 2, 3) the middle line, metres; a height that is not known is NaN, and the piece has a
        place in the plan only.
    round
        (n,) cylinders; the others are boxes.
    halves
        (n, 2) half the width and half the height over all, of a cylinder the radius in both.
    """

    ends: Floats
    round: NDArray[np.bool_]
    halves: Floats

    def __len__(self) -> int:
        return len(self.ends)

    def taken(self, rows: Rows) -> "Solids":
        """Some of the pieces."""
        return Solids(self.ends[rows], self.round[rows], self.halves[rows])

    @property
    def lengths(self) -> Floats:
        """(n,) of the middle lines."""
        found: Floats = np.linalg.norm(self.ends[:, 1] - self.ends[:, 0], axis=1)
        return found

    @property
    def axes(self) -> Floats:
        """(n, 3, 3) along the piece, level across it, and square to both; each of length 1."""
        along = self.ends[:, 1] - self.ends[:, 0]
        length = self.lengths
        along = np.divide(
            along, length[:, None], out=np.zeros_like(along), where=length[:, None] > 0
        )
        along[length == 0, 0] = 1.0
        across = np.column_stack([-along[:, 1], along[:, 0], np.zeros(len(along))])
        level = np.linalg.norm(across, axis=1)
        across[level < _LEVEL] = (0.0, 1.0, 0.0)
        across /= np.where(level < _LEVEL, 1.0, level)[:, None]
        return np.stack([along, across, np.cross(along, across)], axis=1)

    def support(self, directions: Floats) -> Floats:
        """The farthest point of each piece in a direction of its own, (n, 3) → (n, 3)."""
        axes = self.axes
        parts = np.einsum("nij,nj->ni", axes, directions)
        middle = self.ends.mean(axis=1)
        half = self.lengths / 2
        sideways = parts[:, 1:]
        length = np.linalg.norm(sideways, axis=1)[:, None]
        turned = np.divide(sideways, length, out=np.zeros_like(sideways), where=length > 0)
        signs = np.where(self.round[:, None], turned, np.sign(sideways))
        shares = np.column_stack([np.sign(parts[:, 0]) * half, signs * self.halves])
        points: Floats = middle + np.einsum("ni,nij->nj", shares, axes)
        return points

    @property
    def reach(self) -> Floats:
        """(n,) how far from its middle line a piece reaches in the plan at most."""
        steep = np.abs(self.axes[:, 0, 2])
        boxes = np.hypot(self.halves[:, 0], self.halves[:, 1] * steep)
        return np.where(self.round, self.halves[:, 0], boxes)

    @property
    def heights(self) -> Floats:
        """(n, 2) the lowest and the highest point of each piece."""
        up = np.tile(_UP, (len(self), 1))
        return np.column_stack([self.support(-up)[:, 2], self.support(up)[:, 2]])

    @property
    def level(self) -> "Solids":
        """The same pieces with all heights 0, for what is asked of the plan where none are known."""
        unknown = ~np.isfinite(self.ends[..., 2]).all(axis=1)
        ends = self.ends.copy()
        ends[unknown, :, 2] = 0.0
        return Solids(ends, self.round, self.halves)


def solids(network: Network, pieces: Pieces, flat: Floats) -> Solids:
    """The pieces of a network as solids; `flat` (p, 2, 3) is where they lie, in metres.

    A size that is not known counts as nothing.
    """
    halves = np.nan_to_num(network.segments.outer)[pieces.segments] / 2
    circles = network.segments.profiles[pieces.segments] == Profile.CIRCLE
    return Solids(flat, circles, halves)


def distances(first: Solids, second: Solids) -> Gaps:
    """The true distance in space of each pair."""
    return apart(first, second)


def plan_distances(first: Solids, second: Solids) -> Gaps:
    """The net horizontal distance of each pair: that of their outlines seen from above.

    0 where these touch or overlap. Heights of the points found are 0.
    """
    return apart(Shadows(first.level), Shadows(second.level))


def vertical_distances(first: Solids, second: Solids) -> Floats:
    """The net vertical distance, (n,), of pairs whose outlines overlap seen from above.

    It is how far the upper of the two can sink until they touch: the least distance, along a
    vertical, from the underside of the upper to the upper side of the lower. Where they overlap in
    space it is negative: the least that one would have to be lifted to be free. Inf where they do not
    overlap seen from above.
    """
    found = _sinking(first, second)
    below = np.flatnonzero(found < 0)
    found[below] = np.fmax(found[below], _sinking(second.taken(below), first.taken(below)))
    return found


def _sinking(above: Solids, below: Solids) -> Floats:
    """How far each body can sink until it touches the other; negative where it begins too low."""
    one, other = above.heights, below.heights
    beyond = np.fmax(other[:, 1] - one[:, 0], 0.0) + 1.0
    return first_touch(above, below, -_UP, beyond, one[:, 1] - other[:, 0] + 1.0)


@dataclass(frozen=True, slots=True)
class AxisPoints:
    """Where two middle lines are nearest in the plan: (n,) metres, and (n, 2) shares of each."""

    distances: Floats
    shares: Floats


def axis_points(first: Floats, second: Floats) -> AxisPoints:
    """Where straight lines, (n, 2, 2) and (n, 2, 2), are nearest to one another."""
    a, b, c, d = first[:, 0], first[:, 1], second[:, 0], second[:, 1]
    options = []
    for point, share in ((a, 0.0), (b, 1.0)):
        other = _foot(point, c, d)
        options.append((np.full(len(a), share), other))
    for point, share in ((c, 0.0), (d, 1.0)):
        other = _foot(point, a, b)
        options.append((other, np.full(len(a), share)))
    u, v, w = b - a, d - c, c - a
    turn = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    crossing = [
        np.divide(w[:, 0] * way[:, 1] - w[:, 1] * way[:, 0], turn, out=np.full(len(a), -1.0), where=turn != 0)
        for way in (v, u)
    ]  # fmt: skip
    meet = np.logical_and(*((share >= 0) & (share <= 1) for share in crossing))
    shares = np.stack([np.column_stack(option) for option in options], axis=1)
    away = (a - c)[:, None] + shares[..., :1] * u[:, None] - shares[..., 1:] * v[:, None]
    lengths = np.linalg.norm(away, axis=2)
    best = lengths.argmin(axis=1)
    rows = np.arange(len(a))
    chosen = np.where(meet[:, None], np.column_stack(crossing), shares[rows, best])
    return AxisPoints(np.where(meet, 0.0, lengths[rows, best]), chosen)


def _foot(point: Floats, start: Floats, end: Floats) -> Floats:
    along = end - start
    square = np.einsum("nj,nj->n", along, along)
    part = np.einsum("nj,nj->n", point - start, along)
    share = np.divide(part, square, out=np.zeros(len(part)), where=square > 0)
    found: Floats = np.clip(share, 0.0, 1.0)
    return found


def boxes(bodies: Solids, wider: Floats | float = 0.0) -> NDArray[np.object_]:
    """The upright rectangles, (n,), in the plan that hold each piece and so much around it."""
    grown = (bodies.reach + wider)[:, None]
    low = bodies.ends[..., :2].min(axis=1) - grown
    high = bodies.ends[..., :2].max(axis=1) + grown
    found: NDArray[np.object_] = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    return found


def within_box(bodies: Solids, box: tuple[float, float, float, float], margin: float) -> Rows:
    """The pieces that can come within a margin of west, south, east, north, all metres."""
    around = bodies.reach[:, None] + margin
    low = bodies.ends[..., :2].min(axis=1) - around
    high = bodies.ends[..., :2].max(axis=1) + around
    found: Rows = np.flatnonzero((low <= box[2:]).all(axis=1) & (high >= box[:2]).all(axis=1))
    return found


def touching(bodies: Solids, area: shapely.Geometry) -> NDArray[np.bool_]:
    """Which pieces, (n,), touch an area in the plane, seen from above."""
    rows = within_box(bodies, area.bounds, 0.0)
    some = bodies.taken(rows)
    lines = shapely.linestrings(some.ends[..., :2])
    touches = np.zeros(len(bodies), bool)
    touches[rows] = shapely.dwithin(lines, area, some.reach)
    return touches
