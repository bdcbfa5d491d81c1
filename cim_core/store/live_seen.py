"""What of a city's things somebody sees: those of the layers they see, and what belongs to these."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import shapely

from cim_core.feature import Value
from cim_core.observations import Streams
from cim_core.sight import Part, Sight
from cim_core.store.live_streams import Entities, code_of, layer_of, place_of, point_of, streams_of
from cim_core.store.live_things import KINDS, LAYER, Entity, Kind

_PLACED: Mapping[Kind, str] = {"Locations": "location", "FeaturesOfInterest": "feature"}
"""The kinds that have a place, and under which word."""


@dataclass(frozen=True, slots=True)
class Known:
    """All entities at one moment.

    generation
        Of the file they were read from.
    """

    generation: int
    entities: Entities
    streams: Streams


def seen(known: Known, sight: Sight) -> Known:
    """What somebody sees of them."""
    if sight.parts is None:
        return known
    things: dict[int, Entity] = {}
    parts: dict[int, Part] = {}
    for number, thing in known.entities["Things"].items():
        part = sight.of(layer_of(thing))
        if part is not None and _within(thing, part, known.entities):
            things[number] = replace(thing, body=_shown(thing.body, part))
            parts[number] = part
    found: dict[Kind, dict[int, Entity]] = {kind: {} for kind in KINDS}
    found["Things"] = things
    for number, datastream in known.entities["Datastreams"].items():
        part = parts.get(datastream.link("Things") or 0)
        observed = known.entities["ObservedProperties"].get(
            datastream.link("ObservedProperties") or 0
        )
        if part is not None and not (observed and part.hides(code_of(observed))):
            found["Datastreams"][number] = datastream
    _history(known, found, parts)
    for kind in ("Locations", "Sensors", "ObservedProperties", "FeaturesOfInterest"):
        found[kind] = _belonging(known, found, kind, orphans=sight.of(LAYER) is not None)
    for kind in _PLACED:
        found[kind] = _in_part(known, found, kind, parts)
    pruned = {
        kind: {number: _pruned(entity, found) for number, entity in some.items()}
        for kind, some in found.items()
    }
    return Known(known.generation, pruned, streams_of(pruned))


def _within(thing: Entity, part: Part, entities: Entities) -> bool:
    if part.area is None:
        return True
    place = place_of(thing, entities)
    return place is not None and bool(shapely.intersects_xy(part.area, place[0], place[1]))


def _shown(body: Mapping[str, Value], part: Part) -> Mapping[str, Value]:
    properties = body.get("properties")
    if not part.hidden or not isinstance(properties, dict):
        return body
    return {**body, "properties": {k: v for k, v in properties.items() if not part.hides(k)}}


def _history(known: Known, found: dict[Kind, dict[int, Entity]], parts: Mapping[int, Part]) -> None:
    """Where the things that are seen once were, where all of that lies in what is seen."""
    locations = known.entities["Locations"]
    for number, entity in known.entities["HistoricalLocations"].items():
        part = parts.get(entity.link("Things") or 0)
        places = [locations[n] for n in entity.links.get("Locations", ()) if n in locations]
        if part is not None and all(_lies_in(place, part) for place in places):
            found["HistoricalLocations"][number] = entity


def _lies_in(entity: Entity, part: Part) -> bool:
    """Whether a location or a feature of interest does; one without a place lies in no area."""
    if part.area is None:
        return True
    place = point_of(entity.body.get(_PLACED[entity.kind]))
    return place is not None and bool(shapely.intersects_xy(part.area, place[0], place[1]))


def _in_part(
    known: Known, found: Mapping[Kind, Mapping[int, Entity]], kind: Kind, parts: Mapping[int, Part]
) -> dict[int, Entity]:
    """Those of a kind that lie in what is seen of a thing they are tied to, flat where that is."""
    through: Kind = "HistoricalLocations" if kind == "Locations" else "Datastreams"
    tied: defaultdict[int, list[Part]] = defaultdict(list)
    flat: set[int] = set()
    for other in ("Things", through, kind):
        for number, entity in known.entities[other].items():
            for thing in _things_of(entity, known):
                part = parts.get(thing)
                if part is None:
                    continue
                numbers = (number,) if other == kind else entity.links.get(kind, ())
                if not part.heights:
                    flat.update(numbers)
                if other == kind or number in found[other]:
                    for one in numbers:
                        tied[one].append(part)
    return {
        number: _flat(entity) if number in flat else entity
        for number, entity in found[kind].items()
        if number not in tied or any(_lies_in(entity, part) for part in tied[number])
    }


def _things_of(entity: Entity, known: Known) -> list[int]:
    """The things an entity belongs to: itself, its own, or those of its datastreams."""
    if entity.kind == "Things":
        return [entity.id]
    streams = known.entities["Datastreams"]
    reached = [streams[n] for n in entity.links.get("Datastreams", ()) if n in streams]
    return [thing for one in (entity, *reached) for thing in one.links.get("Things", ())]


def _belonging(
    known: Known, found: Mapping[Kind, Mapping[int, Entity]], kind: Kind, *, orphans: bool
) -> dict[int, Entity]:
    """Those of a kind that something seen has to do with; those of nothing at all where `orphans`."""
    tied: set[int] = set()
    seen_ones: set[int] = set()
    for other in KINDS:
        for number, entity in known.entities[other].items():
            numbers = entity.links.get(kind, ())
            tied.update(numbers)
            if number in found[other]:
                seen_ones.update(numbers)
    chosen = {}
    for number, entity in known.entities[kind].items():
        own = [(to, one) for to, numbers in entity.links.items() for one in numbers]
        reaches = any(one in found[to] for to, one in own)
        free = not own and number not in tied
        if number in seen_ones or reaches or (free and orphans):
            chosen[number] = entity
    return chosen


def _flat(entity: Entity) -> Entity:
    word = _PLACED[entity.kind]
    body = {**entity.body, word: _without_height(entity.body.get(word))}
    return replace(entity, body=body)


def _without_height(given: Value) -> Value:
    """GeoJSON with positions of two numbers."""
    match given:
        case dict():
            return {key: _without_height(value) for key, value in given.items()}
        case [float() | int(), float() | int(), *_]:
            return given[:2]
        case list():
            return [_without_height(value) for value in given]
    return given


def _pruned(entity: Entity, found: Mapping[Kind, Mapping[int, Entity]]) -> Entity:
    links = {
        kind: tuple(number for number in numbers if number in found[kind])
        for kind, numbers in entity.links.items()
    }
    return replace(entity, links=links)
