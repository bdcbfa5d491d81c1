"""Observations of CSV and Parquet files, as they are back-filled: row by row what can be believed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from numpy.typing import NDArray

from cim_core.cells import FINEST, Cells, cells_of
from cim_core.errors import InvalidInput, UnsupportedFormat
from cim_core.mesh import Floats
from cim_core.observations import LAST_TIME, More, Observations, Stream, Streams, Times
from cim_core.store.history_lake import instance, literal

T = TypeVar("T")

SUFFIXES = (".csv", ".parquet")

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "datastream": ("datastream", "stream", "key"), "time": ("time", "timestamp"),
    "value": ("value", "result"), "lon": ("lon", "longitude"), "lat": ("lat", "latitude"),
}  # fmt: skip
"""What a column may be called, small letters or capitals."""

_ROWS = 200_000
_EARLIEST = 100_000_000_000
"""Milliseconds since 1970, in 1973: what is less are seconds, or days."""

_HOUR = 3_600_000
_ZONED = r":[0-9]{2}(\.[0-9]+)? ?([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TRUTHS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_TEXTS = ("category", "any")
"""The results that need be no number."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of a file that cannot be taken.

    row
        Its number, the first below the heading is 1.
    """

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file.

    read
        How many rows of it have been read with these.
    gaps
        How many of these have no value: they stay the gaps they are.
    """

    observations: Observations
    refused: tuple[BadRow, ...]
    gaps: int
    read: int


