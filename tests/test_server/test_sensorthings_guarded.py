"""SensorThings asked by people who see part of a city: nothing of the rest is told, all is counted."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, NotFound, StorageFailed
from cim_core.observation_sources import ObservationSource
from cim_core.observations import Observations
from cim_core.store.labels import Label
from server.access.access import Access
from server.access.labels import THINGS
from server.access.notes import Note
from server.access.person import Person
from server.access.policy import RoleRules, public_policy
from server.access.taking import Taking
from server.record import Recorder
from server.sensorthings.bodies import new_entity
from server.sensorthings.kinds import KINDS
from server.sensorthings.options import options_of
from server.sensorthings.recording import Recording
from server.sensorthings.service import Service
from server.settings import Settings
from tests.support.alarming import add_thing
from tests.support.sensorthings import at, datastream, location, whole_lamp

LABELS = {
    "roads": Label("roads", "vector", "public", None, 1, None),
    "bunker": Label("bunker", "vector", "sensitive", None, 1, None),
    "things": THINGS,
}
PUBLIC: Any = {"public": "all"}
EVERY: Any = {"public": "all", "internal": "all", "sensitive": "all"}
RULES = {
    "clerk": RoleRules(read=PUBLIC, manage=PUBLIC, record=PUBLIC),
    "device": RoleRules(record=PUBLIC),
    "owner": RoleRules(read=EVERY, manage=EVERY, record=EVERY),
}
POLICY = public_policy().model_copy(update={"roles": RULES})


class Quiet:
    """In the place of the alarms."""

    def observe(self, connection: sqlite3.Connection, what: Observations, now: int) -> list[Any]:
        return []

    def tick(self, connection: sqlite3.Connection, now: int) -> list[Any]:
        return []


@dataclass
class Guard:
    """Keeps what is counted."""

    taken: dict[str, int] = field(default_factory=dict)

    def take_places(self, person: Person, layer: str, points: Any, note: Note) -> None:
        self.taken[layer] = self.taken.get(layer, 0) + len(np.asarray(points))


@dataclass
class Place:
    """A city with a pond that all see and a sluice in a bunker, and services for who asks."""

    city: City
    recorder: Recorder
    pond: int
    sluice: int

    def of(self, role: str) -> Service:
        access = Access(Person("p1", role, (role,), "session"), POLICY, LABELS)
        note, guard = Note(), Guard()
        recording = Recording(self.city, access, self.recorder, ObservationSource("test"), note)
        taking = Taking(guard, access, note)  # type: ignore[arg-type]
        city = access.city(self.city)
        return Service("http://here", self.city, city, access, recording, taking, note)

    def link(self, stream: int, kind: Any) -> int:
        found = self.city.live.entities("Datastreams")[stream].link(kind)
        assert found is not None
        return found

    def share(self, kind: Any) -> int:
        """Let the pond be observed with what the sluice is; its number."""
        known = self.city.live.entities("Datastreams")[self.pond]
        shared = self.link(self.sluice, kind)
        links = {**known.links, kind: (shared,)}
        self.city.live.things.change("Datastreams", known.id, known.body, links)
        return shared


@pytest.fixture
def place(city: City) -> Iterator[Place]:
    [pond] = add_thing(city.live, "pond", ("depth",), layer="roads")
    [sluice] = add_thing(city.live, "sluice", ("flow",), layer="bunker", at=(113.5, 23.2))
    recorder = Recorder(city, Settings(city=city.folder), Quiet)
    recorder.start()
    yield Place(city, recorder, pond, sluice)
    recorder.stop()


@pytest.mark.parametrize("kind", ["ObservedProperties", "Sensors"])
def test_what_unseen_things_use_too_is_refused_without_a_name(place: Place, kind: str) -> None:
    path = f"{kind}({place.share(kind)})"
    clerk = place.of("clerk")
    assert clerk.get(path, {}).status == 200
    for act in (
        lambda: clerk.change(path, {"description": "mine"}, "merge"),
        lambda: clerk.remove(path),
    ):
        with pytest.raises(Forbidden) as told:
            act()
        assert "bunker" not in told.value.sentence


def test_a_place_where_unseen_things_stood_is_refused_without_a_name(place: Place) -> None:
    things = {one.body["name"]: one for one in place.city.live.things.all("Things")}
    [where] = things["pond"].links["Locations"]
    place.city.live.things.add(
        "HistoricalLocations", {"time": at(0)},
        {"Things": (things["sluice"].id,), "Locations": (where,)},
    )  # fmt: skip
    with pytest.raises(Forbidden, match="things that you may not change"):
        place.of("clerk").remove(f"Locations({where})")


def test_a_layer_that_somebody_names_is_said_not_to_be_there(place: Place) -> None:
    thing = place.link(place.pond, "Things")
    for layer in ("bunker", "nowhere"):
        with pytest.raises(NotFound, match=layer):
            moved = {"description": "a pond", "properties": {"layer": layer}}
            place.of("clerk").change(f"Things({thing})", moved, "merge")


def test_a_device_that_may_not_look_is_not_told_what_was_kept(place: Place) -> None:
    path = f"Datastreams({place.pond})/Observations"
    sent = {"phenomenonTime": at(0), "result": 1.25}
    assert place.of("owner").create(path, sent).body["result"] == 1.25
    again = {**sent, "result": 99}
    told = place.of("device").create(path, again)
    assert (told.status, set(told.body)) == (201, {"@iot.id", "@iot.selfLink"})
    assert place.of("clerk").create(path, again).body["result"] == 1.25


def noted(place: Place, path: str, **options: str) -> tuple[set[str], dict[str, int]]:
    asked = place.of("owner")
    asked.get(path, {f"${name}": value for name, value in options.items()})
    return asked.note.layers, asked.taking.guard.taken  # type: ignore[attr-defined]


def test_whatever_is_told_is_noted_and_places_are_counted(place: Place) -> None:
    place.of("owner").create(
        f"Datastreams({place.sluice})/Observations", {"phenomenonTime": at(0), "result": 1}
    )
    thing, sensor = place.link(place.sluice, "Things"), place.link(place.sluice, "Sensors")
    stands = place.city.live.entities("Things")[thing].link("Locations")
    only, one, none = {"bunker"}, {"bunker": 1}, dict[str, int]()
    assert noted(place, f"Things({thing})") == (only, none)
    assert noted(place, f"Things({thing})", expand="Locations") == (only, one)
    assert noted(place, f"Things({thing})/name/$value") == (only, none)
    assert noted(place, f"Things({thing})/Datastreams/$ref") == (only, none)
    assert noted(place, f"Sensors({sensor})") == (only, none)
    assert noted(place, f"Sensors({sensor})/$ref") == (only, none)
    assert noted(place, f"Datastreams({place.sluice})") == (only, one)
    assert noted(place, f"Datastreams({place.sluice})/ObservedProperty") == (only, none)
    assert noted(place, f"Datastreams({place.sluice})/Observations/$count") == (only, none)
    assert noted(place, f"Locations({stands})/location/coordinates") == (only, one)
    assert noted(place, f"FeaturesOfInterest('location-{stands}')") == (only, one)
    both = {"roads": 1, "bunker": 1}
    assert noted(place, "Locations") == (set(both), both)
    assert noted(place, "Locations", select="name") == (set(both), none)
    assert noted(place, "Things/$count") == (set(both), none)


@pytest.mark.parametrize("error", [StorageFailed("the disk is full; make room"), RuntimeError()])
def test_nothing_is_left_of_what_was_sent_with_observations_that_fail(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(Recording, "record", fails)
    live = place.city.live
    kinds = [kind for kind in KINDS if kind != "Observations"]
    before = {kind: dict(live.entities(kind)) for kind in kinds}  # type: ignore[arg-type]
    lamp = whole_lamp("Broken", results=[1], properties={"layer": "roads"})
    lamp["Datastreams"].append({"@iot.id": place.pond})
    feature = location() | {"feature": location()["location"]}
    del feature["location"]
    sent = {"phenomenonTime": at(0), "result": 1, "FeatureOfInterest": feature}
    for path, body in (("Things", lamp), (f"Datastreams({place.pond})/Observations", sent)):
        with pytest.raises(type(error)):
            place.of("owner").create(path, body)
    assert {kind: dict(live.entities(kind)) for kind in kinds} == before  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["12", " 7 ", "٣"])
def test_a_key_of_digits_is_refused_for_it_would_be_taken_for_a_number(key: str) -> None:
    ends = {"Thing": {"@iot.id": 1}, "Sensor": {"@iot.id": 1}, "ObservedProperty": {"@iot.id": 1}}
    with pytest.raises(InvalidInput, match="put a letter into it"):
        new_entity(KINDS["Datastreams"], datastream(properties={"key": key}, **ends))
    assert new_entity(KINDS["Datastreams"], datastream(properties={"key": f"{key}a"}, **ends)).body


def test_what_is_expanded_again_and_again_is_looked_at_once() -> None:
    many = ",".join(["Datastreams/Sensor"] * 1000)
    [found] = options_of(KINDS["Things"], {"$expand": many}).expands.values()
    assert list(found.expands) == ["Sensor"]
    twice = {"$expand": "Datastreams($top=3),Datastreams/Sensor,Datastreams/Observations($top=2)"}
    both = options_of(KINDS["Things"], twice).expands["Datastreams"]
    assert (both.top, both.expands["Observations"].top) == (3, 2)
    with pytest.raises(InvalidInput, match="20,000 characters"):
        options_of(KINDS["Things"], {"$expand": many + "," + many})


def test_a_question_of_too_many_values_is_refused(place: Place) -> None:
    for number in range(40):
        add_thing(place.city.live, f"many {number}", ())
    names = "Locations/Things/name"
    for thing in place.city.live.things.all("Things"):
        links = {"Locations": (1,)}
        place.city.live.things.change("Things", thing.id, thing.body, links)
    condition = f"concat(concat(concat({names},{names}),{names}),{names}) eq 'x'"
    with pytest.raises(InvalidInput, match="500,000 values"):
        place.of("owner").get("Things", {"$filter": condition})
    found = place.of("owner").get("Things", {"$filter": f"{names} eq 'pond'"})
    assert len(found.body["value"]) == 42
