"""BSM, SPAT, RSM and RSI of T/CSAE 53 as JSON, with the raw integers of their ASN.1.

Special values are no numbers: they become NaN, or nothing. Names are those of the ASN.1 (release
2019-07-24); a choice is an object of one element, as in `{"counting": {…}}`.
"""

from typing import Annotated, Any, get_args

from msgspec import Meta, Struct

from cim_core.traffic.moving import ROAD_USERS
from cim_core.traffic.roads import Light
from pipelines.v2x_heard import UNKNOWN, USER_OF_CLASS, Heard, Names, Notice
from pipelines.v2x_refused import wrong
from pipelines.v2x_times import end_of, minute_of_year, moment

LIGHTS: dict[int | str, int] = {
    **{number: number for number in range(len(get_args(Light)))},
    **{name: number for number, name in enumerate(get_args(Light))},
    "unavailable": 0,
}
"""`light`, a number or a name, as the place in `Light`."""

Latitude = Annotated[int, Meta(ge=-900_000_000, le=900_000_001)]
Longitude = Annotated[int, Meta(ge=-1_799_999_999, le=1_800_000_001)]
Speed = Annotated[int, Meta(ge=0, le=8_191)]
Heading = Annotated[int, Meta(ge=0, le=28_800)]
Acceleration = Annotated[int, Meta(ge=-2_000, le=2_001)]
DSecond = Annotated[int, Meta(ge=0, le=65_535)]
MinuteOfTheYear = Annotated[int, Meta(ge=0, le=527_040)]
TimeMark = Annotated[int, Meta(ge=0, le=36_001)]
Octets = Annotated[str, Meta(min_length=1, max_length=64)]
"""The id of a vehicle or a unit, however its octets are written."""
Number = Annotated[int, Meta(ge=0, le=65_535)]
PhaseId = Annotated[int, Meta(ge=0, le=255)]
Length = Annotated[int, Meta(ge=0, le=4_095)]

NO_LATITUDE, NO_LONGITUDE = 900_000_001, 1_800_000_001
NO_SPEED, NO_HEADING, NO_ACCELERATION = 8_191, 28_800, 2_001
_HALF_THE_GLOBE, _POLE = 1_800_000_000, 900_000_000
_BICYCLE, _PEDESTRIAN = ROAD_USERS.index("bicycle"), ROAD_USERS.index("pedestrian")
_NON_MOTOR, _ON_FOOT, _UNIT = 2, 3, 4
_WHOLE = "position_LatLon", "position-LatLon"


Where = tuple[str | int, ...]
"""The path of an element in its message."""


class _Some(Struct, gc=False):
    """Elements that nobody asks for are passed over."""


class Place(_Some):
    """`Position3D`."""

    lat: Latitude
    long: Longitude


class Accelerations(_Some):
    """`AccelerationSet4Way`."""

    long: Acceleration | None = None


class Size(_Some):
    """`VehicleSize`."""

    length: Length | None = None


class VehicleClass(_Some):
    """`VehicleClassification`."""

    classification: PhaseId


class Bsm(_Some):
    """`BasicSafetyMessage`."""

    id: Octets
    secMark: DSecond
    pos: Place
    speed: Speed | None = None
    heading: Heading | None = None
    accelSet: Accelerations | None = None
    size: Size | None = None
    vehicleClass: VehicleClass | None = None


class Node(_Some):
    """`NodeReferenceID`."""

    id: Number
    region: Number | None = None


class Counting(_Some):
    """`TimeCountingDown`: tenths of a second from the message on."""

    startTime: TimeMark
    minEndTime: TimeMark | None = None
    likelyEndTime: TimeMark | None = None


class Utc(_Some):
    """`UTCTiming`: tenths of a second of the hour."""

    startUTCTime: TimeMark
    minEndUTCTime: TimeMark | None = None
    likelyEndUTCTime: TimeMark | None = None


class Timing(_Some):
    """`TimeChangeDetails`, a choice."""

    counting: Counting | None = None
    utcTiming: Utc | None = None


class PhaseState(_Some):
    """`PhaseState`."""

    light: int | str
    timing: Timing | None = None


class Phase(_Some):
    """`Phase`."""

    id: PhaseId
    phaseStates: Annotated[list[PhaseState], Meta(min_length=1, max_length=16)]


