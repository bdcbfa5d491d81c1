"""What an excavation meets: pipes that reach into it or come near it, and how much soil it is.

An excavation is a set of upright prisms on triangles, from its bottom to the ground. A pipe is hit where
its solid touches a prism; otherwise its distance in space to the nearest prism counts. What has no
surveyed height may lie at any: it is hit where it is seen from above, and its distance is that in the
plan.

The volume is the area times the depth below the ground, summed over the triangles, at whose corners the
ground is known: that of the hole itself, with upright walls. Slopes, working space and the loosening of
soil are not in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from pipelines.convex import Hulls, Shadows, apart
from pipelines.distances import Solids, boxes, within_box
from pipelines.graph import grouped

GroundAt = Callable[[Floats], Floats]
"""(n, 2) metres in the plane → (n,) metres in the city's vertical datum, NaN where unknown."""

_CELLS_ACROSS = 50
_FINEST = 2.0
"""Metres: so large at least are the cells over which the ground is taken for even."""

_FAR = 1000.0
"""Metres above the bottom that a prism reaches where the ground is not known."""

FROM_NODES = 200.0
"""Metres: so far the ground of a surveyed point stands for that around it where no terrain is."""

_NODES = 6
_ON_IT = 1e-7
_PAIRS = 200_000
_SLIVER = 1e-9


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an excavation: its area in the plane, and either its bottom or its depth, metres."""

    area: shapely.Geometry
    bottom: float | None = None
    depth: float | None = None


@dataclass(frozen=True, slots=True)
class Pit:
    """An excavation as upright prisms, t of them, that do not overlap.

    corners
        (t, 3, 2) metres in the plane, counter-clockwise.
    bottoms, grounds
        (t, 3) metres in the city's vertical datum; the ground is NaN where it is not known.
    """

    corners: Floats
    bottoms: Floats
    grounds: Floats

    @property
    def areas(self) -> Floats:
        """(t,) square metres."""
        u, v = self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        found: Floats = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
        return found

    @property
    def volume(self) -> float | None:
        """Cubic metres of soil; None where the ground is not known everywhere."""
        depths = np.fmax(self.grounds - self.bottoms, 0.0)
        depths[np.isnan(self.grounds)] = np.nan
        volume = float((self.areas * depths.mean(axis=1)).sum())
        return None if np.isnan(volume) else volume

    @property
    def tops(self) -> Floats:
        """(t, 3) where prisms end."""
        unknown = np.isnan(self.grounds)
        return np.where(unknown, self.bottoms + _FAR, np.fmax(self.grounds, self.bottoms))


def pit_of(parts: Sequence[Part], ground_at: GroundAt, progress: Progress) -> Pit:
    """An excavation of parts; where several lie over one another the deepest counts.

    A part that is given by its depth follows the ground; there the ground must be known.
    """
    ordered = sorted(parts, key=lambda item: np.inf if item.bottom is None else item.bottom)
    whole = []
    for done, part in enumerate(ordered):
        progress(done, len(ordered), "excavation")
        whole.append(_triangles(part.area))
    pit, owners = _dug(ordered, whole, ground_at)
    # What lies above the ground all over, as most of a building does, takes no part in the rest.
    kept = np.unique(owners).tolist()
    areas = np.array([ordered[row].area for row in kept], object)
    upper, deeper = shapely.STRtree(areas).query(areas, predicate="intersects")
    pairs = np.flatnonzero(deeper < upper)
    first, below = grouped(upper[pairs].astype(np.int32), len(kept))
    deeper = deeper[pairs][below]
    cut: dict[int, Floats] = {}
    for done, row in enumerate(kept):
        progress(done, len(kept), "excavation")
        over = areas[deeper[first[done] : first[done + 1]]]
        if len(over):
            cut[row] = _triangles(shapely.difference(areas[done], shapely.union_all(over)))
    if not cut:
        return pit
    again, _ = _dug([ordered[row] for row in cut], list(cut.values()), ground_at)
    alone = np.flatnonzero(~np.isin(owners, list(cut)))
    return Pit(
        np.concatenate([pit.corners[alone], again.corners]),
        np.concatenate([pit.bottoms[alone], again.bottoms]),
        np.concatenate([pit.grounds[alone], again.grounds]),
    )


def _dug(
    parts: Sequence[Part], triangles: Sequence[Floats], ground_at: GroundAt
) -> tuple[Pit, Rows]:
    """What is dug for parts on triangles, (t, 3, 2) for each, and whose each prism is."""
    corners = np.concatenate([np.empty((0, 3, 2)), *triangles])
    owners = np.repeat(np.arange(len(parts)), [len(own) for own in triangles])
    grounds = ground_at(corners.reshape(-1, 2)).reshape(-1, 3)
    said = [(part.bottom, part.depth) for part in parts]
    levels, depths = np.array(said, np.float64).reshape(-1, 2)[owners].T[..., None]
    bottoms = np.where(np.isnan(depths), levels, grounds - depths)
    # Above the ground nothing is dug.
    some = np.flatnonzero(~(bottoms >= grounds).all(axis=1))
    return Pit(corners[some], bottoms[some], grounds[some]), owners[some]


def _triangles(area: shapely.Geometry) -> Floats:
    """An area cut into cells and these into triangles, (t, 3, 2)."""
    if area.is_empty or area.area == 0:
        return np.empty((0, 3, 2))
    west, south, east, north = area.bounds
    side = max(max(east - west, north - south) / _CELLS_ACROSS, _FINEST)
    x, y = np.meshgrid(np.arange(west, east, side), np.arange(south, north, side))
    cells = shapely.box(x.ravel(), y.ravel(), x.ravel() + side, y.ravel() + side)
    shapely.prepare(area)
    met = np.flatnonzero(shapely.intersects(area, cells))
    polygons = shapely.get_parts(shapely.intersection(cells[met], area))
    # Where it only touches a cell there are lines and points.
    polygons = polygons[np.flatnonzero(shapely.get_type_id(polygons) == 3)]
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(polygons))
    triangles = shapely.orient_polygons(
        triangles[np.flatnonzero(shapely.area(triangles) > _SLIVER)]
    )
    corners: Floats = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    return corners


@dataclass(frozen=True, slots=True)
class Reached:
    """What an excavation means to bodies, (n,) each.

    distances
        Metres to it in space, 0 where it hits; inf beyond the margin.
    lengths
        How much of the middle line lies in it, where the body reaches above its bottom.
    shares
        How far along its middle line a body is meant, 0 to 1: amid what lies inside, else where it is
        nearest.
    """

    distances: Floats
    lengths: Floats
    shares: Floats


def reached(bodies: Solids, pit: Pit, margin: float, progress: Progress) -> Reached:
    """How far bodies are from an excavation, as far as they come within a margin of metres."""
    distances = np.full(len(bodies), np.inf)
    lengths = np.zeros(len(bodies))
    shares = np.full(len(bodies), 0.5)
    best = np.zeros((2, len(bodies)))
    best[1] = -np.inf
    tree = shapely.STRtree(shapely.polygons(pit.corners))
    rows, prisms = tree.query(boxes(bodies, margin))
    for begin in range(0, len(rows), _PAIRS):
        progress(begin, len(rows), "excavation")
        some, those = rows[begin : begin + _PAIRS], prisms[begin : begin + _PAIRS]
        body = bodies.taken(some)
        away, where = _apart(body, _hulls(pit, those))
        low, high = _inside(body, pit, those)
        inside = (high - low) * body.level.lengths
        np.minimum.at(distances, some, away)
        np.add.at(lengths, some, inside)
        # The last of each body is the one with most of it inside, or else the nearest.
        order = np.lexsort((-away, inside, some))
        last = order[np.flatnonzero(np.diff(some[order], append=-1))]
        rank = np.stack([inside[last], -away[last]])
        held = best[:, some[last]]
        better = (rank[0] > held[0]) | ((rank[0] == held[0]) & (rank[1] > held[1]))
        last, rank = last[better], rank[:, better]
        best[:, some[last]] = rank
        shares[some[last]] = np.where(inside[last] > 0, (low[last] + high[last]) / 2, where[last])
    distances[distances > margin] = np.inf
    return Reached(distances, lengths, shares)


def _apart(bodies: Solids, hulls: Hulls) -> tuple[Floats, Floats]:
    """How far bodies are from prisms, and how far along them the nearest point is."""
    away, where = np.empty(len(bodies)), np.empty(len(bodies))
    unknown = np.isnan(bodies.ends[..., 2].sum(axis=1))
    for some in (np.flatnonzero(unknown), np.flatnonzero(~unknown)):
        body, hull = bodies.taken(some).level, hulls.taken(some)
        blind = len(some) > 0 and bool(unknown[some[0]])
        gaps = apart(Shadows(body), Shadows(hull)) if blind else apart(body, hull)
        start, way = body.ends[:, 0], body.ends[:, 1] - body.ends[:, 0]
        square = np.einsum("nj,nj->n", way, way)
        along = np.einsum("nj,nj->n", gaps.here - start, way)
        away[some] = gaps.distances
        where[some] = np.clip(
            np.divide(along, square, out=np.full(len(some), 0.5), where=square > 0), 0.0, 1.0
        )
    return away, where


def _hulls(pit: Pit, rows: Rows) -> Hulls:
    corners, bottoms, tops = pit.corners[rows], pit.bottoms[rows], pit.tops[rows]
    low = np.concatenate([corners, bottoms[..., None]], axis=2)
    high = np.concatenate([corners, tops[..., None]], axis=2)
    return Hulls(np.concatenate([low, high], axis=1))


def _inside(bodies: Solids, pit: Pit, rows: Rows) -> tuple[Floats, Floats]:
    """From where to where, as shares of it, the middle line of each body lies in its prism."""
    a, b = bodies.ends[:, 0], bodies.ends[:, 1]
    corners = pit.corners[rows]
    # What must not be negative, at the beginning and at the end of the line: it runs evenly.
    sides = []
    for i, j in ((0, 1), (1, 2), (2, 0)):
        along = corners[:, j] - corners[:, i]
        along /= np.linalg.norm(along, axis=1)[:, None]
        left = [
            along[:, 0] * (p[:, 1] - corners[:, i, 1]) - along[:, 1] * (p[:, 0] - corners[:, i, 0])
            for p in (a, b)
        ]
        # What runs along the side of two triangles lies in one of them.
        on_it = (np.abs(left[0]) < _ON_IT) & (np.abs(left[1]) < _ON_IT)
        mine = (along[:, 0] > _ON_IT) | ((np.abs(along[:, 0]) <= _ON_IT) & (along[:, 1] > 0))
        sides.append([np.where(on_it, np.where(mine, 1.0, -1.0), value) for value in left])
    for heights, sign in ((pit.bottoms[rows], 1), (pit.tops[rows], -1)):
        clear = [
            sign * (p[:, 2] - _plane(corners, heights, p[:, :2])) + _upward(bodies) for p in (a, b)
        ]
        # Of what has no height only the plan counts.
        sides.append([np.where(np.isnan(value), 1.0, value) for value in clear])
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    for start, end in sides:
        slope = end - start
        root = np.divide(-start, slope, out=np.zeros(len(rows)), where=slope != 0)
        low = np.where(slope > 0, np.maximum(low, root), low)
        high = np.where(slope < 0, np.minimum(high, root), high)
        high = np.where((slope == 0) & (start < 0), -1.0, high)
    return low, np.maximum(high, low)


def _upward(bodies: Solids) -> Floats:
    """(n,) how far the surface of each body lies above its middle line, along a vertical."""
    cosine = np.linalg.norm(bodies.level.axes[:, 0, :2], axis=1)
    found: Floats = bodies.halves[:, 1] / np.maximum(cosine, 0.5)
    return found


def _plane(corners: Floats, heights: Floats, places: Floats) -> Floats:
    """The height at places, (n,), of planes through three corners each."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    w = places - corners[:, 0]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    s = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / area
    t = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / area
    found: Floats = (
        heights[:, 0] + s * (heights[:, 1] - heights[:, 0]) + t * (heights[:, 2] - heights[:, 0])
    )
    return found


