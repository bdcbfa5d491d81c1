"""What was sent and cannot be believed: kept with the reason, so that nothing is lost."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from cim_core.feature import Value
from cim_core.store.live_file import LiveFile

Reason = Literal[
    "unknown-datastream", "late", "future", "not-a-number", "out-of-bounds", "unit", "outside",
    "crs", "unreadable",
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One observation that was not believed.

    at
        When it came, milliseconds since 1970.
    source
        Where it came from.
    detail
        What is wrong, in a sentence.
    body
        What was sent, as JSON has it.
    id
        Its number, 0 before it is kept.
    layer
        That of its datastream, which decides who sees it; None where nobody knows.
    """

    at: int
    source: str
    reason: Reason
    detail: str
    body: Value
    id: int = 0
    layer: str | None = None


class DeadLetters:
    """Those of one city, in the order they came."""

    def __init__(self, file: LiveFile) -> None:
        self._file = file

    def add(
        self, connection: sqlite3.Connection, letters: Sequence[DeadLetter], most: int | None = None
    ) -> None:
        """Keep some, and of all of them the newest `most`."""
        connection.executemany(
            "INSERT INTO dead_letters (at, source, reason, detail, body, layer)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    one.at, one.source, one.reason, one.detail,
                    json.dumps(one.body, ensure_ascii=False), one.layer,
                )
                for one in letters
            ],
        )  # fmt: skip
        if most is not None:  # their numbers have no gaps
            connection.execute(
                "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?",
                (most,),
            )

    def find(
        self, reason: str | None = None, source: str | None = None, limit: int = 100,
        before: int | None = None, layers: Collection[str] | None = None,
    ) -> list[DeadLetter]:  # fmt: skip
        """The newest first.

        before
            The number of the last one that is known already.
        layers
            Only those of datastreams of these layers; None: all.
        """
        rows = self._file.rows(
            "SELECT * FROM dead_letters WHERE (?1 IS NULL OR reason = ?1)"
            " AND (?2 IS NULL OR source = ?2) AND (?3 IS NULL OR id < ?3)"
            " AND (?5 IS NULL OR layer IN (SELECT value FROM json_each(?5)))"
            " ORDER BY id DESC LIMIT ?4",
            reason, source, before, limit, _list(layers),
        )  # fmt: skip
        return [
            DeadLetter(
                row["at"],
                row["source"],
                row["reason"],
                row["detail"],
                json.loads(row["body"]),
                row["id"],
                row["layer"],
            )
            for row in rows
        ]

    def counts(self, layers: Collection[str] | None = None) -> dict[str, int]:
        """How many there are of each reason, of datastreams of these layers or of all."""
        rows = self._file.rows(
            "SELECT reason, count(*) AS n FROM dead_letters"
            " WHERE ?1 IS NULL OR layer IN (SELECT value FROM json_each(?1)) GROUP BY reason",
            _list(layers),
        )
        return {row["reason"]: row["n"] for row in rows}


def _list(layers: Collection[str] | None) -> str | None:
    return None if layers is None else json.dumps(sorted(layers))
