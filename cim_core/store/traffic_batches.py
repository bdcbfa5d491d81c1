"""What moved on the roads as it arrived, batch by batch; each is one row of columns."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cim_core.network import Labels
from cim_core.observations import Times
from cim_core.store.traffic_file import TrafficFile
from cim_core.traffic.moving import (
    Box,
    ControllerEvents,
    M,
    Moving,
    Positions,
    SignalStates,
    between,
    dtype_of,
    joined,
    take,
    within,
)

KINDS: dict[str, type[Moving]] = {
    "positions": Positions, "signals": SignalStates, "controller": ControllerEvents
}  # fmt: skip


def kind_of(what: type[M]) -> str:
    """What a kind is called in files and addresses."""
    return next(name for name, kind in KINDS.items() if kind is what)


@dataclass(frozen=True, slots=True)
class Batch:
    """What was written together; `arrived` is when, milliseconds since 1970."""

    id: int
    layer: str
    arrived: int
    what: Moving


class TrafficBatches:
    """The batches of a city that are not history yet."""

    def __init__(self, file: TrafficFile) -> None:
        self._file = file

    def append(self, connection: sqlite3.Connection, layer: str, what: Moving, arrived: int) -> int:
        """Write rows, one at least, as one batch; its number, which only ever grows."""
        names, columns = _written(what)
        found = connection.execute(
            "INSERT INTO batches (layer, kind, arrived, first, last, rows, names, columns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                layer, kind_of(type(what)), arrived, int(what.times.min()), int(what.times.max()),
                len(what), json.dumps(names, ensure_ascii=False, separators=(",", ":")), columns,
            ),
        )  # fmt: skip
        return int(found.lastrowid or 0)

    def window(
        self, layer: str, kind: type[M], start: int, end: int,
        moved: Callable[[], AbstractSet[int]] = frozenset, box: Box | None = None,
    ) -> M:  # fmt: skip
        """What is hot of a layer with start ≤ time < end, in the order it arrived.

        moved
            Which batches are history by now; asked after the hot ones were read.
        box
            Only positions in it.
        """
        rows = self._file.rows(
            "SELECT * FROM batches WHERE layer = ? AND kind = ? AND first < ? AND last >= ? ORDER BY id",
            layer, kind_of(kind), end, start,
        )  # fmt: skip
        gone = moved()
        parts = [within(_read(row, kind), box) for row in rows if row["id"] not in gone]
        return between(joined(parts, kind), start, end)

    def at(self, layer: str, kind: type[M], times: Times) -> Iterator[M]:
        """What is hot of a layer at just these times, (n,), batch by batch, so that memory is bounded."""
        order = np.unique(times)
        found = self._file.rows(
            "SELECT id, first, last FROM batches"
            " WHERE layer = ? AND kind = ? AND first <= ? AND last >= ? ORDER BY id",
            layer, kind_of(kind), int(order[-1]), int(order[0]),
        )  # fmt: skip
        reach = np.array([tuple(row) for row in found], np.int64).reshape(-1, 3)
        begins = np.searchsorted(order, reach[:, 1], "left")
        some = reach[begins < np.searchsorted(order, reach[:, 2], "right"), 0]
        for number in some.tolist():
            row = self._file.row("SELECT * FROM batches WHERE id = ?", number)
            if row is not None:  # else it is history by now
                what = _read(row, kind)
                yield take(what, np.isin(what.times, order))

    def oldest(
        self, kind: type[Moving], most: int, arrived_before: int, at_least: int = 1
    ) -> list[Batch]:
        """The oldest batches of a kind that arrived before a moment, with about `most` rows together.

        None at all where they have fewer than `at_least`.
        """
        connection, name = self._file.connection(), kind_of(kind)
        if connection is None:
            return []
        numbers, rows = [], 0
        # They come in the order they arrived, and only as far as they are wanted.
        for row in connection.execute(
            "SELECT id, rows, arrived FROM batches WHERE kind = ? ORDER BY id", (name,)
        ):
            if row["arrived"] >= arrived_before or rows >= most:
                break
            numbers.append(row["id"])
            rows += row["rows"]
        if rows < at_least:
            return []
        found = self._file.rows(
            "SELECT * FROM batches WHERE kind = ? AND id BETWEEN ? AND ? ORDER BY id",
            name, numbers[0], numbers[-1],
        )  # fmt: skip
        return [_batch(row, kind) for row in found]

    def there(self, batches: Iterable[int]) -> list[int]:
        """Which of some batches are hot yet."""
        asked = json.dumps(sorted(batches))
        rows = self._file.rows(
            "SELECT id FROM batches WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", asked
        )
        return [row["id"] for row in rows]

    def delete(self, connection: sqlite3.Connection, batches: Iterable[int]) -> None:
        """Let go of batches that are history."""
        connection.executemany("DELETE FROM batches WHERE id = ?", [(one,) for one in batches])

    def all_after(self, batch: int, kind: type[Moving]) -> list[Batch]:
        """The batches of a kind with a higher number, in order."""
        rows = self._file.rows(
            "SELECT * FROM batches WHERE id > ? AND kind = ? ORDER BY id", batch, kind_of(kind)
        )
        return [_batch(row, kind) for row in rows]

    def span(self, layer: str, kind: type[M]) -> tuple[int, int] | None:
        """The first and the last time that is hot, None for nothing."""
        row = self._file.row(
            "SELECT min(first) AS first, max(last) AS last FROM batches WHERE layer = ? AND kind = ?",
            layer, kind_of(kind),
        )  # fmt: skip
        return (row["first"], row["last"]) if row and row["first"] is not None else None

    def newest(self, layer: str, start: int, end: int) -> int:
        """The number of the newest batch of a layer that reaches into start ≤ time < end, 0 for none."""
        row = self._file.row(
            "SELECT max(id) AS last FROM batches WHERE layer = ? AND first < ? AND last >= ?",
            layer, end, start,
        )  # fmt: skip
        return int(row["last"] or 0) if row else 0

    def last(self) -> int:
        """The number of the newest batch, 0 for none."""
        row = self._file.row("SELECT max(id) AS last FROM batches")
        return int(row["last"] or 0) if row else 0


def _batch(row: sqlite3.Row, kind: type[Moving]) -> Batch:
    return Batch(row["id"], row["layer"], row["arrived"], _read(row, kind))


def _written(what: Moving) -> tuple[dict[str, list[str]], bytes]:
    names: dict[str, list[str]] = {}
    parts = []
    for f in fields(what):
        column = getattr(what, f.name)
        if isinstance(column, Labels):
            used, codes = np.unique(column.codes, return_inverse=True)
            names[f.name] = [column.names[code] if code >= 0 else "" for code in used.tolist()]
            column = codes.astype(np.int32)
        parts.append(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return names, b"".join(parts)


def _read(row: sqlite3.Row, kind: type[M]) -> M:
    names, blob, begin = json.loads(row["names"]), row["columns"], 0
    columns: dict[str, Any] = {}
    for f in fields(kind):
        dtype = (dtype_of(f.name) or np.dtype(np.int32)).newbyteorder("<")
        values = np.frombuffer(blob, dtype, row["rows"], begin).astype(dtype.newbyteorder("="))
        begin += values.nbytes
        columns[f.name] = _labels(names[f.name], values) if f.name in names else values
    return kind(**columns)


def _labels(names: list[str], codes: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> Labels:
    """Codes of names, of which the empty one is none."""
    if "" in names:
        none = names.index("")
        names = names[:none] + names[none + 1 :]
        codes = np.where(codes == none, -1, np.where(codes > none, codes - 1, codes)).astype(
            np.int32
        )
    return Labels(tuple(names), codes)
