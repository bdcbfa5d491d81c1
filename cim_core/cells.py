"""H3 cells: the only module that talks to h3.

A cell is a uint64: four bits from 52 on hold its resolution, seven from 45 on its base cell, and
three for each resolution from 1 on the way down from there, 7 where there is no further step.
(H3, "Index bit layout", https://h3geo.org/docs/core-library/h3Indexing)
"""

import math
from collections.abc import Sequence

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

Cells = NDArray[np.uint64]

MAX_CELLS = 64
"""At most this many cells describe one feature; its exact geometry decides in the end."""

FINEST = 15
"""The finest resolution of H3, cells of about a square metre."""

_COVER_FINEST = 13
_COVER_CELLS = (40.0, 40.0, 20.0)
"""A cover of points, lines or areas is made at the finest resolution that needs about so many."""

_STEP = math.sqrt(7.0)
"""A cell's size beside that of its children."""

_HEXAGON = 1.5 * math.sqrt(3.0)
"""The area of a regular hexagon of radius 1."""

_MARGIN = 1.15
"""So much larger than the cell in the middle of a shape those around it may be."""

_WIDEST = 2.6 * 1_281_256.0
"""Metres across a cell of resolution 0: the mean edge twice, and as much again as cells differ by.
(H3, "Tables of Cell Statistics Across Resolutions")"""

_CROOKED = 40
"""Lines of more points are widened piece by piece: as a whole, crooked ones take seconds."""

_OCTAGON = math.cos(math.pi / 8.0)
"""The inner radius of the octagon that stands for a circle of radius 1."""


def cells_of(lon_lat: Floats, resolution: int) -> Cells:
    """The cells, (n,), that hold points, (n, 2) degrees."""
    points: list[list[float]] = np.atleast_2d(lon_lat).tolist()
    return np.array([h3.latlng_to_cell(lat, lon, resolution) for lon, lat in points], np.uint64)


def resolutions(cells: Cells) -> NDArray[np.int64]:
    """The resolution, (n,), of each cell, (n,).

    >>> resolutions(cells_of(np.array([[113.46, 23.1]]), 9)).tolist()
    [9]
    """
    return ((cells >> np.uint64(52)) & np.uint64(15)).astype(np.int64)


def parents(cells: Cells, resolution: int) -> Cells:
    """The ancestors, (n,), at a resolution no finer than that of any of the cells, (n,).

    >>> fine = cells_of(np.array([[113.46, 23.1]]), 15)
    >>> cell_names(parents(fine, 9)) == cell_names(cells_of(np.array([[113.46, 23.1]]), 9))
    True
    """
    below = (1 << 3 * (FINEST - resolution)) - 1
    found: Cells = cells & ~np.uint64(15 << 52)
    return np.bitwise_or(found, np.uint64(resolution << 52 | below), out=found)


def cell_names(cells: Cells) -> list[str]:
    """Cells, (n,), as people and other programs write them: hexadecimal."""
    return [f"{cell:x}" for cell in cells.tolist()]


def cell_named(name: str) -> int:
    """The cell of a name such as 8a411d4902d7fff; raises `InvalidInput`."""
    try:
        cell = int(name, 16)
    except ValueError:
        cell = 0
    if not 0 < cell < 1 << 63 or not h3.is_valid_cell(cell):
        raise InvalidInput(f"{name!r} is not an H3 cell; give its index, as in 8a411d4902d7fff")
    return cell


def cell_polygon(cell: int) -> shapely.Polygon:
    """The outline of a cell, longitude and latitude."""
    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])


def cell_polygons(cells: Cells) -> NDArray[np.object_]:
    """The outlines of cells, (n,), longitude and latitude; quicker than one by one.

    >>> cells = cells_of(np.array([[113.46, 23.1]]), 9)
    >>> bool(cell_polygons(cells)[0].equals(cell_polygon(int(cells[0]))))
    True
    """
    corners = [h3.cell_to_boundary(cell) for cell in cells.tolist()]
    points = np.array([corner for outline in corners for corner in outline]).reshape(-1, 2)
    index = np.repeat(np.arange(len(corners)), [len(outline) for outline in corners])
    rings: NDArray[np.object_] = np.empty(0, object)
    if corners:
        rings = shapely.linearrings(points[:, ::-1], indices=index)
    polygons: NDArray[np.object_] = shapely.polygons(rings)
    return polygons


