"""The binary frames of traffic, live and replayed: one encoding for both.

A frame begins with `HEAD`: magic number, kind, number of the frame, rows, and the time in
milliseconds that ages are counted from. Then come, little-endian, a uint32 column and float32
columns, of a row each:

vehicles
    The number of the vehicle, stable while it is seen; metres east and north of the anchor, degrees,
    metres per second, the place of its class in `ROAD_USERS`, seconds since it was there.
signals
    The place of the signal group in the list that was told; the number of its light, the seconds until
    it is likely to change. NaN is what is not known.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import orjson
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.traffic.moving import ROAD_USERS, Codes, Floats32
from cim_core.traffic.roads import Light

MAGIC = 0x544D4943
"""CIMT."""
VEHICLES, SIGNALS = 2, 3
HEAD = struct.Struct("<IIIId")
VEHICLE_COLUMNS = ("east", "north", "heading", "speed", "kind", "age")
SIGNAL_COLUMNS = ("light", "remaining")
LIGHTS: tuple[str, ...] = get_args(Light)

Group = tuple[str, str]
"""An intersection, and a signal group of it."""
Anchor = tuple[float, float]


@dataclass(frozen=True, eq=False, slots=True)
class VehicleRows:
    """Vehicles at a moment: numbers (n,) uint32, places (n, 2) metres, the rest (n,).

    ages
        Seconds since each was there.
    """

    numbers: NDArray[np.uint32]
    places: Floats
    headings: Floats32
    speeds: Floats32
    kinds: Codes
    ages: NDArray[np.floating]

    def frame(self, number: int, base: int) -> bytes:
        """They as a frame."""
        columns = (*self.places.T, self.headings, self.speeds, self.kinds, self.ages)
        return _frame(VEHICLES, number, base, self.numbers, columns)


def signal_frame(number: int, base: int, lights: Codes, remaining: NDArray[np.floating]) -> bytes:
    """Signal groups as a frame, (n,) each, in the order they were told."""
    return _frame(SIGNALS, number, base, np.arange(len(lights)), (lights, remaining))


def head_text(layer: str, anchor: Anchor, groups: Sequence[Group]) -> bytes:
    """What is told before the frames: what their columns and numbers mean. JSON."""
    return orjson.dumps(
        {
            "layer": layer, "anchor": anchor, "kinds": ROAD_USERS, "columns": VEHICLE_COLUMNS,
            "signals": [{"intersection": node, "group": group} for node, group in groups],
            "signal_columns": SIGNAL_COLUMNS, "lights": LIGHTS,
        }
    )  # fmt: skip


def metres(anchor: Anchor, lon: Floats, lat: Floats) -> Floats:
    """(n,) degrees each → (n, 2) metres east and north of the anchor, at the height of the ellipsoid."""
    places = np.column_stack([lon, lat, np.zeros(len(lon))])
    return Frame(*anchor, 0.0).from_geographic(places)[:, :2]


def _frame(
    kind: int, number: int, base: int, first: NDArray[np.integer], columns: Sequence[NDArray[Any]]
) -> bytes:
    return b"".join(
        (
            HEAD.pack(MAGIC, kind, number, len(first), float(base)),
            first.astype("<u4").tobytes(),
            *(column.astype("<f4").tobytes() for column in columns),
        )
    )
