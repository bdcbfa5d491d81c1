"""Connections and transactions on the registry, and the only place that knows it is SQLite."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from cim_core.errors import Conflict, InvalidInput
from cim_core.store.geopackage import meets_box

SCHEMA_VERSION = 3
_STEPS = {
    2: ("ALTER TABLE jobs ADD COLUMN remaining REAL",),
    3: (
        "ALTER TABLE layers ADD COLUMN about TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE features ADD COLUMN shaped INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE results (job TEXT PRIMARY KEY, body TEXT NOT NULL)",
        "CREATE TABLE boxes AS SELECT fid, west, east, south, north FROM rtree_feature_boxes",
        "DROP TABLE rtree_feature_boxes",
        "CREATE VIRTUAL TABLE rtree_feature_boxes USING rtree (fid, west, east, south, north)",
        "INSERT INTO rtree_feature_boxes SELECT * FROM boxes",
        "DROP TABLE boxes",
    ),
}
"""What leads from the layout before to each later one."""

_GEOPACKAGE = 0x47504B47  # "GPKG", the application id GDAL and QGIS look for
_WAIT_SECONDS = 60.0

_MAPPED_BYTES = 1 << 30
"""So much of the registry is read where the system keeps it, without copying pages."""


class Database:
    """The registry of one city, shared by any number of threads and processes.

    Reads see the last commit (WAL); writers queue. Each thread has its own connection.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @classmethod
    def create(cls, path: Path) -> "Database":
        """Lay out an empty registry; `path` appears at once and whole, or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        connection = sqlite3.connect(partial)
        try:
            connection.executescript(
                files("cim_core.store").joinpath("schema.sql").read_text(encoding="utf-8")
            )
            connection.execute(f"PRAGMA application_id = {_GEOPACKAGE}")
            connection.execute("PRAGMA user_version = 10300")
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        partial.replace(path)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open an existing registry, brought up to date; raises for one of a newer program."""
        database = cls(path)
        try:
            row = database.connection.execute(
                "SELECT value FROM meta WHERE key='schema'"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise InvalidInput(
                f"{path} is not a city registry ({error}); restore it from a backup or begin a "
                "new city folder"
            ) from error
        if int(row[0]) > SCHEMA_VERSION:
            raise Conflict(
                f"{path} was written by a newer cim-twin (layout {row[0]}); update this program"
            )
        if int(row[0]) < SCHEMA_VERSION:
            database._bring_up_to_date()
        return database

    def _bring_up_to_date(self) -> None:
        with self.transaction() as connection:
            # Another process may have been faster.
            row = connection.execute("SELECT value FROM meta WHERE key='schema'").fetchone()
            for version in range(int(row[0]) + 1, SCHEMA_VERSION + 1):
                for statement in _STEPS[version]:
                    connection.execute(statement)
            connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'schema'", (str(SCHEMA_VERSION),)
            )

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading; write inside `transaction`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -32000")
            connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
            connection.create_function("meets_box", 5, meets_box, deterministic=True)
            self._local.connection = connection
        return connection

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: committed at the end of the block, rolled back if it raises."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def change_counter(self) -> int:
        """A number that changes when another connection has committed something."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])
