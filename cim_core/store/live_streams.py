"""Datastreams as they are asked for every observation, made of the entities they stand in."""

import json
import math
import re
from collections.abc import Iterable, Mapping

import numpy as np
import shapely

from cim_core.cells import FINEST, cells_of
from cim_core.feature import Value
from cim_core.observations import Result, Stream, Streams
from cim_core.store.live_things import LAYER, Entity, Kind

Entities = Mapping[Kind, Mapping[int, Entity]]
"""All entities of a kind, by number."""

Place = tuple[float, float, float]

_RESULTS: Mapping[str, Result] = {
    "OM_Measurement": "measurement", "OM_CountObservation": "count",
    "OM_TruthObservation": "truth", "OM_CategoryObservation": "category",
}  # fmt: skip
"""By the last part of an observation type's address; what is not here may be anything."""

_NO_WORD = re.compile(r"\W+")


def streams_of(entities: Entities) -> Streams:
    """The datastreams among entities, with what their things and properties say."""
    places = {number: place_of(thing, entities) for number, thing in entities["Things"].items()}
    cells = _cells(places)
    found = []
    for number, datastream in entities["Datastreams"].items():
        thing = entities["Things"].get(datastream.link("Things") or 0)
        observed = entities["ObservedProperties"].get(datastream.link("ObservedProperties") or 0)
        if thing is not None and observed is not None:
            place, cell = places[thing.id], cells.get(thing.id, 0)
            found.append(_stream(number, datastream, thing, code_of(observed), place, cell))
    return Streams(found)


def layer_of(thing: Entity) -> str:
    """The layer of the city that a thing belongs to."""
    return _text(thing.properties.get("layer")) or LAYER


def code_of(observed: Entity) -> str:
    """By which word an observed property is asked for.

    >>> code_of(Entity("ObservedProperties", 1, {"name": "Water level (m)"}, {}))
    'water-level-m'
    """
    code = _text(observed.properties.get("code")) or _text(observed.body.get("name")) or "unnamed"
    return _NO_WORD.sub("-", code.lower()).strip("-") or "unnamed"


def place_of(thing: Entity, entities: Entities) -> Place | None:
    """Where a thing stands by its first location that has a place; height NaN if unknown.

    Of anything but a point it is a point on it.
    """
    for number in thing.links.get("Locations", ()):
        location = entities["Locations"].get(number)
        place = None if location is None else point_of(location.body.get("location"))
        if place is not None:
            return place
    return None


def point_of(given: Value) -> Place | None:
    """A point of what is written as GeoJSON, or as a Feature of it; None where there is none."""
    if isinstance(given, dict) and given.get("type") == "Feature":
        given = given.get("geometry")
    if not isinstance(given, dict):
        return None
    try:
        shape = shapely.from_geojson(json.dumps(given))
    except (
        shapely.errors.GEOSException
    ):  # whoever posts a location is told; what is kept may be older
        return None
    if shape.is_empty:
        return None
    point = shape if isinstance(shape, shapely.Point) else shape.representative_point()
    height = point.z if point.has_z else math.nan
    return (point.x, point.y, height)


def _cells(places: Mapping[int, Place | None]) -> dict[int, int]:
    known = {number: place for number, place in places.items() if place is not None}
    if not known:
        return {}
    cells = cells_of(np.array([place[:2] for place in known.values()]), FINEST)
    return dict(zip(known, cells.tolist(), strict=True))


def _stream(
    number: int, datastream: Entity, thing: Entity, code: str, place: Place | None, cell: int
) -> Stream:
    own, of_thing, body = datastream.properties, thing.properties, datastream.body
    unit = body.get("unitOfMeasurement")
    every = own.get("every")
    kind = str(body.get("observationType", "")).rsplit("/", 1)[-1]
    return Stream(
        id=number, key=_text(own.get("key")) or str(number), name=str(body.get("name", "")),
        thing=thing.id, thing_name=str(thing.body.get("name", "")),
        thing_class=_text(of_thing.get("class")) or "", layer=layer_of(thing),
        feature=_text(of_thing.get("feature")), property=code,
        unit=(_text(unit.get("symbol")) or "") if isinstance(unit, dict) else "",
        place=place, cell=cell, result=_RESULTS.get(kind, "any"), bounds=_bounds(own.get("bounds")),
        every=float(every) if isinstance(every, int | float) and every > 0 else None,
    )  # fmt: skip


def _bounds(given: Value) -> tuple[float, float]:
    low, high = given if isinstance(given, list) and len(given) == 2 else (None, None)
    return (
        float(low) if isinstance(low, int | float) else -math.inf,
        float(high) if isinstance(high, int | float) else math.inf,
    )


def _text(given: Value) -> str | None:
    return str(given) if isinstance(given, str | int) and given != "" else None


def by_number(entities: Iterable[Entity]) -> dict[int, Entity]:
    """Entities by their numbers."""
    return {entity.id: entity for entity in entities}
