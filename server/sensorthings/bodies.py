"""What clients send to make or change an entity: read, checked, and taken apart."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import shapely

from cim_core.errors import InvalidInput
from cim_core.feature import Value
from server.sensorthings.entities import Id
from server.sensorthings.kinds import KINDS, Kind, Property
from server.sensorthings.times import instant, span

_DEEPEST = 8
_GEOJSON = ("application/vnd.geo+json", "application/geo+json")


@dataclass
class New:
    """An entity that is to be made.

    body
        Its properties, checked.
    links
        By way: ids of what there is, and what is to be made with it.
    """

    kind: Kind
    body: dict[str, Value]
    links: dict[str, list["Id | New"]] = field(default_factory=dict)


def new_entity(kind: Kind, given: object, depth: int = 0) -> New:
    """An entity out of what a client sent, with all that is sent inside it; raises `InvalidInput`."""
    if depth > _DEEPEST:
        raise InvalidInput(f"entities are nested more than {_DEEPEST} deep; send them one by one")
    new = New(kind, {}, _links(kind, given, depth))
    new.body = checked(kind, _own(kind, given), whole=True)
    return new


def checked(kind: Kind, given: Mapping[str, object], *, whole: bool) -> dict[str, Value]:
    """The properties of an entity, each as it has to be; `whole`: those it needs must be there."""
    for name, what in kind.properties.items():
        if whole and what.needed and given.get(name) is None and name != "result":
            raise InvalidInput(f"a {kind.one} needs {name!r}; send it")
    body = {
        name: _checked(kind, name, kind.properties[name], value)
        for name, value in given.items()
        if kind.properties[name].given and (value is not None or name == "result")
    }
    if "location" in body or "feature" in body:
        _check_place(kind, body)
    own = body.get("properties")
    if isinstance(own, dict):
        _check_words(kind, own)
    return body


def changes(kind: Kind, given: object) -> tuple[dict[str, object], dict[str, list[Id]]]:
    """The properties and links that a client sent to change an entity; raises `InvalidInput`."""
    links: dict[str, list[Id]] = {}
    for name, ends in _links(kind, given, 0).items():
        if any(isinstance(end, New) for end in ends):
            raise InvalidInput(
                f"{name} is sent with content, and a change takes links only; send objects with nothing "
                "but @iot.id, or change that entity itself"
            )
        links[name] = [end for end in ends if not isinstance(end, New)]
    return _own(kind, given), links


def reference(given: object) -> Id | None:
    """The id in `{"@iot.id": …}`; None for anything else."""
    number = given.get("@iot.id") if isinstance(given, dict) else None
    return number if isinstance(number, int | str) and not isinstance(number, bool) else None


def _own(kind: Kind, given: object) -> dict[str, object]:
    """What a client sent that are properties."""
    if not isinstance(given, dict):
        raise InvalidInput(f"a {kind.one} is a JSON object; send one")
    for name in given:
        known = name in kind.properties or name in kind.ways or name == "id"
        if not known and "@iot." not in name:
            raise InvalidInput(
                f"a {kind.one} has no property {name[:60]!r}; take some of "
                f"{', '.join((*kind.properties, *kind.ways))}"
            )
    return {name: value for name, value in given.items() if name in kind.properties}


def _links(kind: Kind, given: object, depth: int) -> dict[str, list[Id | New]]:
    links: dict[str, list[Id | New]] = {}
    for name, way in kind.ways.items():
        value = given.get(name) if isinstance(given, dict) else None
        if value is None:
            continue
        if way.many and not isinstance(value, list):
            raise InvalidInput(f"{name} of a {kind.one} is a list of objects; correct it")
        if not way.many and isinstance(value, list):
            raise InvalidInput(f"{name} of a {kind.one} is one object; correct it")
        ends = value if isinstance(value, list) else [value]
        links[name] = [_end(KINDS[way.to], end, depth) for end in ends]
    return links


def _end(kind: Kind, given: object, depth: int) -> "Id | New":
    number = reference(given)
    return new_entity(kind, given, depth + 1) if number is None else number


def _checked(kind: Kind, name: str, what: Property, value: object) -> Value:
    match what.type:
        case "text" if not isinstance(value, str):
            raise InvalidInput(f"{name!r} of a {kind.one} is text; correct it")
        case "object" if not isinstance(value, dict):
            raise InvalidInput(f"{name!r} of a {kind.one} is a JSON object; correct it")
        case "instant":
            instant(value)
        case "time":
            span(value)
    return value  # type: ignore[return-value]  # it came as JSON


def _check_place(kind: Kind, body: Mapping[str, Value]) -> None:
    name = "location" if "location" in body else "feature"
    if body.get("encodingType", _GEOJSON[0]) not in _GEOJSON:
        return
    given = body[name]
    inner = given.get("geometry") if isinstance(given, dict) and "geometry" in given else given
    try:
        shape = shapely.from_geojson(json.dumps(inner))
        low_x, low_y, high_x, high_y = shape.bounds
    except (shapely.errors.GEOSException, TypeError, ValueError):
        low_x = math.nan
    if math.isnan(low_x) or low_x < -180 or low_y < -90 or high_x > 180 or high_y > 90:
        raise InvalidInput(
            f"{name!r} of a {kind.one} is no GeoJSON geometry in degrees; send one, as in a Point with "
            "the coordinates [113.46, 23.1]"
        )


def _check_words(kind: Kind, own: Mapping[str, Value]) -> None:
    """Look at what this program itself reads in properties."""
    for name in _TEXTS.get(kind.name, ()):
        if name in own and not (isinstance(own[name], str) and own[name]):
            raise InvalidInput(
                f"properties.{name} of a {kind.one} is text; correct it or leave it out"
            )
    if kind.name != "Datastreams":
        return
    if str(own.get("key", "")).strip().isdigit():
        # Devices name a datastream by key or by number, so the one must not look like the other.
        raise InvalidInput(
            f"properties.key {str(own['key'])[:40]!r} of a Datastream is a number, and numbers name "
            "datastreams by their id; put a letter into it"
        )
    bounds, every = own.get("bounds"), own.get("every")
    if bounds is not None and not _are_bounds(bounds):
        raise InvalidInput(
            "properties.bounds of a Datastream are two numbers, the lower first, null for none; correct them"
        )
    if every is not None and not (_is_number(every) and float(str(every)) > 0):
        raise InvalidInput("properties.every of a Datastream is a number of seconds; correct it")


def _are_bounds(given: Value) -> bool:
    if not isinstance(given, list) or len(given) != 2:
        return False
    numbers = [float(str(one)) for one in given if _is_number(one)]
    fitting = all(one is None or _is_number(one) for one in given)
    return fitting and numbers == sorted(numbers)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


_TEXTS: Mapping[str, tuple[str, ...]] = {
    "Things": ("layer", "class"),
    "Datastreams": ("key",),
    "ObservedProperties": ("code",),
}
