"""Footprints with heights become blocks: walls and a roof that stand on the ground (LoD1)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.importers.table_file import Shapes
from cim_core.layer import Ground
from cim_core.mesh import Floats, Indices, Material, Mesh
from cim_core.progress import Progress
from cim_core.triangulate import filled

_AT_ONCE = 1000
"""Buildings between two questions whether to go on."""


@dataclass(frozen=True, slots=True)
class Block:
    """A building as meshes around `origin` (3,), a point of its own in the frame.

    The walls are closed all around; there is no floor, since nobody sees it.
    """

    origin: Floats
    meshes: tuple[Mesh, ...]


def grounds(shapes: Shapes, ground: Ground | None) -> tuple[Floats, int]:
    """The lowest ground of each outline, (n,) metres in the city's datum, and how many lack one.

    shapes (n,) are areas in longitude and latitude; what is not on the terrain lies on zero.
    """
    if ground is None:
        return np.zeros(len(shapes)), 0
    points, owners = shapely.get_coordinates(shapes, return_index=True)
    heights = ground(points)
    lowest = np.full(len(shapes), np.inf)
    np.fmin.at(lowest, owners, heights)
    missing = ~np.isfinite(lowest)
    return np.where(missing, 0.0, lowest), int(missing.sum())


def extruded(
    shapes: Shapes, bottoms: Floats, tops: Floats, to_frame: Callable[[Floats], Floats],
    walls: Material, roof: Material, progress: Progress,
) -> list[Block]:  # fmt: skip
    """Blocks over areas.

    shapes (n,) are valid polygons and multipolygons in longitude and latitude, bottoms and tops
    (n,) metres; `to_frame` takes (m, 3) longitude, latitude, height in the same datum to the frame.
    """
    if len(shapes) == 0:
        return []
    shapes = shapely.orient_polygons(shapely.force_2d(shapes))
    polygons, owners = shapely.get_parts(shapes, return_index=True)
    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    # The last corner of a ring is its first again.
    kept = np.append(point_ring[1:] == point_ring[:-1], False)
    points, point_ring = points[kept], point_ring[kept]
    point_owner = owners[ring_polygon[point_ring]]
    low = to_frame(np.column_stack([points, bottoms[point_owner]]))
    high = to_frame(np.column_stack([points, tops[point_owner]]))
    sizes = np.bincount(point_ring, minlength=len(rings))
    ring_ends = np.cumsum(sizes)
    ring_starts = ring_ends - sizes
    following = np.arange(len(points)) + 1
    following[ring_ends - 1] = ring_starts
    # Where the polygons of a building begin among rings, and its points among all points.
    first_ring = np.searchsorted(ring_polygon, np.arange(len(polygons) + 1))
    first_polygon = np.searchsorted(owners, np.arange(len(shapes) + 1))
    ends = np.append(ring_starts, len(points))
    blocks = []
    for number in range(len(shapes)):
        if number % _AT_ONCE == 0:
            progress(number, len(shapes), "geometry")
        parts = range(first_polygon[number], first_polygon[number + 1])
        bounds = [(first_ring[part], first_ring[part + 1]) for part in parts]
        start, end = ends[bounds[0][0]], ends[bounds[-1][1]]
        origin = np.round(low[start], 3)
        bottom, top = low[start:end] - origin, high[start:end] - origin
        caps = [
            filled(top[ends[a] - start : ends[b] - start, :2], ring_ends[a:b] - ends[a])
            + np.uint32(ends[a] - start)
            for a, b in bounds
        ]
        blocks.append(
            Block(
                origin,
                (
                    _walls(bottom, top, following[start:end] - start, walls),
                    Mesh(top, np.vstack(caps), roof),
                ),
            )
        )
    progress(len(shapes), len(shapes), "geometry")
    return blocks


def _walls(bottom: Floats, top: Floats, following: NDArray[np.int64], material: Material) -> Mesh:
    """Upright faces over the edges of rings, seen from outside: the inside is at their left."""
    count = len(bottom)
    here, there = np.arange(count), following
    triangles: Indices = np.vstack(
        [
            np.column_stack([here, there, there + count]),
            np.column_stack([here, there + count, here + count]),
        ]
    ).astype(np.uint32)
    return Mesh(np.vstack([bottom, top]), triangles, material)
