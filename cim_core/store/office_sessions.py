"""Who is signed in, and links that sign in once."""

import sqlite3
from dataclasses import dataclass

from cim_core.store.office_file import OfficeFile, hash_of, new_token

LONGEST_LINK = 3600.0
"""Seconds a link to sign in is good for at most."""

_TOUCHED_SECONDS = 60.0
"""So old may the time of last use be before it is written again."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in; `id` is the hash of their token, times are seconds since 1970."""

    id: str
    account: str
    kind: str
    address: str
    created: float
    last_used: float
    expires: float


class Sessions:
    """The sessions of one city. Tokens are given out once and kept as hashes."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def begin(self, account: str, address: str, seconds: float, kind: str) -> str:
        """Sign somebody in for `seconds` at most; the token. `kind` says how they showed who they are."""
        token, now = new_token(), self._file.clock()
        with self._file.transaction() as connection:
            _clear(connection, now)
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (hash_of(token), account, kind, address, now, now, now + seconds),
            )
        return token

    def get(self, token: str, *, idle: float | None = None) -> Session | None:
        """The session of a token; None if it is over, unused for `idle` seconds, or nobody's.

        The time of its last use is kept to the minute.
        """
        now = self._file.clock()
        row = self._file.row(
            "SELECT sessions.* FROM sessions JOIN accounts ON accounts.id = account"
            " WHERE sessions.id = ? AND expires > ? AND active = 1",
            hash_of(token), now,
        )  # fmt: skip
        if row is None or (idle is not None and row["last_used"] + idle <= now):
            return None
        if now - row["last_used"] >= _TOUCHED_SECONDS:
            with self._file.transaction() as connection:
                connection.execute(
                    "UPDATE sessions SET last_used = ? WHERE id = ?", (now, row["id"])
                )
        return Session(*row)

    def has(self, session: str) -> bool:
        """Whether the session of an id goes on."""
        found = self._file.row(
            "SELECT 1 FROM sessions WHERE id = ? AND expires > ?", session, self._file.clock()
        )
        return found is not None

    def end(self, token: str) -> None:
        """Sign out; the session's capabilities are gone with it."""
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM sessions WHERE id = ?", (hash_of(token),))

    def end_all(self, account: str, *, but: str | None = None) -> None:
        """End all sessions of an account except the one of the id `but`, and its unused links."""
        with self._file.transaction() as connection:
            connection.execute(
                "DELETE FROM sessions WHERE account = ? AND id IS NOT ?", (account, but)
            )
            connection.execute("DELETE FROM links WHERE account = ?", (account,))

    def link(self, account: str, seconds: float = LONGEST_LINK) -> str:
        """A token that signs in once, within `seconds` (an hour at most)."""
        token, now = new_token(), self._file.clock()
        with self._file.transaction() as connection:
            _clear(connection, now)
            connection.execute(
                "INSERT INTO links VALUES (?, ?, ?)",
                (hash_of(token), account, now + min(seconds, LONGEST_LINK)),
            )
        return token

    def take_link(self, token: str) -> str | None:
        """Whose a link is, once; None if it was used, is too old or was never given out."""
        with self._file.transaction() as connection:
            row = connection.execute(
                "DELETE FROM links WHERE id = ? AND expires > ? RETURNING account",
                (hash_of(token), self._file.clock()),
            ).fetchone()
        return None if row is None else str(row[0])


def _clear(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
    connection.execute("DELETE FROM links WHERE expires <= ?", (now,))
