"""Arrow streams of strangers: what of them is read, and with how much memory."""

import struct
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from cim_core.errors import InvalidInput, TooLarge

_NEEDED = ("datastream", "time", "value")
_COLUMNS = (*_NEEDED, "lon", "lat", "unit", "quality")
_MOST_TEXT = 64 << 20
"""Bytes of a column's texts, written out: a dictionary has each only once."""
_DICTIONARY, _BATCH = 2, 3
"""What messages are, in Arrow's Message.fbs (MessageHeader)."""


def arrow_table(body: bytes, most: int) -> pa.Table:
    """The known columns of a stream, texts written out; nothing in it is larger than the body allows.

    Raises `InvalidInput` for a stream without the columns, with objects in them or with compressed
    buffers, `TooLarge` for more than `most` rows, and `pa.ArrowException`, `OSError` or `ValueError`
    where it cannot be read.
    """
    if any(map(_is_compressed, _messages(body))):
        raise InvalidInput("the Arrow stream has compressed buffers; write it without compression")
    with pa.ipc.open_stream(body) as reader:
        schema = reader.schema
    for name in _COLUMNS:
        if schema.names.count(name) > 1 or (name in _NEEDED and name not in schema.names):
            raise InvalidInput(
                f"the Arrow stream has no column {name!r}, or several; give datastream, time and value"
            )
    wanted = [place for place, name in enumerate(schema.names) if name in _COLUMNS]
    for place in wanted:
        if not _is_simple(schema.field(place).type):
            raise InvalidInput(
                f"the Arrow stream has a column {schema.names[place]!r} of {schema.field(place).type};"
                " give numbers, texts and times"
            )
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    batches, rows = [], 0
    with pa.ipc.open_stream(body, options=options) as reader:
        for batch in reader:
            rows += batch.num_rows
            if rows > most:
                raise too_many(rows, most)
            batch.validate(full=True)
            batches.append({name: _written_out(batch[name]) for name in batch.schema.names})
        names = reader.schema.names
    kinds = {name: _written(schema.field(name).type) for name in names}
    return pa.table(
        {name: pa.chunked_array([batch[name] for batch in batches], kinds[name]) for name in names}
    )


def too_many(rows: int, most: int) -> TooLarge:
    """That a request has more rows than one may have."""
    return TooLarge(
        f"these are {rows:,} observations, and one request may have {most:,}; send them in "
        "several, or many at once with `cim history import`"
    )


def _is_simple(kind: pa.DataType) -> bool:
    text = _written(kind)
    return bool(
        pa.types.is_primitive(text) or pa.types.is_string(text) or pa.types.is_large_string(text)
        or pa.types.is_null(text) or pa.types.is_decimal(text)
    )  # fmt: skip


def _written(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _written_out(column: pa.Array) -> pa.Array:
    """A column without a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return column
    words = column.dictionary
    if pa.types.is_string(words.type) or pa.types.is_large_string(words.type):
        size = pc.sum(pc.binary_length(words).cast(pa.int64()).take(column.indices)).as_py()
        if (size or 0) > _MOST_TEXT:
            raise TooLarge(
                "the texts of the Arrow stream are too long; send fewer observations at a time"
            )
    return column.dictionary_decode()


def _messages(body: bytes) -> Iterator[bytes]:
    """The heads of a stream's messages, as flatbuffers."""
    for message in pa.ipc.MessageReader.open_stream(body):
        yield message.metadata.to_pybytes()


def _is_compressed(head: bytes) -> bool:
    """Whether a message says that its buffers are compressed; raises `ValueError`.

    Read from Message.fbs by hand, since Arrow tells only once they are unpacked: Message has
    header_type and header as fields 1 and 2, DictionaryBatch data as field 1, RecordBatch
    compression as field 3.
    """
    try:
        [root] = struct.unpack_from("<I", head, 0)
        kind_at = _field(head, root, 1)
        kind = head[kind_at] if kind_at else 0
        if kind not in (_DICTIONARY, _BATCH):
            return False
        batch = _table(head, root, 2)
        if kind == _DICTIONARY:
            batch = _table(head, batch, 1)
        return bool(_field(head, batch, 3))
    except (struct.error, IndexError):
        raise ValueError("a message has no head") from None


def _table(head: bytes, table: int, number: int) -> int:
    """Where the table in a field of a table is."""
    place = _field(head, table, number)
    [ahead] = struct.unpack_from("<I", head, place)
    return place + int(ahead)


def _field(head: bytes, table: int, number: int) -> int:
    """Where a field of a table is; 0 where the table has none."""
    [back] = struct.unpack_from("<i", head, table)
    [size] = struct.unpack_from("<H", head, table - back)
    if 4 + 2 * number >= size:
        return 0
    [offset] = struct.unpack_from("<H", head, table - back + 4 + 2 * number)
    return table + int(offset) if offset else 0
