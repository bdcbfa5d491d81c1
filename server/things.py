"""Things as they are served, in JSON and in Arrow."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely

from analysis.things import DatastreamNow, ThingNow, ThingsAsked
from cim_core.cells import cell_named, disk
from cim_core.errors import InvalidInput
from cim_core.sensor_classes import SensorClass
from server.arrow import Columns
from server.parameters import parse_bbox

MOST_RINGS = 50


def things_asked(
    layer: str | None, thing_class: str | None, bbox: str | None, polygon: str | None,
    cell: str | None, ring: int, property_: str | None,
) -> ThingsAsked:  # fmt: skip
    """What is asked for, of what stands in an address; raises `InvalidInput`."""
    sides, _ = parse_bbox(bbox)
    areas = [] if sides is None else [shapely.box(*sides)]
    if polygon is not None:
        areas.append(parse_area(polygon))
    cells = None if cell is None else disk(cell_named(cell), ring)
    area = shapely.intersection_all(areas) if areas else None
    return ThingsAsked(layer, thing_class, area, cells, property_)


def parse_area(text: str) -> shapely.Geometry:
    """An area as WKT or as a GeoJSON geometry, in degrees; raises `InvalidInput`."""
    try:
        found = shapely.from_geojson(text) if text.lstrip().startswith("{") else shapely.from_wkt(text)  # fmt: skip
    except shapely.errors.GEOSException:
        found = None
    if found is None or found.geom_type not in ("Polygon", "MultiPolygon") or not found.is_valid:
        raise InvalidInput(
            "polygon is no area; write a POLYGON in WKT or a Polygon in GeoJSON, longitude before latitude"
        )
    return found


def thing_document(thing: ThingNow) -> dict[str, Any]:
    """A thing with its datastreams."""
    lon, lat, height = thing.place or (None, None, None)
    return {
        "id": thing.id, "layer": thing.layer, "feature": thing.feature, "name": thing.name,
        "class": thing.thing_class, "lon": lon, "lat": lat,
        "height": None if height is None or math.isnan(height) else height,
        "state": thing.state, "alarm": thing.alarm, "updated": thing.updated,
        "datastreams": [_datastream(one) for one in thing.datastreams],
    }  # fmt: skip


def _datastream(one: DatastreamNow) -> dict[str, Any]:
    stream = one.stream
    return {
        "id": stream.id, "key": stream.key, "name": stream.name, "property": stream.property,
        "unit": stream.unit, "value": one.value, "time": one.time, "state": one.state,
        "alarm": one.alarm,
    }  # fmt: skip


def things_columns(things: Iterable[ThingNow]) -> Columns:
    """Things as columns, one row for each datastream."""
    rows = [(thing, one) for thing in things for one in thing.datastreams]
    places = np.array([thing.place or (np.nan,) * 3 for thing, _ in rows], np.float64)
    lon, lat, height = places.reshape(-1, 3).T
    return {
        "datastream": [one.stream.id for _, one in rows],
        "key": [one.stream.key for _, one in rows],
        "property": [one.stream.property for _, one in rows],
        "unit": [one.stream.unit for _, one in rows],
        "value": np.array([one.value for _, one in rows], np.float64),
        "time": [one.time for _, one in rows],
        "state": [one.state for _, one in rows],
        "alarm": [one.alarm for _, one in rows],
        "thing": [thing.id for thing, _ in rows],
        "name": [thing.name for thing, _ in rows],
        "class": [thing.thing_class for thing, _ in rows],
        "layer": [thing.layer for thing, _ in rows],
        "feature": [thing.feature for thing, _ in rows],
        "lon": lon, "lat": lat, "height": height,
    }  # fmt: skip


def class_document(known: SensorClass) -> dict[str, Any]:
    """A class of things."""
    return {
        "id": known.id, "title": dict(known.title), "icon": known.icon, "color": known.color,
        "properties": [
            {
                "id": one.id, "title": dict(one.title), "unit": one.unit,
                "range": list(one.range), "palette": None,
            }
            for one in known.properties
        ],
    }  # fmt: skip
