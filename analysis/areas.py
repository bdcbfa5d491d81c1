"""Areas that questions are limited to or asked of, and the way between degrees and the plane."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from cim_core.errors import InvalidInput
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import flat

_EARTH = 6_371_000.0
"""Its radius, metres."""

_A = 6_378_137.0
_FLATTENING = 1 / 298.257222101
_E2 = _FLATTENING * (2 - _FLATTENING)


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


def square_metres(shapes: Sequence[shapely.Geometry]) -> Floats:
    """How large shapes in degrees, (n,), are on the ellipsoid, (n,) m².

    Each is measured by the scale at its own middle, within a millionth up to some kilometres across.
    Source: radii of curvature of the meridian and of the prime vertical, ellipsoid of CGCS2000.

    >>> square_metres([shapely.box(113.46, 23.10, 113.461, 23.101)]).round(1).tolist()
    [11345.5]
    """
    found = np.array(shapes, object)
    middles = shapely.bounds(shapely.centroid(found)).reshape(-1, 4)  # NaN of what is empty
    latitudes = np.radians(middles[:, 1])
    bulge = 1 - _E2 * np.sin(latitudes) ** 2
    across = _A / np.sqrt(bulge)
    along = across * (1 - _E2) / bulge
    areas: Floats = shapely.area(found) * np.radians(1) ** 2 * along * across * np.cos(latitudes)
    return np.nan_to_num(areas)
