"""Keys: what programs sign in with."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from cim_core.errors import InvalidInput, NotFound
from cim_core.store.office_file import OfficeFile, checked_text, hash_of, moment, new_token

PREFIX = "cim_"
"""How a key begins, so that people and secret scanners know one."""

LONGEST_DAYS = 3650

_DAY = 86_400.0
_TOUCHED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an account, good for the verbs of `scopes` only; the secret is not in it."""

    id: str
    account: str
    title: str
    scopes: tuple[str, ...]
    created: str
    expires: str
    last_used: str | None
    revoked: str | None


class Keys:
    """The keys of one city. A secret is given out once and kept as a hash."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def add(self, account: str, title: str, scopes: Sequence[str], days: int) -> tuple[Key, str]:
        """A new key and its secret; raises `InvalidInput`."""
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidInput(f"a key is good for 1 to {LONGEST_DAYS} days, not {days}")
        key, secret, now = secrets.token_hex(8), PREFIX + new_token(), self._file.clock()
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT INTO keys (id, secret, account, title, scopes, created, expires)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    key, hash_of(secret), account, checked_text(title, "a title"),
                    json.dumps(list(scopes)), moment(now), moment(now + days * _DAY),
                ),
            )  # fmt: skip
        return self.get(key), secret

    def get(self, key: str) -> Key:
        """A key by its id; raises `NotFound`."""
        row = self._file.row("SELECT * FROM keys WHERE id = ?", key)
        if row is None:
            raise NotFound(f"there is no key {key!r} in this city")
        return _key(row)

    def of(self, secret: str) -> Key | None:
        """The key of a secret; None if it is revoked, too old, nobody's, or of somebody inactive."""
        now = self._file.now()
        row = self._file.row(
            "SELECT keys.* FROM keys JOIN accounts ON accounts.id = account"
            " WHERE secret = ? AND revoked IS NULL AND expires > ? AND active = 1",
            hash_of(secret), now,
        )  # fmt: skip
        if row is None:
            return None
        if (row["last_used"] or "") <= moment(self._file.clock() - _TOUCHED_SECONDS):
            with self._file.transaction() as connection:
                connection.execute("UPDATE keys SET last_used = ? WHERE id = ?", (now, row["id"]))
        return _key(row)

    def all(self, account: str | None = None) -> list[Key]:
        """The keys of an account, or of all; newest first."""
        rows = self._file.rows(
            "SELECT * FROM keys WHERE account = COALESCE(?, account) ORDER BY created DESC, id",
            account,
        )
        return [_key(row) for row in rows]

    def revoke(self, key: str) -> None:
        """Make a key good for nothing, with all that was given out to it; raises `NotFound`."""
        with self._file.transaction() as connection:
            found = connection.execute(
                "UPDATE keys SET revoked = COALESCE(revoked, ?) WHERE id = ?",
                (self._file.now(), key),
            )
            if found.rowcount == 0:
                raise NotFound(f"there is no key {key!r} in this city")
            connection.execute("DELETE FROM capabilities WHERE key = ?", (key,))


def _key(row: sqlite3.Row) -> Key:
    return Key(
        row["id"], row["account"], row["title"], tuple(json.loads(row["scopes"])), row["created"],
        row["expires"], row["last_used"], row["revoked"],
    )  # fmt: skip
