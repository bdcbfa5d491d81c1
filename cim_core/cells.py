"""H3 cells: the only module that talks to h3."""

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

MAX_CELLS = 64
"""At most this many cells describe one feature; its exact geometry decides in the end."""

_FINEST, _COARSEST = 13, 3


def cover(footprint: shapely.Geometry) -> NDArray[np.uint64]:
    """The compacted H3 cells that a footprint touches, as a sorted (n,) uint64, n ≤ 64.

    The footprint is a polygon or multipolygon in longitude and latitude, or anything else, whose
    bounding box then stands for it. The resolution follows the size, from 13 (cells of about
    40 m²) down; an empty footprint has no cells.

    >>> cover(shapely.Point(113.459, 23.106)).tolist() == [h3.str_to_int(h3.latlng_to_cell(23.106, 113.459, 13))]
    True
    """
    if footprint.is_empty or not np.isfinite(footprint.bounds).all():
        return np.empty(0, np.uint64)
    west, south, east, north = footprint.bounds
    corners = {(west, south), (east, south), (west, north), (east, north)}
    around = {h3.latlng_to_cell(lat, lon, _FINEST) for lon, lat in corners}
    if len(around) == 1:  # cells are convex: what lies between the corners is in it as well
        return np.array([h3.str_to_int(around.pop())], np.uint64)
    shape = footprint if footprint.geom_type in ("Polygon", "MultiPolygon") else footprint.envelope
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        shape = shape.buffer(1e-7)
    for resolution in range(_fitting(west, south, east, north), _COARSEST - 1, -1):
        found = h3.h3shape_to_cells_experimental(
            h3.geo_to_h3shape(shapely.geometry.mapping(shape)), resolution, contain="overlap"
        )
        cells = h3.compact_cells(set(found))  # h3 may name a cell twice
        if 0 < len(cells) <= MAX_CELLS:
            return np.sort(np.array([h3.str_to_int(cell) for cell in cells], np.uint64))
    center = shape.centroid
    return np.array([h3.str_to_int(h3.latlng_to_cell(center.y, center.x, _COARSEST))], np.uint64)


def _fitting(west: float, south: float, east: float, north: float) -> int:
    """The finest resolution whose cells cannot be absurdly many for a box of this size."""
    square_km = (east - west) * (north - south) * 111.32**2 * max(np.cos(np.radians(south)), 0.01)
    for resolution in range(_FINEST, _COARSEST, -1):
        if square_km / h3.average_hexagon_area(resolution, unit="km^2") <= MAX_CELLS:
            return resolution
    return _COARSEST
