"""Things with their datastreams, from a document in the words of SensorThings into a city.

A document is `{"ObservedProperties": […], "Things": [{…, "Locations": […], "Datastreams": [{…, "Sensor":
{…}, "ObservedProperty": "code"}]}]}`. Bringing it in again changes what differs and adds what is new:
observed properties are known by their code, things by `properties.code`, their locations by their name,
datastreams by `properties.key`, sensors by all that is said of them.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.store.live import Live
from cim_core.store.live_streams import code_of
from cim_core.store.live_things import Entity, Kind, Links, Things

_THING = frozenset({"Locations", "Datastreams"})
_DATASTREAM = frozenset({"Sensor", "ObservedProperty"})


@dataclass(slots=True)
class Brought:
    """How many things and datastreams are new, changed, and as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


def read_things(path: Path) -> dict[str, Any]:
    """A document of things; raises `InvalidInput`."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{path} is no document of things ({error}); give a JSON file"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("Things"), list):
        raise InvalidInput(
            f'{path} is no document of things; give an object with "ObservedProperties" and "Things"'
        )
    return document


def import_things(live: Live, document: Mapping[str, Any], progress: Progress) -> Brought:
    """Bring all things of a document into a city, or none; raises `InvalidInput`, `Conflict`."""
    brought = Brought()
    with live.transaction() as connection:
        bringing = _Bringing(live.things, connection, brought)
        for observed in document.get("ObservedProperties", ()):
            bringing.property(observed)
        things = document["Things"]
        for number, thing in enumerate(things):
            progress(number, len(things), "things")
            bringing.thing(thing, number)
    return brought


@dataclass
class _Bringing:
    things: Things
    connection: sqlite3.Connection
    brought: Brought
    known: dict[Kind, dict[str, Entity]] = field(default_factory=dict)
    sensors: dict[str, int] = field(default_factory=dict)

    def property(self, body: Mapping[str, Any]) -> int:
        return self._keep("ObservedProperties", code_of(_entity(body)), body, {})

    def thing(self, given: Mapping[str, Any], number: int) -> None:
        code = _named(given, "properties", "code", place=f"Things[{number}]")
        places = [self._place(code, one) for one in given.get("Locations", ())]
        own = {key: value for key, value in given.items() if key not in _THING}
        thing = self._keep("Things", code, own, {"Locations": places})
        for row, datastream in enumerate(given.get("Datastreams", ())):
            place = f"Things[{number}].Datastreams[{row}]"
            key = _named(datastream, "properties", "key", place=place)
            if key.strip().isdigit():
                raise InvalidInput(
                    f"{place} has the key {key!r}, which is the number of a datastream as well; give it one with a letter"
                )
            observed = self._known("ObservedProperties").get(datastream.get("ObservedProperty"))
            if observed is None:
                raise InvalidInput(
                    f"{place} observes {datastream.get('ObservedProperty')!r}, which is none of the "
                    "ObservedProperties; add it there"
                )
            sensor = datastream.get("Sensor") or {"name": "unknown"}
            links: Links = {
                "Things": [thing], "ObservedProperties": [observed.id],
                "Sensors": [self._sensor(sensor)],
            }  # fmt: skip
            body = {name: value for name, value in datastream.items() if name not in _DATASTREAM}
            self._keep("Datastreams", key, body, links)

    def _place(self, code: str, body: Mapping[str, Any]) -> int:
        """A location, known by its name among those of its thing: others may have the same."""
        thing = self._known("Things").get(code)
        own = thing.links.get("Locations", ()) if thing is not None else ()
        for number in own:
            known = self.things.get("Locations", number)
            if known is not None and known.body.get("name") == body.get("name"):
                if known.body != body:
                    self.things.change("Locations", number, body, None, self.connection)
                return number
        return self.things.add("Locations", body, {}, self.connection)

    def _sensor(self, body: Mapping[str, Any]) -> int:
        """A sensor that is described by the same words, else a new one."""
        key = json.dumps(body, sort_keys=True, ensure_ascii=False)
        if not self.sensors:
            for entity in self.things.all("Sensors"):
                text = json.dumps(entity.body, sort_keys=True, ensure_ascii=False)
                self.sensors.setdefault(text, entity.id)
        if key not in self.sensors:
            self.sensors[key] = self.things.add("Sensors", body, {}, self.connection)
        return self.sensors[key]

    def _keep(self, kind: Kind, name: str, body: Mapping[str, Any], links: Links) -> int:
        known = self._known(kind).get(name)
        counted = kind in ("Things", "Datastreams")
        if known is None:
            number = self.things.add(kind, body, links, self.connection)
            self.brought.new += counted
        elif known.body != body or not _same(known.links, links):
            self.things.change(kind, number := known.id, body, links, self.connection)
            self.brought.changed += counted
        else:
            number = known.id
            self.brought.unchanged += counted
        self._known(kind)[name] = Entity(kind, number, body, links)
        return number

    def _known(self, kind: Kind) -> dict[str, Entity]:
        if kind not in self.known:
            self.known[kind] = {_name(entity): entity for entity in self.things.all(kind)}
        return self.known[kind]


def _same(known: Links, links: Links) -> bool:
    return {k: tuple(v) for k, v in known.items()} == {k: tuple(v) for k, v in links.items() if v}


def _name(entity: Entity) -> str:
    match entity.kind:
        case "ObservedProperties":
            return code_of(entity)
        case "Things":
            return str(entity.properties.get("code", f"#{entity.id}"))
    return str(entity.properties.get("key", f"#{entity.id}"))


def _entity(body: Mapping[str, Any]) -> Entity:
    return Entity("ObservedProperties", 0, body, {})


def _named(given: Mapping[str, Any], first: str, second: str, *, place: str) -> str:
    found = given.get(first)
    name = found.get(second) if isinstance(found, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"{place} has no {first}.{second}; give it one that no other has")
    return name
