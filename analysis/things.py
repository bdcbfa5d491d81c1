"""Things by place and kind, with the newest of what they observed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely

from analysis.availability import STATES, State, newest_times, patience
from cim_core.cells import Cells, cells_of, resolutions
from cim_core.mesh import Floats
from cim_core.observations import Stream, Streams, Times
from cim_core.store.live import Live
from cim_core.store.live_streams import Entities, layer_of, place_of

Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ThingsAsked:
    """Which things are asked for; None asks for any.

    area
        Those that stand in it, degrees.
    cells
        Those that stand in one of these cells, (n,) of one resolution.
    thing
        The one of this number.
    property
        Those that observe it, with these of their datastreams alone.
    """

    layer: str | None = None
    thing_class: str | None = None
    area: shapely.Geometry | None = None
    cells: Cells | None = None
    property: str | None = None
    thing: int | None = None


@dataclass(frozen=True, slots=True)
class DatastreamNow:
    """A datastream with its newest value (NaN: none, or no number), its time (None: never) and state.

    alarm
        The level of the worst of its alarms, 1 to 4; None without one.
    """

    stream: Stream
    value: float
    time: int | None
    state: State
    alarm: int | None


@dataclass(frozen=True, slots=True)
class ThingNow:
    """A thing with its datastreams; `place` is None where it has none, its height NaN if unknown.

    state
        That of the best of its datastreams, as `availability.of_things` has it.
    alarm
        The level of the worst alarm at it, whichever datastream it came from.
    updated
        When any of its datastreams was last observed; None: never.
    """

    id: int
    name: str
    thing_class: str
    layer: str
    feature: str | None
    place: Place | None
    state: State
    alarm: int | None
    updated: int | None
    datastreams: tuple[DatastreamNow, ...] = field(default=())


def things_now(live: Live, asked: ThingsAsked, now: int) -> Iterator[ThingNow]:
    """The things that are asked for, by number, as they are at a time in milliseconds since 1970."""
    streams = live.streams()
    latest = live.tail().latest(streams.ids)
    times = newest_times(streams.ids, latest.streams, latest.times)
    values = np.full(len(streams), np.nan)
    values[times >= 0] = latest.values
    levels = live.alarms.levels()
    told = _told(streams, times, values, now, levels.streams)
    entities: Entities = {"Locations": live.entities("Locations")}
    chosen = {}
    for number, thing in live.entities("Things").items():
        if asked.thing not in (None, number):
            continue
        own = told.get(number, ())
        name = str(thing.properties.get("class") or "")
        if asked.property is not None:
            own = tuple(one for one in own if one.stream.property == asked.property)
            if not own:
                continue
        if asked.layer in (None, layer_of(thing)) and asked.thing_class in (None, name):
            chosen[number] = (thing, name, place_of(thing, entities), own)
    standing = _standing({number: found[2] for number, found in chosen.items()}, asked)
    for number, (thing, name, place, own) in chosen.items():
        if number not in standing:
            continue
        feature = thing.properties.get("feature")
        known = [one.time for one in own if one.time is not None]
        yield ThingNow(
            number, str(thing.body.get("name", "")), name, layer_of(thing),
            None if feature in (None, "") else str(feature), place,
            STATES[min((STATES.index(one.state) for one in own), default=len(STATES) - 1)],
            levels.things.get(number), max(known, default=None), own,
        )  # fmt: skip


def _told(
    streams: Streams, times: Times, values: Floats, now: int, levels: Mapping[int, int]
) -> dict[int, tuple[DatastreamNow, ...]]:
    """The datastreams of each thing, by its number."""
    codes = patience(streams).states(times, now).tolist()
    found: defaultdict[int, list[DatastreamNow]] = defaultdict(list)
    rows = zip(streams.ids.tolist(), values.tolist(), times.tolist(), codes, strict=True)
    for number, value, time, code in rows:
        stream = streams.by_id[number]
        when = time if time >= 0 else None
        now_ = DatastreamNow(stream, value, when, STATES[code], levels.get(number))
        found[stream.thing].append(now_)
    return {thing: tuple(own) for thing, own in found.items()}


def _standing(places: Mapping[int, Place | None], asked: ThingsAsked) -> set[int]:
    """Which things stand where it is asked for; those without a place stand nowhere."""
    if asked.area is None and asked.cells is None:
        return set(places)
    known = {number: place for number, place in places.items() if place is not None}
    if not known:
        return set()
    points = np.array([place[:2] for place in known.values()])
    inside = np.ones(len(points), bool)
    if asked.area is not None:
        shapely.prepare(asked.area)
        inside &= shapely.intersects_xy(asked.area, points[:, 0], points[:, 1])
    if asked.cells is not None:
        inside &= np.isin(cells_of(points, int(resolutions(asked.cells)[0])), asked.cells)
    return {number for number, there in zip(known, inside.tolist(), strict=True) if there}
