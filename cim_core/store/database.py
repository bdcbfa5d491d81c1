"""Connections and transactions on a file of a city, and the only place that knows it is SQLite."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from cim_core.errors import Conflict, Forbidden, InvalidInput
from cim_core.store.geopackage import meets_box, touches_area

_WAIT_SECONDS = 60.0

_MAPPED_BYTES = 1 << 30
"""So much of a file is read where the system keeps it, without copying pages."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file is laid out as.

    what
        What the file is, for an error's sentence.
    sql
        The file beside this one that lays out an empty one, with a table `meta`.
    steps
        The statements that lead from the layout before to each later `version`.
    application_id, user_version
        What SQLite's header says of it.
    private
        The file's owner alone may read it, and what is deleted is overwritten.
    """

    what: str
    sql: str
    version: int
    application_id: int
    user_version: int = 0
    steps: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    private: bool = False


class Database:
    """A file of one city, shared by any number of threads and processes.

    Reads see the last commit (WAL); writers queue. Each thread has its own connection.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._local = threading.local()

    @classmethod
    def create(cls, path: Path, layout: Layout) -> "Database":
        """Lay out an empty file; `path` appears at once and whole, or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        # SQLite gives its log and its index the mode of the file, so this is the mode of all three.
        mode = 0o600 if layout.private else 0o644
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        connection = sqlite3.connect(partial)
        try:
            sql = files("cim_core.store").joinpath(layout.sql).read_text(encoding="utf-8")
            connection.executescript(f"BEGIN; {sql} COMMIT;")
            connection.execute(f"PRAGMA application_id = {layout.application_id}")
            connection.execute(f"PRAGMA user_version = {layout.user_version}")
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(layout.version),))
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        partial.replace(path)
        return cls(path, layout)

    @classmethod
    def open(cls, path: Path, layout: Layout) -> "Database":
        """Open an existing file, brought up to date.

        Raises `Conflict` for one of a newer program, `Forbidden` for a private one others can read.
        """
        database = cls(path, layout)
        try:
            row = database.connection.execute(
                "SELECT value FROM meta WHERE key='schema'"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise InvalidInput(
                f"{path} is not {layout.what} ({error}); restore it from a backup or begin a "
                "new city folder"
            ) from error
        if int(row[0]) > layout.version:
            raise Conflict(
                f"{path} was written by a newer cim-twin (layout {row[0]}); update this program"
            )
        if int(row[0]) < layout.version:
            database._bring_up_to_date()
        return database

    def _bring_up_to_date(self) -> None:
        with self.transaction() as connection:
            # Another process may have been faster.
            row = connection.execute("SELECT value FROM meta WHERE key='schema'").fetchone()
            for version in range(int(row[0]) + 1, self.layout.version + 1):
                for statement in self.layout.steps[version]:
                    connection.execute(statement)
            connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'schema'", (str(self.layout.version),)
            )

    def _refuse_if_others_can_read(self) -> None:
        for path in (self.path, *(Path(f"{self.path}{end}") for end in ("-wal", "-shm"))):
            if path.exists() and path.stat().st_mode & 0o077:
                raise Forbidden(
                    f"{path} holds people and the log and can be read by others; protect it with "
                    f"`chmod 600 {path}`"
                )

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading; write inside `transaction`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self.layout.private:
                self._refuse_if_others_can_read()
            connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            if self.layout.private:
                connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA cache_size = -32000")
            connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
            connection.create_function("meets_box", 5, meets_box, deterministic=True)
            connection.create_function("touches_area", 2, touches_area, deterministic=True)
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
