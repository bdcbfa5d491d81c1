"""The vehicles a city keeps an eye on (重点车辆): which there are, whether they are seen, where they may be.

The register is `key_vehicles.toml` in the city's folder, see docs/reference/traffic-events.md. The ids
are those that the vehicles' own units send, never number plates.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.traffic.event_ledger import Sighting
from analysis.traffic.event_map import EventMap, within
from analysis.traffic.event_moves import Scene
from analysis.traffic.event_vehicles import since
from cim_core.errors import InvalidInput
from cim_core.traffic.moving import Positions
from cim_core.traffic.roads import Hours, Id, Text

FILE_NAME = "key_vehicles.toml"

_MOST = 10_000

Place = tuple[float, float]
Ring = Annotated[tuple[Place, ...], msgspec.Meta(min_length=3)]


class KeyVehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of them.

    kind
        What it is, a word of the city's own: hazardous, school-bus, muck, …
    corridors, links
        The roads it may use, of any road map: names of corridors, or what the names of roads begin
        with, and ids of links; where neither is named it may use any.
    inside, outside
        Rings of longitude and latitude: within one of these it has to stay, none of those it may
        enter.
    hours
        When it may be on the road at all, local time; empty for always.
    """

    id: Id
    kind: Id
    zh: Text = ""
    en: Text = ""
    corridors: tuple[Text, ...] = ()
    links: tuple[Id, ...] = ()
    inside: tuple[Ring, ...] = ()
    outside: tuple[Ring, ...] = ()
    hours: tuple[Hours, ...] = ()


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """All of them; `vehicle` is what a table of the file is called."""

    vehicle: Annotated[tuple[KeyVehicle, ...], msgspec.Meta(max_length=_MOST)] = ()

    @property
    def by_id(self) -> dict[str, KeyVehicle]:
        """Each by its id."""
        return {one.id: one for one in self.vehicle}


def register_of(folder: Path) -> Register:
    """The register of a city by its folder, empty where there is none; raises `InvalidInput`."""
    path = folder / FILE_NAME
    if not path.is_file():
        return Register()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} is no register of key vehicles: {error}; correct it as "
            "docs/reference/traffic-events.md describes it"
        ) from None
    return read_register(text, str(path))


