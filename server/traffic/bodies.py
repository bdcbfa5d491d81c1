"""Bodies with traffic: messages in JSON and NDJSON, events of controllers in tables."""

import csv as csvs
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from cim_core.errors import InvalidInput, TooLarge, UnsupportedFormat
from cim_core.network import Labels
from cim_core.observations import Times
from cim_core.traffic.moving import ControllerEvents

MOST = 20_000
"""Messages of one request."""
MOST_EVENTS = 500_000
_MOST_BYTES = 64 << 20
"""Of the columns of a table when they are unpacked."""
_LONGEST_HEAD = 10_000
"""Bytes of the first line of a CSV that are looked at."""

JSON, NDJSON = "application/json", "application/x-ndjson"
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"

_COLUMNS = {
    "timestamp": ("timestamp", "time"),
    "device": ("device", "deviceid", "signalid", "device_id"),
    "code": ("code", "eventid", "eventcode", "event_code", "event code"),
    "parameter": ("parameter", "eventparam", "event_param", "param"),
}
"""What a column may be called, small letters or capitals."""

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_rows = msgspec.json.Decoder(list[dict[str, Any]])


def messages_of(body: bytes, media_type: str) -> tuple[list[bytes], bool]:
    """The messages of a body, and whether it is a single one.

    Raises `InvalidInput` where the body as a whole cannot be read, `TooLarge`, `UnsupportedFormat`.
    """
    kind = _kind(media_type)
    alone = False
    if kind == NDJSON:
        some = [line for line in body.splitlines() if line.strip()]
    elif kind in (JSON, ""):
        alone = not body[:64].lstrip().startswith(b"[")
        try:
            some = [body] if alone else [bytes(one) for one in _raws.decode(body)]
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InvalidInput(f"the body is no list of messages in JSON ({error})") from None
    else:
        raise UnsupportedFormat(f"messages do not come as {kind}; send {JSON} or {NDJSON}")
    if len(some) > MOST:
        raise TooLarge(f"these are {len(some):,} messages, and one request may have {MOST:,}")
    return some, alone


def events_of(body: bytes, media_type: str, zone: ZoneInfo) -> ControllerEvents:
    """The events of controllers in a table with the columns timestamp, device, code and parameter.

    zone
        That of times which name none.
    Raises `InvalidInput` naming what is wrong, `TooLarge`, and `UnsupportedFormat`.
    """
    kind = _kind(media_type)
    try:
        columns = _columns(body, kind)
        for name, column in columns.items():
            if column.null_count:
                raise InvalidInput(
                    f"the column {name} of the events has empty fields; fill them in"
                )
        return ControllerEvents(
            _times(columns["timestamp"], zone),
            _devices(columns["device"]),
            _whole(columns["code"], pa.int16()).astype(np.int16),
            _whole(columns["parameter"], pa.int32()).astype(np.int32),
        )
    except (
        pa.ArrowException, csvs.Error, msgspec.MsgspecError, OSError, OverflowError, RecursionError,
        UnicodeDecodeError,
    ) as error:  # fmt: skip
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InvalidInput(
            f"the events of controllers cannot be read ({said}); send the columns timestamp, device, "
            "code and parameter"
        ) from None


def _columns(body: bytes, kind: str) -> dict[str, pa.ChunkedArray]:
    """The four columns by their own names; a table that is too large is refused before it is unpacked."""
    if kind == CSV:
        return _of_csv(body)
    if kind == PARQUET:
        return _of_parquet(body)
    if kind in (JSON, ""):
        rows = _rows.decode(body)
        _check_count(len(rows))
        named = _named([*rows[0]] if rows else [])
        return {
            name: pa.chunked_array([pa.array([row.get(column) for row in rows])])
            for name, column in named.items()
        }
    raise UnsupportedFormat(
        f"events of controllers do not come as {kind}; send {CSV}, {PARQUET} or {JSON}"
    )


def _of_csv(body: bytes) -> dict[str, pa.ChunkedArray]:
    _check_count(
        max(body.count(b"\n"), body.count(b"\r")) - 1
    )  # the last line may end, the first is none
    head = body[:_LONGEST_HEAD].splitlines() or [b""]
    named = _named(next(csvs.reader([head[0].decode("utf-8-sig")]), []))
    table = csv.read_csv(
        pa.BufferReader(body),
        csv.ReadOptions(use_threads=False),
        convert_options=csv.ConvertOptions(include_columns=[*named.values()]),
    )
    return {name: table[column] for name, column in named.items()}


def _of_parquet(body: bytes) -> dict[str, pa.ChunkedArray]:
    about = parquet.read_metadata(pa.BufferReader(body))
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    _check_count(sum(group.num_rows for group in groups))
    named = _named(about.schema.to_arrow_schema().names)
    wanted = set(named.values())
    size = sum(
        column.total_uncompressed_size
        for group in groups
        for column in map(group.column, range(group.num_columns))
        if column.path_in_schema.partition(".")[0] in wanted
    )
    if size > _MOST_BYTES:
        raise TooLarge(
            f"the events are {size:,} bytes when they are unpacked, and one request may have "
            f"{_MOST_BYTES:,}"
        )
    # A dictionary stays one: few bytes can name a long device for each of many rows.
    file = parquet.ParquetFile(pa.BufferReader(body), read_dictionary=[named["device"]])
    table = file.read([*named.values()], use_threads=False)
    return {name: table[column] for name, column in named.items()}


def _check_count(rows: int) -> None:
    if rows > MOST_EVENTS:
        raise TooLarge(f"these are {rows:,} events, and one request may have {MOST_EVENTS:,}")


def _devices(column: pa.ChunkedArray) -> Labels:
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    known = Labels.of(whole.dictionary.cast(pa.string()).to_pylist())
    return Labels(known.names, known.codes[whole.indices.to_numpy()])


def _named(given: list[str]) -> dict[str, str]:
    found = {}
    for name, words in _COLUMNS.items():
        some = [column for column in given if column.strip().lower() in words]
        if len(some) != 1:
            raise InvalidInput(
                f"the events of controllers have no column {name}, or several; give timestamp, device, "
                "code and parameter"
            )
        found[name] = some[0]
    return found


def _times(column: pa.ChunkedArray, zone: ZoneInfo) -> Times:
    """Numbers are milliseconds since 1970, texts ISO 8601."""
    if pa.types.is_integer(column.type):
        return _array(column.cast(pa.int64()))
    if pa.types.is_string(column.type):
        zoned = pa.timestamp("ms", "UTC")
        try:
            column = column.cast(zoned)
        except pa.ArrowException:
            column = column.cast(pa.timestamp("ms"))
    if not pa.types.is_timestamp(column.type):
        raise InvalidInput(
            f"the times of events are {column.type}; give ISO 8601, or milliseconds since 1970"
        )
    if column.type.tz is None:
        column = pc.assume_timezone(column, zone.key, ambiguous="earliest", nonexistent="earliest")
    cast: pa.ChunkedArray = column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
    return _array(cast)


def _array(column: pa.ChunkedArray) -> Times:
    times: Times = column.to_numpy().astype(np.int64)
    return times


def _whole(column: pa.ChunkedArray, kind: pa.DataType) -> "np.ndarray[Any, np.dtype[Any]]":
    numbers: np.ndarray[Any, np.dtype[Any]] = column.cast(kind).to_numpy()
    return numbers


def _kind(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