class IntersectionState(_Some):
    """`IntersectionState`."""

    intersectionId: Node
    phases: Annotated[list[Phase], Meta(min_length=1, max_length=16)]
    moy: MinuteOfTheYear | None = None
    timeStamp: DSecond | None = None


class Spat(_Some):
    """`SPAT`."""

    intersections: Annotated[list[IntersectionState], Meta(min_length=1, max_length=32)]
    moy: MinuteOfTheYear | None = None
    timeStamp: DSecond | None = None


class Offset(_Some):
    """A choice of `PositionOffsetLL`."""

    lon: Longitude
    lat: Latitude


class PlaceOffset(_Some):
    """`PositionOffsetLLV`: the name of the choice says how many bits it has, or that it is a place."""

    offsetLL: Annotated[dict[str, Offset], Meta(min_length=1, max_length=1)]


class Participant(_Some):
    """`ParticipantData`."""

    ptcType: Annotated[int, Meta(ge=0, le=255)]
    ptcId: Number
    secMark: DSecond
    pos: PlaceOffset
    id: Octets | None = None
    speed: Speed | None = None
    heading: Heading | None = None
    accelSet: Accelerations | None = None
    size: Size | None = None
    vehicleClass: VehicleClass | None = None


class Rsm(_Some):
    """`RoadsideSafetyMessage`."""

    id: Octets
    refPos: Place
    participants: Annotated[list[Participant], Meta(min_length=1, max_length=16)]


class Times(_Some):
    """`RSITimeDetails`."""

    startTime: MinuteOfTheYear | None = None
    endTime: MinuteOfTheYear | None = None


class Event(_Some):
    """`RTEData`."""

    rteId: PhaseId
    eventType: Number
    eventPos: PlaceOffset | None = None
    eventRadius: Number | None = None
    description: Any = None
    timeDetails: Times | None = None


class Sign(_Some):
    """`RTSData`."""

    rtsId: PhaseId
    signType: Number
    signPos: PlaceOffset | None = None
    description: Any = None
    timeDetails: Times | None = None


class Rsi(_Some):
    """`RoadSideInformation`."""

    id: Octets
    refPos: Place
    rtes: list[Event] = []
    rtss: list[Sign] = []


def read_bsm(message: Bsm, heard: Heard, names: Names, arrived: int) -> None:
    """Add where a vehicle says it is; one that does not know it says nothing."""
    place = message.pos
    if place.lat == NO_LATITUDE or place.long == NO_LONGITUDE:
        return
    told = message.vehicleClass
    kind = USER_OF_CLASS.get(told.classification, 0) if told is not None else 0
    at = moment(message.secMark, None, arrived)
    _add(heard, at, message.id, place.long, place.lat, message, kind)


def read_rsm(message: Rsm, heard: Heard, names: Names, arrived: int) -> None:
    """Add where a roadside unit sees road users; units themselves are none."""
    for number, one in enumerate(message.participants):
        if one.ptcType == _UNIT:
            continue
        lon, lat = _placed(one.pos, message.refPos, ("participants", number, "pos"))
        if lon is None or lat is None:
            continue
        if one.vehicleClass is not None:
            kind = USER_OF_CLASS.get(one.vehicleClass.classification, 0)
        else:
            kind = {_NON_MOTOR: _BICYCLE, _ON_FOOT: _PEDESTRIAN}.get(one.ptcType, 0)
        at = moment(one.secMark, None, arrived)
        _add(heard, at, one.id or f"{message.id}/{one.ptcId}", lon, lat, one, kind)


def read_spat(message: Spat, heard: Heard, names: Names, arrived: int) -> None:
    """Add what signal groups show; that of a phase whose state has begun."""
    for i, one in enumerate(message.intersections):
        name = names.intersection(one.intersectionId.region, one.intersectionId.id)
        second = message.timeStamp if one.timeStamp is None else one.timeStamp
        at = moment(second, message.moy if one.moy is None else one.moy, arrived)
        for p, phase in enumerate(one.phases):
            state = next(filter(_begun, phase.phaseStates), phase.phaseStates[0])
            light = LIGHTS.get(state.light)
            if light is None:
                place = phase.phaseStates.index(state)
                where = "intersections", i, "phases", p, "phaseStates", place, "light"
                raise wrong(where, state.light, "0 to 8, or the name of a light")
            group = names.group(name, phase.id)
            heard.signals.append((at, name, group, light, _remaining(state.timing, at)))