def _in_zone(clock: Times, zone: ZoneInfo) -> Times:
    """When clocks of a zone showed so many milliseconds since 1970, (n,)."""
    hours, place = np.unique(clock // _HOUR, return_inverse=True)
    ahead = [
        (datetime(1970, 1, 1, tzinfo=zone) + timedelta(hours=hour)).utcoffset() or timedelta()
        for hour in hours.tolist()
    ]
    shifted: Times = (
        clock - np.array([1000 * one.total_seconds() for one in ahead], np.int64)[place]
    )
    return shifted


class ObservationFile:
    """A file of observations, read some rows at a time.

    key
        The datastream of all rows, where the file has no column for it.
    zone
        That of times which name none; without it they are refused.
    Raises `UnsupportedFormat`, and `InvalidInput` for a file without the columns.
    """

    def __init__(
        self, path: Path, streams: Streams, key: str | None = None, zone: ZoneInfo | None = None
    ) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise UnsupportedFormat(
                f"{path} is neither .csv nor .parquet; write its observations as one of these, with "
                "the columns datastream, time and value"
            )
        if not path.is_file():
            raise InvalidInput(f"{path} does not exist; name a file of observations")
        self._path = path
        self._streams = streams
        self._key = key
        self._zone = zone
        self._database = instance(path.parent, 1 << 29, 1)
        name = literal(str(path))
        reader = (
            f"read_csv({name}, all_varchar = true, header = true, null_padding = true)"
            if path.suffix.lower() == ".csv"
            else f"read_parquet({name}, hive_partitioning = false)"
        )
        self._table = reader
        found = self._ask(f"SELECT column_name FROM (DESCRIBE SELECT * FROM {reader})").fetchall()
        self._columns = _named([row[0] for row in found], path, key)
        self.rows = int(self._ask(f"SELECT count(*) FROM {reader}").fetchall()[0][0])

    def parts(self, now: int) -> Iterator[Part]:
        """All rows, in the order of the file.

        now
            The present moment, milliseconds since 1970: nothing was observed after it.
        """
        chosen = ", ".join(f"{sql} AS {name}" for name, sql in self._chosen().items())
        cursor = self._ask(f"SELECT {chosen} FROM {self._table}")
        read = 0
        while rows := self._told(lambda: cursor.fetchmany(_ROWS)):
            columns = dict(zip(self._chosen(), zip(*rows, strict=True), strict=True))
            yield self._part(columns, read, now)
            read += len(rows)

    def _chosen(self) -> dict[str, str]:
        chosen = {
            name: f'TRY_CAST("{column}" AS VARCHAR)' for name, column in self._columns.items()
        }
        for name in ("lon", "lat"):
            if name in chosen:
                chosen[name] = f'TRY_CAST("{self._columns[name]}" AS DOUBLE)'
        value, time = self._columns["value"], self._columns["time"]
        return chosen | {
            "number": f'TRY_CAST("{value}" AS DOUBLE)',
            # Numbers are milliseconds; the clock of what names no zone is read as if it were UTC.
            "moment": f'coalesce(TRY_CAST("{time}" AS BIGINT),'
            f' epoch_ms(TRY_CAST(CAST("{time}" AS VARCHAR) AS TIMESTAMPTZ)))',
            "zoneless": f"""TRY_CAST("{time}" AS BIGINT) IS NULL AND NOT"""
            f""" regexp_matches(CAST("{time}" AS VARCHAR), '{_ZONED}')""",
        }

    def _part(self, columns: Mapping[str, tuple[Any, ...]], begin: int, now: int) -> Part:
        count = len(columns["moment"])
        streams = self._found(columns.get("datastream"), count)
        times = np.array([-1 if one is None else one for one in columns["moment"]], np.int64)
        zoneless = np.array([bool(one) for one in columns["zoneless"]]) & (times >= 0)
        if self._zone is not None:
            times[zoneless] = _in_zone(times[zoneless], self._zone)
        values = np.array([np.nan if one is None else one for one in columns["number"]], np.float64)
        why: dict[int, str] = {}
        more: dict[int, More] = {}
        gaps = 0
        for row in range(count):
            stream, text = streams[row], columns["value"][row]
            if stream is None:
                name = columns["datastream"][row] if "datastream" in columns else self._key
                why[row] = f"there is no datastream {name!r}"
            elif not 0 <= times[row] <= LAST_TIME:
                why[row] = f"{columns['time'][row]!r} is no time"
            elif zoneless[row] and self._zone is None:
                why[row] = f"{columns['time'][row]!r} names no time zone; say it with --time-zone"
            elif times[row] < _EARLIEST:
                why[row] = (
                    f"{columns['time'][row]!r} is before 1973; give milliseconds, not seconds"
                )
            elif times[row] > now:
                why[row] = f"{columns['time'][row]!r} lies in the future"
            elif text is None or text.strip().lower() in ("", "nan", "null"):
                gaps += 1
                streams[row] = None
            elif not np.isfinite(values[row]):
                self._read_text(row, text.strip(), stream, values, more, why)
            elif not stream.bounds[0] <= values[row] <= stream.bounds[1]:
                low, high = stream.bounds
                why[row] = f"{values[row]:g} is not between {low:g} and {high:g}"
        good = np.array([one is not None for one in streams], bool)
        cells = self._cells(streams, columns, good, why)
        good[list(why)] = False
        numbers = np.array([0 if one is None else one.id for one in streams], np.int64)
        all_rows = Observations(numbers, times, values, cells, more)
        refused = tuple(BadRow(begin + row + 1, why[row]) for row in sorted(why))
        return Part(all_rows.take(good), refused, gaps, begin + count)

    def _found(self, named: tuple[Any, ...] | None, count: int) -> list[Stream | None]:
        known = {str(number): stream for number, stream in self._streams.by_id.items()}
        known |= self._streams.by_key
        return [known.get(str(name)) for name in (named or [self._key] * count)]

    def _read_text(
        self, row: int, text: str, stream: Stream, values: Floats, more: dict[int, More],
        why: dict[int, str],
    ) -> None:  # fmt: skip
        """What is no number: yes or no, a word, or nothing that this datastream can have."""
        if stream.result == "truth" and text.lower() in _TRUTHS:
            values[row] = _TRUTHS[text.lower()]
        elif stream.result in _TEXTS:
            values[row] = np.nan
            more[row] = {"result": text}
        else:
            why[row] = f"{text!r} is no number"

    def _cells(
        self, streams: list[Stream | None], columns: Mapping[str, tuple[Any, ...]],
        good: NDArray[np.bool_], why: dict[int, str],
    ) -> Cells:  # fmt: skip
        """Where each row was: at its own place, or where its thing stands."""
        cells = np.array([0 if one is None else one.cell for one in streams], np.uint64)
        if "lon" in columns and "lat" in columns:
            places = np.array([columns["lon"], columns["lat"]], np.float64).T
            own = good & np.isfinite(places).all(axis=1)
            wrong = own & ~(np.abs(places) <= (180.0, 90.0)).all(axis=1)
            for row in np.flatnonzero(wrong).tolist():
                why.setdefault(row, f"{places[row].tolist()} is no longitude and latitude")
            own &= ~wrong
            if own.any():
                cells[own] = cells_of(places[own], FINEST)
        return cells

    def _ask(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self._told(lambda: self._database.execute(sql))

    def _told(self, ask: Callable[[], T]) -> T:
        """What DuckDB says; raises `InvalidInput` where it cannot read the file."""
        try:
            return ask()
        except duckdb.Error as error:
            kind, first = self._path.suffix.lower()[1:], str(error).splitlines()[0]
            raise InvalidInput(
                f"{self._path} cannot be read as {kind} ({first}); write it anew"
            ) from error


def _named(found: list[str], path: Path, key: str | None) -> dict[str, str]:
    """The columns of a file by what they are here."""
    by_name = {name.strip().lower(): name for name in reversed(found)}
    named = {
        ours: by_name[theirs[0]]
        for ours, names in _COLUMNS.items()
        if (theirs := [name for name in names if name in by_name])
    }
    if key is not None:
        named.pop("datastream", None)
    wanted = ("time", "value") if key is not None else ("datastream", "time", "value")
    missing = [name for name in wanted if name not in named]
    if missing:
        raise InvalidInput(
            f"{path} has no column {missing[0]!r} (it has {', '.join(found)}); name it so, or say "
            "with --datastream whose observations these are"
            if missing[0] == "datastream"
            else f"{path} has no column {missing[0]!r} (it has {', '.join(found)}); name it so"
        )
    return named
