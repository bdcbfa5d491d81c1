"""What was sent of traffic and cannot be believed, with the reason, so that nothing is lost."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from cim_core.store.traffic_file import TrafficFile

Reason = Literal["unreadable", "future", "late", "outside", "unknown-layer"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Refused:
    """One message, or the rows of one sender that are wrong in the same way.

    at
        When it came, milliseconds since 1970.
    layer
        That of which it was to be, None for one that is not there.
    detail
        What is wrong, in a sentence.
    body
        What was sent, as text, not without end.
    id
        Its number, 0 before it is kept.
    """

    at: int
    layer: str | None
    source: str
    reason: Reason
    detail: str
    body: str
    id: int = 0


class TrafficRefused:
    """What was refused in one city, in the order it came.

    In the file a reason stands before its sentence, with a colon.
    """

    def __init__(self, file: TrafficFile) -> None:
        self._file = file

    def add(self, connection: sqlite3.Connection, some: Sequence[Refused], most: int) -> None:
        """Keep some, and of all of them the newest `most`."""
        connection.executemany(
            "INSERT INTO refused (at, layer, source, reason, body) VALUES (?, ?, ?, ?, ?)",
            [(x.at, x.layer, x.source, f"{x.reason}: {x.detail}", x.body) for x in some],
        )
        connection.execute(
            "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", (most,)
        )

    def find(
        self, layer: str | None = None, limit: int = 100, before: int | None = None,
        layers: Collection[str] | None = None,
    ) -> list[Refused]:  # fmt: skip
        """The newest first.

        layer
            Only those of one layer.
        before
            The number of the last one that is known already.
        layers
            Only those of these layers; None: all, and those of no layer.
        """
        if not self._file.exists:
            return []
        named = [] if layers is None else sorted(layers)
        among = f"layer IN ({', '.join('?' * len(named))})"
        rows = self._file.rows(
            "SELECT * FROM refused WHERE (? IS NULL OR layer = ?) AND (? IS NULL OR id < ?)"
            f" AND ({'1' if layers is None else among}) ORDER BY id DESC LIMIT ?",
            layer, layer, before, before, *named, limit,
        )  # fmt: skip
        return [_refused(row) for row in rows]


def _refused(row: sqlite3.Row) -> Refused:
    reason, _, detail = row["reason"].partition(": ")
    return Refused(row["at"], row["layer"], row["source"], reason, detail, row["body"], row["id"])
