"""What stands in a lake at one moment, read from its catalog as the DuckLake specification lays it out.

The catalog is a SQLite file that the compactor writes through DuckDB. Readers take the list of files
and the marks from it in one transaction of SQLite, which takes a fraction of a millisecond; DuckDB's
own way to the same list takes ten. (DuckLake 1.0, "Tables", https://ducklake.select/docs)
"""

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import Conflict
from cim_core.observations import Times

TABLE = "observation"

LAYOUT = "1.0"
"""The layout of the catalog that this program reads."""

_WAIT_SECONDS = 60.0

_FILES = """
SELECT kept.table_name, file.path, file.record_count,
    CAST(stats.min_value AS BIGINT), CAST(stats.max_value AS BIGINT)
FROM ducklake_data_file AS file
JOIN ducklake_table AS kept ON kept.table_id = file.table_id AND kept.end_snapshot IS NULL
JOIN ducklake_column AS shown
    ON shown.table_id = kept.table_id AND shown.column_name = 'time' AND shown.end_snapshot IS NULL
JOIN ducklake_file_column_stats AS stats
    ON stats.data_file_id = file.data_file_id AND stats.column_id = shown.column_id
WHERE file.end_snapshot IS NULL
ORDER BY stats.min_value
"""

_MARKS = """
SELECT snapshot_id, commit_extra_info FROM ducklake_snapshot_changes
WHERE commit_extra_info IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Batches that became history together.

    snapshot
        The commit of the lake in which they did.
    of
        The table in which they did.
    file
        The id of the file that they came from: each file counts its own. Empty for one without an id.
    """

    snapshot: int
    batches: frozenset[int]
    of: str = TABLE
    file: str = ""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A table of the lake at one moment.

    number
        That of the last commit; -1 where nothing was ever written.
    files, rows
        Its files, and how many rows each has, (n,).
    first, last
        Between which times each file has rows, (n,).
    """

    number: int
    files: tuple[Path, ...]
    rows: NDArray[np.int64]
    first: Times
    last: Times
    marks: tuple[Mark, ...]

    @cached_property
    def moved(self) -> NDArray[np.int64]:
        """The batches that became history, (n,) sorted; those of long ago are not remembered."""
        numbers = set().union(*(mark.batches for mark in self.marks))
        return np.sort(np.fromiter(numbers, np.int64, len(numbers)))

    def between(self, start: int, end: int) -> NDArray[np.int64]:
        """Which files may have observations with start ≤ time < end, by their place."""
        return np.flatnonzero((self.last >= start) & (self.first < end))

    def paths(self, places: Iterable[int]) -> list[str]:
        """Files as DuckDB is told them."""
        return [str(self.files[place]) for place in places]


_NO_NUMBERS: NDArray[np.int64] = np.empty(0, np.int64)
NOTHING = Snapshot(-1, (), _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, ())


Ask = Callable[[str], list[tuple[Any, ...]]]
"""Answers a question in SQL about the catalog's tables with rows."""