def footprint(positions: Floats, triangles: NDArray[np.uint32]) -> shapely.Geometry:
    """The area a mesh covers seen from above; positions (n, 3), triangles (m, 3)."""
    seen = shapely.polygons(positions[triangles][..., :2])
    return shapely.union_all(seen[shapely.area(seen) > _SLIVER])


def near(bodies: Solids, pit: Pit, margin: float) -> Rows:
    """The bodies that can come within a margin of an excavation at all."""
    if len(pit.corners) == 0:
        return np.empty(0, np.int64)
    west, south = pit.corners.min(axis=(0, 1)).tolist()
    east, north = pit.corners.max(axis=(0, 1)).tolist()
    return within_box(bodies, (west, south, east, north), margin)


def upright(places: Floats, low: Floats, high: Floats, radii: Floats) -> Solids:
    """Shafts, (n,), at places (n, 2) from one height to another."""
    ends = np.stack([np.column_stack([places, low]), np.column_stack([places, high])], axis=1)
    return Solids(ends, np.full(len(places), True), np.column_stack([radii, radii]))


def ground_of_nodes(places: Floats, ground: Floats) -> GroundAt:
    """The ground between nodes, by the nearest of them, the nearer counting more.

    places, ground
        (n, 2) and (n,) of nodes; those whose ground is NaN do not count. Farther than `FROM_NODES`
        from all of them it is not known.
    """
    known = np.flatnonzero(np.isfinite(ground) & np.isfinite(places).all(axis=1))
    tree, heights = cKDTree(places[known]), np.append(ground[known], 0.0)

    def ground_at(asked: Floats) -> Floats:
        away, rows = tree.query(asked, k=_NODES, distance_upper_bound=FROM_NODES)
        weights = np.where(np.isfinite(away), 1 / np.maximum(away, 0.01) ** 2, 0.0)
        total = weights.sum(axis=1)
        found: Floats = np.divide(
            (weights * heights[rows]).sum(axis=1), total, out=np.full(len(asked), np.nan), where=total > 0
        )  # fmt: skip
        return found

    return ground_at
