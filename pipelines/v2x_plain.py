"""Positions and signals in plain units, for sources that have no messages of their own.

`{"positions": [{"time", "who", "lon", "lat", "speed", …}], "signals": [{"time", "intersection", "group",
"light", "remaining"}]}`; times are milliseconds since 1970 or ISO 8601, and without one it is now.
"""

from typing import Annotated, get_args

from msgspec import Meta, Struct

from cim_core.traffic.moving import ROAD_USERS, RoadUser
from cim_core.traffic.roads import Id, Light
from pipelines.v2x_heard import UNKNOWN, Heard, Names
from pipelines.v2x_refused import wrong
from pipelines.v2x_times import LAST, of_text

_USERS = {name: number for number, name in enumerate(ROAD_USERS)}
_LIGHTS = {name: number for number, name in enumerate(get_args(Light))}
Time = Annotated[int, Meta(ge=0, lt=LAST)] | str


class _Known(Struct, gc=False, forbid_unknown_fields=True):
    """A misspelt field would be lost without a word."""


class PlainPosition(_Known):
    """A row of `Positions`."""

    who: Id
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    time: Time | None = None
    speed: Annotated[float, Meta(ge=0, le=200)] | None = None
    heading: Annotated[float, Meta(ge=0, le=360)] | None = None
    acceleration: Annotated[float, Meta(ge=-100, le=100)] | None = None
    kind: RoadUser = "unknown"
    length: Annotated[float, Meta(gt=0, le=100)] | None = None


class PlainSignal(_Known):
    """A row of `SignalStates`."""

    intersection: Id
    group: Id
    light: Light
    time: Time | None = None
    remaining: Annotated[float, Meta(ge=0, le=86_400)] | None = None


def read_positions(rows: list[PlainPosition], heard: Heard, arrived: int) -> None:
    """Add where road users are."""
    heard.positions += [
        (
            _time(one.time, ("positions", row, "time"), arrived), one.who, one.lon, one.lat,
            UNKNOWN if one.speed is None else one.speed,
            UNKNOWN if one.heading is None else one.heading % 360,
            UNKNOWN if one.acceleration is None else one.acceleration,
            _USERS[one.kind],
            UNKNOWN if one.length is None else one.length,
        )
        for row, one in enumerate(rows)
    ]  # fmt: skip


def read_signals(rows: list[PlainSignal], heard: Heard, names: Names, arrived: int) -> None:
    """Add what signal groups show, called by their ids or as messages call them."""
    heard.signals += [
        (
            _time(one.time, ("signals", row, "time"), arrived),
            *names.told(one.intersection, one.group),
            _LIGHTS[one.light], UNKNOWN if one.remaining is None else one.remaining,
        )
        for row, one in enumerate(rows)
    ]  # fmt: skip


def _time(given: int | str | None, where: tuple[str | int, ...], arrived: int) -> int:
    if given is None:
        return arrived
    if isinstance(given, int):
        return given
    at = of_text(given)
    if at is None:
        raise wrong(where, given, "milliseconds since 1970, or ISO 8601")
    return at
