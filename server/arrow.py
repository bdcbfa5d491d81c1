"""Columns as Arrow, for programs that take in many rows."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

Columns = Mapping[str, Sequence[Any] | NDArray[Any]]
"""Each of the same length; None, and NaN in arrays of numbers, stand for nothing."""


def arrow_stream(columns: Columns, about: Mapping[str, str] | None = None) -> bytes:
    """Columns as an Arrow IPC stream of one batch; `about` is the metadata of its schema."""
    arrays = {
        name: pa.array(column, from_pandas=isinstance(column, np.ndarray))
        for name, column in columns.items()
    }
    batch = pa.record_batch(arrays).replace_schema_metadata(dict(about or {}))
    out = io.BytesIO()
    with pa.ipc.new_stream(out, batch.schema) as writer:
        writer.write_batch(batch)
    return out.getvalue()
