"""Things with datastreams, as tests need them."""

from collections.abc import Iterable, Mapping
from typing import Any

from cim_core.city import City

OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
PLACE = (113.45, 23.10)


def add_things(city: City, keys: Iterable[str], **more: Any) -> dict[str, int]:
    """A thing with one datastream for each key, `object/metric`; the ids of the datastreams."""
    with city.live.transaction() as connection:
        return {key: _add(city, connection, key, number, **more) for number, key in enumerate(keys)}


def _add(
    city: City, connection: Any, key: str, number: int, *, layer: str | None = None,
    kind: str = "Measurement", unit: str = "m", bounds: list[float | None] | None = None,
    every: float | None = None, place: tuple[float, float] | None = PLACE,
) -> int:  # fmt: skip
    things = city.live.things
    links: dict[Any, list[int]] = {}
    if place is not None:
        at = [place[0] + number * 1e-4, place[1]]
        location = {"type": "Point", "coordinates": at}
        body = {"name": key, "encodingType": "application/geo+json", "location": location}
        links["Locations"] = [things.add("Locations", body, None, connection)]
    own: Mapping[str, Any] = {"layer": layer} if layer else {}
    thing = things.add("Things", {"name": key, "properties": own}, links, connection)
    sensor = things.add("Sensors", {"name": "sensor"}, None, connection)
    code = key.rsplit("/", 1)[-1]
    observed = things.add("ObservedProperties", {"name": code}, None, connection)
    properties: dict[str, Any] = {"key": key}
    if bounds is not None:
        properties["bounds"] = bounds
    if every is not None:
        properties["every"] = every
    return things.add(
        "Datastreams",
        {
            "name": key, "observationType": f"{OM}{kind}" if kind == "Measurement" else f"{OM}{kind}Observation",
            "unitOfMeasurement": {"name": unit, "symbol": unit}, "properties": properties,
        },
        {"Things": [thing], "Sensors": [sensor], "ObservedProperties": [observed]}, connection,
    )  # fmt: skip
