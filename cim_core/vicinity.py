"""What lies near a place, in metres: shapes laid flat around it, and boxes that hold what is near."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.frame import Frame

FARTHEST = 100_000.0
"""Metres: so far a plane that touches the earth at a place may stand for it, within 0.01 %."""

_DEGREE = 110_500.0
"""A degree of latitude is nowhere shorter, metres."""


def laid_flat(shapes: NDArray[np.object_], lon: float, lat: float) -> NDArray[np.object_]:
    """Shapes, (n,), in longitude and latitude, in metres east and north of a place.

    >>> [far] = laid_flat(np.array([shapely.Point(113.46, 23.11)]), 113.46, 23.10)
    >>> round(far.y, 1)
    1107.5
    """
    flat = shapely.force_2d(shapes)
    points = shapely.get_coordinates(flat)
    upright = np.column_stack([points, np.zeros(len(points))])
    around = Frame(lon, lat, 0.0).from_geographic(upright)[:, :2]
    result: NDArray[np.object_] = shapely.set_coordinates(flat, around)
    return result


def distances(shapes: NDArray[np.object_], lon: float, lat: float) -> NDArray[np.float64]:
    """How far, (n,) metres, shapes, (n,), in longitude and latitude, are from a place."""
    result: NDArray[np.float64] = shapely.distance(
        laid_flat(shapes, lon, lat), shapely.Point(0.0, 0.0)
    )
    return result


def box_around(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a box that holds all that is so near to a place."""
    high = metres / _DEGREE
    wide = high / max(math.cos(math.radians(min(abs(lat) + high, 89.0))), 0.01)
    return lon - wide, lat - high, lon + wide, lat + high
