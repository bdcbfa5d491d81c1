"""The entities of a city as one question sees them, all but observations, and how they are linked."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from cim_core.store.live import Live
from cim_core.store.live_things import Entity
from cim_core.store.live_things import Kind as Stored
from server.sensorthings.kinds import KINDS
from server.sensorthings.times import instant

Id = int | str

PLACE = "location-"
"""What the ids of features of interest begin with that are where a thing stands, see `feature_at`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entity of a question.

    kind
        The name of its set.
    body
        What it has, as SensorThings writes it; times of observations as `Span`.
    links
        The numbers of what it is linked with, by the names of their sets.
    """

    kind: str
    id: Id
    body: Mapping[str, object]
    links: Mapping[str, tuple[Id, ...]] = field(default_factory=dict)

    def link(self, kind: str) -> Id | None:
        """The first it is linked with of a set."""
        return next(iter(self.links.get(kind, ())), None)


class Entities:
    """Of one moment, and only what whoever asks sees."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._items: dict[str, Mapping[Id, Item]] = {}
        self._back: dict[tuple[str, str], dict[Id, list[Id]]] = {}

    def of(self, kind: str) -> Mapping[Id, Item]:
        """All of a set, by number."""
        found = self._items.get(kind)
        if found is None:
            stored = self._live.entities(cast(Stored, kind))
            found = {number: _item(entity) for number, entity in stored.items()}
            if kind == "FeaturesOfInterest":
                found |= {place.id: place for place in self._places()}
            self._items[kind] = found
        return found

    def follow(self, item: Item, name: str) -> Iterator[Item]:
        """Where a way leads from an entity; not to observations."""
        way = KINDS[item.kind].ways[name]
        there = self.of(way.to)
        if way.to in FORWARD[item.kind]:
            numbers: Iterable[Id] = item.links.get(way.to, ())
        else:
            numbers = self._linking(way.to, item.kind).get(item.id, ())
        return (there[number] for number in numbers if number in there)

    def thing_of(self, datastream: Id) -> Item | None:
        """The thing of a datastream."""
        stream = self.of("Datastreams").get(datastream)
        thing = stream.link("Things") if stream else None
        return self.of("Things").get(thing) if thing is not None else None

    def feature_at(self, datastream: Id, time: int) -> Id | None:
        """The feature of interest of an observation that names none: where its thing stood then.

        Every location of a thing that observes is a feature of interest as well, so that observations
        that come by other ways than this have one, too.
        """
        thing = self.thing_of(datastream)
        if thing is None:
            return None
        stood = self._stood.get(thing.id)
        if not stood:
            place = thing.link("Locations")
            return None if place is None else f"{PLACE}{place}"
        row = bisect_right(stood, time, key=lambda known: known[0]) - 1
        return f"{PLACE}{stood[max(row, 0)][1]}"

    def observing(self, feature: Item) -> list[Id]:
        """The datastreams whose observations may be of a feature of interest."""
        if not isinstance(feature.id, str):
            return list(feature.links.get("Datastreams", ()))
        location = int(feature.id.removeprefix(PLACE))
        things = {
            thing.id
            for thing in self.of("Things").values()
            if location in thing.links.get("Locations", ())
            or any(place == location for _, place in self._stood.get(thing.id, ()))
        }
        streams = self.of("Datastreams").values()
        return [stream.id for stream in streams if stream.link("Things") in things]

    def place_of(self, feature: Item) -> Item | None:
        """The location that a feature of interest is; None for those that were sent."""
        if not isinstance(feature.id, str):
            return None
        return self.of("Locations").get(int(feature.id.removeprefix(PLACE)))

    def never_elsewhere(self, feature: Item) -> bool:
        """Whether all things that observe a feature of interest always stood there."""
        if not isinstance(feature.id, str):
            return False
        things = {
            self.of("Datastreams")[stream].link("Things") for stream in self.observing(feature)
        }
        place = int(feature.id.removeprefix(PLACE))
        return all(
            {at for _, at in self._stood.get(thing, ())} <= {place}
            for thing in things
            if thing is not None
        )

    @cached_property
    def _stood(self) -> dict[Id, list[tuple[int, Id]]]:
        """Since when each thing stood where, in order of time."""
        stood: dict[Id, list[tuple[int, Id]]] = defaultdict(list)
        for entry in self.of("HistoricalLocations").values():
            thing, place = entry.link("Things"), entry.link("Locations")
            if thing is not None and place is not None:
                stood[thing].append((instant(entry.body.get("time")), place))
        return {thing: sorted(known) for thing, known in stood.items()}

    def _places(self) -> Iterator[Item]:
        observing = {stream.link("Things") for stream in self.of("Datastreams").values()}
        places: set[Id] = set()
        for thing in self.of("Things").values():
            if thing.id in observing:
                places.update(thing.links.get("Locations", ()))
                places.update(place for _, place in self._stood.get(thing.id, ()))
        for place in sorted(places, key=str):
            location = self.of("Locations").get(place)
            if location is not None:
                body = {key: value for key, value in location.body.items() if key != "location"}
                body["feature"] = location.body.get("location")
                yield Item("FeaturesOfInterest", f"{PLACE}{place}", body)

    def _linking(self, kind: str, to: str) -> dict[Id, list[Id]]:
        """Which of one set are linked with each of another."""
        found = self._back.get((kind, to))
        if found is None:
            found = self._back[kind, to] = defaultdict(list)
            for item in self.of(kind).values():
                for number in item.links.get(to, ()):
                    found[number].append(item.id)
        return found


FORWARD: Mapping[str, frozenset[str]] = {
    "Things": frozenset({"Locations"}),
    "Locations": frozenset(),
    "HistoricalLocations": frozenset({"Things", "Locations"}),
    "Datastreams": frozenset({"Things", "Sensors", "ObservedProperties"}),
    "Sensors": frozenset(),
    "ObservedProperties": frozenset(),
    "Observations": frozenset({"Datastreams", "FeaturesOfInterest"}),
    "FeaturesOfInterest": frozenset(),
}
"""Which links stand in an entity itself; the others are found in those they lead to."""


def _item(entity: Entity) -> Item:
    links = {str(kind): tuple(numbers) for kind, numbers in entity.links.items()}
    return Item(entity.kind, entity.id, entity.body, links)