def cover(shape: shapely.Geometry) -> Cells:
    """The cells that a shape touches; see `covers`.

    >>> cell_names(cover(shapely.Point(113.459, 23.106)))
    ['8d411d4902d96bf']
    """
    return covers([shape])[0]


def covers(shapes: Sequence[shapely.Geometry]) -> list[Cells]:
    """The compacted cells that each shape touches, sorted, at most 64; none for an empty shape.

    Shapes are in longitude and latitude. Every point of one has at some resolution a cell that is
    in the cover or below a cell of it; a few cells more may be in it. The resolution follows the
    size of the shape, whatever its kind, from 13 (cells of about 40 m²) down.
    """
    flat = shapely.force_2d(np.array(shapes, object))
    boxes = shapely.bounds(flat)
    found: list[Cells] = [np.empty(0, np.uint64) for _ in shapes]
    large: list[int] = []
    for row in np.flatnonzero(np.isfinite(boxes).all(axis=1)).tolist():
        west, south, east, north = boxes[row].tolist()
        corners = {(west, south), (east, south), (west, north), (east, north)}
        around = {h3.latlng_to_cell(lat, lon, _COVER_FINEST) for lon, lat in corners}
        if len(around) == 1:  # cells are convex: what lies between the corners is in it as well
            found[row] = np.array([around.pop()], np.uint64)
        else:
            large.append(row)
    for row, cells in zip(large, _covers(flat[large], boxes[large]), strict=True):
        found[row] = cells
    return found


def touched(shapes: Sequence[shapely.Geometry], resolution: int) -> Cells:
    """The cells of one resolution, (n,) sorted, that any of some shapes touches.

    Shapes are in longitude and latitude, empty ones touch nothing. A shape takes as long as it has
    cells: one of 1,000 km² has 66,000 of resolution 10.

    >>> cell_names(touched([shapely.Point(113.459, 23.106)], 10))
    ['8a411d4902dffff']
    """
    flat = shapely.force_2d(np.array(shapes, object))
    flat = flat[~shapely.is_empty(flat)]
    if not len(flat):
        return np.empty(0, np.uint64)
    boxes = shapely.bounds(flat)
    narrow = np.cos(np.radians(np.minimum(np.abs(boxes[:, [1, 3]]).max(axis=1), 87.0)))
    reach = np.array([_radius(*box) for box in boxes.tolist()])
    reach *= _STEP ** (_COVER_FINEST - resolution) * _MARGIN / _OCTAGON
    wide = _stretched(_widened(_stretched(flat, narrow), reach), 1.0 / narrow)
    found: set[int] = set()
    for shape, around in zip(flat, wide, strict=True):
        inside = _inside(shape, resolution) if shapely.get_dimensions(shape) == 2 else set()
        near = list(_inside(around, resolution) - inside)
        outlines = np.array([cell_polygon(cell) for cell in near], object)
        shapely.prepare(shape)
        meets = np.flatnonzero(shapely.intersects(shape, outlines)).tolist()
        found |= inside | {near[row] for row in meets}
    return np.sort(np.array(list(found), np.uint64))


def neighbours(cell: int) -> list[int]:
    """The six cells, five around a pentagon, that have an edge in common with a cell."""
    found: list[int] = h3.grid_ring(cell, 1)
    return found


def disk(cell: int, rings: int) -> Cells:
    """A cell and those up to so many rings around it, sorted.

    >>> len(disk(cell_named("8a411d4902d7fff"), 2))
    19
    """
    return np.sort(np.array(h3.grid_disk(cell, rings), np.uint64))


def widest(resolution: int) -> float:
    """No cell of a resolution is wider than this, metres.

    >>> round(widest(9))
    524
    """
    return _WIDEST / _STEP**resolution


def areas(cells: Cells) -> Floats:
    """How large cells, (n,), are on the ground, (n,) km²: those of one resolution are not equal.

    >>> areas(cells_of(np.array([[113.46, 23.1]]), 10)).round(4).tolist()
    [0.0147]
    """
    return np.array([h3.cell_area(cell, "km^2") for cell in cells.tolist()], np.float64)


