"""Outlines of land: what GeoJSON is taken for the boundary of a project or a parcel."""

from collections.abc import Mapping
from typing import Any

import shapely
import shapely.geometry

from cim_core.errors import InvalidInput

MOST_POINTS = 10_000
"""So many points an outline may have: everybody who looks at the map is sent all of them."""
_LEAST_LAND = 1e-11
"""Square degrees: about a tenth of a square metre."""


def outline(geometry: Mapping[str, Any], what: str) -> shapely.Geometry:
    """A polygon or multipolygon from GeoJSON, degrees; raises `InvalidInput`."""
    try:
        shape = shapely.geometry.shape(geometry)
    except (
        shapely.errors.ShapelyError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        RecursionError,
    ):
        shape = None
    # It is kept and shown to everybody as it was given: nothing may be in it that is not in the shape.
    if shape is not None and not _same(geometry, shapely.geometry.mapping(shape)):
        shape = None
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        raise InvalidInput(
            f"{what} is no polygon; give a GeoJSON Polygon or MultiPolygon in degrees"
        )
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput(
            f"{what} has coordinates that are no degrees; give longitude and latitude"
        )
    if (points := shapely.get_num_coordinates(shape)) > MOST_POINTS:
        raise InvalidInput(
            f"{what} has {points} points, more than {MOST_POINTS}; simplify its outline"
        )
    if not shape.is_valid:
        raise InvalidInput(
            f"{what} is no valid polygon ({shapely.is_valid_reason(shape)}); correct its outline"
        )
    if shape.area < _LEAST_LAND:
        raise InvalidInput(f"{what} has no land; correct its outline")
    return shape


def _same(given: Any, read: Any) -> bool:
    """Whether GeoJSON says what was read of it, no more and nothing in other words."""
    if isinstance(read, dict):
        return set(given) == set(read) and all(_same(given[key], read[key]) for key in read)
    if isinstance(read, list | tuple):
        return (
            isinstance(given, list | tuple)
            and len(given) == len(read)
            and all(map(_same, given, read))
        )
    return not isinstance(given, bool) and bool(given == read)
