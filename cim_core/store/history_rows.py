"""Observations as the columns of the lake, and back."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cim_core.cells import Cells
from cim_core.observations import Observations

DAY = 86_400_000
"""Milliseconds. A day of the lake is one of UTC."""

Columns = dict[str, Any]
"""Arrays by the names of columns."""


def columns_of(what: Observations) -> Columns:
    """Observations as DuckDB takes them, cells as signed numbers."""
    more: np.ndarray[Any, Any] = np.full(len(what), None, object)
    for row, known in what.more.items():
        more[row] = json.dumps(dict(known), ensure_ascii=False, separators=(",", ":"))
    return {
        "stream": what.streams.astype(np.int32), "time": what.times,
        "value": what.values, "cell": what.cells.astype(np.int64), "more": more,
    }  # fmt: skip


def numbers_of(what: Observations) -> Columns:
    """Those of them that are numbers, as far as sums need them."""
    columns = {
        "stream": what.streams, "time": what.times, "value": what.values, "cell": what.cells
    }  # fmt: skip
    kept = ~np.isnan(what.values)
    if not kept.all():
        columns = {name: column[kept] for name, column in columns.items()}
    return {
        **columns, "stream": columns["stream"].astype(np.int32),
        "cell": columns["cell"].astype(np.int64),
    }  # fmt: skip


def observations_of(found: Mapping[str, Any]) -> Observations:
    """What DuckDB answered with, which masks what is NULL."""
    texts, values = found["more"], found["value"]
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(np.nan)
    if isinstance(texts, np.ma.MaskedArray):
        known = np.flatnonzero(~texts.mask)
        more = {row: json.loads(texts.data[row]) for row in known.tolist()}
    else:
        more = {row: json.loads(text) for row, text in enumerate(texts.tolist())}
    return Observations(
        found["stream"].astype(np.int64), found["time"].astype(np.int64), values,
        cells_of_column(found["cell"]), more,
    )  # fmt: skip


def cells_of_column(column: Any) -> Cells:
    """H3 cells, (n,), of a column of the lake."""
    cells: Cells = column.astype(np.int64).view(np.uint64)
    return cells
