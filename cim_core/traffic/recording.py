"""Positions and signals of some hours as one Parquet file, to be played again.

The door of pyarrow for traffic.
A row is a position or a signal state, as `what` says. Its columns are the fields of `Positions` and
`SignalStates`; those of the other kind are null.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cim_core.errors import InvalidInput
from cim_core.network import Labels
from cim_core.traffic.moving import M, Moving, Positions, SignalStates, dtype_of, in_order

SUFFIX = ".parquet"

_KINDS: dict[str, type[Moving]] = {"positions": Positions, "signals": SignalStates}


def write_recording(path: Path, positions: Positions, signals: SignalStates) -> None:
    """Write a recording; rows of a kind are put in order of time."""
    columns = {f.name: dtype_of(f.name) for kind in _KINDS.values() for f in fields(kind)}
    parts = []
    told: dict[str, Moving] = {"positions": in_order(positions), "signals": in_order(signals)}
    for name, what in told.items():
        own = {f.name: _array(getattr(what, f.name)) for f in fields(what)}
        arrays = {
            column: own[column] if column in own else pa.nulls(len(what), _type(dtype))
            for column, dtype in columns.items()
        }
        whats = pa.array([name] * len(what), pa.string())
        parts.append(pa.table({"what": whats, **arrays}))
    text = [name for name, dtype in columns.items() if dtype is None]
    pq.write_table(
        pa.concat_tables(parts), path, compression="zstd", use_dictionary=["what", *text]
    )


def read_recording(path: Path) -> tuple[Positions, SignalStates]:
    """The recording in a file, each kind in order of time; raises `InvalidInput` for another file."""
    try:
        table = pq.read_table(path)
        found = [_rows(table, name, kind) for name, kind in _KINDS.items()]
    except (OSError, pa.ArrowException, KeyError) as error:
        raise InvalidInput(
            f"{path} is no recording of traffic ({error}); give a Parquet file with the column what "
            "and the fields of positions and signals, as docs/reference/v2x-messages.md has them"
        ) from error
    positions, signals = found
    assert isinstance(positions, Positions) and isinstance(signals, SignalStates)
    return positions, signals


def arrow_of(what: Moving) -> Any:
    """Rows of one kind as an Arrow table, a column for each field; texts that are none are null."""
    return pa.table({f.name: _array(getattr(what, f.name)) for f in fields(what)})


def moving_of(table: Any, kind: type[M]) -> M:
    """Rows of an Arrow table with a column for each field of a kind; null numbers become NaN."""
    columns: dict[str, Any] = {}
    for f in fields(kind):
        dtype = dtype_of(f.name)
        column = table[f.name].combine_chunks()
        if dtype is None:
            columns[f.name] = _labels(column)
        else:
            if np.issubdtype(dtype, np.floating):
                column = column.fill_null(float("nan"))
            columns[f.name] = column.cast(_type(dtype)).to_numpy(zero_copy_only=False).copy()
    return kind(**columns)


def _rows(table: pa.Table, name: str, kind: type[M]) -> M:
    return in_order(moving_of(table.filter(pc.equal(table["what"], name)), kind))


def _array(column: Any) -> pa.Array:
    if not isinstance(column, Labels):
        return pa.array(column)
    names = pa.array([*column.names], pa.string())
    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())


def _labels(column: pa.Array) -> Labels:
    coded = column.cast(pa.string()).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Labels(tuple(coded.dictionary.to_pylist()), codes)


def _type(dtype: "np.dtype[np.generic] | None") -> pa.DataType:
    return pa.string() if dtype is None else pa.from_numpy_dtype(dtype)