class Catalog:
    """`history/catalog.db`, for reading. Nothing is in a lake that has none.

    One connection is shared by all threads: a look at it takes microseconds.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "catalog.db"
        self._data = folder / "data"
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._counter = -1
        self._through: Ask | None = None
        self._newest = (-1, 0)
        self._known: dict[str, Snapshot] = {}

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return bool(self._known) or self.path.is_file()

    def read_through(self, ask: Ask) -> None:
        """From now on ask DuckDB, which has the catalog open for writing.

        It brings a SQLite of its own, and of two in one process neither knows of the other's locks:
        whichever closes the file first would give up both's.
        """
        with self._lock:
            self._close()
            self._through = ask

    def snapshot(self, table: str = TABLE) -> Snapshot:
        """A table as it is now; as cheap as a look at a counter where the lake did not change."""
        with self._lock:
            if self._through is None and not self.exists:
                return NOTHING
            ask = self._through or self._own()
            counter = -1
            if self._through is None:
                counter = int(ask("PRAGMA data_version")[0][0])
                if counter == self._counter:
                    return self._table(table)
            ask("BEGIN")
            try:
                found = _newest(ask, self.path)
                if found != self._newest:
                    self._known = self._read(ask, found[0])
                    self._newest = found
            finally:
                ask("COMMIT")
            self._counter = counter  # only now: what could not be read is read again
            return self._table(table)

    def commits(self, before: int) -> list[int]:
        """The numbers of all commits but the last from before a moment, milliseconds since 1970."""
        with self._lock:
            ask = self._through or self._own()
            found = ask("SELECT snapshot_id, CAST(snapshot_time AS TEXT) FROM ducklake_snapshot")
        last = max((number for number, _ in found), default=-1)
        return [
            int(number)
            for number, at in found
            if number != last and 1000 * datetime.fromisoformat(at).timestamp() < before
        ]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()
            self._through = None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._counter = -1

    def _table(self, table: str) -> Snapshot:
        return self._known.get(table, NOTHING)

    def _read(self, ask: Ask, number: int) -> dict[str, Snapshot]:
        marks: dict[str, list[Mark]] = defaultdict(list)
        for row in ask(_MARKS):
            mark = _mark(*row)
            marks[mark.of].append(mark)
        of_tables: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for name, *file in ask(_FILES):
            of_tables[name].append(tuple(file))
        return {
            name: self._told(name, number, of_tables[name], marks[name])
            for name in {TABLE, *of_tables, *marks}
        }

    def _told(
        self, table: str, number: int, rows: list[tuple[Any, ...]], marks: Sequence[Mark]
    ) -> Snapshot:
        folder = self._data / "main" / table
        count, first, last = np.array([row[1:] for row in rows], np.int64).reshape(-1, 3).T.copy()
        files = tuple(folder / row[0] for row in rows)
        return Snapshot(number, files, count, first, last, tuple(marks))

    def _own(self) -> Ask:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{self.path.resolve().as_uri()}?mode=rw", _WAIT_SECONDS, uri=True,
                isolation_level=None, check_same_thread=False,
            )  # fmt: skip
        connection = self._connection
        return lambda sql: connection.execute(sql).fetchall()


def _newest(ask: Ask, path: Path) -> tuple[int, int]:
    """The number of the last commit, and how many are remembered; -1 before the lake is laid out."""
    try:
        version = ask("SELECT value FROM ducklake_metadata WHERE key = 'version'")
    except sqlite3.OperationalError as error:  # DuckDB lays the catalog out in one transaction
        if "no such table" in str(error):
            return (-1, 0)
        raise
    if version and version[0][0] != LAYOUT:
        raise Conflict(
            f"{path} is laid out as DuckLake {version[0][0]} has it, and this program reads {LAYOUT}; "
            "take the program that wrote it"
        )
    [(number, count)] = ask("SELECT max(snapshot_id), count(*) FROM ducklake_snapshot")
    return (-1 if number is None else int(number), int(count))


def mark_text(batches: Sequence[int], table: str = TABLE, file: str = "") -> str:
    """The numbers of batches as they are kept with a commit: as runs, first and last.

    >>> mark_text([3, 4, 5, 9])
    '[[3,5],[9,9]]'
    >>> mark_text([7], "traffic_signals")
    '{"traffic_signals":[[7,7]]}'
    >>> mark_text([7], "traffic_signals", "0b3f")
    '{"traffic_signals":[[7,7]],"file":"0b3f"}'
    """
    numbers = np.sort(np.asarray(batches, np.int64))
    ends = np.flatnonzero(np.diff(numbers) != 1)
    firsts = numbers[np.r_[0, ends + 1]].tolist()
    lasts = numbers[np.r_[ends, len(numbers) - 1]].tolist()
    runs = list(zip(firsts, lasts, strict=True))
    of = {"file": file} if file else {}
    told: object = runs if table == TABLE else {table: runs} | of
    return json.dumps(told, separators=(",", ":"))


def _mark(snapshot: int, text: str) -> Mark:
    found = json.loads(text)
    told = found if isinstance(found, dict) else {TABLE: found}
    file = told.pop("file", "")
    [(table, runs)] = told.items()
    batches = frozenset(one for first, last in runs for one in range(first, last + 1))
    return Mark(snapshot, batches, table, file)
