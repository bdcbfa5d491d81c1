"""Things, datastreams and all that SensorThings (OGC 18-088) has beside observations."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, get_args

from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.feature import Value
from cim_core.observations import LAST_STREAM
from cim_core.store.live_file import LiveFile

Kind = Literal[
    "Things", "Locations", "HistoricalLocations", "Sensors", "ObservedProperties", "Datastreams",
    "FeaturesOfInterest",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

LAYER = "things"
"""The layer of things that say none; it need not have been imported."""

Links = Mapping[Kind, Sequence[int]]
"""What an entity is linked with, by kind. A datastream: its thing, sensor and property; a thing: its
locations, the present one first; a historical location: its thing and locations; a feature of
interest: the datastreams that observed it."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: `body` as SensorThings writes it, without ids and links."""

    kind: Kind
    id: int
    body: Mapping[str, Value]
    links: Links

    def link(self, kind: Kind) -> int | None:
        """The first that it is linked with of a kind."""
        return next(iter(self.links.get(kind, ())), None)

    @property
    def properties(self) -> Mapping[str, Value]:
        """Its own properties, where this program's words stand, such as layer, class and key."""
        found = self.body.get("properties")
        return found if isinstance(found, dict) else {}


class Things:
    """The entities of one city, whoever asks; see `Live.entities` for those that somebody sees."""

    def __init__(self, file: LiveFile) -> None:
        self._file = file

    def add(
        self, kind: Kind, body: Mapping[str, Value], links: Links | None = None,
        connection: sqlite3.Connection | None = None,
    ) -> int:  # fmt: skip
        """Keep a new entity and return its number, which no other of its kind ever had.

        connection
            Of a transaction that it joins.
        Raises `Conflict` where another datastream has the same key, `NotFound` for a link to nothing.
        """
        with self._joining(connection) as joined:
            found = joined.execute(
                "INSERT INTO entity_numbers VALUES (?, 1)"
                " ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last",
                (kind,),
            ).fetchone()
            number = int(found["last"])
            if kind == "Datastreams" and number > LAST_STREAM:
                raise InvalidInput(
                    f"a city can have {LAST_STREAM:,} datastreams; there is no room left"
                )
            _insert(joined, kind, number, body, links or {})
        return number

    def change(
        self, kind: Kind, number: int, body: Mapping[str, Value], links: Links | None = None,
        connection: sqlite3.Connection | None = None,
    ) -> None:  # fmt: skip
        """Write an entity anew; its links stay where none are given. Raises `NotFound`, `Conflict`."""
        with self._joining(connection) as joined:
            known = self._one(joined, kind, number)
            if known is None:
                raise _missing(kind, number)
            _forget(joined, kind, number)
            _insert(joined, kind, number, body, known.links if links is None else links)

    def remove(self, kind: Kind, number: int, connection: sqlite3.Connection | None = None) -> None:
        """Forget an entity and what links to it with it. Raises `NotFound`.

        What SensorThings removes with it is up to who asks; observations stay, but nobody sees them.
        """
        with self._joining(connection) as joined:
            if self._one(joined, kind, number) is None:
                raise _missing(kind, number)
            _forget(joined, kind, number)
            joined.execute("DELETE FROM links WHERE to_kind = ? AND to_id = ?", (kind, number))

    def _joining(
        self, connection: sqlite3.Connection | None
    ) -> AbstractContextManager[sqlite3.Connection]:
        return self._file.transaction() if connection is None else nullcontext(connection)

    def get(self, kind: Kind, number: int) -> Entity | None:
        """One entity; None if there is none."""
        connection = self._file.connection()
        return None if connection is None else self._one(connection, kind, number)

    def all(self, kind: Kind) -> list[Entity]:
        """All of a kind, by number."""
        links: dict[int, dict[Kind, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row in self._file.rows(
            "SELECT id, to_kind, to_id FROM links WHERE kind = ? ORDER BY id, to_kind, place", kind
        ):
            links[row["id"]][row["to_kind"]].append(row["to_id"])
        rows = self._file.rows("SELECT id, body FROM entities WHERE kind = ? ORDER BY id", kind)
        return [_entity(kind, row, links.get(row["id"], {})) for row in rows]

    def _one(self, connection: sqlite3.Connection, kind: Kind, number: int) -> Entity | None:
        row = connection.execute(
            "SELECT id, body FROM entities WHERE kind = ? AND id = ?", (kind, number)
        ).fetchone()
        if row is None:
            return None
        links: dict[Kind, list[int]] = defaultdict(list)
        for link in connection.execute(
            "SELECT to_kind, to_id FROM links WHERE kind = ? AND id = ? ORDER BY to_kind, place",
            (kind, number),
        ):
            links[link["to_kind"]].append(link["to_id"])
        return _entity(kind, row, links)


def _entity(kind: Kind, row: sqlite3.Row, links: Mapping[Kind, list[int]]) -> Entity:
    tied = {to: tuple(numbers) for to, numbers in links.items()}
    return Entity(kind, row["id"], json.loads(row["body"]), tied)


def _insert(
    connection: sqlite3.Connection, kind: Kind, number: int, body: Mapping[str, Value], links: Links
) -> None:
    properties = body.get("properties")
    key = properties.get("key") if isinstance(properties, dict) else None
    text = json.dumps(dict(body), ensure_ascii=False, separators=(",", ":"))
    try:
        connection.execute(
            "INSERT INTO entities VALUES (?, ?, ?, ?)",
            (kind, number, str(key) if key is not None and kind == "Datastreams" else None, text),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(
            f"there is a datastream with the key {key!r} already; take another key"
        ) from error
    for to_kind, numbers in links.items():
        for place, to_id in enumerate(numbers):
            there = connection.execute(
                "SELECT 1 FROM entities WHERE kind = ? AND id = ?", (to_kind, to_id)
            ).fetchone()
            if there is None:
                raise _missing(to_kind, to_id)
            connection.execute(
                "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?)",
                (kind, number, to_kind, to_id, place),
            )
    _changed(connection)


def _forget(connection: sqlite3.Connection, kind: Kind, number: int) -> None:
    connection.execute("DELETE FROM entities WHERE kind = ? AND id = ?", (kind, number))
    connection.execute("DELETE FROM links WHERE kind = ? AND id = ?", (kind, number))
    _changed(connection)


def _changed(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
    )


def _missing(kind: Kind, number: int) -> NotFound:
    return NotFound(f"there is no {kind}({number})")
