"""The log: what was done by whom, each row hanging on the one before."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cim_core.feature import Value
from cim_core.store.office_chain import COLUMNS, Verification, row_hash, verified
from cim_core.store.office_file import OfficeFile

Result = Literal["ok", "denied", "failed"]

_LONGEST = 500
"""Characters of one text of a row: what people send must not fill the disk."""

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. Times are UTC as text; `layers` are the ids of those it was about.

    person, name
        Whose account it was, and what they were called; of strangers neither is known.
    via
        How they came: session, key, capability, loopback, stranger or command line.
    verb, what
        The word of the policy, and what exactly was done.
    status
        The HTTP status, where there was a request.
    """

    seq: int
    at: str
    person: str | None
    name: str
    via: str
    address: str
    verb: str
    what: str
    layers: tuple[str, ...]
    status: int | None
    result: str
    detail: Mapping[str, Value] = field(default_factory=dict)
    hash: str = ""

    def as_dict(self) -> dict[str, Value]:
        """The entry as it is served."""
        known = self.person is not None or self.name != ""
        return {
            "seq": self.seq,
            "at": self.at,
            "person": {"id": self.person, "name": self.name} if known else None,
            "via": self.via,
            "address": self.address,
            "verb": self.verb,
            "what": self.what,
            "layers": list(self.layers),
            "status": self.status,
            "result": self.result,
            "detail": dict(self.detail),
            "hash": self.hash,
        }


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which rows are wanted: those that match all that is given.

    since, until
        Beginnings of times, the first included, the second not.
    person
        The id of an account, or a name.
    q
        A text that stands anywhere in what is said of it.
    """

    since: str | None = None
    until: str | None = None
    person: str | None = None
    verb: str | None = None
    result: str | None = None
    layer: str | None = None
    q: str | None = None

    def where(self) -> tuple[str, list[object]]:
        """The condition and its values."""
        named: list[tuple[str, object]] = [
            ("at >= ?", self.since),
            ("at < ?", self.until),
            ("? IN (person, name)", self.person),
            ("verb = ?", self.verb),
            ("result = ?", self.result),
            ("instr(layers, ?)", None if self.layer is None else _json(self.layer)),
            (
                "instr(lower(what || ' ' || name || ' ' || address || ' ' || detail), lower(?))",
                self.q,
            ),
        ]
        given = [(condition, value) for condition, value in named if value is not None]
        return (
            " AND ".join(["1", *(condition for condition, _ in given)]),
            [_clean(value) if isinstance(value, str) else value for _, value in given],
        )


class Audit:
    """The log of one city. Rows are added at its end, and go only when they are old enough."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def append(
        self,
        verb: str,
        what: str,
        *,
        result: Result = "ok",
        person: str | None = None,
        name: str = "",
        via: str = "",
        address: str = "",
        layers: Sequence[str] = (),
        status: int | None = None,
        detail: Mapping[str, Value] | None = None,
    ) -> int:
        """Add a row, on disk when this returns; its number. Secrets have no place in it."""
        texts = (_clean(text)[:_LONGEST] for text in (name, via, address, verb, what))
        name, via, address, verb, what = texts
        with self._file.transaction() as connection:
            seq, previous = _head(connection)
            values: list[str | int | None] = [
                seq + 1, self._file.now(), person, name, via, address, verb, what,
                _json(list(layers)), status, result, _json(dict(detail or {})),
            ]  # fmt: skip
            marks = ", ".join("?" * (len(values) + 1))
            connection.execute(
                f"INSERT INTO audit ({', '.join(COLUMNS)}, hash) VALUES ({marks})",
                (*values, row_hash(previous, values)),
            )
        return seq + 1

    def find(
        self, query: AuditQuery, limit: int, after: int | None = None
    ) -> tuple[list[Entry], int | None, int]:
        """The newest rows first: up to `limit`, where the next page begins, how many there are.

        `after` is the number that the page before gave for this one.
        """
        where, values = query.where()
        counted = self._file.row(f"SELECT COUNT(*) FROM audit WHERE {where}", *values)
        rows = self._file.rows(
            f"SELECT * FROM audit WHERE {where} AND seq < COALESCE(?, seq + 1)"
            " ORDER BY seq DESC LIMIT ?",
            *values, after, limit + 1,
        )  # fmt: skip
        entries = [_entry(row) for row in rows[:limit]]
        further = entries[-1].seq if entries and len(rows) > limit else None
        return entries, further, 0 if counted is None else int(counted[0])

    def entries(self, query: AuditQuery) -> Iterator[Entry]:
        """All rows that match, oldest first; it may be gone through in several threads."""
        where, values = query.where()
        seq = 0
        while True:
            rows = self._file.rows(
                f"SELECT * FROM audit WHERE {where} AND seq > ? ORDER BY seq LIMIT ?",
                *values, seq, _AT_ONCE,
            )  # fmt: skip
            yield from (_entry(row) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            seq = rows[-1]["seq"]

    def verify(self, head: str | None = None) -> Verification:
        """Whether the log is as it was written; see `verified`."""
        connection = self._file.connection()
        return Verification() if connection is None else verified(connection, head)

    def prune(self, before: str) -> int:
        """Delete the rows older than a time; how many. What is left hangs on the last of them."""
        with self._file.transaction() as connection:
            row = connection.execute(
                "SELECT seq, hash FROM audit WHERE seq < COALESCE("
                " (SELECT MIN(seq) FROM audit WHERE at >= ?), (SELECT MAX(seq) + 1 FROM audit))"
                " ORDER BY seq DESC LIMIT 1",
                (before,),
            ).fetchone()
            if row is None:
                return 0
            connection.execute("UPDATE audit_anchor SET seq = ?, hash = ?", tuple(row))
            return connection.execute("DELETE FROM audit WHERE seq <= ?", (row["seq"],)).rowcount


def _head(connection: sqlite3.Connection) -> tuple[int, str]:
    """The number and the hash of the last row, or of the last that was pruned."""
    row = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        row = connection.execute("SELECT seq, hash FROM audit_anchor").fetchone()
    return int(row["seq"]), str(row["hash"])


def _json(value: object) -> str:
    return _clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _clean(text: str) -> str:
    """Without halves of letters, which JSON can carry and no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["seq"], row["at"], row["person"], row["name"], row["via"], row["address"], row["verb"],
        row["what"], tuple(json.loads(row["layers"])), row["status"], row["result"],
        json.loads(row["detail"]), row["hash"],
    )  # fmt: skip
