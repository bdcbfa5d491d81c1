"""BSM and SPaT of SAE J2735 as the Operational Data Environment writes them (ODE-JSON).

Values have their units already: degrees, metres per second; lengths are centimetres. Numbers may
stand in quotes, and what is not known is null.
"""

import math
from typing import Annotated, get_args

from msgspec import Meta, Struct

from cim_core.traffic.roads import Light
from pipelines.v2x_heard import UNKNOWN, Heard, Names
from pipelines.v2x_refused import wrong
from pipelines.v2x_times import end_of, moment

_LIGHTS: dict[str, Light] = {
    "UNAVAILABLE": "unknown",
    "DARK": "dark",
    "STOP_THEN_PROCEED": "flashing-red",
    "STOP_AND_REMAIN": "red",
    "PRE_MOVEMENT": "red",  # red with yellow: nobody may go yet
    "PERMISSIVE_MOVEMENT_ALLOWED": "permissive-green",
    "PROTECTED_MOVEMENT_ALLOWED": "protected-green",
    "PERMISSIVE_CLEARANCE": "yellow",
    "PROTECTED_CLEARANCE": "yellow",
    "CAUTION_CONFLICTING_TRAFFIC": "flashing-yellow",
}
LIGHTS = {name: get_args(Light).index(light) for name, light in _LIGHTS.items()}
"""`MovementPhaseState` by its names, as the place in `Light`."""

Degrees = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
DSecond = Annotated[int, Meta(ge=0, le=65_535)]
MinuteOfTheYear = Annotated[int, Meta(ge=0, le=527_040)]
TimeMark = Annotated[int, Meta(ge=0, le=36_111)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Number = Annotated[int, Meta(ge=0, le=65_535)]


class _Some(Struct, gc=False):
    """Elements that nobody asks for are passed over."""


class Place(_Some):
    """`Position3D`; null where the receiver has none."""

    latitude: Degrees | None
    longitude: Longitude | None


class Accelerations(_Some):
    """`AccelerationSet4Way`, m/s²."""

    accelLong: Annotated[float, Meta(ge=-100, le=100)] | None = None


class Size(_Some):
    """`VehicleSize`, centimetres."""

    length: Annotated[int, Meta(ge=0, le=4_095)] | None = None


class Core(_Some):
    """`BSMcoreData`."""

    id: Id
    secMark: DSecond | None
    position: Place
    speed: Annotated[float, Meta(ge=0, le=163.82)] | None = None
    heading: Annotated[float, Meta(ge=0, le=360)] | None = None
    accelSet: Accelerations | None = None
    size: Size | None = None


class Bsm(_Some):
    """`BasicSafetyMessage`."""

    coreData: Core


class Reference(_Some):
    """`IntersectionReferenceID`."""

    id: Number
    region: Number | None = None


class Timing(_Some):
    """`TimeChangeDetails`, tenths of a second of the hour."""

    minEndTime: TimeMark | None = None
    likelyTime: TimeMark | None = None


class MovementEvent(_Some):
    """`MovementEvent`."""

    eventState: str
    timing: Timing | None = None


class MovementEvents(_Some):
    """`MovementEventList`, the present one first."""

    movementEventList: Annotated[list[MovementEvent], Meta(min_length=1, max_length=16)]


class Movement(_Some):
    """`MovementState`."""

    signalGroup: Annotated[int, Meta(ge=0, le=255)]
    state_time_speed: MovementEvents


class Movements(_Some):
    """`MovementList`."""

    movementList: Annotated[list[Movement], Meta(min_length=1, max_length=255)]


class IntersectionState(_Some):
    """`IntersectionState`."""

    id: Reference
    states: Movements
    moy: MinuteOfTheYear | None = None
    timeStamp: DSecond | None = None


class Intersections(_Some):
    """`IntersectionStateList`."""

    intersectionStatelist: Annotated[list[IntersectionState], Meta(min_length=1, max_length=32)]


class Spat(_Some):
    """`SPAT`."""

    intersectionStateList: Intersections


def read_bsm(message: Bsm, heard: Heard, names: Names, arrived: int) -> None:
    """Add where a vehicle says it is; one that does not know it says nothing."""
    core = message.coreData
    lat, lon = core.position.latitude, core.position.longitude
    if lat is None or lon is None:
        return
    acceleration = core.accelSet.accelLong if core.accelSet is not None else None
    length = core.size.length if core.size is not None else None
    heard.positions.append(
        (
            moment(core.secMark, None, arrived), core.id, lon, lat,
            UNKNOWN if core.speed is None else core.speed,
            UNKNOWN if core.heading is None or core.heading == 360 else core.heading,
            UNKNOWN if acceleration is None else acceleration,
            0,
            length / 100 if length else UNKNOWN,
        )
    )  # fmt: skip


def read_spat(message: Spat, heard: Heard, names: Names, arrived: int) -> None:
    """Add what signal groups show.

    The minute of an intersection is believed, that of the whole message is not: senders leave it 0.
    """
    for i, one in enumerate(message.intersectionStateList.intersectionStatelist):
        name = names.intersection(one.id.region, one.id.id)
        at = moment(one.timeStamp, one.moy, arrived)
        for m, movement in enumerate(one.states.movementList):
            event = movement.state_time_speed.movementEventList[0]
            light = LIGHTS.get(event.eventState.upper().replace("-", "_"))
            if light is None:
                where = (
                    "intersectionStateList", "intersectionStatelist", i, "states", "movementList",
                    m, "state_time_speed", "movementEventList", 0, "eventState",
                )  # fmt: skip
                raise wrong(where, event.eventState, f"one of {', '.join(LIGHTS)}")
            group = names.group(name, movement.signalGroup)
            heard.signals.append((at, name, group, light, _remaining(event.timing, at)))


def _remaining(timing: Timing | None, at: int) -> float:
    """Seconds until it is likely to change, the soonest it can where that is not said."""
    if timing is not None:
        for mark in (timing.likelyTime, timing.minEndTime):
            end = end_of(mark, at)
            if end is not None:
                return max(0.0, (end - at) / 1000)
    return math.nan
