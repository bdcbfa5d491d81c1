"""The chain of the log: each row's hash is that of the one before together with its own content.

Whoever can write the file could compute all hashes anew. What they cannot do is give the last row
the hash that somebody has noted elsewhere: `head` is what to note.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from cim_core.errors import InvalidInput
from cim_core.feature import Value

COLUMNS = (
    "seq", "at", "person", "name", "via", "address", "verb", "what", "layers", "status", "result",
    "detail",
)  # fmt: skip
"""What a row's hash vouches for, in this order."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the log is as it was written.

    entries, first, last
        How many rows hang together, and the numbers of the first and the last of them.
    head
        Number and hash of the last row; with it a later verification finds that the end is missing.
    broken_at, reason
        The first row that is not what was written, and what is wrong with it.
    """

    entries: int = 0
    first: int | None = None
    last: int | None = None
    head: str | None = None
    broken_at: int | None = None
    reason: str | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return self.reason is None

    def as_dict(self) -> dict[str, Value]:
        """The verification as it is served."""
        if not self.intact:
            return {"intact": False, "broken_at": self.broken_at, "reason": self.reason}
        return {
            "intact": True,
            "entries": self.entries,
            "first": self.first,
            "last": self.last,
            "head": self.head,
        }


def row_hash(previous: str, values: Sequence[str | int | None]) -> str:
    """SHA-256 over the hash of the row before and the row's values as canonical JSON, hex.

    The values are those of `COLUMNS`, just as the file holds them: a number is not its digits, and
    nothing is not the empty text.
    """
    canonical = json.dumps(list(values), separators=(",", ":"))  # ASCII only
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def verified(connection: sqlite3.Connection, head: str | None) -> Verification:
    """Go through the whole chain, in memory bounded however long it is.

    Found are rows altered, removed, put in or exchanged, and an end that is missing although the
    file remembers how far it went. `head`, as an earlier verification gave it, finds an end that is
    missing or written anew by somebody who computed all hashes.
    """
    kept = connection.text_factory
    # Bytes that are no text must not stop the search for the row they were written into.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        return _verified(connection, head)
    finally:
        connection.text_factory = kept


def _verified(connection: sqlite3.Connection, head: str | None) -> Verification:
    anchors = connection.execute("SELECT seq, hash FROM audit_anchor").fetchall()
    if len(anchors) != 1:
        return _broken(1, "the beginning of the log is gone: it has no anchor, or several")
    begun, previous = anchors[0]
    noted = _noted(head)
    at_noted = previous if noted and noted[0] == begun else None
    seq = begun
    for row in connection.execute(f"SELECT {', '.join(COLUMNS)}, hash FROM audit ORDER BY seq"):
        *values, found = row
        if row["seq"] != seq + 1:
            return _broken(seq + 1, f"row {seq + 1} is missing: row {row['seq']} comes next")
        seq += 1
        if not _written(previous, values, found):
            return _broken(
                seq,
                f"row {seq} is not what was written: it was altered, put in or exchanged with another",
            )
        previous = found
        if noted and noted[0] == seq:
            at_noted = found
    reached = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    missing = max(reached[0] if reached else 0, noted[0] if noted else 0)
    if missing > seq:
        return _broken(seq + 1, f"the end is missing: the log went on to row {missing}")
    if noted and at_noted not in (None, noted[1]):
        number = noted[0]
        return _broken(
            number, f"row {number} had another hash when that was noted: the log was written anew"
        )
    return _whole(begun, seq, previous)


def _whole(begun: int, seq: int, last_hash: str) -> Verification:
    head = f"{seq}:{last_hash}" if seq else None
    some = seq > begun
    return Verification(seq - begun, begun + 1 if some else None, seq if some else None, head)


def _written(previous: str, values: Sequence[object], found: object) -> bool:
    """Whether a row is of the kinds of values that are written, and has the hash of them."""
    plain = [value for value in values if value is None or isinstance(value, str | int)]
    return len(plain) == len(values) and found == row_hash(previous, plain)


def _noted(head: str | None) -> tuple[int, str] | None:
    """Number and hash of a head; raises `InvalidInput`."""
    if head is None:
        return None
    number, _, digest = head.partition(":")
    if not (number.isascii() and number.isdigit() and len(digest) == 64):
        raise InvalidInput(
            f"{head!r} is no head of a log; take the one that an earlier verification gave, as in "
            "12:3f5a…"
        )
    return int(number), digest


def _broken(at: int, reason: str) -> Verification:
    return Verification(broken_at=at, reason=reason)
