"""All entities of one question together, observations too, and what expressions look at."""

import time
from collections.abc import Iterable, Sequence

import numpy as np

from cim_core.city import City
from cim_core.store.live_things import LAYER
from server.sensorthings.entities import Entities, Id, Item
from server.sensorthings.evaluate import Evaluation, Look
from server.sensorthings.firsts import first_times
from server.sensorthings.kinds import KINDS
from server.sensorthings.readings import Readings
from server.sensorthings.times import Span, span


class World:
    """What somebody sees of a city at one moment.

    entities, readings
        All but observations, and these.
    """

    def __init__(self, city: City) -> None:
        self._streams = streams = city.live.streams()
        self.evaluation = Evaluation(int(time.time() * 1000))
        self.entities = Entities(city.live)
        self._observed = city.observed
        self.readings = Readings(self.entities, streams, self._observed, self.evaluation, self.look)
        self._spans: dict[Id, Span | None] = {}
        self._firsts: dict[Id, int] | None = None
        self._layers: dict[tuple[str, Id], set[str]] = {}

    def get(self, kind: str, number: Id) -> Item | None:
        """One entity; None where it is not seen."""
        if kind == "Observations":
            return self.readings.get(number)
        return self.entities.of(kind).get(number)

    def follow(self, item: Item, name: str) -> Iterable[Item]:
        """Where a way leads from an entity."""
        if KINDS[item.kind].ways[name].to == "Observations":
            found = self.readings.all(self.observing(item))
            return (one for one in found if self.belongs(one, item))
        return self.entities.follow(item, name)

    def observing(self, item: Item) -> Sequence[Id]:
        """The datastreams that may have observations of an entity."""
        return [item.id] if item.kind == "Datastreams" else self.entities.observing(item)

    def belongs(self, observation: Item, to: Item) -> bool:
        """Whether an observation is of a datastream, or of a feature of interest."""
        return observation.link(to.kind) == to.id

    def look(self, item: Item) -> Look:
        """What expressions look at from an entity."""
        return lambda names: self._walk(item, names)

    def layers(self, item: Item) -> set[str]:
        """The layers of the things that an entity belongs to, of those that are seen."""
        if item.kind == "Observations":
            return self.layers_of(item.links.get("Datastreams", ()))
        key = (item.kind, item.id)
        if key not in self._layers:
            self._layers[key] = set(self._belonging(item))
        return self._layers[key]

    def layers_of(self, datastreams: Iterable[Id]) -> set[str]:
        """The layers of datastreams."""
        known = self._streams.by_id
        return {known[int(stream)].layer for stream in datastreams if stream in known}

    def _belonging(self, item: Item) -> Iterable[str]:
        if item.kind == "Things":
            own = item.body.get("properties")
            return {str((own.get("layer") if isinstance(own, dict) else None) or LAYER)}
        if item.kind == "Datastreams":
            return self.layers_of([item.id])
        if item.kind == "FeaturesOfInterest":
            place = self.entities.place_of(item)
            return self.layers_of(self.observing(item)) if place is None else self.layers(place)
        there = (one for way in _OWNERS[item.kind] for one in self.follow(item, way))
        return (layer for one in there for layer in self.layers(one))

    def value(self, item: Item, name: str) -> object:
        """A property, None if it has none; times as `Span`."""
        if item.kind == "Datastreams" and name in _COMPUTED:
            return self._computed(item, name)
        found = item.body.get(name)
        if isinstance(found, str) and KINDS[item.kind].properties[name].type in ("time", "instant"):
            return span(found)
        return found

    def inside(self, item: Item, names: Sequence[str]) -> object:
        """What stands in a property, or at a path inside it."""
        if names[0] in ("id", "@iot.id"):
            return item.id
        found = self.value(item, names[0])
        for name in names[1:]:
            if isinstance(found, list) and name.isdigit():
                found = found[int(name)] if int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found

    def _walk(self, item: Item, names: tuple[str, ...]) -> Iterable[object]:
        if names[0] not in KINDS[item.kind].ways:
            return [self.inside(item, names)]
        found = self.follow(item, names[0])
        if len(names) == 1:
            return (one.id for one in found)
        return self._walk_on(found, names[1:])

    def _walk_on(self, found: Iterable[Item], names: tuple[str, ...]) -> Iterable[object]:
        for place, one in enumerate(found):
            self.evaluation.spend(min(place, 1))
            yield from self._walk(one, names)

    def _computed(self, item: Item, name: str) -> object:
        if name == "observedArea":
            thing = self.entities.thing_of(item.id)
            places = self.entities.follow(thing, "Locations") if thing else ()
            area = next((place.body.get("location") for place in places), None)
            return area if isinstance(area, dict) and "coordinates" in area else None
        if name == "resultTime":
            return None
        if item.id not in self._spans:
            self._spans[item.id] = self._observed_from_to(item)
        return self._spans[item.id]

    def _observed_from_to(self, item: Item) -> Span | None:
        newest = self.readings.newest(item.id)
        if newest is None:
            return None
        last = newest.body["phenomenonTime"]
        assert isinstance(last, Span)
        if self._firsts is None and len(self._spans) >= _FEW:
            self._firsts = first_times(self._observed, self._streams.ids)
        if self._firsts is not None:
            first = self._firsts.get(item.id, last.start)
        else:
            first = next(
                iter(first_times(self._observed, np.array([item.id])).values()), last.start
            )
        return Span(first, last.end)


_FEW = 3
"""So many datastreams are asked since when they observe one by one; then all at once."""

_OWNERS = {
    "Sensors": ("Datastreams",),
    "ObservedProperties": ("Datastreams",),
    "HistoricalLocations": ("Thing",),
    "Locations": ("Things", "HistoricalLocations"),  # where things stand, and where they stood
}
"""Which ways lead to the things that an entity belongs to."""

_COMPUTED = frozenset({"observedArea", "phenomenonTime", "resultTime"})
