"""Entities and sets of them as SensorThings answers with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from cim_core.errors import InvalidInput
from server.sensorthings.entities import Id, Item
from server.sensorthings.expression import Call, Literal, Path
from server.sensorthings.kinds import KINDS
from server.sensorthings.middle import LonLat, middle
from server.sensorthings.options import IDS, Options
from server.sensorthings.ordering import Ordering, rank
from server.sensorthings.paths import OfMany, OfValue
from server.sensorthings.readings import Page
from server.sensorthings.times import Span
from server.sensorthings.where import Where
from server.sensorthings.world import World

Json = dict[str, Any]
PLACES = frozenset({"location", "feature", "observedArea"})
"""Properties that say where something is."""

_MOST_IN_ALL = 50_000
"""Entities of one answer, those that were expanded among them."""

_ALWAYS = ("resultTime", "result", "phenomenonTime")
"""Told of an observation even if they are null."""


class Answers:
    """What is answered to one question.

    layers
        Of what was told so far.
    places
        By layer, the places that were told so far, longitude and latitude.
    """

    def __init__(self, root: str, world: World) -> None:
        self._root = root
        self._world = world
        self._told = 0
        self.layers: set[str] = set()
        self.places: dict[str, list[LonLat]] = {}

    def link(self, item: Item) -> str:
        """Where an entity is found."""
        return f"{self._root}/{item.kind}({_written(item.id)})"

    def one(self, item: Item, options: Options) -> Json:
        """An entity with what is to be told of it."""
        self._told += 1
        if self._told > _MOST_IN_ALL:
            raise InvalidInput(
                f"the answer would have more than {_MOST_IN_ALL:,} entities; ask for smaller pages by "
                "$top, also inside $expand"
            )
        self.note(item)
        kind, selected = KINDS[item.kind], options.select
        told: Json = {}
        link = self.link(item)
        if selected is None or any(name in IDS for name in selected):
            told["@iot.id"] = item.id
        if selected is None or any(name.endswith("selfLink") for name in selected):
            told["@iot.selfLink"] = link
        for name in kind.properties:
            if selected is None or name in selected:
                value = self._world.value(item, name)
                if value is not None or (name in _ALWAYS and item.kind == "Observations"):
                    told[name] = written(value)
            elif inner := [one for one in selected if one.startswith(f"{name}/")]:
                told[name] = _parts(self._world.value(item, name), inner)
        for name in told.keys() & PLACES:
            self.note_place(item, name)
        for name in kind.ways:
            if name in options.expands:
                self._expand(told, item, name, options.expands[name])
            elif selected is None or name in selected:
                told[f"{name}@iot.navigationLink"] = f"{link}/{name}"
        return told

    def many(self, target: OfMany, options: Options, address: str) -> Json:
        """A page of a set; `address` is that of the set, for the next page."""
        page, count = self._page(target, options)
        answer: Json = {} if count is None else {"@iot.count": count}
        if page.more:
            answer["@iot.nextLink"] = _next(address, options, page)
        if options.arrays:
            answer["value"] = self._arrays(page.items, options)
        else:
            answer["value"] = [self.one(item, options) for item in page.items]
        return answer

    def references(self, items: Iterable[Item]) -> list[Json]:
        """The addresses of entities."""
        items = list(items)
        for item in items:
            self.note(item)
        return [{"@iot.selfLink": self.link(item)} for item in items]

    def many_references(self, target: OfMany, options: Options, address: str) -> Json:
        """A page of a set as addresses."""
        page, count = self._page(target, options)
        answer: Json = {} if count is None else {"@iot.count": count}
        if page.more:
            answer["@iot.nextLink"] = _next(address, options, page)
        return {**answer, "value": self.references(page.items)}

    def count(self, target: OfMany, options: Options) -> int:
        """How many a set has."""
        if target.kind.name == "Observations":
            where = self._where(target, options)
            self.layers |= self._world.layers_of(where.streams.tolist())
            return self._world.readings.count(where)
        found = self._matching(target, options)
        for item in found:
            self.note(item)
        return len(found)

    def value(self, target: OfValue) -> object:
        """What a path to a property leads to."""
        self.note(target.item)
        if target.names[0] in PLACES:
            self.note_place(target.item, target.names[0])
        return written(target.value)

    def note(self, item: Item) -> None:
        """Keep of which layers an entity is that is told."""
        self.layers |= self._world.layers(item)

    def note_place(self, item: Item, name: str) -> None:
        """Keep that a place is told, for all the layers it belongs to."""
        place = middle(self._world.value(item, name))
        if place is not None:
            for layer in self._world.layers(item):
                self.places.setdefault(layer, []).append(place)

    def _expand(self, told: Json, item: Item, name: str, options: Options) -> None:
        way = KINDS[item.kind].ways[name]
        if not way.many:
            there = next(iter(self._world.follow(item, name)), None)
            if there is not None:
                told[name] = self.one(there, options)
            return
        target = OfMany(KINDS[way.to], item, name)
        answer = self.many(target, replace(options, arrays=False), f"{self.link(item)}/{name}")
        told[name] = answer["value"]
        for key in ("@iot.count", "@iot.nextLink"):
            if key in answer:
                told[name + key] = answer[key]

    def _page(self, target: OfMany, options: Options) -> tuple[Page, int | None]:
        if target.kind.name != "Observations":
            found = self._matching(target, options)
            end = options.skip + options.top
            count = len(found) if options.count else None
            return Page(found[options.skip : end], len(found) > end), count
        readings = self._world.readings
        if target.parent is not None and _is_newest(target, options):
            newest = readings.newest(target.parent.id)
            return Page([newest] if newest else [], newest is not None, None), None
        where = self._where(target, options)
        page = readings.page(where, options.orderings, options.skip, options.top, options.after)
        return page, readings.count(where) if options.count else None

    def _where(self, target: OfMany, options: Options) -> Where:
        world, parent = self._world, target.parent
        if parent is None:
            return world.readings.where(None, options.filter)
        where = world.readings.where(world.observing(parent), options.filter)
        if parent.kind == "Datastreams":
            return where
        of_it = Call("eq", (Path(("FeatureOfInterest", "id")), Literal(parent.id)))
        return where.also(of_it, of_all=world.entities.never_elsewhere(parent))

    def _matching(self, target: OfMany, options: Options) -> Sequence[Item]:
        """All of a set that a filter holds for, in the order that is asked for."""
        world = self._world
        found: Iterable[Item] = (
            world.entities.of(target.kind.name).values()
            if target.parent is None
            else world.follow(target.parent, target.way)
        )
        condition = options.filter
        if condition is not None:
            found = (one for one in found if world.evaluation.holds(condition, world.look(one)))
        ordered = sorted(found, key=lambda one: (isinstance(one.id, str), one.id))
        for ordering in reversed(options.orderings):
            ordered.sort(key=lambda one: self._rank(one, ordering))
        return ordered

    def _rank(self, item: Item, ordering: Ordering) -> Any:
        value = self._world.evaluation.value(ordering.key, self._world.look(item))
        return rank(value, ordering.falling)

    def _arrays(self, items: Sequence[Item], options: Options) -> list[Json]:
        """Observations as rows, datastream by datastream."""
        wanted = [name.removeprefix("@iot.") for name in options.select or _COMPONENTS]
        components = [name for name in _COMPONENTS if name in wanted]
        by_stream: dict[Id | None, list[list[object]]] = {}
        for item in items:
            self.note(item)
            row = [
                item.id if name == "id" else written(self._world.value(item, name))
                for name in components
            ]
            by_stream.setdefault(item.link("Datastreams"), []).append(row)
        return [
            {
                "Datastream@iot.navigationLink": f"{self._root}/Datastreams({stream})",
                "components": components,
                "dataArray@iot.count": len(rows),
                "dataArray": rows,
            }
            for stream, rows in by_stream.items()
        ]


_COMPONENTS = (
    "id", "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters",
)  # fmt: skip


def written(value: object) -> object:
    """A value as JSON has it."""
    return value.text if isinstance(value, Span) else value


def _written(number: Id) -> str:
    """An id in an address; those that are text need no escapes."""
    return str(number) if isinstance(number, int) else f"'{number}'"


def _parts(value: object, names: Sequence[str]) -> Json:
    """Of an object only what is selected by a path, one step deep."""
    inner = [name.split("/")[1] for name in names]
    return {name: value[name] for name in inner if isinstance(value, dict) and name in value}


def _is_newest(target: OfMany, options: Options) -> bool:
    """Whether it is the newest observation of a datastream that is wanted, as so often."""
    newest_first = options.orderings == (Ordering(Path(("phenomenonTime",)), falling=True),)
    plain = not (options.skip or options.count or options.filter or options.after)
    datastream = target.parent is not None and target.parent.kind == "Datastreams"
    return newest_first and plain and datastream and options.top == 1 and not options.arrays


def _next(address: str, options: Options, page: Page) -> str:
    raw: Mapping[str, str] = {k: v for k, v in options.raw.items() if k not in _PLACES}
    if page.last is not None:
        further = {"$skiptoken": f"{page.last[1]}-{page.last[0]}"}
    else:
        further = {"$skip": str(options.skip + options.top)}
    return f"{address}?{urlencode({**raw, **further}, safe='$(),/:', quote_via=quote)}"


_PLACES = ("$skip", "$skiptoken")
