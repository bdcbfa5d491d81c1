"""A file of a city that is read where it exists, and begun by the first thing that must be written."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cim_core.locks import locked
from cim_core.store.database import Database, Layout


class BegunFile:
    """A file beside the registry, in the city's folder.

    Where there is none, nothing is in it. Several processes may use it.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self._layout = layout
        self._lock = path.parent / ".locks" / "city.lock"
        self._opening = threading.Lock()
        self._database: Database | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._database is not None or self.path.is_file()

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """What a query finds; nothing where the file does not exist."""
        if not self.exists:
            return []
        return self._opened().connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row a query finds."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; begins the file if there is none."""
        if not self.exists:
            with locked(self._lock):
                if not self.path.is_file():
                    Database.create(self.path, self._layout)
        with self._opened().transaction() as connection:
            yield connection

    def connection(self) -> sqlite3.Connection | None:
        """This thread's connection for reading, None where the file does not exist."""
        return self._opened().connection if self.exists else None

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        if self._database is not None:
            self._database.close()

    def _opened(self) -> Database:
        with self._opening:
            if self._database is None:
                self._database = Database.open(self.path, self._layout)
            return self._database