def _covers(shapes: NDArray[np.object_], boxes: Floats) -> list[Cells]:
    """The covers of shapes with their boxes, (n, 4), none within one cell.

    A cell that touches a shape has its middle within a cell's radius of it. So the shape is widened
    by that much, in degrees of latitude, and the cells are those with their middle inside.
    """
    farthest = np.minimum(np.abs(boxes[:, [1, 3]]).max(axis=1), 87.0)
    narrow = np.cos(np.radians(farthest))
    even = _stretched(shapes, narrow)
    sizes = np.array([_radius(*box) for box in boxes.tolist()])
    levels = np.maximum(_fitting(even, sizes), _fitting(shapely.envelope(even), sizes))
    found: list[Cells | None] = [None] * len(shapes)
    left = np.arange(len(shapes))
    while len(left):
        reach = sizes[left] * _STEP ** (_COVER_FINEST - levels[left])
        wide = _widened(even[left], reach * _MARGIN / _OCTAGON)
        for row, shape in zip(left.tolist(), _stretched(wide, 1.0 / narrow[left]), strict=True):
            cells = h3.compact_cells(_inside(shape, int(levels[row])))
            if len(cells) <= MAX_CELLS or levels[row] == 0:
                found[row] = np.sort(np.array(cells, np.uint64))
        left = np.array([row for row in left.tolist() if found[row] is None], np.int64)
        levels[left] -= 1
    return [cells for cells in found if cells is not None]


def _widened(shapes: NDArray[np.object_], by: Floats) -> NDArray[np.object_]:
    """Shapes with all that is nearer to them than `by`, (n,), circles as octagons."""
    crooked = (shapely.get_dimensions(shapes) == 1) & (
        shapely.get_num_coordinates(shapes) > _CROOKED
    )
    wide: NDArray[np.object_] = np.empty(len(shapes), object)
    with np.errstate(invalid="ignore"):  # GEOS divides 0 by 0 on its way round a sharp corner
        wide[~crooked] = shapely.buffer(shapes[~crooked], by[~crooked], quad_segs=2)
    for row in np.flatnonzero(crooked).tolist():
        lines = shapely.get_parts(shapely.simplify(shapes[row], by[row] / 100))
        points, line = shapely.get_coordinates(lines, return_index=True)
        joined = line[:-1] == line[1:]
        pieces = shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[joined])
        wide[row] = shapely.union_all(shapely.buffer(pieces, by[row], quad_segs=2))
    return wide


def _stretched(shapes: NDArray[np.object_], by: Floats) -> NDArray[np.object_]:
    """Shapes with their x multiplied by `by`, (n,)."""
    points, row = shapely.get_coordinates(shapes, return_index=True)
    points[:, 0] *= by[row]
    result: NDArray[np.object_] = shapely.set_coordinates(shapes.copy(), points)
    return result


def _radius(west: float, south: float, east: float, north: float) -> float:
    """How far the middle of a cell of the finest cover is from its corners there, in latitude."""
    lat, lon = (south + north) / 2, (west + east) / 2
    boundary = h3.cell_to_boundary(h3.latlng_to_cell(lat, lon, _COVER_FINEST))
    corners = np.array(boundary)
    away = corners - corners.mean(axis=0)
    away[:, 1] *= math.cos(math.radians(lat))
    return float(np.hypot(away[:, 0], away[:, 1]).max())


def _fitting(even: NDArray[np.object_], sizes: Floats) -> NDArray[np.int64]:
    """The finest resolution, (n,), at which about `_COVER_CELLS` cells touch a shape."""
    dimensions = shapely.get_dimensions(even)
    wanted = np.array(_COVER_CELLS)[dimensions]
    area, around = shapely.area(even), shapely.length(even)
    around = np.where(dimensions == 2, around, 2.0 * around)
    parts = shapely.get_num_geometries(even)
    levels = np.zeros(len(even), np.int64)
    for level in range(_COVER_FINEST + 1):
        reach = sizes * _STEP ** (_COVER_FINEST - level)
        needed = (area + around * reach + parts * math.pi * reach**2) / (_HEXAGON * reach**2)
        levels[needed <= wanted] = level
    return levels


def _inside(shape: shapely.Geometry, resolution: int) -> set[int]:
    """The cells with their middle in a polygon or multipolygon; h3 may name one twice."""
    polygons = [
        h3.LatLngPoly(
            *(
                [(lat, lon) for lon, lat in shapely.get_coordinates(ring).tolist()]
                for ring in (part.exterior, *part.interiors)
            )
        )
        for part in shapely.get_parts(shape)
    ]
    return set(h3.h3shape_to_cells(h3.LatLngMultiPoly(*polygons), resolution))