def read_rsi(message: Rsi, heard: Heard, names: Names, arrived: int) -> None:
    """Add what a roadside unit warns of."""
    for i, event in enumerate(message.rtes):
        radius = UNKNOWN if event.eventRadius is None else event.eventRadius / 10
        heard.notices.append(
            _notice(message, f"e{event.rteId}", "event", event.eventType, event.eventPos,
                    ("rtes", i, "eventPos"), event.timeDetails, event.description, arrived, radius)
        )  # fmt: skip
    for i, sign in enumerate(message.rtss):
        heard.notices.append(
            _notice(message, f"s{sign.rtsId}", "sign", sign.signType, sign.signPos,
                    ("rtss", i, "signPos"), sign.timeDetails, sign.description, arrived, UNKNOWN)
        )  # fmt: skip


def _notice(
    message: Rsi, number: str, kind: str, type_: int, offset: PlaceOffset | None,
    where: Where, times: Times | None, description: Any, arrived: int, radius: float,
) -> Notice:  # fmt: skip
    lon, lat = _placed(offset, message.refPos, where)
    place = None if lon is None or lat is None else (lon / 1e7, lat / 1e7)
    start = minute_of_year(times.startTime, arrived) if times else None
    end = minute_of_year(times.endTime, arrived) if times else None
    said = next(iter(description.values()), "") if isinstance(description, dict) else description
    text = said if isinstance(said, str) else ""
    return Notice(
        f"{message.id}/{number}", kind, type_, arrived, place, radius, start, end, text[:500]
    )


def _add(
    heard: Heard, at: int, who: str, lon: int, lat: int, one: Bsm | Participant, kind: int
) -> None:
    speed, heading = one.speed, one.heading
    acceleration = one.accelSet.long if one.accelSet is not None else None
    length = one.size.length if one.size is not None else None
    heard.positions.append(
        (
            at, who, lon / 1e7, lat / 1e7,
            UNKNOWN if speed is None or speed == NO_SPEED else speed * 0.02,
            UNKNOWN if heading is None or heading == NO_HEADING else heading * 0.0125,
            UNKNOWN if acceleration is None or acceleration == NO_ACCELERATION else acceleration / 100,
            kind,
            length / 100 if length else UNKNOWN,
        )
    )  # fmt: skip


def _placed(offset: PlaceOffset | None, near: Place, where: Where) -> tuple[int | None, int | None]:
    """Longitude and latitude, 1e-7 degrees; None where nobody knows.

    where
        At which element they stand, which is refused if they are beyond the poles or half the globe.
    """
    if offset is None:
        lon, lat = near.long, near.lat
    else:
        [(choice, by)] = offset.offsetLL.items()
        if choice in _WHOLE:
            lon, lat = by.lon, by.lat
        elif near.lat == NO_LATITUDE or near.long == NO_LONGITUDE:
            return None, None
        else:
            lon, lat = near.long + by.lon, near.lat + by.lat
            if abs(lon) > _HALF_THE_GLOBE or abs(lat) > _POLE:
                raise wrong(where, [lon / 1e7, lat / 1e7], "an offset to a place on earth")
    return (None if lon == NO_LONGITUDE else lon), (None if lat == NO_LATITUDE else lat)


def _begun(state: PhaseState) -> bool:
    """Whether a state says that it holds now; of times of the hour the first is taken."""
    counting = state.timing.counting if state.timing is not None else None
    return counting is not None and counting.startTime == 0


def _remaining(timing: Timing | None, at: int) -> float:
    """Seconds until it is likely to change, the soonest it can where that is not said."""
    if timing is None:
        return UNKNOWN
    if timing.counting is not None:
        one = timing.counting
        for mark in (one.likelyEndTime, one.minEndTime):
            if mark is not None and mark < 36_000:
                return mark / 10
    elif timing.utcTiming is not None:
        ends = (
            end_of(x, at)
            for x in (timing.utcTiming.likelyEndUTCTime, timing.utcTiming.minEndUTCTime)
        )
        end = next((end for end in ends if end is not None), None)
        if end is not None:
            return max(0.0, (end - at) / 1000)
    return UNKNOWN
