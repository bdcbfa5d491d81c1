"""Resource paths, as in `Things(1)/Datastreams(2)/Observations`: read, and followed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cim_core.errors import InvalidInput, NotFound
from server.sensorthings.entities import Id, Item
from server.sensorthings.kinds import KINDS, Kind, kind_of
from server.sensorthings.world import World

_STEP = re.compile(
    r"(?P<name>[$@\w.][\w.@-]*)(?:\((?:(?P<number>\d{1,18})|'(?P<text>(?:[^']|'')*)')\))?"
)
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a path between slashes, with the id in its parentheses."""

    name: str
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class OfMany:
    """A path that ends at a set: all of a kind, or those that a way from one leads to."""

    kind: Kind
    parent: Item | None = None
    way: str = ""


@dataclass(frozen=True, slots=True)
class OfOne:
    """A path that ends at an entity."""

    item: Item


@dataclass(frozen=True, slots=True)
class OfValue:
    """A path that ends at a property of an entity, or inside one."""

    item: Item
    names: tuple[str, ...]
    value: object


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to, and how it is wanted: `$ref`, `$value`, `$count`, or as usual."""

    target: OfMany | OfOne | OfValue
    how: str = ""


def steps(path: str) -> list[Step]:
    """The steps of a path; raises `InvalidInput`.

    >>> steps("Things(1)/Datastreams")
    [Step(name='Things', id=1), Step(name='Datastreams', id=None)]
    >>> steps("Observations('3-15')")
    [Step(name='Observations', id='3-15')]
    """
    found: list[Step] = []
    place = 0
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None or len(found) == _DEEPEST:
            break
        number, text = step["number"], step["text"]
        own = int(number) if number else None if text is None else text.replace("''", "'")
        found.append(Step(step["name"], own))
        place = step.end()
        if place < len(path) and path[place] != "/":
            break
        place += 1
    if place < len(path) or not found:
        raise InvalidInput(
            f"the path {path[:80]!r} cannot be read; write it as in Things(1)/Datastreams"
        )
    return found


def resolve(world: World, path: str) -> Found:
    """What a path leads to; raises `NotFound`, also for what whoever asks does not see."""
    way = steps(path)
    how = way.pop().name if way[-1].name in ("$ref", "$value", "$count") else ""
    if not way:
        raise InvalidInput(f"the path {path[:80]!r} begins with nothing; name a set before {how}")
    target: OfMany | OfOne | OfValue = _first(world, way[0], path)
    for place, step in enumerate(way[1:], start=1):
        if isinstance(target, OfMany):
            raise NotFound(f"{path[:80]} is not there: {way[place - 1].name} needs an id")
        if isinstance(target, OfValue):
            break
        kind = KINDS[target.item.kind]
        if step.name in kind.ways:
            target = _along(world, target.item, step, path)
        else:
            target = _value(world, target.item, way[place:], path)
    fits: dict[str, type | tuple[type, ...]] = {
        "$ref": (OfMany, OfOne),
        "$count": OfMany,
        "$value": OfValue,
    }
    if how and not isinstance(target, fits[how]):
        raise InvalidInput(f"{how} cannot be asked of {path[:80]}; leave it out")
    return Found(target, how)


def _first(world: World, step: Step, path: str) -> OfMany | OfOne:
    kind = kind_of(step.name)
    if step.id is None:
        return OfMany(kind)
    item = world.get(kind.name, step.id)
    if item is None:
        raise _missing(path)
    return OfOne(item)


def _along(world: World, item: Item, step: Step, path: str) -> OfMany | OfOne:
    way = KINDS[item.kind].ways[step.name]
    if way.many and step.id is None:
        return OfMany(KINDS[way.to], item, step.name)
    if way.to == "Observations" and step.id is not None:
        found = world.get("Observations", step.id)
        here = found is not None and world.belongs(found, item)
        found = found if here else None
    else:
        there = world.follow(item, step.name)
        found = next((one for one in there if step.id is None or one.id == step.id), None)
    if found is None:
        raise _missing(path)
    return OfOne(found)


def _value(world: World, item: Item, way: Sequence[Step], path: str) -> OfValue:
    names = tuple(step.name for step in way)
    kind = KINDS[item.kind]
    if names[0] not in (*kind.properties, "id", "@iot.id") or any(
        step.id is not None for step in way
    ):
        raise NotFound(f"{path[:80]} is not there: {kind.name} have no {names[0][:40]!r}")
    return OfValue(item, names, world.inside(item, names))


def _missing(path: str) -> NotFound:
    return NotFound(f"there is nothing at {path[:80]}; look at the set it would be in")
