"""The kinds of entities of SensorThings: their properties, and which leads to which.

The names are those of OGC 18-088 (SensorThings API 1.1); MultiDatastreams are not served.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cim_core.errors import InvalidInput, NotFound

Type = Literal["text", "object", "any", "time", "instant", "place"]
"""What a property holds: words, a JSON object, any JSON, an instant or an interval, an instant, a
geometry (GeoJSON)."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an entity: what it holds, whether each must have it, whether people give it."""

    type: Type = "text"
    needed: bool = False
    given: bool = True


@dataclass(frozen=True, slots=True)
class Way:
    """From an entity to others: to which kind, whether to many, whether each must have one."""

    to: str
    many: bool = False
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entities.

    name, one
        Of the set and of one of it, as in `Things` and `Thing`.
    properties, ways
        By their names.
    """

    name: str
    one: str
    properties: Mapping[str, Property]
    ways: Mapping[str, Way]


_NEEDED, _MAY = Property(needed=True), Property("object")
_NAMED = {"name": _NEEDED, "description": _NEEDED}

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "Things", "Thing",
            {**_NAMED, "properties": _MAY},
            {
                "Locations": Way("Locations", many=True),
                "HistoricalLocations": Way("HistoricalLocations", many=True),
                "Datastreams": Way("Datastreams", many=True),
            },
        ),
        Kind(
            "Locations", "Location",
            {**_NAMED, "encodingType": _NEEDED, "location": Property("place", needed=True),
             "properties": _MAY},
            {
                "Things": Way("Things", many=True),
                "HistoricalLocations": Way("HistoricalLocations", many=True),
            },
        ),
        Kind(
            "HistoricalLocations", "HistoricalLocation",
            {"time": Property("instant", needed=True)},
            {
                "Thing": Way("Things", needed=True),
                "Locations": Way("Locations", many=True, needed=True),
            },
        ),
        Kind(
            "Datastreams", "Datastream",
            {
                **_NAMED,
                "observationType": _NEEDED,
                "unitOfMeasurement": Property("object", needed=True),
                "observedArea": Property("place", given=False),
                "phenomenonTime": Property("time", given=False),
                "resultTime": Property("time", given=False),
                "properties": _MAY,
            },
            {
                "Thing": Way("Things", needed=True),
                "Sensor": Way("Sensors", needed=True),
                "ObservedProperty": Way("ObservedProperties", needed=True),
                "Observations": Way("Observations", many=True),
            },
        ),
        Kind(
            "Sensors", "Sensor",
            {**_NAMED, "encodingType": _NEEDED, "metadata": Property("any", needed=True),
             "properties": _MAY},
            {"Datastreams": Way("Datastreams", many=True)},
        ),
        Kind(
            "ObservedProperties", "ObservedProperty",
            {"name": _NEEDED, "definition": _NEEDED, "description": _NEEDED, "properties": _MAY},
            {"Datastreams": Way("Datastreams", many=True)},
        ),
        Kind(
            "Observations", "Observation",
            {
                "phenomenonTime": Property("time"),
                "result": Property("any", needed=True),
                "resultTime": Property("instant"),
                "resultQuality": Property("any"),
                "validTime": Property("time"),
                "parameters": _MAY,
            },
            {
                "Datastream": Way("Datastreams", needed=True),
                "FeatureOfInterest": Way("FeaturesOfInterest"),
            },
        ),
        Kind(
            "FeaturesOfInterest", "FeatureOfInterest",
            {**_NAMED, "encodingType": _NEEDED, "feature": Property("place", needed=True),
             "properties": _MAY},
            {"Observations": Way("Observations", many=True)},
        ),
    )
}  # fmt: skip
"""By the names of their sets."""


def kind_of(name: str) -> Kind:
    """The kind of a set; raises `NotFound`."""
    try:
        return KINDS[name]
    except KeyError:
        raise NotFound(
            f"there is no set of entities {name[:60]!r}; take one of {', '.join(KINDS)}"
        ) from None


def way_of(kind: Kind, name: str) -> Way:
    """Where a name leads from a kind; raises `InvalidInput`."""
    way = kind.ways.get(name)
    if way is None:
        raise InvalidInput(
            f"{name[:60]!r} leads nowhere from {kind.name}; take one of {', '.join(kind.ways)}"
        )
    return way
