"""Entities changed and removed, with what the standard removes along with them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast

from cim_core.errors import Conflict, Forbidden, InvalidInput
from cim_core.feature import Value
from cim_core.store.live_things import Entity
from cim_core.store.live_things import Kind as Stored
from server.sensorthings.bodies import changes, checked
from server.sensorthings.create import Creation
from server.sensorthings.desk import Desk
from server.sensorthings.entities import FORWARD, Id, Item
from server.sensorthings.json_patch import patched
from server.sensorthings.kinds import KINDS

How = Literal["merge", "replace", "patch"]
"""PATCH with properties, PUT, and PATCH with JSON Patch."""

_KEPT = {"Things": ("layer",), "Datastreams": ("key",)}
"""Words of properties that stay as they are when nothing is said of them: who sees a thing, and under
which name its devices send, must not change by the way."""


def stored(item: Item) -> tuple[Stored, Id]:
    """The kind and number of an entity that can be changed; raises `Forbidden` for others."""
    if item.kind == "Observations":
        raise Forbidden(
            "observations are kept as they came, so none is changed or removed; remove their "
            "datastream, or send another one with its own time"
        )
    if not isinstance(item.id, int):
        raise Forbidden(
            f"this feature of interest is where a thing stands; change Locations({item.id[9:]}) instead"
        )
    return cast(Stored, item.kind), item.id


def change(desk: Desk, item: Item, given: object, how: How) -> None:
    """Write properties and links of an entity; raises what says why not."""
    kind, number = stored(item)
    known = desk.get(kind, number)
    desk.require(desk.layers(kind, known.id))
    told, links = changes(KINDS[kind], _patch(known, given) if how == "patch" else given)
    body = checked(KINDS[kind], _merged(known, told) if how == "merge" else told, whole=True)
    _keep(kind, known, body)
    desk.change(replace(known, body=body))
    desk.require(desk.layers(kind, known.id), typed=kind == "Things")
    creation = Creation(desk)
    for name, ends in links.items():
        way = KINDS[kind].ways[name]
        if way.to == "Observations":
            raise InvalidInput("observations stay with their datastream; leave them out")
        if way.to in FORWARD[kind]:
            numbers = [desk.linked(cast(Stored, way.to), end) for end in ends]
            creation.tie(kind, known.id, {name: numbers})
        else:
            back = next(key for key, to in KINDS[way.to].ways.items() if to.to == kind)
            for end in ends:
                creation.tie(cast(Stored, way.to), end, {back: [known.id]})


def remove(desk: Desk, item: Item) -> None:
    """Remove an entity and what cannot be without it.

    A thing takes its datastreams and its history with it; a location the history that names it; a
    sensor and an observed property their datastreams; a datastream its observations, which nobody sees
    any more. Raises `Conflict` for a feature of interest that was observed, and what says why not.
    """
    kind, number = stored(item)
    known = desk.get(kind, number)
    desk.require(desk.layers(kind, known.id))
    if kind == "FeaturesOfInterest" and known.links.get("Datastreams"):
        raise Conflict(
            f"FeaturesOfInterest({known.id}) has observations, which are kept; remove their "
            "datastreams first"
        )
    _forget(desk, kind, known.id)


_TAKEN: Mapping[Stored, tuple[Stored, ...]] = {
    "Things": ("Datastreams", "HistoricalLocations"),
    "Locations": ("HistoricalLocations",),
    "Sensors": ("Datastreams",),
    "ObservedProperties": ("Datastreams",),
}


def _forget(desk: Desk, kind: Stored, number: int) -> None:
    for taken in _TAKEN.get(kind, ()):
        for one in desk.linking(taken, kind, number):
            _forget(desk, taken, one)
    desk.remove(kind, number)


def _merged(known: Entity, told: Mapping[str, object]) -> dict[str, object]:
    return {**known.body, **told}


def _keep(kind: Stored, known: Entity, body: dict[str, Value]) -> None:
    own = body.get("properties")
    words = dict(own) if isinstance(own, dict) else {}
    kept = {name: known.properties[name] for name in _KEPT.get(kind, ())
            if name in known.properties and name not in words}  # fmt: skip
    if kept:
        body["properties"] = {**words, **kept}


def _patch(known: Entity, given: object) -> object:
    return patched(dict(known.body), given)
