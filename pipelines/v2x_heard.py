"""What messages say, row by row as they are read, and in columns once there are enough of them."""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np

from cim_core.network import Labels
from cim_core.traffic.moving import ROAD_USERS, Positions, RoadUser, SignalStates
from cim_core.traffic.roads import RoadMap

UNKNOWN = math.nan

PositionRow = tuple[int, str, float, float, float, float, float, int, float]
"""Time, who, lon, lat, speed, heading, acceleration, the place in `ROAD_USERS`, length."""

SignalRow = tuple[int, str, str, int, float]
"""Time, intersection, group, light, remaining seconds."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a roadside unit warns of (RSI): an event, or a sign.

    id
        Of the unit and of the notice there, as in `unit/3`.
    kind, type
        `event` with the number of GB/T 29100, or `sign` with that of GB 5768.2.
    heard
        When it came, milliseconds since 1970.
    place, radius
        Longitude and latitude, and metres; None and NaN where they are not said.
    start, end
        Between which times it holds, milliseconds since 1970, None for open.
    """

    id: str
    kind: str
    type: int
    heard: int
    place: tuple[float, float] | None
    radius: float = UNKNOWN
    start: int | None = None
    end: int | None = None
    text: str = ""


class Names:
    """The intersections and groups of a road map by what messages call them.

    What the map does not know is called by its numbers: `region-id`, and that of the group.
    """

    def __init__(self, roads: RoadMap | None = None) -> None:
        known = roads or RoadMap()
        with_node = [(one.node, one.id) for one in known.intersections if one.node is not None]
        numbers = Counter(number for (_, number), _ in with_node)
        self._nodes: dict[tuple[int | None, int], str] = dict(with_node)
        # Without a region a number is enough where only one intersection has it.
        self._nodes |= {(None, n): name for (_, n), name in with_node if numbers[n] == 1}
        self._texts = {f"{region}-{number}": name for (region, number), name in with_node}
        self._groups = {
            (one.intersection, one.number): one.id for one in known.groups if one.number is not None
        }

    def intersection(self, region: int | None, number: int) -> str:
        """The id of an intersection."""
        found = self._nodes.get((region, number))
        if found is None and not region:  # 0 is written where none is meant
            found = self._nodes.get((None, number))
        return found or f"{region or 0}-{number}"

    def told(self, intersection: str, group: str) -> tuple[str, str]:
        """The ids of what is called by texts: ids already, or the numbers of messages."""
        known = self._texts.get(intersection)
        if known is None or not group.isdecimal():
            return known or intersection, group
        return known, self.group(known, int(group))

    def group(self, intersection: str, number: int) -> str:
        """The id of a signal group of an intersection."""
        return self._groups.get((intersection, number)) or str(number)


@dataclass(slots=True)
class Heard:
    """What some messages said, as rows.

    maps
        How many were maps: they are checked, and brought in as layers, not from here.
    """

    positions: list[PositionRow] = field(default_factory=list)
    signals: list[SignalRow] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    maps: int = 0

    def __len__(self) -> int:
        return len(self.positions) + len(self.signals) + len(self.notices)


def positions_of(rows: Sequence[PositionRow]) -> Positions:
    """Rows as columns."""
    times, who, lon, lat, speed, heading, acceleration, kind, length = _columns(rows, 9)
    return Positions(
        np.array(times, np.int64), Labels.of(who), np.array(lon, np.float64),
        np.array(lat, np.float64), np.array(speed, np.float32), np.array(heading, np.float32),
        np.array(acceleration, np.float32), np.array(kind, np.uint8), np.array(length, np.float32),
    )  # fmt: skip


def signals_of(rows: Sequence[SignalRow]) -> SignalStates:
    """Rows as columns."""
    times, intersections, groups, lights, remaining = _columns(rows, 5)
    return SignalStates(
        np.array(times, np.int64), Labels.of(intersections), Labels.of(groups),
        np.array(lights, np.uint8), np.array(remaining, np.float32),
    )  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> Iterable[Sequence[Any]]:
    return tuple(zip(*rows, strict=True)) if rows else ((),) * count


def _user_of_class() -> dict[int, int]:
    """The place in `ROAD_USERS` of every vehicle class of messages."""
    table = tomllib.loads(files("pipelines").joinpath("v2x_classes.toml").read_text("utf-8"))
    found: dict[int, int] = {}
    for entry in table["class"]:
        user: RoadUser = entry["user"]
        first, last = entry["numbers"]
        found |= dict.fromkeys(range(first, last + 1), ROAD_USERS.index(user))
    return found


USER_OF_CLASS = _user_of_class()
