"""`office.db`: read where it exists, begun by the first thing that must be written."""

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cim_core.errors import InvalidInput
from cim_core.locks import locked
from cim_core.store.database import Database, Layout

FILE_NAME = "office.db"

_LAYOUT = Layout(
    what="the office of a city", sql="office.sql", version=1,
    application_id=0x43494D4F, private=True,  # "CIMO"
)  # fmt: skip

Clock = Callable[[], float]
"""The present moment, seconds since 1970."""


class OfficeFile:
    """The file that holds who may do what in a city, and what was done.

    Where there is none, nothing is in it. Several processes may use it.
    """

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        self.path = folder / FILE_NAME
        self.clock = clock
        self._lock = folder / ".locks" / "city.lock"
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
                    Database.create(self.path, _LAYOUT)
        with self._opened().transaction() as connection:
            yield connection

    def connection(self) -> sqlite3.Connection | None:
        """This thread's connection for reading, None where the file does not exist."""
        return self._opened().connection if self.exists else None

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        if self._database is not None:
            self._database.close()

    def now(self) -> str:
        """The present moment, UTC, RFC 3339 to the millisecond."""
        return moment(self.clock())

    def _opened(self) -> Database:
        with self._opening:
            if self._database is None:
                self._database = Database.open(self.path, _LAYOUT)
            return self._database


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as UTC, RFC 3339 to the millisecond.

    >>> moment(0.0)
    '1970-01-01T00:00:00.000Z'
    """
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def new_token() -> str:
    """Something nobody can guess, 256 bits, that stands in URLs and headers."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token: enough to know it again."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def checked_text(text: str, what: str, longest: int = 200, *, empty: bool = False) -> str:
    """A name or title that people can read and files can hold; raises `InvalidInput`."""
    text = text.strip()
    if not (text or empty) or len(text) > longest or not text.isprintable():
        raise InvalidInput(
            f"{text[:longest]!r} cannot be used as {what}: take 1 to {longest} letters, digits and "
            "signs without line breaks"
        )
    return text
