"""What was recognised on the roads, as somebody sees it, and how people close it."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.sight import EVERYTHING, Sight
from cim_core.store.traffic_file import TrafficFile
from cim_core.traffic.event import Change, EventKind, TrafficEvent, shortened

_LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class EventsAsked:
    """Which events are asked for; None asks for any.

    state
        "open", "closed" or "all".
    start, end
        Only those that were on at some time of it, start ≤ time < end, milliseconds since 1970.
    after
        Only those recognised before that one: where the page before ended.
    """

    state: str = "open"
    kind: EventKind | None = None
    layer: str | None = None
    start: int | None = None
    end: int | None = None
    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event with its number; `changed` grows with each change of any event of the city."""

    id: int
    layer: str
    state: str
    changed: int
    event: TrafficEvent

    def document(self, *, track: bool = False) -> dict[str, Any]:
        """The event as it is served, with its positions where they are asked for."""
        about: dict[str, Any] = msgspec.to_builtins(self.event)
        named = {"id": self.id, "layer": self.layer, "state": self.state, "changed": self.changed}
        told: dict[str, Any] = {
            "kind": self.event.kind, "begun": self.event.begun, "ended": self.event.ended,
            "place": [self.event.lon, self.event.lat], "link": self.event.link,
            "lane": self.event.lane, "intersection": self.event.intersection,
            "vehicles": list(self.event.vehicles), "confidence": self.event.confidence,
            "evidence": about.get("evidence", {}),
            "causes": [{"evidence": {}, **cause} for cause in about.get("causes", ())],
            "note": self.event.note, "closed_by": self.event.closed_by,
        }  # fmt: skip
        return {**named, **told, **({"track": about.get("track", [])} if track else {})}


class TrafficEvents:
    """The events of a city; of a layer whose traffic is not seen there are none.

    Each change has a number of its own, `changed`: the time in milliseconds, or one more than the
    last where two fall into one.
    """

    def __init__(self, file: TrafficFile, sight: Sight = EVERYTHING) -> None:
        self._file = file
        self._sight = sight

    def find(self, asked: EventsAsked) -> list[KnownEvent]:
        """The events that are asked for, the newest first."""
        wanted, values = _where(asked)
        if self._sight.parts is not None:
            seen = sorted(one for one, part in self._sight.parts.items() if part.whole)
            wanted.append("layer IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(seen))
        rows = self._file.rows(
            f"SELECT * FROM events WHERE {' AND '.join(wanted) or '1'} ORDER BY id DESC LIMIT ?",
            *values, asked.limit,
        )  # fmt: skip
        return [_known(row) for row in rows]

    def get(self, event: int) -> KnownEvent:
        """An event by its number; raises `NotFound`."""
        return self._seen(self._file.row("SELECT * FROM events WHERE id = ?", event), event)

    def news(self, after: int | None) -> tuple[int, list[int]]:
        """The number of the last change of any event, and the events that changed after a number.

        None asks for the number alone. Also of events that are not seen the numbers are told.
        """
        if after is None:
            row = self._file.row("SELECT coalesce(max(changed), 0) AS last FROM events")
            return (row["last"] if row else 0), []
        rows = self._file.rows(
            "SELECT id, changed FROM events WHERE changed > ? ORDER BY changed", after
        )
        return (rows[-1]["changed"] if rows else after), [row["id"] for row in rows]

    def apply(self, layer: str, changes: Iterable[Change]) -> list[int]:
        """Keep what was recognised in a layer; the numbers of the events that are others now.

        Doing so twice does no harm: an event that is opened again goes on, and one that was closed
        while it lasted stays closed, whoever closed it.
        """
        found: list[int] = []
        with self._file.transaction() as connection:
            for change in changes:
                number = _applied(connection, layer, change)
                if number is not None:
                    found.append(number)
        return list(dict.fromkeys(found))

    def close(
        self, event: int, who: str, note: str, *, may: Callable[[KnownEvent], None]
    ) -> KnownEvent:
        """Somebody says that an event is over, and why.

        Raises `NotFound`, what `may` raises, `InvalidInput` for an empty note or a long one, and
        `Conflict` for an event that is closed already.
        """
        note = note.strip()
        if not 0 < len(note) <= _LONGEST_NOTE:
            raise InvalidInput(
                f"a note is needed to close an event, of {_LONGEST_NOTE} letters at most; say in a "
                "few words why"
            )
        may(self.get(event))
        with self._file.transaction() as connection:
            row = connection.execute("SELECT * FROM events WHERE id = ?", (event,)).fetchone()
            known = self._seen(row, event)
            if known.state == "closed":
                raise Conflict(f"event {event} is closed already; look at it again")
            now = max(_now(), known.event.begun)
            closed = msgspec.structs.replace(known.event, ended=now, note=note, closed_by=who)
            _write(connection, event, closed)
        return self.get(event)

    def close_others(self, layer: str, keys: Sequence[str], kinds: Sequence[str], at: int) -> int:
        """Close what is open of some kinds in a layer and not among `keys`; how many there were.

        For a recogniser that begins again and no longer knows of them.
        """
        with self._file.transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM events WHERE layer = ? AND state = 'open'"
                " AND kind IN (SELECT value FROM json_each(?))"
                " AND key NOT IN (SELECT value FROM json_each(?))",
                (layer, json.dumps(list(kinds)), json.dumps(list(keys))),
            ).fetchall()
            for row in rows:
                event = _known(row).event
                ended = max(at, event.begun)
                _write(connection, row["id"], msgspec.structs.replace(event, ended=ended))
        return len(rows)

    def _seen(self, row: sqlite3.Row | None, number: int) -> KnownEvent:
        if row is not None:
            part = self._sight.of(row["layer"])
            if part is not None and part.whole:
                return _known(row)
        raise NotFound(f"there is no traffic event {number} in this city; ask for /traffic/events")


