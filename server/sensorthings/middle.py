"""Where a geometry that SensorThings tells is, as one point."""

import json

import shapely

LonLat = tuple[float, float]


def middle(value: object) -> LonLat | None:
    """The middle of a GeoJSON geometry or feature, degrees; None for what is none.

    >>> middle({"type": "Point", "coordinates": [113.46, 23.1]})
    (113.46, 23.1)
    """
    if not isinstance(value, dict):
        return None
    try:
        centre = shapely.from_geojson(json.dumps(value.get("geometry", value))).centroid
    except (shapely.errors.GEOSException, TypeError, ValueError):
        return None  # other encodings say in words of their own where something is
    return None if centre.is_empty else (centre.x, centre.y)
