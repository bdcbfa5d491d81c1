"""Things that observe, what they observe, and observations in columns (OGC SensorThings words)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cim_core.cells import Cells
from cim_core.feature import Value
from cim_core.mesh import Floats

Times = NDArray[np.int64]
"""Milliseconds since 1970, UTC."""

StreamIds = NDArray[np.int64]
Keys = NDArray[np.uint64]

LAST_TIME = (1 << 42) - 1
"""The latest time that can be kept, in the year 2109, so that stream and time are one number."""

LAST_STREAM = (1 << 22) - 1
"""A city may have so many datastreams, about four million."""

Result = Literal["measurement", "count", "truth", "category", "any"]
"""What a datastream's results are: the observation types of SensorThings. Numbers, whole numbers, yes
or no as 1 and 0, words, and anything else as JSON."""

More = Mapping[str, Value]
"""What an observation has beside its number: `result` where that is no number, `resultQuality`,
`parameters`, `resultTime` and `phenomenonEnd` (milliseconds), `validTime` (two of them),
`feature` (the id of a feature of interest)."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations in columns, in any order.

    streams
        (n,) int64, the datastream of each.
    times
        (n,) int64, when it was, milliseconds since 1970; of an interval, its beginning.
    values
        (n,) float64, NaN where the result is no number.
    cells
        (n,) uint64, the H3 cell of resolution 15 where it was; 0 where nobody knows.
    more
        What else is known of single rows, by their number.
    """

    streams: StreamIds
    times: Times
    values: Floats
    cells: Cells
    more: Mapping[int, More] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def keys(self) -> Keys:
        """What an observation is known by, (n,): its datastream and its time in one number."""
        return keys_of(self.streams, self.times)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Observations":
        """Some of them, by a mask or by their numbers."""
        more: dict[int, More] = {}
        if self.more:
            index = np.flatnonzero(rows) if rows.dtype == bool else rows
            more = {
                place: self.more[row]
                for place, row in enumerate(index.tolist())
                if row in self.more
            }
        return Observations(
            self.streams[rows], self.times[rows], self.values[rows], self.cells[rows], more
        )

    def in_order(self) -> "Observations":
        """By time, then by datastream."""
        return self.take(np.lexsort((self.streams, self.times)))


def keys_of(streams: StreamIds, times: Times) -> Keys:
    """Datastreams, (n,), and times, (n,), as one number each, (n,), in the order of both.

    >>> keys_of(np.array([1]), np.array([5])).tolist() == [(1 << 42) + 5]
    True
    """
    return (streams.astype(np.uint64) << np.uint64(42)) | times.astype(np.uint64)


def observations(
    streams: Sequence[int] | StreamIds, times: Sequence[int] | Times,
    values: Sequence[float] | Floats, cells: Sequence[int] | Cells | None = None,
    more: Mapping[int, More] | None = None,
) -> Observations:  # fmt: skip
    """Observations of what stands in any sequences."""
    when = np.asarray(times, np.int64)
    where = np.zeros(len(when), np.uint64) if cells is None else np.asarray(cells, np.uint64)
    return Observations(
        np.asarray(streams, np.int64), when, np.asarray(values, np.float64), where, more or {}
    )


def joined(parts: Sequence[Observations]) -> Observations:
    """Several together, in their order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return observations([], [], [])
    more: dict[int, More] = {}
    begin = 0
    for part in parts:
        more.update({begin + row: what for row, what in part.more.items()})
        begin += len(part)
    return Observations(
        np.concatenate([part.streams for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.cells for part in parts]),
        more,
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """A datastream with what is asked of its thing for every observation.

    key
        How devices name it, `object/metric`; unique in the city.
    thing, thing_name, thing_class
        The thing it belongs to; its class is one of `sensor_classes.toml`, or "".
    layer, feature
        The layer of the city the thing belongs to, which decides who sees it, and the feature of
        that layer it stands on or in, if any.
    property, unit
        What is observed: the code of an observed property, and the unit's symbol.
    place
        Longitude, latitude and height (metres in the city's datum, NaN if unknown), degrees; None
        where the thing has no place.
    cell
        The H3 cell of resolution 15 of that place; 0 without one.
    result
        What its results are.
    bounds
        Below and above which a result is a fault of the device; infinite where there are none.
    every
        After how many seconds it is expected to report again; None if it reports when it likes.
    """

    id: int
    key: str
    name: str
    thing: int
    thing_name: str
    thing_class: str
    layer: str
    feature: str | None
    property: str
    unit: str
    place: tuple[float, float, float] | None
    cell: int
    result: Result = "measurement"
    bounds: tuple[float, float] = (-np.inf, np.inf)
    every: float | None = None


class Streams:
    """The datastreams of a city as somebody sees them, for quick questions.

    by_id, by_key
        Each of them.
    ids
        (n,) int64, sorted; all columns below are in this order.
    cells, lon, lat, lowest, highest
        (n,) each: where their things stand (0 or NaN: unknown), and the bounds of their results.
    """

    def __init__(self, streams: Sequence[Stream]) -> None:
        known = sorted(streams, key=lambda stream: stream.id)
        self.by_id: dict[int, Stream] = {stream.id: stream for stream in known}
        self.by_key: dict[str, Stream] = {stream.key: stream for stream in known}
        self.ids: StreamIds = np.array([stream.id for stream in known], np.int64)
        self.cells: Cells = np.array([stream.cell for stream in known], np.uint64)
        nowhere = (np.nan, np.nan, np.nan)
        places = np.array([s.place or nowhere for s in known], np.float64).reshape(-1, 3)
        self.lon: Floats = places[:, 0]
        self.lat: Floats = places[:, 1]
        self.lowest: Floats = np.array([stream.bounds[0] for stream in known], np.float64)
        self.highest: Floats = np.array([stream.bounds[1] for stream in known], np.float64)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, streams: StreamIds) -> NDArray[np.int64]:
        """The row, (n,), of each datastream, (n,); -1 for those that are not there."""
        if not len(self.ids):
            return np.full(len(streams), -1, np.int64)
        found = np.minimum(np.searchsorted(self.ids, streams), len(self.ids) - 1)
        return np.where(self.ids[found] == streams, found, -1)

    def only(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Streams":
        """Some of them, by a mask or by their rows."""
        return Streams([self.by_id[stream] for stream in self.ids[rows].tolist()])

    def of_property(self, name: str) -> "Streams":
        """Those that observe one property."""
        return Streams([stream for stream in self.by_id.values() if stream.property == name])
