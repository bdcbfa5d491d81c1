"""What moves and changes on the roads, in columns: positions, signals, events of controllers.

Times are milliseconds since 1970, UTC; places degrees; speeds metres per second; headings degrees
clockwise from north. NaN is what is not known. Rows are in any order unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Labels
from cim_core.networks_joined import joined_labels
from cim_core.observations import Times

Floats32 = NDArray[np.float32]
Codes = NDArray[np.uint8]

RoadUser = Literal[
    "unknown", "passenger", "light-truck", "truck", "motorcycle", "bus", "emergency", "bicycle",
    "pedestrian", "other",
]  # fmt: skip
ROAD_USERS: tuple[RoadUser, ...] = get_args(RoadUser)
"""What `Positions.kinds` are numbers of."""

Rows = NDArray[np.int64] | NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""West, south, east and north, degrees; its edges belong to it."""


@dataclass(frozen=True, eq=False, slots=True)
class Positions:
    """Where road users were.

    times, lon, lat
        (n,) int64, float64, float64: of the middle of its front bumper where that is known.
    who
        (n,) the id of each: temporary ids of messages, never a number plate.
    speeds, headings, accelerations
        (n,) float32; m/s² along its heading.
    kinds
        (n,) uint8, the place of its class in `ROAD_USERS`.
    lengths
        (n,) float32, metres.
    """

    times: Times
    who: Labels
    lon: Floats
    lat: Floats
    speeds: Floats32
    headings: Floats32
    accelerations: Floats32
    kinds: Codes
    lengths: Floats32

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, eq=False, slots=True)
class SignalStates:
    """What signal groups showed from a moment on, until the next row of the same group.

    intersections, groups
        (n,) the ids of the road map.
    lights
        (n,) uint8, the place in `Light` of `cim_core.traffic.roads`, which is T/CSAE 53's number.
    remaining
        (n,) float32, seconds until it is likely to change.
    """

    times: Times
    intersections: Labels
    groups: Labels
    lights: Codes
    remaining: Floats32

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, eq=False, slots=True)
class ControllerEvents:
    """High-resolution events of signal controllers, as Indiana's logger enumerates them.

    devices, codes, parameters
        (n,) each: who tells it, what happened, and to which phase or detector. (Purdue University,
        "Indiana Traffic Signal Hi Resolution Data Logger Enumerations", 2012)
    """

    times: Times
    devices: Labels
    codes: NDArray[np.int16]
    parameters: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.times)


Moving = Positions | SignalStates | ControllerEvents
M = TypeVar("M", bound=Moving)

_DTYPES = {
    "times": np.int64, "lon": np.float64, "lat": np.float64, "speeds": np.float32,
    "headings": np.float32, "accelerations": np.float32, "kinds": np.uint8, "lengths": np.float32,
    "lights": np.uint8, "remaining": np.float32, "codes": np.int16, "parameters": np.int32,
}  # fmt: skip
"""The type of every column that is not `Labels`."""


def dtype_of(column: str) -> "np.dtype[np.generic] | None":
    """The type of a column of numbers, None for one of texts."""
    return np.dtype(_DTYPES[column]) if column in _DTYPES else None


def nothing(kind: type[M]) -> M:
    """No rows of a kind."""
    columns: dict[str, Any] = {
        f.name: Labels.none(0) if dtype_of(f.name) is None else np.empty(0, dtype_of(f.name))
        for f in fields(kind)
    }
    return kind(**columns)


def take(what: M, rows: Rows) -> M:
    """Some rows, by a mask or by their numbers."""
    columns: dict[str, Any] = {f.name: getattr(what, f.name)[rows] for f in fields(what)}
    return replace(what, **columns)


def between(what: M, start: int, end: int) -> M:
    """The rows with start ≤ time < end."""
    return take(what, (what.times >= start) & (what.times < end))


def within(what: M, box: Box | None) -> M:
    """The rows in a box; all of them without one, and of kinds that have no places."""
    if box is None or not isinstance(what, Positions):
        return what
    west, south, east, north = box
    inside = (what.lon >= west) & (what.lon <= east)
    return take(what, inside & (what.lat >= south) & (what.lat <= north))


def in_order(what: M) -> M:
    """By time; rows of one time stay as they are."""
    return take(what, np.argsort(what.times, kind="stable"))


def joined(parts: Sequence[M], kind: type[M]) -> M:
    """Several together, in their order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return nothing(kind)
    columns: dict[str, Any] = {}
    for f in fields(kind):
        values = [getattr(part, f.name) for part in parts]
        columns[f.name] = np.concatenate(values) if dtype_of(f.name) else joined_labels(values)
    return kind(**columns)