def _applied(connection: sqlite3.Connection, layer: str, change: Change) -> int | None:
    """Write one change; the event's number, None where there is nothing to be changed."""
    event = change.event
    row = connection.execute(
        "SELECT * FROM events WHERE layer = ? AND key = ? AND state = 'open'", (layer, event.key)
    ).fetchone()
    if row is not None:
        before = _known(row).event
        together = msgspec.structs.replace(
            event,
            begun=min(before.begun, event.begun),
            track=shortened(event.track or before.track),
            causes=event.causes or before.causes,
            note=event.note or before.note,
        )
        number: int = row["id"]
        _write(connection, number, together)
        return number
    if change.what != "opened" or _over(connection, layer, event):
        return None
    made = connection.execute(
        "INSERT INTO events (layer, kind, key, state, begun, ended, changed, lon, lat, body)"
        " VALUES (?, ?, ?, 'open', ?, NULL, 0, ?, ?, '')",
        (layer, event.kind, event.key, event.begun, event.lon, event.lat),
    )
    number = int(made.lastrowid or 0)
    _write(connection, number, msgspec.structs.replace(event, track=shortened(event.track)))
    return number


def _over(connection: sqlite3.Connection, layer: str, event: TrafficEvent) -> bool:
    """Whether an event of its key was closed after this one had begun."""
    row = connection.execute(
        "SELECT 1 FROM events WHERE layer = ? AND key = ? AND state = 'closed' AND ended >= ?",
        (layer, event.key, event.begun),
    ).fetchone()
    return row is not None


def _write(connection: sqlite3.Connection, number: int, event: TrafficEvent) -> None:
    last = connection.execute("SELECT coalesce(max(changed), 0) FROM events").fetchone()[0]
    connection.execute(
        "UPDATE events SET state = ?, begun = ?, ended = ?, changed = ?, lon = ?, lat = ?, body = ?"
        " WHERE id = ?",
        (
            "open" if event.ended is None else "closed", event.begun, event.ended,
            max(_now(), last + 1), event.lon, event.lat, msgspec.json.encode(event).decode(), number,
        ),
    )  # fmt: skip


def _where(asked: EventsAsked) -> tuple[list[str], list[object]]:
    asks: dict[str, object] = {
        "state = ?": None if asked.state == "all" else asked.state, "kind = ?": asked.kind,
        "layer = ?": asked.layer, "begun < ?": asked.end, "id < ?": asked.after,
        "(ended IS NULL OR ended >= ?)": asked.start,
    }  # fmt: skip
    known = {condition: value for condition, value in asks.items() if value is not None}
    return [*known], [*known.values()]


def _known(row: sqlite3.Row) -> KnownEvent:
    event = msgspec.json.decode(row["body"], type=TrafficEvent)
    return KnownEvent(row["id"], row["layer"], row["state"], row["changed"], event)


def _now() -> int:
    return time.time_ns() // 1_000_000
