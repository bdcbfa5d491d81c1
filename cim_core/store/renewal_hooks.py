"""Whom renewal tells of its orders, and what it has told or has still to tell."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from cim_core.errors import InvalidInput, NotFound
from cim_core.sight import Towns
from cim_core.store.renewal_file import RenewalFile

What = Literal["issued", "answered", "returned", "closed", "due-soon", "overdue"]
WHATS: tuple[What, ...] = get_args(What)

_MOST = 50
_LOOKED = "hooks_looked"


@dataclass(frozen=True, slots=True)
class Hook:
    """An address that is told; what signs what it is told is not in its `repr`.

    towns
        Of whose projects it is told; None for all.
    created
        Milliseconds since 1970; of what was before it is told nothing.
    """

    id: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    events: tuple[str, ...]
    towns: Towns
    created: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing a hook is told; times in milliseconds since 1970.

    about
        What makes it one of a kind.
    next
        When it is tried; None where it is done or was given up.
    status, error
        Of the last try.
    """

    id: int
    hook: str
    about: str
    body: str = field(repr=False)
    made: int
    attempts: int
    next: int | None
    status: int | None
    error: str | None

    @property
    def state(self) -> Literal["waiting", "delivered", "given-up"]:
        """How it stands."""
        if self.next is not None:
            return "waiting"
        return "given-up" if self.error else "delivered"


class Hooks:
    """The hooks of one city and their deliveries."""

    def __init__(self, file: RenewalFile) -> None:
        self._file = file

    def add(self, url: str, events: Sequence[str], towns: Towns) -> Hook:
        """A new hook with a secret of its own; raises `InvalidInput`."""
        unknown = [name for name in events if name not in WHATS]
        if unknown or not events:
            raise InvalidInput(
                f"a hook is told of one or more of {', '.join(WHATS)}; name those it is to be told of"
            )
        key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        told = None if towns is None else json.dumps(sorted(towns))
        wanted = json.dumps([name for name in WHATS if name in events])
        with self._file.transaction() as connection:
            if connection.execute("SELECT COUNT(*) FROM hooks").fetchone()[0] >= _MOST:
                raise InvalidInput(f"there are {_MOST} hooks already; remove one that nobody needs")
            connection.execute(
                "INSERT INTO hooks (id, url, secret, events, towns, active, created)"
                " VALUES (?, ?, ?, ?, ?, 1, ?)",
                (key, url, secret, wanted, told, self._file.now()),
            )
        return self.get(key)

    def get(self, key: str) -> Hook:
        """A hook by its id; raises `NotFound`."""
        row = self._file.row("SELECT * FROM hooks WHERE id = ?", key)
        if row is None:
            raise NotFound(f"there is no hook {key!r} here")
        return _hook(row)

    def all(self) -> list[Hook]:
        """All hooks, the oldest first."""
        return [_hook(row) for row in self._file.rows("SELECT * FROM hooks ORDER BY created, id")]

    def remove(self, key: str) -> None:
        """Tell a hook nothing more, and forget what it was told; raises `NotFound`."""
        self.get(key)
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM hooks WHERE id = ?", (key,))

    def looked(self) -> int:
        """The number of the last event that was looked at; 0 before the first."""
        row = self._file.row("SELECT value FROM meta WHERE key = ?", _LOOKED)
        return int(row[0]) if row else 0

    def promise(self, told: Sequence[tuple[str, str, str]], looked: int | None = None) -> None:
        """Have things told, each a hook, what it is about and its body; none that was promised before.

        `looked` is the number of the last event that was looked at for them. All or nothing: what
        came of an event is promised, or the event is looked at again.
        """
        with self._file.transaction() as connection:
            now = self._file.now()
            connection.executemany(
                "INSERT INTO deliveries (hook, about, body, made, next)"
                " SELECT id, ?, ?, ?, ? FROM hooks WHERE id = ?"
                " ON CONFLICT (hook, about) DO NOTHING",
                [(about, body, now, now, hook) for hook, about, body in told],
            )
            if looked is not None:
                connection.execute(
                    "INSERT INTO meta VALUES (?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (_LOOKED, str(looked)),
                )

    def forget(self, before: int, but: Collection[str]) -> None:
        """Forget what was done or given up and promised before a moment.

        What it is about and is still so stays (`but`), lest it be promised again.
        """
        where = (
            "next IS NULL AND made < ? AND about NOT IN (SELECT value FROM json_each(?))",
            (before, json.dumps(sorted(but))),
        )
        if self._file.row(f"SELECT 1 FROM deliveries WHERE {where[0]}", *where[1]) is None:
            return
        with self._file.transaction() as connection:
            connection.execute(f"DELETE FROM deliveries WHERE {where[0]}", where[1])

    def promised(self) -> set[tuple[str, str]]:
        """What was promised to whom, as (hook, about)."""
        rows = self._file.rows("SELECT hook, about FROM deliveries")
        return {(row["hook"], row["about"]) for row in rows}

    def due(self, hook: str, limit: int) -> list[Delivery]:
        """What a hook is to be told now, the oldest first."""
        rows = self._file.rows(
            "SELECT * FROM deliveries WHERE hook = ? AND next <= ? ORDER BY id LIMIT ?",
            hook, self._file.now(), limit,
        )  # fmt: skip
        return [_delivery(row) for row in rows]

    def tried(
        self, delivery: Delivery, status: int | None, error: str | None, again: int | None
    ) -> None:
        """How a try ended; `again` is when to try next, None for not at all."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET attempts = attempts + 1, status = ?, error = ?, next = ?"
                " WHERE id = ?",
                (status, error, again, delivery.id),
            )

    def deliveries(self, hook: str, limit: int) -> list[Delivery]:
        """What a hook was told, the newest first; raises `NotFound`."""
        self.get(hook)
        rows = self._file.rows(
            "SELECT * FROM deliveries WHERE hook = ? ORDER BY id DESC LIMIT ?", hook, limit
        )
        return [_delivery(row) for row in rows]


def _hook(row: sqlite3.Row) -> Hook:
    towns = None if row["towns"] is None else frozenset(json.loads(row["towns"]))
    return Hook(
        row["id"],
        row["url"],
        row["secret"],
        tuple(json.loads(row["events"])),
        towns,
        row["created"],
    )


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        row["id"], row["hook"], row["about"], row["body"], row["made"], row["attempts"], row["next"],
        row["status"], row["error"],
    )  # fmt: skip
