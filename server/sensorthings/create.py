"""New entities, alone or with others inside them (deep insert), linked with what there is."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.store.live_streams import layer_of
from cim_core.store.live_things import Entity
from cim_core.store.live_things import Kind as Stored
from server.sensorthings.bodies import New
from server.sensorthings.desk import Desk
from server.sensorthings.entities import FORWARD, Id
from server.sensorthings.kinds import KINDS
from server.sensorthings.times import Span, instant

Ends = Mapping[str, Sequence[int]]
"""By way: the numbers of what it leads to."""


class Creation:
    """One request that makes entities.

    observations
        Those that were sent inside, each with the number of its datastream: they are recorded when
        all else is there.
    made
        What was made, in order.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.observations: list[tuple[int, New]] = []
        self.made: list[tuple[Stored, int]] = []

    def create(self, new: New, given: Ends | None = None) -> int:
        """Make an entity and return its number.

        given
            Where it was sent to, or inside of which it was sent.
        Raises `InvalidInput`, `Conflict`, and what says that whoever asks may not.
        """
        kind, name = new.kind, cast(Stored, new.kind.name)
        ends = {way: self._ends(new, way, (given or {}).get(way, ())) for way in kind.ways
                if kind.ways[way].to in FORWARD[kind.name]}  # fmt: skip
        for way, numbers in ends.items():
            if kind.ways[way].needed and not numbers:
                raise InvalidInput(f"a {kind.one} needs a {way}; send it, or a link to one")
        links = {cast(Stored, kind.ways[way].to): tuple(found) for way, found in ends.items()}
        entity = Entity(name, 0, new.body, links)
        if name == "Things":
            self._desk.require([layer_of(entity)], typed=True)
        elif name == "Datastreams":
            entity = replace(entity, body=self._keyed(entity))
        number = self._desk.add(name, entity.body, links)
        self.made.append((name, number))
        if name != "Things":
            self._desk.require(self._desk.layers(name, number))
        self._beside(entity, number)
        for way, there in kind.ways.items():
            if there.to not in FORWARD[kind.name]:
                back = _back(there.to, kind.name)
                for end in (*new.links.get(way, ()), *(given or {}).get(way, ())):
                    self._tie(there.to, end, back, number)
        return number

    def stands(self, thing: int, places: Sequence[int], since: int | None = None) -> None:
        """A thing stands somewhere else; also told as history, unless it comes from there."""
        known = self._desk.known("Things")[thing]
        self._desk.require(self._desk.layers("Things", thing))
        links = {**known.links, "Locations": tuple(places)}
        self._desk.change(replace(known, links=links))
        if since is None:
            self._remember(thing, places)

    def feature(self, datastream: int, inside: New | None, known: Id | None) -> int:
        """The feature of interest that a datastream observes, made where it was sent inside."""
        desk = self._desk
        if inside is not None:
            desk.require(desk.layers("Datastreams", datastream))
            links: dict[Stored, Sequence[int]] = {"Datastreams": (datastream,)}
            number = desk.add("FeaturesOfInterest", inside.body, links)
            self.made.append(("FeaturesOfInterest", number))
            return number
        entity = desk.known("FeaturesOfInterest")[desk.linked("FeaturesOfInterest", known or 0)]
        streams = entity.links.get("Datastreams", ())
        if datastream not in streams:
            tied = replace(entity, links={"Datastreams": (*streams, datastream)})
            desk.change(tied)
        return entity.id

    def _remember(self, thing: int, places: Sequence[int]) -> None:
        now = int(time.time() * 1000)
        links: dict[Stored, Sequence[int]] = {"Things": (thing,), "Locations": tuple(places)}
        body: dict[str, Value] = {"time": Span(now, now).text}
        number = self._desk.add("HistoricalLocations", body, links)
        self.made.append(("HistoricalLocations", number))

    def _ends(self, new: New, way: str, given: Sequence[int]) -> list[int]:
        """What a new entity is linked with, made where it was sent inside."""
        to = cast(Stored, new.kind.ways[way].to)
        return [*given, *(self._end(to, end) for end in new.links.get(way, ()))]

    def _end(self, to: Stored, end: "Id | New") -> int:
        return self.create(end) if isinstance(end, New) else self._desk.linked(to, end)

    def _tie(self, kind: str, end: "Id | New", back: str, number: int) -> None:
        """Link what was sent inside, or is there, with the entity that was just made."""
        if kind == "Observations":
            if not isinstance(end, New):
                raise InvalidInput("observations stay with their datastream; send new ones")
            self._observed(end, back, number)
        elif isinstance(end, New):
            self.create(end, {back: [number]})
        else:
            self.tie(cast(Stored, kind), end, {back: [number]})

    def tie(self, kind: Stored, end: Id, ends: Ends) -> None:
        """Link an entity that is there with others, instead of those it was linked with so far."""
        known = self._desk.known(kind)[self._desk.linked(kind, end)]
        self._desk.require(self._desk.layers(kind, known.id))
        if kind == "Things" and "Locations" in ends:
            self.stands(known.id, ends["Locations"])
            ends = {way: numbers for way, numbers in ends.items() if way != "Locations"}
        ways = KINDS[kind].ways
        links = {cast(Stored, ways[way].to): tuple(numbers) for way, numbers in ends.items()}
        if links:
            known = self._desk.known(kind)[known.id]
            self._desk.change(replace(known, links={**known.links, **links}))
            self._desk.require(self._desk.layers(kind, known.id))

    def _observed(self, new: New, back: str, number: int) -> None:
        if back == "Datastream":
            self.observations.append((number, new))
            return
        for end in new.links.get("Datastream", ()):
            new.links["FeatureOfInterest"] = [number]
            self.observations.append((self._end("Datastreams", end), new))

    def _beside(self, entity: Entity, number: int) -> None:
        """What the standard makes with an entity: where a thing stands is told as history, too."""
        places = entity.links.get("Locations", ())
        if entity.kind == "Things" and places:
            self._remember(number, places)
        elif entity.kind == "HistoricalLocations":
            thing = entity.links["Things"][0]
            told = self._desk.linking("HistoricalLocations", "Things", thing)
            when = self._desk.known("HistoricalLocations")
            moment = instant(entity.body["time"])
            if all(instant(when[one].body["time"]) <= moment for one in told):
                self.stands(thing, places, moment)

    def _keyed(self, entity: Entity) -> dict[str, Value]:
        """The body of a new datastream with the key that devices send its observations under."""
        if entity.properties.get("key"):
            return dict(entity.body)
        thing = self._desk.known("Things")[entity.links["Things"][0]]
        observed = self._desk.known("ObservedProperties")[entity.links["ObservedProperties"][0]]
        key = self._desk.free_key(thing, observed)
        return {**entity.body, "properties": {**entity.properties, "key": key}}


def _back(kind: str, to: str) -> str:
    """The name of the way from a kind to another."""
    return next(name for name, way in KINDS[kind].ways.items() if way.to == to)
