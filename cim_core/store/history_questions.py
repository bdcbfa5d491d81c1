"""Questions to the rows of the lake and of the tail together, as one table each time.

The Parquet files are immutable, so a list of them is a moment of the lake: DuckDB reads the files that
may have what is asked for, and the rows that are still hot beside them.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from cim_core.cells import FINEST
from cim_core.errors import StorageFailed, TooLarge
from cim_core.observations import Observations, StreamIds, Times
from cim_core.store.history_catalog import Snapshot
from cim_core.store.history_lake import instance, literal
from cim_core.store.history_rows import Columns, numbers_of

_HOUR = 3_600_000

_FEW_STREAMS = 1_000
"""So many are written into a question; more are joined."""

_SUMS = "count(*) AS counts, fsum(value) AS sums, min(value) AS lowest, max(value) AS highest"
"""fsum compensates what rounding loses, so that the order of rows does not show."""


class Questions:
    """One DuckDB of a process for reading, used by any number of threads."""

    def __init__(self, folder: Path, memory: int, threads: int) -> None:
        self._folder = folder
        self._database = instance(folder, memory, threads)
        self._local = threading.local()

    def totals(
        self, lake: Snapshot, hot: Observations, streams: StreamIds, start: int, end: int
    ) -> Columns:
        """Counts, sums and extremes of numbers by datastream and cell."""
        sql = f"SELECT stream, cell, {_SUMS} FROM ({{rows}}) GROUP BY ALL ORDER BY ALL"
        return self._numbers(sql, lake, hot, streams, start, end)

    def hourly(
        self, lake: Snapshot, hot: Observations, streams: StreamIds, start: int, end: int
    ) -> Columns:
        """The same by datastream and hour (the milliseconds of its beginning)."""
        sql = (
            f"SELECT stream, time // {_HOUR} * {_HOUR} AS hour, {_SUMS} FROM ({{rows}})"
            " GROUP BY ALL ORDER BY ALL"
        )
        return self._numbers(sql, lake, hot, streams, start, end)

    def quantiles(
        self, lake: Snapshot, hot: Observations, streams: StreamIds, start: int, end: int,
        q: float, resolution: int,
    ) -> Columns:  # fmt: skip
        """A quantile, between neighbours as a straight line has it, by H3 cell of a resolution."""
        finer = (1 << 3 * (FINEST - resolution)) - 1  # see cim_core.cells.parents
        cell = f"(cell & ~{15 << 52}::BIGINT) | {resolution << 52 | finer}::BIGINT"
        sql = (
            f"SELECT {cell} AS cell, quantile_cont(value, {float(q)}) AS value FROM ({{rows}})"
            " WHERE cell <> 0 GROUP BY 1 ORDER BY 1"
        )
        return self._numbers(sql, lake, hot, streams, start, end)

    def rows(
        self, lake: Snapshot, streams: StreamIds, start: int, end: int,
        order: str = "ASC", limit: int | None = None,
    ) -> Columns:  # fmt: skip
        """The lake's own rows, in order of time, or against it (`DESC`); at most so many."""
        most = "" if limit is None else f"LIMIT {limit}"
        sql = (
            "SELECT stream, time, value, cell, more FROM ({rows})"
            f" ORDER BY time {order}, stream {order} {most}"
        )
        return self._ask(sql, lake, streams, start, end, "stream, time, value, cell, more")

    def count(self, lake: Snapshot, streams: StreamIds, start: int, end: int) -> int:
        """How many rows the lake has."""
        sql = "SELECT count(*) AS n FROM ({rows})"
        return int(self._ask(sql, lake, streams, start, end, "stream")["n"][0])

    def known(self, lake: Snapshot, streams: StreamIds, times: Times) -> np.ndarray[Any, Any]:
        """Which observations, (n,) of each array, are in the lake, (n,) bool."""
        found = np.zeros(len(times), bool)
        order = np.sort(times)
        begins = np.searchsorted(order, lake.first, "left")
        places = np.flatnonzero(begins < np.searchsorted(order, lake.last, "right"))
        if not len(places):
            return found
        asked = {"row": np.arange(len(times)), "stream": streams.astype(np.int32), "time": times}
        sql = (
            "SELECT DISTINCT asked.row FROM asked JOIN (SELECT stream, time FROM"
            f" {_parquet(lake.paths(places))}"
            f" WHERE time BETWEEN {int(order[0])} AND {int(order[-1])}) AS kept USING (stream, time)"
        )
        found[self._execute(sql, asked=asked)["row"]] = True
        return found

    def arrow(
        self, lake: Snapshot, places: Iterable[int], columns: str, start: int, end: int,
        where: str = "true",
    ) -> Any:  # fmt: skip
        """Columns of the rows with start ≤ time < end of some files, as an Arrow table."""
        return self._executed(
            f"SELECT {columns} FROM {_parquet(lake.paths(places))}"
            f" WHERE time >= {int(start)} AND time < {int(end)} AND {where}",
            lambda cursor: cursor.to_arrow_table(),
        )

    def alike(
        self, lake: Snapshot, places: Iterable[int], columns: str, asked: Any, same: Sequence[str]
    ) -> Any:
        """Columns of those rows of some files that are the same as one of an Arrow table, as another one.

        same
            The columns that must be, of which the table has no others; one is `time`. NULL is like NULL.
        """
        among = " AND ".join(f'kept."{x}" IS NOT DISTINCT FROM asked."{x}"' for x in same)
        times = asked["time"].to_numpy()
        return self._executed(
            f"SELECT {columns} FROM (SELECT * FROM {_parquet(lake.paths(places))}"
            f" WHERE time BETWEEN {int(times.min())} AND {int(times.max())}"
            " AND time IN (SELECT time FROM asked)) AS kept"
            f" SEMI JOIN asked ON {among}",
            lambda cursor: cursor.to_arrow_table(),
            asked=asked,
        )

    def close(self) -> None:
        """Let go of all files."""
        self._database.close()

    def _numbers(
        self, sql: str, lake: Snapshot, hot: Observations, streams: StreamIds, start: int, end: int
    ) -> Columns:
        columns = "stream, time, value, cell"
        return self._ask(sql, lake, streams, start, end, columns, numbers_of(hot))

    def _ask(
        self, sql: str, lake: Snapshot, streams: StreamIds, start: int, end: int, columns: str,
        hot: Columns | None = None,
    ) -> Columns:  # fmt: skip
        """Ask a question whose `{rows}` are those of some datastreams with start ≤ time < end.

        hot
            Rows beside those of the lake; with them only numbers are looked at.
        """
        places = lake.between(start, end)
        wanted = {"id": streams.astype(np.int32)}
        some = (
            f"stream IN ({_text(streams)})"
            if 0 < len(streams) <= _FEW_STREAMS
            else "stream IN (SELECT id FROM wanted)"
        )
        parts = []
        if len(places):
            numbers = "" if hot is None else " AND value IS NOT NULL"
            parts.append(
                f"SELECT {columns} FROM {_parquet(lake.paths(places))}"
                f" WHERE time >= {int(start)} AND time < {int(end)} AND {some}{numbers}"
            )
        if hot is not None and (len(hot["time"]) or not parts):
            parts.append(f"SELECT {columns} FROM hot")
        if not parts:
            parts.append(f"SELECT {columns} FROM ({_NO_ROWS})")
        rows = " UNION ALL ".join(parts)
        return self._execute(sql.replace("{rows}", rows), hot=hot, wanted=wanted)

    def _execute(
        self, sql: str, *, hot: Columns | None = None, wanted: Columns | None = None,
        asked: Columns | None = None,
    ) -> Columns:  # fmt: skip
        """Ask a question that has these tables, by the names of the arguments."""
        found: Columns = self._executed(
            sql, lambda cursor: cursor.fetchnumpy(), hot=hot, wanted=wanted, asked=asked
        )
        return found

    def _executed(
        self, sql: str, fetched: Callable[[duckdb.DuckDBPyConnection], Any], *,
        hot: Columns | None = None, wanted: Columns | None = None, asked: Columns | None = None,
    ) -> Any:  # fmt: skip
        """DuckDB finds the tables of a question by the names of these arguments."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._database.cursor()
        try:
            return fetched(cursor.execute(sql))
        except duckdb.OutOfMemoryException as error:
            raise TooLarge(
                "the history has more rows for this question than fit into memory; ask about a "
                "shorter time or fewer things, or give it more with CIM_HISTORY_MEMORY"
            ) from error
        except duckdb.IOException as error:
            raise StorageFailed(
                f"a file of the history in {self._folder} cannot be read ({error}); restore the "
                "folder from a backup"
            ) from error


_NO_ROWS = (
    "SELECT 0::INTEGER AS stream, 0::BIGINT AS time, 0::DOUBLE AS value, 0::BIGINT AS cell,"
    " ''::VARCHAR AS more WHERE false"
)


def _parquet(files: Sequence[str]) -> str:
    """A table of the rows of some files."""
    return f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning = false)"


def _text(streams: StreamIds) -> str:
    return ", ".join(map(str, streams.tolist()))
