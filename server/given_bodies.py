"""Bodies of `POST /ingest`: JSON, NDJSON and Arrow, as what they give."""

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cim_core.errors import InvalidInput, UnsupportedFormat
from cim_core.feature import Value
from cim_core.observation_sources import ObservationSource
from cim_core.observations import More
from server.given import Given, Rows
from server.given_arrow import arrow_table, too_many

MOST = 20_000
"""Observations of one request: what is waited for is on disk in a moment."""

JSON, NDJSON = "application/json", "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
MEDIA_TYPES = (JSON, NDJSON, ARROW)


_NOT_USUAL = (msgspec.MsgspecError, OverflowError, RecursionError)
"""What says that a body is to be read one by one."""


class _Row(msgspec.Struct, gc=False):
    """As nearly all of them are; what is not so is read one by one."""

    datastream: int | str
    time: int
    value: float
    unit: str | None = None
    lon: float | None = None
    lat: float | None = None
    quality: Any = None


class _Batch(msgspec.Struct, gc=False):
    observations: list[_Row]


_rows = msgspec.json.Decoder(list[_Row])
_batch = msgspec.json.Decoder(_Batch)
_row = msgspec.json.Decoder(_Row)
_anything = msgspec.json.Decoder()


def read_body(body: bytes, media_type: str, source: ObservationSource) -> Given:
    """What a body gives; single observations that cannot be read stand in `Given.unreadable`.

    Raises `InvalidInput` naming the place where the body as a whole cannot be read, `TooLarge`, and
    `UnsupportedFormat` for another media type.
    """
    kind = media_type.partition(";")[0].strip().lower()
    if kind == ARROW:
        given = _of_arrow(body, source)
    elif kind == NDJSON:
        given = _of_lines(body, source)
    elif kind in (JSON, ""):
        given = _of_json(body, source)
    else:
        raise UnsupportedFormat(
            f"observations do not come as {kind}; send {', '.join(MEDIA_TYPES)}"
        )
    return given


def _of_json(body: bytes, source: ObservationSource) -> Given:
    start = body[:64].lstrip()
    try:
        if start.startswith(b"["):
            return _of_rows(_rows.decode(body), len(body))
        try:
            return _of_rows(_batch.decode(body).observations, len(body))
        except msgspec.ValidationError:
            return _of_rows([_row.decode(body)], len(body))
    except _NOT_USUAL:
        found = _loosely(body)
    if isinstance(found, dict) and "observations" in found:
        found = found["observations"]
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise InvalidInput(
            'observations: give a list of them, or an object with one as "observations"'
        )
    _not_too_many(len(found))
    rows = Rows(source.time_zone)
    for one in found:
        rows.read(one)
    return rows.given(len(body))


def _loosely(body: bytes) -> Any:
    """JSON, and with it NaN, which many programs write."""
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is no JSON at line {error.lineno}, column {error.colno} ({error.msg}); "
            "correct it, nothing of it was taken"
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the body is no UTF-8 at byte {error.start}; send JSON in UTF-8, nothing of it was taken"
        ) from None
    except (RecursionError, ValueError):
        raise InvalidInput(
            "the body has objects in objects, or digits, without end; send fewer of them"
        ) from None


def _of_lines(body: bytes, source: ObservationSource) -> Given:
    try:
        return _of_rows(_row.decode_lines(body), len(body))
    except _NOT_USUAL:
        rows = Rows(source.time_zone)
    lines = [line for line in body.splitlines() if line.strip()]
    _not_too_many(len(lines))
    for number, line in enumerate(lines, start=1):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            text = line[:1000].decode("utf-8", "replace")
            rows.unreadable(f"line {number} of what was sent is no JSON", text)
        else:
            rows.read(found)
    return rows.given(len(body))


def _of_rows(rows: list[_Row], size: int) -> Given:
    _not_too_many(len(rows))
    units = [row.unit for row in rows]
    lon = [row.lon for row in rows]
    more: dict[int, More] = {
        number: {"resultQuality": row.quality}
        for number, row in enumerate(rows)
        if row.quality is not None
    }
    placed = any(one is not None for one in lon)
    positions = [(row.lon, row.lat) for row in rows] if placed else None
    return Given(
        [row.datastream for row in rows], np.array([row.time for row in rows], np.int64),
        np.array([row.value for row in rows], np.float64), units if any(units) else None,
        None if positions is None else np.array(positions, np.float64), {}, more, {}, size,
    )  # fmt: skip


def _of_arrow(body: bytes, source: ObservationSource) -> Given:
    try:
        table = arrow_table(body, MOST)
        columns = {name: table[name] for name in table.column_names}
        if not _is_plain(columns):
            return _one_by_one(table, source, len(body))
        time = columns["time"]
        if pa.types.is_timestamp(time.type):
            time = time.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        positions = None
        if "lon" in columns and "lat" in columns:
            positions = np.column_stack([_floats(columns["lon"]), _floats(columns["lat"])])
        return Given(
            columns["datastream"].to_pylist(), time.to_numpy().astype(np.int64),
            _floats(columns["value"]),
            columns["unit"].to_pylist() if "unit" in columns else None,
            positions if positions is not None and not np.isnan(positions).all() else None,
            size=len(body),
        )  # fmt: skip
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(
            f"the body is no Arrow stream ({said[:200]}); write it with Arrow's IPC "
            "stream writer, nothing of it was taken"
        ) from None


def _is_plain(columns: dict[str, pa.ChunkedArray]) -> bool:
    """Whether all columns are as they should be, so that nothing needs to be looked at by itself."""
    kinds = {name: column.type for name, column in columns.items()}
    time, of = kinds["time"], kinds["datastream"]
    zoned = pa.types.is_timestamp(time) and time.tz is not None
    numbers = all(
        pa.types.is_floating(kinds[name]) or pa.types.is_integer(kinds[name])
        for name in ("value", "lon", "lat")
        if name in kinds
    )
    texts = all(_is_text(kinds[name]) for name in ("unit",) if name in kinds)
    whole = all(columns[name].null_count == 0 for name in ("datastream", "time"))
    named = pa.types.is_integer(of) or _is_text(of)
    no_more = "quality" not in columns and not pa.types.is_uint64(time)
    return (
        (pa.types.is_integer(time) or zoned) and named and numbers and texts and whole and no_more
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _floats(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    filled = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    return np.array(filled.to_numpy(), np.float64)


def _one_by_one(table: pa.Table, source: ObservationSource, size: int) -> Given:
    rows = Rows(source.time_zone)
    for one in table.to_pylist():
        rows.read(
            {
                name: _plain(value)
                for name, value in one.items()
                if value is not None or name == "value"
            }
        )
    return rows.given(size)


def _plain(value: Any) -> Value:
    """A value of Arrow as JSON has it: times as text."""
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _not_too_many(rows: int) -> None:
    if rows > MOST:
        raise too_many(rows, MOST)