def read_register(text: str, name: str) -> Register:
    """The register that a text is; raises `InvalidInput` naming what is wrong and where."""
    try:
        found = msgspec.convert(tomllib.loads(text), Register)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(
            f"{name} is no register of key vehicles: {error}; correct it as "
            "docs/reference/traffic-events.md describes it"
        ) from None
    if len(found.by_id) != len(found.vehicle):
        ids = [one.id for one in found.vehicle]
        twice = next(one for one in ids if ids.count(one) > 1)
        raise InvalidInput(f"{name}: the vehicle {twice!r} is registered twice; leave one of them")
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """A registered vehicle in a window; `first` and `last` are None for one that was not seen."""

    vehicle: KeyVehicle
    positions: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the registered vehicles were seen in a window.

    expected
        Those that may be on the road at some time of it, as their hours have it: who has none is
        expected always.
    """

    rows: tuple[Seen, ...]
    expected: int

    @property
    def seen(self) -> int:
        """How many were."""
        return sum(one.first is not None for one in self.rows)

    @property
    def share(self) -> float | None:
        """Of those registered, None where there are none: monitored by whatever is told of them."""
        return self.seen / len(self.rows) if self.rows else None


class CoverageCount:
    """Counts window by window which registered vehicles were seen."""

    def __init__(self, register: Register, start: int, end: int) -> None:
        self._register, self._start, self._end = register, start, end
        self._seen: dict[str, tuple[int, int, int]] = {}

    def add(self, positions: Positions) -> None:
        """Some positions, each told once."""
        names = positions.who.names
        known = self._register.by_id.keys()
        wanted = np.array([name in known for name in names] + [False], bool)
        rows = np.flatnonzero(wanted[positions.who.codes])
        codes, times = positions.who.codes[rows], positions.times[rows]
        for code in np.unique(codes).tolist():
            own = times[codes == code]
            count, first, last = self._seen.get(names[code], (0, int(own.min()), int(own.max())))
            self._seen[names[code]] = (
                count + len(own), min(first, int(own.min())), max(last, int(own.max())),
            )  # fmt: skip

    @property
    def coverage(self) -> Coverage:
        """What was counted."""
        rows = []
        for vehicle in self._register.vehicle:
            count, first, last = self._seen.get(vehicle.id, (0, None, None))
            rows.append(Seen(vehicle, count, first, last))
        minutes = range(self._start, self._end, 60_000)
        expected = sum(
            not one.hours or any(within(one.hours, at) for at in minutes)
            for one in self._register.vehicle
        )
        return Coverage(tuple(rows), expected)


class Watch:
    """Follows registered vehicles: on which roads they are, in which areas, at what time."""

    def __init__(self, register: Register, roads: EventMap) -> None:
        self.register = register
        self.numbers = {one.id: number for number, one in enumerate(register.vehicle)}
        self._allowed = [_allowed(one, roads) for one in register.vehicle]
        self._inside = [_areas(one.inside) for one in register.vehicle]
        self._outside = [_areas(one.outside) for one in register.vehicle]

    def look(self, scene: Scene) -> list[Sighting]:
        """Who of them is where they should not be."""
        v = scene.vehicles
        rows = scene.here[v.key[scene.here] >= 0]
        if not len(rows):
            return []
        links = _links(scene, rows)
        astray = np.array([
            (allowed := self._allowed[v.key[row]]) is not None and link >= 0 and not allowed[link]
            for row, link in zip(rows.tolist(), links.tolist(), strict=True)
        ], bool)  # fmt: skip
        why = [self._trespass(int(v.key[row]), row, scene) for row in rows.tolist()]
        v.astray[rows] = since(v.astray[rows], astray, v.seen[rows])
        beyond = np.array([one is not None for one in why], bool)
        v.outside[rows] = since(v.outside[rows], beyond, v.seen[rows])
        found = []
        for row, reason in zip(rows.tolist(), why, strict=True):
            for rule, column in (("off-route", v.astray), ("geofence", v.outside)):
                seconds = (v.seen[row] - column[row]) / 1000
                of = scene.rules[rule]  # type: ignore[index]
                if column[row] >= 0 and seconds >= of["seconds"]:
                    about = self._about(
                        int(v.key[row]), seconds, reason if rule == "geofence" else None
                    )
                    share = seconds / of["seconds"] / 6
                    one = scene.sighting(of, row, int(column[row]), share, {})
                    one.evidence.update(about)
                    found.append(one)
        return found

    def _trespass(self, number: int, row: int, scene: Scene) -> str | None:
        v = scene.vehicles
        point = shapely.Point(v.lon[row], v.lat[row])
        inside, outside = self._inside[number], self._outside[number]
        if inside is not None and not inside.intersects(point):
            return "outside of its area"
        if outside is not None and outside.intersects(point):
            return "in an area it must not enter"
        hours = self.register.vehicle[number].hours
        return "outside of its hours" if hours and not within(hours, int(v.seen[row])) else None

    def _about(self, number: int, seconds: float, reason: str | None) -> dict[str, Any]:
        one = self.register.vehicle[number]
        about: dict[str, Any] = {
            "kind": one.kind,
            "name": one.en,
            "name_zh": one.zh,
            "seconds": seconds,
        }
        if reason is not None:
            return {**about, "reason": reason}
        return {**about, "allowed": ", ".join((*one.corridors, *one.links))}


def _links(scene: Scene, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of the link each is on; -1 in an intersection, which belongs to no road alone."""
    v = scene.vehicles
    return np.where(v.lane[rows] >= 0, v.link[rows], -1).astype(np.int64)


def _allowed(one: KeyVehicle, roads: EventMap) -> NDArray[np.bool_] | None:
    if not one.corridors and not one.links:
        return None
    return np.array(
        [
            link.id in one.links
            or link.corridor in one.corridors
            or any(link.name.startswith(name) for name in one.corridors)
            for link in roads.roads.links
        ],
        bool,
    )


def _areas(rings: tuple[Ring, ...]) -> Any:
    return shapely.union_all([shapely.Polygon(ring) for ring in rings]) if rings else None


def titles(register: Register) -> Mapping[str, Mapping[str, str]]:
    """What each is called, by id."""
    return {one.id: {"en": one.en or one.id, "zh": one.zh or one.id} for one in register.vehicle}
