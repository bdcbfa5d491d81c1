"""The one door to a city's renewal: projects, their progress, their households, their orders."""

import json
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

from cim_core.errors import Conflict, InvalidInput, NotFound, OutOfDate
from cim_core.progress import Progress
from cim_core.renewal.documents import Kind, checked_id, patched, read_document
from cim_core.renewal.events import Change, Event, Subject, Told
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.present import present
from cim_core.sight import EVERYTHING, Doer, Sight, Towns
from cim_core.store.renewal_file import RenewalFile
from cim_core.store.renewal_load import load_history

_LEDGERS_KEPT = 16
_DAYS = frozenset(("metric", "start", "end"))
"""What says of which days and of what a record of progress is."""


class Renewal:
    """A city's renewal, as somebody sees it. A city without `renewal.db` has none.

    Projects of towns that are not seen are not there, nor is what belongs to them; households are
    there for those only who may see households.
    """

    def __init__(self, folder: Path) -> None:
        self._sight = EVERYTHING
        self._shared = _Shared(RenewalFile(folder))
        self.evidence_folder = folder / "evidence"

    def seen_by(self, sight: Sight) -> "Renewal":
        """The same with nothing but what somebody sees."""
        seen = Renewal.__new__(Renewal)
        seen._sight, seen._shared = sight, self._shared
        seen.evidence_folder = self.evidence_folder
        return seen

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded."""
        return self._shared.file.exists

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        return self._shared.file.path

    @property
    def file(self) -> RenewalFile:
        """The file itself, for the stores beside this one."""
        return self._shared.file

    @property
    def revision(self) -> int:
        """The number of the last event, 0 without any; it only grows."""
        row = self._shared.file.row("SELECT MAX(seq) FROM events")
        return int(row[0] or 0) if row else 0

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """All or nothing; begins the file where there is none."""
        return self._shared.file.transaction()

    def get(self, kind: Kind, key: str) -> Subject:
        """One subject as it stands now; raises `NotFound`."""
        found = self._select(kind, key)
        if not found:
            raise NotFound(f"there is no {kind} with the id {key!r} here")
        return found[0]

    def find(self, kind: Kind, project: str | None = None) -> list[Subject]:
        """All subjects of a kind, or those of a project, by id."""
        return self._select(kind, project=project)

    def reported(self, start: date, end: date) -> list[Subject]:
        """The records of progress whose days have a part of these, first and last included, by id."""
        return self._select("progress", days=(start, end))

    def history(
        self, project: str, kind: Kind | None = None, key: str | None = None
    ) -> list[Event]:
        """What was recorded of a project, or of one thing of it, in that order."""
        self.get("project", project)
        where, values = "project = ?", [project]
        if kind is not None:
            where, values = f"{where} AND kind = ?", [*values, kind]
        if key is not None:
            where, values = f"{where} AND id = ?", [*values, key]
        rows = self._shared.file.rows(f"SELECT * FROM events WHERE {where} ORDER BY seq", *values)
        households = self._sees_households(project)
        return [_event(row) for row in rows if row["kind"] != "household" or households]

    def ledger(self) -> Ledger:
        """All events of what is seen, to be asked for any day; it has no personal data."""
        return self._shared.ledger(self._sight.towns)

    def apply(self, changes: Iterable[Change], doer: Doer | None) -> list[Subject]:
        """Record changes, all or none of them; the subjects as they are then.

        Raises `OutOfDate` where somebody was faster, `Conflict` for an id that is taken and for
        progress of days that are reported already, `NotFound`, and `InvalidInput` for a document that
        is not right.
        """
        with self.transaction() as connection:
            return self.apply_within(connection, changes, doer)

    def apply_within(
        self, connection: sqlite3.Connection, changes: Iterable[Change], doer: Doer | None
    ) -> list[Subject]:
        """The same as part of a transaction."""
        now = self._shared.file.now()
        return [self._applied(connection, change, doer, now) for change in changes]

    def load(self, told: Sequence[Told], progress: Progress) -> None:
        """Bring in what another program recorded, with its moments, where nothing was recorded yet.

        All or nothing. Raises `Conflict`, and `InvalidInput` naming the line.
        """
        with self.transaction() as connection:
            load_history(connection, told, self._shared.file.now(), progress)

    def number(self, connection: sqlite3.Connection, series: str) -> int:
        """The next number of a series; none is given twice."""
        row = connection.execute(
            "INSERT INTO numbers VALUES (?, 1)"
            " ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last",
            (series,),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        self._shared.file.close()

    def _applied(
        self, connection: sqlite3.Connection, change: Change, doer: Doer | None, now: int
    ) -> Subject:
        key = change.id if change.id is not None else secrets.token_hex(6)
        row = connection.execute(
            "SELECT * FROM subjects WHERE kind = ? AND id = ?", (change.kind, key)
        ).fetchone()
        before: dict[str, Any] = {}
        if change.version is None:
            if row is not None:
                raise Conflict(
                    f"there is a {change.kind} with the id {key!r} already; take another id"
                )
            checked_id(key)
        else:
            if row is None or row["document"] is None or not self._sees_row(connection, row):
                raise NotFound(f"there is no {change.kind} with the id {key!r} here")
            if row["version"] != change.version:
                raise OutOfDate(
                    f"the {change.kind} with the id {key!r} was changed by {row['name']} meanwhile (it is at "
                    f"version {row['version']}, not {change.version}); look at it again and repeat"
                )
            before = json.loads(row["document"])
        after = None if change.change is None else patched(before, change.change)
        if row is not None:
            after = self._now(connection, change, key, after)
        project, town = key, None
        if after is not None:
            checked = read_document(change.kind, after)
            town = checked.town if change.kind == "project" else None
            project = key if change.kind == "project" else checked.project
            self._in_order(connection, change, project, before)
            if change.kind == "progress" and not _DAYS.isdisjoint(change.change or ()):
                _check_free(connection, project, key, after)
        elif row is not None:
            # Whose a project was is asked for as long as its past is.
            project, town = row["project"], row["town"]
            self._removable(connection, change, key)
        version = 1 if row is None else int(row["version"]) + 1
        name = doer.name if doer else ""
        written = None if after is None else json.dumps(after, ensure_ascii=False)
        if row is None:
            connection.execute(
                "INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (change.kind, key, project, town, version, written, now, name),
            )
        else:
            done = connection.execute(
                "UPDATE subjects SET town = ?, version = ?, document = ?, changed = ?, name = ?"
                " WHERE kind = ? AND id = ? AND version = ?",
                (town, version, written, now, name, change.kind, key, change.version),
            )
            assert done.rowcount == 1
        connection.execute(
            "INSERT INTO events (recorded, effective, kind, id, project, version, change, person, name)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                now, change.effective.isoformat(), change.kind, key, project, version,
                None if change.change is None else json.dumps(change.change, ensure_ascii=False),
                doer.id if doer else None, name,
            ),
        )  # fmt: skip
        return Subject(change.kind, key, project, version, after or {}, now, name)

    def _now(
        self, connection: sqlite3.Connection, change: Change, key: str, after: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """What a change leads to where something was told already that holds from a later day on."""
        rows = connection.execute(
            "SELECT effective, change FROM events WHERE kind = ? AND id = ? ORDER BY seq",
            (change.kind, key),
        ).fetchall()
        latest = date.fromisoformat(max(row["effective"] for row in rows))
        if change.effective >= latest:
            return after
        if change.change is None:
            raise InvalidInput(
                f"the {change.kind} with the id {key!r} was changed with effect from {latest}; remove it from that "
                "day on, or later"
            )
        told = [(date.fromisoformat(row["effective"]), json.loads(row["change"])) for row in rows]
        return present(change.kind, [*told, (change.effective, change.change)])

    def _in_order(
        self,
        connection: sqlite3.Connection,
        change: Change,
        project: str,
        before: dict[str, Any],
    ) -> None:
        if change.kind == "project":
            return
        # Also of a day that is past already: what stands now may say nothing of it.
        if before and (change.change or {}).get("project", project) != before["project"]:
            raise InvalidInput(
                f"the {change.kind} with the id {change.id!r} belongs to {before['project']!r} and stays there; "
                "remove it and add it to the other project"
            )
        row = connection.execute(
            "SELECT * FROM subjects WHERE kind = 'project' AND id = ? AND document IS NOT NULL",
            (project,),
        ).fetchone()
        if row is None or not self._sees_row(connection, row):
            raise NotFound(f"there is no project {project!r} here")

    def _removable(self, connection: sqlite3.Connection, change: Change, key: str) -> None:
        if change.kind != "project":
            return
        row = connection.execute(
            "SELECT kind, COUNT(*) FROM subjects WHERE project = ? AND kind <> 'project'"
            " AND document IS NOT NULL GROUP BY kind LIMIT 1",
            (key,),
        ).fetchone()
        if row is not None:
            raise Conflict(
                f"the project {key!r} still has {row[1]} of the kind {row[0]}; remove those first"
            )
        row = connection.execute(
            "SELECT MAX(effective) FROM events WHERE project = ?", (key,)
        ).fetchone()
        if change.effective.isoformat() < row[0]:
            raise InvalidInput(
                f"the project {key!r} had something until {row[0]}; remove it from that day on, or later"
            )

    def _sees_row(self, connection: sqlite3.Connection, row: sqlite3.Row) -> bool:
        towns = self._sight.towns
        if towns is None:
            return True
        found = connection.execute(
            "SELECT town FROM subjects WHERE kind = 'project' AND id = ?", (row["project"],)
        ).fetchone()
        return found is not None and found[0] in towns

    def _sees_households(self, project: str) -> bool:
        towns = self._sight.households
        row = self._shared.file.row(
            "SELECT town FROM subjects WHERE kind = 'project' AND id = ?", project
        )
        return towns is None or (row is not None and row[0] in towns)

    def _select(
        self,
        kind: Kind,
        key: str | None = None,
        project: str | None = None,
        days: tuple[date, date] | None = None,
    ) -> list[Subject]:
        where = ["kind = ?", "document IS NOT NULL"]
        values: list[str] = [kind]
        if days is not None:
            where.append("document ->> '$.start' <= ? AND document ->> '$.end' >= ?")
            values += [days[1].isoformat(), days[0].isoformat()]
        for column, value in (("id", key), ("project", project)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        for towns in (self._sight.towns, self._sight.households if kind == "household" else None):
            if towns is not None:
                where.append(f"project IN (SELECT id FROM subjects WHERE {_of_towns(towns)})")
                values += sorted(towns)
        sql = f"SELECT * FROM subjects WHERE {' AND '.join(where)} ORDER BY id"
        return [_subject(row) for row in self._shared.file.rows(sql, *values)]


def _of_towns(towns: Towns) -> str:
    return f"kind = 'project' AND town IN ({', '.join('?' * len(towns or ()))})"


class _Shared:
    """What all views of one city's renewal have in common."""

    def __init__(self, file: RenewalFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._whole = Ledger(())
        self._seen: OrderedDict[Towns, Ledger] = OrderedDict()

    def ledger(self, towns: Towns) -> Ledger:
        with self._lock:
            new = self.file.rows(
                "SELECT * FROM events WHERE seq > ? ORDER BY seq", self._whole.revision
            )
            if new:
                self._whole = self._whole.with_events([_event(row) for row in new])
                self._seen.clear()
            if towns is None:
                return self._whole
            found = self._seen.get(towns)
            if found is None:
                found = self._seen[towns] = self._whole.of_projects(self._projects(towns))
                while len(self._seen) > _LEDGERS_KEPT:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(towns)
            return found

    def _projects(self, towns: frozenset[str]) -> frozenset[str]:
        rows = self.file.rows(f"SELECT id FROM subjects WHERE {_of_towns(towns)}", *sorted(towns))
        return frozenset(row[0] for row in rows)


def _check_free(
    connection: sqlite3.Connection, project: str, key: str, document: dict[str, Any]
) -> None:
    """Two records of one day would count twice, of whatever period they are."""
    row = connection.execute(
        "SELECT id, document ->> '$.start', document ->> '$.end' FROM subjects"
        " WHERE kind = 'progress' AND project = ? AND id <> ? AND document ->> '$.metric' = ?"
        " AND document ->> '$.start' <= ? AND document ->> '$.end' >= ? ORDER BY id LIMIT 1",
        (project, key, document["metric"], document["end"], document["start"]),
    ).fetchone()
    if row is not None:
        raise Conflict(
            f"{document['metric']} from {row[1]} to {row[2]} is reported already ({row[0]}); correct that "
            "record"
        )


def _subject(row: sqlite3.Row) -> Subject:
    return Subject(
        row["kind"], row["id"], row["project"], int(row["version"]), json.loads(row["document"]),
        int(row["changed"]), row["name"],
    )  # fmt: skip


def _event(row: sqlite3.Row) -> Event:
    change = None if row["change"] is None else json.loads(row["change"])
    return Event(
        int(row["seq"]), int(row["recorded"]), date.fromisoformat(row["effective"]), row["kind"],
        row["id"], row["project"], int(row["version"]), change, row["person"], row["name"],
    )  # fmt: skip
