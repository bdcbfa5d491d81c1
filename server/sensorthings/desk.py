"""What writing entities begins with: what there is, what is seen of it, and who may change it."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, NotFound
from cim_core.feature import Value
from cim_core.store.live_streams import layer_of
from cim_core.store.live_things import KINDS, LAYER, Entity, Kind, Links
from server.access.access import Access
from server.access.labels import THINGS
from server.access.verbs import Verb
from server.sensorthings.entities import Id

_NO_WORD = re.compile(r"[^\w.-]+")


@contextmanager
def desk_of(whole: City, city: City, access: Access) -> Iterator["Desk"]:
    """Where somebody writes: all of it is kept, or nothing; nobody else writes meanwhile."""
    with whole.live.transaction() as connection:
        yield Desk(whole, city, access, connection)


class Desk:
    """All entities as they were when writing began, in one transaction with what is written since.

    seen
        Those that whoever writes sees, by kind and number; only these can be linked with.
    """

    def __init__(
        self, whole: City, city: City, access: Access, connection: sqlite3.Connection
    ) -> None:
        # All is looked up before anything is written, since what is looked up is kept for others, too.
        self._live = whole.live
        self._connection = connection
        self._known = {kind: dict(whole.live.entities(kind)) for kind in KINDS}
        self.seen = {kind: set(city.live.entities(kind)) for kind in KINDS}
        self._before: dict[tuple[Kind, int], Entity] = {}
        self._keys = set(whole.live.streams().by_key)
        self._access = access

    def known(self, kind: Kind) -> Mapping[int, Entity]:
        """All of a kind, whoever sees them, with what was written since."""
        return self._known[kind]

    def get(self, kind: Kind, number: Id) -> Entity:
        """One that is seen; raises `NotFound`."""
        if not isinstance(number, int) or number not in self.seen[kind]:
            raise NotFound(f"there is no {kind}({number})")
        return self._known[kind][number]

    def linked(self, kind: Kind, number: Id) -> int:
        """The number of one that is to be linked with; raises `InvalidInput`."""
        if not isinstance(number, int) or number not in self.seen[kind]:
            raise InvalidInput(
                f"there is no {kind}({str(number)[:40]}) to link with; make it first"
            )
        return number

    def require(self, layers: Iterable[str], verb: Verb = "manage", *, typed: bool = False) -> None:
        """Raise what says that who writes may not: for each layer, or for any if there is none.

        typed
            Whether who writes named the layer, so that an error may name it, too, even if it is
            not seen.
        """
        asked = sorted(set(layers))
        if not typed and any(self._is_hidden(layer) for layer in asked):
            raise Forbidden(
                "this is also used by things that you may not change; make one of your own instead"
            )
        for layer in asked:
            self._access.require(verb, THINGS if self._is_unmade(layer) else layer)
        if not asked:
            may = self._access.may(verb) or self._access.may(verb, THINGS)
            self._access.require(verb, None if may else THINGS)

    def layers(self, kind: Kind, number: int) -> set[str]:
        """The layers that an entity belongs to, by the things it has to do with."""
        if kind == "Things":
            return {layer_of(self._known["Things"][number])}
        if kind in ("Datastreams", "HistoricalLocations"):
            things: Sequence[int] = self._known[kind][number].links.get("Things", ())
        elif kind == "FeaturesOfInterest":
            streams = self._known[kind][number].links.get("Datastreams", ())
            return {layer for stream in streams if stream in self._known["Datastreams"]
                    for layer in self.layers("Datastreams", stream)}  # fmt: skip
        elif kind == "Locations":
            # Those that stand there, and those that stood there.
            past = self.linking("HistoricalLocations", "Locations", number)
            told = self._known["HistoricalLocations"]
            things = [
                *self.linking("Things", "Locations", number),
                *(thing for one in past for thing in told[one].links.get("Things", ())),
            ]
        else:
            streams = self.linking("Datastreams", kind, number)
            return {layer for stream in streams for layer in self.layers("Datastreams", stream)}
        return {layer_of(self._known["Things"][one]) for one in things}

    def linking(self, kind: Kind, to: Kind, number: int) -> list[int]:
        """Those of a kind that are linked with an entity."""
        known = self._known[kind].values()
        return [entity.id for entity in known if number in entity.links.get(to, ())]

    def add(self, kind: Kind, body: Mapping[str, Value], links: Links) -> int:
        """Write a new entity and return its number."""
        number = self._live.things.add(kind, body, links, self._connection)
        self._note(Entity(kind, number, body, links))
        return number

    def change(self, entity: Entity) -> None:
        """Write an entity anew."""
        key = (entity.kind, entity.id)
        self._before.setdefault(key, self._known[entity.kind][entity.id])
        self._live.things.change(
            entity.kind, entity.id, entity.body, entity.links, self._connection
        )
        self._note(entity)

    def remove(self, kind: Kind, number: int) -> None:
        """Forget an entity."""
        self._live.things.remove(kind, number, self._connection)
        del self._known[kind][number]
        self.seen[kind].discard(number)

    def undo(self, earlier: "Desk", made: Sequence[tuple[Kind, int]]) -> None:
        """Write what another desk changed as it was, and remove what was made there."""
        for kind, number in reversed(made):
            if number in self._known[kind]:
                self.remove(kind, number)
        gone = set(made)
        for (kind, number), entity in earlier._before.items():
            now = self._known[kind].get(number)
            # Not what somebody else changed since.
            if now == earlier._known[kind].get(number) and (kind, number) not in gone:
                self.change(entity)

    def free_key(self, thing: Entity, observed: Entity) -> str:
        """A key for a new datastream of a thing, `thing/property`, that no other has."""
        parts = []
        for entity, word in ((thing, "key"), (observed, "code")):
            own = entity.properties.get(word) or entity.body.get("name")
            parts.append(_NO_WORD.sub("-", str(own)).strip("-") or str(entity.id))
        wanted = "/".join(parts)
        number, key = 1, wanted
        while key in self._keys:
            number += 1
            key = f"{wanted}-{number}"
        self._keys.add(key)
        return key

    def _is_unmade(self, layer: str) -> bool:
        """Whether it is that of things that name none: it is there before there is any."""
        return layer == LAYER and LAYER not in self._access.labels

    def _is_hidden(self, layer: str) -> bool:
        return self._access.sight.of(layer) is None and not self._is_unmade(layer)

    def _note(self, entity: Entity) -> None:
        self._known[entity.kind][entity.id] = entity
        self.seen[entity.kind].add(entity.id)
