"""Areas that questions are limited to or asked of, and the way between degrees and the plane."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from cim_core.errors import InvalidInput
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import flat

_EARTH = 6_371_000.0
"""Its radius, metres."""


def area_of(value: Mapping[str, Any], name: str) -> shapely.Geometry:
    """A GeoJSON Polygon or MultiPolygon, or a feature that is one, in degrees.

    Raises `InvalidInput` naming the parameter.
    """
    try:
        shape = shapely.force_2d(shapely.geometry.shape(value.get("geometry", value)))
        west, south, east, north = shape.bounds
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise _no_area(name) from None
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if shape.geom_type not in ("Polygon", "MultiPolygon") or not inside:
        raise _no_area(name)
    if not shape.is_valid:
        raise InvalidInput(
            f"{name} crosses itself ({shapely.is_valid_reason(shape)}); draw it without that"
        )
    return shape


def _no_area(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is not a GeoJSON Polygon in longitude and latitude; give one with its coordinates"
    )


def laid_out(shape: shapely.Geometry, frame: Frame) -> shapely.Geometry:
    """A shape in degrees, in metres east and north in the plane of a frame."""
    return shapely.transform(shape, lambda points: flat(points, frame))


def lon_lat(places: Floats, frame: Frame) -> Floats:
    """(n, 2) metres in the plane of a frame → (n, 2) longitude and latitude: `flat` the other way."""
    # The plane touches the ground at the anchor only.
    fall = -(places**2).sum(axis=1) / (2 * _EARTH)
    found: Floats = frame.to_geographic(np.column_stack([places, fall]))[:, :2]
    return found
