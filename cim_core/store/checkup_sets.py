"""Sets of indicators that a city made: drafts that people work on, and frozen ones that stay."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cim_core.errors import Conflict, NotFound, OutOfDate
from cim_core.sight import Doer
from cim_core.store.checkup_file import CheckupFile

SetState = Literal["draft", "frozen"]
Check = Callable[[], None]
"""Looks at the sets as they are just before one changes, and raises why it may not."""


def _nothing() -> None:
    """No more is asked."""


@dataclass(frozen=True, slots=True)
class OwnSet:
    """A set of the city's own as it stands.

    version
        What who changes it must know; it grows with each change.
    """

    id: str
    version: int
    state: SetState
    document: Mapping[str, Any]
    changed: int
    name: str


class CheckupSets:
    """The sets of one city, or none for who sees nothing internal.

    `people` says whether who asks is told who did what.
    """

    def __init__(self, file: CheckupFile, *, visible: bool, people: bool) -> None:
        self._file, self._visible, self._people = file, visible, people

    def all(self) -> list[OwnSet]:
        """Every set, by id."""
        if not self._visible:
            return []
        rows = self._file.rows("SELECT * FROM sets WHERE document IS NOT NULL ORDER BY id")
        return [_own(row) for row in rows]

    def get(self, key: str) -> OwnSet:
        """One set; raises `NotFound`."""
        row = self._file.row("SELECT * FROM sets WHERE id = ? AND document IS NOT NULL", key)
        if row is None or not self._visible:
            raise NotFound(f"there is no set of indicators {key!r} here; GET /checkup lists them")
        return _own(row)

    def put(
        self,
        key: str,
        document: Mapping[str, Any],
        version: int | None,
        doer: Doer | None,
        *,
        state: SetState = "draft",
        check: Check = _nothing,
    ) -> OwnSet:
        """Begin a draft (`version` None), or change the one that was looked at.

        Raises `Conflict` for an id that is taken or was, and for a frozen set, `OutOfDate` where
        somebody was faster, `NotFound`, and what `check` raises; nothing is changed then.
        """
        name = doer.name if doer else ""
        text = json.dumps(dict(document), ensure_ascii=False)
        with self._file.transaction() as connection:
            row = connection.execute("SELECT * FROM sets WHERE id = ?", (key,)).fetchone()
            there = row is not None and row["document"] is not None
            if version is None and there:
                raise Conflict(
                    f"there is a set of indicators {key!r} already; take another id, or say with If-Match "
                    "which version you change"
                )
            if version is None and row is not None:
                raise Conflict(
                    f"there was a set of indicators {key!r}, which check-ups may name; take another id"
                )
            if version is not None:
                self._require(key, row, version)
            check()
            now = self._file.now()
            if row is None:
                connection.execute(
                    "INSERT INTO sets VALUES (?, 1, ?, ?, ?, ?)", (key, state, text, now, name)
                )
            else:
                connection.execute(
                    "UPDATE sets SET version = version + 1, state = ?, document = ?, changed = ?, name = ?"
                    " WHERE id = ?",
                    (state, text, now, name, key),
                )
        return self.get(key)

    def remove(self, key: str, version: int, doer: Doer | None, *, check: Check = _nothing) -> None:
        """Remove a draft of the version that was looked at; raises as `put` does."""
        with self._file.transaction() as connection:
            row = connection.execute("SELECT * FROM sets WHERE id = ?", (key,)).fetchone()
            self._require(key, row, version)
            check()
            connection.execute(
                "UPDATE sets SET version = version + 1, document = NULL, changed = ?, name = ?"
                " WHERE id = ?",
                (self._file.now(), doer.name if doer else "", key),
            )

    def _require(self, key: str, row: sqlite3.Row | None, version: int) -> None:
        if row is None or row["document"] is None:
            raise NotFound(f"there is no set of indicators {key!r} here; GET /checkup lists them")
        if row["state"] == "frozen":
            raise Conflict(
                f"the set of indicators {key!r} is frozen, and stays; copy it to another id"
            )
        if row["version"] != version and self._people:
            raise OutOfDate(
                f"the set of indicators {key!r} was changed by {row['name']} meanwhile (it is at version "
                f"{row['version']}, not {version}); look at it again and repeat"
            )
        if row["version"] != version:
            raise OutOfDate(
                f"the set of indicators {key!r} was changed meanwhile (it is at version {row['version']}, "
                f"not {version}); look at it again and repeat"
            )


def _own(row: sqlite3.Row) -> OwnSet:
    return OwnSet(
        row["id"], int(row["version"]), row["state"], json.loads(row["document"]),
        int(row["changed"]), row["name"],
    )  # fmt: skip
