"""The newest observations as they arrived, batch by batch."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cim_core.observations import LAST_TIME, More, Observations, joined, observations
from cim_core.store.live_file import LiveFile

_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """What was written together.

    arrived
        When, milliseconds since 1970.
    """

    id: int
    arrived: int
    observations: Observations


class Batches:
    """The batches of a city that are not history yet."""

    def __init__(self, file: LiveFile) -> None:
        self._file = file

    def append(self, connection: sqlite3.Connection, what: Observations, arrived: int) -> int:
        """Write observations, one at least, as one batch; its number, which only ever grows."""
        columns = (what.keys.astype("<u8"), what.values.astype("<f8"), what.cells.astype("<u8"))
        found = connection.execute(
            "INSERT INTO batches (arrived, first, last, rows, columns, more)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                arrived, int(what.times.min()), int(what.times.max()), len(what),
                b"".join(column.tobytes() for column in columns), _more_text(what),
            ),
        )  # fmt: skip
        return int(found.lastrowid or 0)

    def all_after(self, batch: int) -> list[Batch]:
        """The batches with a higher number, in order."""
        rows = self._file.rows("SELECT * FROM batches WHERE id > ? ORDER BY id", batch)
        return [_batch(row) for row in rows]

    def ids(self) -> list[int]:
        """The numbers of all of them, in order."""
        return [row["id"] for row in self._file.rows("SELECT id FROM batches ORDER BY id")]

    def oldest(self, rows: int, arrived_before: int | None = None) -> list[Batch]:
        """The oldest batches, in order, until they have so many rows together.

        arrived_before
            Only those that arrived before that moment, milliseconds since 1970.
        """
        limit = LAST_TIME if arrived_before is None else arrived_before
        sizes = self._file.rows("SELECT id, rows FROM batches WHERE arrived < ? ORDER BY id", limit)
        wanted: list[int] = []
        total = 0
        for row in sizes:
            if total >= rows:
                break
            wanted.append(row["id"])
            total += row["rows"]
        if not wanted:
            return []
        found = self._file.rows(
            "SELECT * FROM batches WHERE id BETWEEN ? AND ? AND arrived < ? ORDER BY id",
            wanted[0], wanted[-1], limit,
        )  # fmt: skip
        return [_batch(row) for row in found]

    def count(self, arrived_before: int | None = None) -> int:
        """How many rows there are."""
        limit = LAST_TIME if arrived_before is None else arrived_before
        row = self._file.row(
            "SELECT coalesce(sum(rows), 0) AS n FROM batches WHERE arrived < ?", limit
        )
        return int(row["n"]) if row else 0

    def delete(self, connection: sqlite3.Connection, batches: Sequence[Batch]) -> None:
        """Forget batches that are history now; the newest of each datastream stays known."""
        connection.executemany(
            "DELETE FROM batches WHERE id = ?", [(batch.id,) for batch in batches]
        )
        self.became_history(connection, joined([batch.observations for batch in batches]))

    def became_history(self, connection: sqlite3.Connection, what: Observations) -> None:
        """Keep what is newest of observations that are history now, and have all tails know of it."""
        self.keep_latest(connection, what)
        connection.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'deleted'"
        )

    def keep_latest(self, connection: sqlite3.Connection, what: Observations) -> None:
        """Keep the newest observation of each datastream, if it is newer than what is kept."""
        newest = newest_of(what)
        columns = (newest.streams, newest.times, newest.values, newest.cells)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        connection.executemany(  # SQLite has no NaN and keeps NULL instead
            "INSERT INTO latest VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET"
            " time = excluded.time, value = excluded.value, cell = excluded.cell,"
            " more = excluded.more WHERE excluded.time > latest.time",
            [(*row, _json(newest.more.get(number))) for number, row in enumerate(rows)],
        )

    def latest(self) -> Observations:
        """The newest observation of each datastream among those that are history."""
        rows = self._file.rows("SELECT * FROM latest ORDER BY stream")
        return observations(
            [row["stream"] for row in rows], [row["time"] for row in rows],
            [np.nan if row["value"] is None else row["value"] for row in rows],
            [row["cell"] for row in rows],
            {n: json.loads(row["more"]) for n, row in enumerate(rows) if row["more"]},
        )  # fmt: skip


def newest_of(what: Observations) -> Observations:
    """The newest observation of each datastream, by datastream."""
    order = np.lexsort((what.times, what.streams))
    streams = what.streams[order]
    last = np.ones(len(order), bool)
    last[:-1] = streams[1:] != streams[:-1]
    return what.take(order[last])


def _batch(row: sqlite3.Row) -> Batch:
    columns = np.frombuffer(row["columns"], "<u8").reshape(_COLUMNS, row["rows"])
    keys = columns[0].astype(np.uint64)
    more = json.loads(row["more"]) if row["more"] else {}
    return Batch(
        row["id"], row["arrived"],
        Observations(
            (keys >> np.uint64(42)).astype(np.int64),
            (keys & np.uint64(LAST_TIME)).astype(np.int64),
            columns[1].view("<f8").astype(np.float64), columns[2].astype(np.uint64),
            {int(place): what for place, what in more.items()},
        ),
    )  # fmt: skip


def _more_text(what: Observations) -> str | None:
    return _json({str(row): dict(more) for row, more in what.more.items()})


def _json(what: More | None) -> str | None:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":")) if what else None
