"""Observations as their senders gave them, in columns, before anything is believed."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.observations import More, Times

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MILLISECOND = timedelta(milliseconds=1)
_T = TypeVar("_T")
FARTHEST = 1 << 62
"""Milliseconds; what is later, or that much earlier, is no time at all."""


@dataclass(eq=False, slots=True)
class Given:
    """Observations of one source that came together; all columns have one row for each.

    datastreams
        The id or the key of each.
    times
        (n,) milliseconds since 1970.
    values
        (n,); NaN where the result stands in `odd`.
    units
        What each said its unit is, None where it said none; None where none did.
    positions
        (n, 2) degrees as the source has them, NaN where there is none; None where none has any.
    odd
        Results that are no numbers, by row.
    more
        What else is to be kept, by row.
    unreadable
        The rows that cannot be read, with what is wrong and what was sent. Their other columns
        mean nothing.
    size
        How many bytes all of it was.
    """

    datastreams: list[int | str]
    times: Times
    values: Floats
    units: list[str | None] | None = None
    positions: Floats | None = None
    odd: Mapping[int, Value] = field(default_factory=dict)
    more: Mapping[int, More] = field(default_factory=dict)
    unreadable: Mapping[int, tuple[str, Value]] = field(default_factory=dict)
    size: int = 0

    def __len__(self) -> int:
        return len(self.datastreams)

    def pieces(self, most: int) -> Iterator["Given"]:
        """The same in pieces of at most so many rows."""
        total = len(self)
        if total <= most:
            yield self
            return
        for begin in range(0, total, most):
            part = slice(begin, min(begin + most, total))
            yield Given(
                self.datastreams[part], self.times[part], self.values[part],
                None if self.units is None else self.units[part],
                None if self.positions is None else self.positions[part],
                _within(self.odd, part), _within(self.more, part), _within(self.unreadable, part),
                self.size * (part.stop - part.start) // total,
            )  # fmt: skip

    def body(self, row: int) -> Value:
        """What was sent in one row, as JSON has it."""
        if row in self.unreadable:
            return self.unreadable[row][1]
        value = float(self.values[row])
        told: dict[str, Value] = {
            "datastream": self.datastreams[row], "time": int(self.times[row]),
            "value": self.odd[row] if row in self.odd else _finite(value),
        }  # fmt: skip
        if self.units is not None and self.units[row] is not None:
            told["unit"] = self.units[row]
        if self.positions is not None and not np.isnan(self.positions[row]).any():
            told["lon"], told["lat"] = self.positions[row].tolist()
        return {**told, **self.more.get(row, {})}


class Rows:
    """Observations that are read one by one."""

    def __init__(self, zone: ZoneInfo | None = None) -> None:
        self._zone = zone
        self._datastreams: list[int | str] = []
        self._times: list[int] = []
        self._values: list[float] = []
        self._units: list[str | None] = []
        self._positions: list[tuple[float, float]] = []
        self._told = self._placed = False
        self._odd: dict[int, Value] = {}
        self._more: dict[int, More] = {}
        self._unreadable: dict[int, tuple[str, Value]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def add(
        self, datastream: int | str, time: int, value: float, unit: str | None = None,
        position: tuple[float, float] | None = None, quality: Value = None,
    ) -> None:  # fmt: skip
        """One that was read."""
        if quality is not None:
            self._more[len(self._times)] = {"resultQuality": quality}
        self._datastreams.append(datastream)
        self._times.append(time)
        self._values.append(value)
        self._units.append(unit)
        self._told |= unit is not None
        self._positions.append(position or (math.nan, math.nan))
        self._placed |= position is not None

    def read(self, given: Any, datastream: int | str | None = None, now: int | None = None) -> None:
        """One as it was sent: an object with datastream, time and value, or something unreadable.

        datastream
            What it is of where it does not say so itself.
        now
            When it was where it does not say so itself, milliseconds since 1970.
        """
        try:
            if not isinstance(given, dict):
                raise ValueError("this is no object with datastream, time and value")
            of = given.get("datastream", datastream)
            if not isinstance(of, int | str) or isinstance(of, bool):
                raise ValueError("it does not say of which datastream it is")
            time = given.get("time", now)
            if "value" not in given:
                raise ValueError("it has no value")
            position = _position(given.get("lon"), given.get("lat"))
            unit = given.get("unit")
            if unit is not None and not isinstance(unit, str):
                raise ValueError("its unit is no text")
            value, quality = _kept(given["value"]), _kept(given.get("quality"))
            number = _number(value)
            if number is None:
                self._odd[len(self._times)] = value
            when = milliseconds(time, self._zone)
            self.add(
                of,
                when,
                math.nan if number is None else number,
                unit,
                position,
                quality,
            )
        except ValueError as error:
            self._odd.pop(len(self._times), None)
            self.unreadable(str(error), given)

    def unreadable(self, reason: str, given: Value) -> None:
        """One that cannot be read."""
        self._unreadable[len(self._times)] = (reason, given)
        self.add("", 0, math.nan)

    def given(self, size: int) -> Given:
        """All of them in columns."""
        return Given(
            self._datastreams, np.array(self._times, np.int64), np.array(self._values, np.float64),
            self._units if self._told else None,
            np.array(self._positions, np.float64).reshape(-1, 2) if self._placed else None,
            self._odd, self._more, self._unreadable, size,
        )  # fmt: skip


def milliseconds(given: Any, zone: ZoneInfo | None) -> int:
    """A time as it was sent, as milliseconds since 1970; raises `ValueError` saying what is wrong.

    zone
        Of times that say none.

    >>> milliseconds("1970-01-01T08:00:01+08:00", None), milliseconds(1000.4, None)
    (1000, 1000)
    """
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given.strip())
        except ValueError:
            raise ValueError(
                "its time is neither a number of milliseconds nor an ISO 8601 time"
            ) from None
        if moment.tzinfo is None:
            if zone is None:
                raise ValueError("its time has no time zone, and its source has none either")
            moment = moment.replace(tzinfo=zone)
        return (moment - _EPOCH) // _MILLISECOND
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if number and abs(given) < FARTHEST:  # not of NaN
        return int(given)
    raise ValueError("its time is neither a number of milliseconds nor an ISO 8601 time")


def _within(by_row: Mapping[int, _T], part: slice) -> dict[int, _T]:
    """What there is of some rows, counted from the first of them."""
    return {row - part.start: one for row, one in by_row.items() if part.start <= row < part.stop}


def _kept(given: Any) -> Any:
    """What can be written down as JSON; raises `ValueError`."""
    if given is None or isinstance(given, int | float):
        return given
    try:
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("its value holds half a letter, or a number that is none") from None
    return given


def _number(given: Any) -> float | None:
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return float(given)
        except OverflowError:  # a whole number of hundreds of digits
            return math.inf
    return None


def _position(lon: Any, lat: Any) -> tuple[float, float] | None:
    if lon is None and lat is None:
        return None
    x, y = _number(lon), _number(lat)
    if x is None or y is None:
        raise ValueError("its lon and lat are no numbers")
    return x, y


def _finite(value: float) -> Value:
    """A number as JSON has it: what is none is told in words.

    >>> _finite(1.5), _finite(math.nan)
    (1.5, 'nan')
    """
    return value if math.isfinite(value) else str(value)
