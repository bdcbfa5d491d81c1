"""DuckDB, in two instances of a process at most: one that reads Parquet, one that writes the lake."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from cim_core.errors import StorageFailed
from cim_core.observations import Observations
from cim_core.store.history_catalog import TABLE, Ask, mark_text
from cim_core.store.history_rows import DAY, columns_of

_SLICE = 4 * 3_600_000
"""Within a day rows stand by slices of four hours, then by cell: a map of an hour reads a sixth of a
day, and the series of one datastream a few places in each."""

_OPTIONS = {
    "parquet_row_group_size": "20480", "parquet_compression": "zstd", "target_file_size": "1GB",
}  # fmt: skip

_ROWS_AT_ONCE = 2_000_000


def instance(folder: Path, memory: int, threads: int) -> duckdb.DuckDBPyConnection:
    """A DuckDB that fetches nothing from anywhere.

    What is more than `memory`, bytes, it keeps for the moment in `folder`.
    """
    found = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False, "autoload_known_extensions": False,
            "memory_limit": f"{memory}B", "threads": threads, "temp_directory": str(folder / "tmp"),
        },
    )  # fmt: skip
    found.execute("SET parquet_metadata_cache = true")
    found.execute("SET pandas_analyze_sample = 0")  # what is an object is text, or not there
    found.execute("SET TimeZone = 'UTC'")
    found.execute("SET enable_progress_bar = false")
    return found


class Writer:
    """The lake, for writing: one at a time may, whoever holds its lock."""

    def __init__(self, folder: Path, memory: int) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._data.mkdir(parents=True, exist_ok=True)
        self._lake = instance(folder, memory, 1)  # of several threads rows come in no order
        for name in ("ducklake", "sqlite_scanner"):
            self._lake.execute(f"LOAD {literal(_extension(name))}")
        whole = folder.resolve()
        self._lake.execute(
            # Where the data lie is said anew each time, so that a city can be moved.
            f"ATTACH {literal(f'ducklake:sqlite:{whole}/catalog.db')} AS lake"
            f" (DATA_PATH {literal(f'{whole}/data/')}, OVERRIDE_DATA_PATH true,"
            " DATA_INLINING_ROW_LIMIT 0, META_JOURNAL_MODE 'WAL')"
        )
        found = self._rows("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake'")
        if not found[0][0]:
            self._lay_out()

    def _lay_out(self) -> None:
        with self._transaction():
            self._lake.execute(
                f"CREATE TABLE lake.{TABLE} (day INTEGER NOT NULL, stream INTEGER NOT NULL,"
                " time BIGINT NOT NULL, value DOUBLE, cell BIGINT NOT NULL, more VARCHAR)"
            )
            self._lake.execute(f"ALTER TABLE lake.{TABLE} SET PARTITIONED BY (day)")
            self._lake.execute(
                f"ALTER TABLE lake.{TABLE} SET SORTED BY (time // {_SLICE}, cell, stream, time)"
            )
            for name, value in _OPTIONS.items():
                self._lake.execute(f"CALL lake.set_option('{name}', '{value}')")

    def insert(self, what: Observations, batches: Sequence[int] = ()) -> None:
        """Keep observations, and in the same commit which batches they were.

        They are on disk before they are committed.
        """
        before = self._files(what)
        with self._transaction():
            days = what.times // DAY
            for day in np.unique(days).tolist():  # rows of several days would not be in order
                of_day = np.flatnonzero(days == day)
                for begin in range(0, len(of_day), _ROWS_AT_ONCE):
                    self._insert(what.take(of_day[begin : begin + _ROWS_AT_ONCE]), day)
            if batches:
                marked = literal(mark_text(batches))
                self._lake.execute(
                    f"CALL lake.set_commit_message(NULL, 'moved', extra_info => {marked})"
                )
            _to_disk(self._files(what) - before, self._data)

    def begin(self, table: str, columns: str, partition: str, order: str) -> None:
        """Lay a table beside that of observations out, unless it is there; each in SQL."""
        name = literal(table)
        if self._rows(
            "SELECT 1 FROM duckdb_tables()"
            f" WHERE database_name = 'lake' AND schema_name = 'main' AND table_name = {name}"
        ):
            return
        with self._transaction():
            self._lake.execute(f"CREATE TABLE lake.{table} ({columns})")
            self._lake.execute(f"ALTER TABLE lake.{table} SET PARTITIONED BY ({partition})")
            self._lake.execute(f"ALTER TABLE lake.{table} SET SORTED BY ({order})")

    def fill(self, table: str, parts: Sequence[tuple[str, Any]], mark: str) -> None:
        """Keep rows of such a table and a mark in one commit; on disk before it.

        parts
            What to select of `given` in SQL, and an Arrow table that is it; each becomes a file.
        """
        folder = self._data / "main" / table
        before = set(folder.glob("**/*.parquet"))
        with self._transaction():
            for chosen, given in parts:
                assert given is not None  # DuckDB finds it by its name
                self._lake.execute(f"INSERT INTO lake.{table} SELECT {chosen} FROM given")
            self._lake.execute(
                f"CALL lake.set_commit_message(NULL, 'moved', extra_info => {literal(mark)})"
            )
            _to_disk(set(folder.glob("**/*.parquet")) - before, self._data)

    def _insert(self, what: Observations, day: int) -> None:
        given = columns_of(what)
        assert given  # DuckDB finds it by its name
        self._lake.execute(
            f"INSERT INTO lake.{TABLE} SELECT {day}, stream, time,"
            " nullif(value, 'NaN'::DOUBLE), cell, more FROM given"
        )

    def tidy(self, expired: Sequence[int], seconds: int) -> None:
        """Make one file of a day's, forget commits, and delete files nobody has needed for so long."""
        ago = f"now() - INTERVAL {int(seconds)} SECOND"
        if expired:
            self.forget(expired)
        before = self._all_files()
        tables = self._rows(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY table_name"
        )
        with self._transaction():
            for (table,) in tables:
                name = literal(table)
                self._rows(f"SELECT count(*) FROM ducklake_merge_adjacent_files('lake', {name})")
            _to_disk(self._all_files() - before, self._data)
        for clean in ("cleanup_old_files", "delete_orphaned_files"):
            self._rows(f"SELECT count(*) FROM ducklake_{clean}('lake', older_than => {ago})")

    def forget(self, expired: Sequence[int]) -> None:
        """Forget commits, with the batches that were moved in them."""
        versions = ", ".join(str(int(one)) for one in expired)
        self._rows(
            f"SELECT count(*) FROM ducklake_expire_snapshots('lake', versions => [{versions}])"
        )

    def catalog(self) -> Ask:
        """A way to ask the catalog's tables, for one thread at a time."""
        cursor = self._lake.cursor()
        cursor.execute("USE __ducklake_metadata_lake")
        return lambda sql: cursor.execute(sql).fetchall()

    def close(self) -> None:
        """Let go of the catalog."""
        self._lake.close()

    def _rows(self, sql: str) -> list[Any]:
        return self._lake.execute(sql).fetchall()

    def _files(self, what: Observations) -> set[Path]:
        folder = self._data / "main" / TABLE
        return {
            path
            for day in np.unique(what.times // DAY).tolist()
            for path in (folder / f"day={day}").glob("*.parquet")
        }

    def _all_files(self) -> set[Path]:
        return set(self._data.glob("main/**/*.parquet"))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._lake.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._lake.execute("ROLLBACK")
            raise
        try:
            self._lake.execute("COMMIT")
        except duckdb.Error as error:
            raise StorageFailed(
                f"the history in {self._folder} could not be written ({error}); see whether its "
                "disk is full, and whether another program has it open"
            ) from error


def literal(text: str) -> str:
    """A text as SQL has it. DuckDB loads pandas to look at parameters, a second and 60 MB for nothing.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _extension(name: str) -> str:
    """Where the package with an extension of DuckDB has it."""
    folder = files(f"duckdb_extension_{name}")
    return str(folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension")


def _to_disk(paths: set[Path], top: Path) -> None:
    """Have files and the folders they are in written through to the disk."""
    folders = {folder for path in paths for folder in path.parents if folder.is_relative_to(top)}
    for path in (*paths, *folders):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
