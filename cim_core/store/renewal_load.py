"""A history of renewal that another program recorded, brought into a city that has none yet."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cim_core.errors import Conflict, InvalidInput
from cim_core.progress import Progress
from cim_core.renewal.documents import Kind, checked_id, patched, read_document
from cim_core.renewal.events import Told
from cim_core.renewal.orders import count_of, series
from cim_core.renewal.present import present

_STEP = 5_000
"""So many changes are checked between two looks at the progress."""


def load_history(
    connection: sqlite3.Connection, told: Sequence[Told], now: int, progress: Progress
) -> None:
    """Write a history with its moments, as part of a transaction.

    Raises `Conflict` in a city that has any renewal, `InvalidInput` naming the line that is not right.
    """
    if connection.execute("SELECT EXISTS (SELECT 1 FROM events)").fetchone()[0]:
        raise Conflict(
            "this city has renewal already, and a history is loaded into one that has none; "
            "take another city"
        )
    loading = _Loading(now)
    for done, one in enumerate(told):
        if done % _STEP == 0:
            progress(done, len(told), "checking")
        loading.add(one)
    progress(0, 1, "writing")
    connection.executemany(
        "INSERT INTO events (recorded, effective, kind, id, project, version, change, name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        loading.events,
    )
    connection.executemany(
        "INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((kind, key, *one.row()) for (kind, key), one in loading.subjects.items()),
    )
    connection.executemany("INSERT INTO numbers VALUES (?, ?)", loading.numbers())


@dataclass(slots=True)
class _Standing:
    """A subject as far as it was told, and the changes it was told by."""

    project: str
    town: str | None
    version: int
    document: Mapping[str, Any] | None
    changed: int
    name: str
    told: list[tuple[date, Mapping[str, Any]]]
    latest: date

    def row(self) -> tuple[object, ...]:
        return (
            self.project, self.town, self.version,
            None if self.document is None else _json(self.document), self.changed, self.name,
        )  # fmt: skip


@dataclass
class _Loading:
    now: int
    last: int = 0
    subjects: dict[tuple[Kind, str], _Standing] = field(default_factory=dict)
    events: list[tuple[object, ...]] = field(default_factory=list)
    issued: dict[str, dict[str, int]] = field(default_factory=dict)
    """By series and order, which of the series it is; removed ones, too."""

    def add(self, told: Told) -> None:
        """Check a change and take it."""
        try:
            self._add(told)
        except InvalidInput as error:
            raise InvalidInput(
                f"line {told.line} ({told.kind} {told.id[:80]!r}): {error}"
            ) from None

    def _add(self, told: Told) -> None:
        if told.recorded < self.last:
            raise InvalidInput(
                "it was recorded before the line above; sort the lines by their moments"
            )
        if told.recorded > self.now:
            raise InvalidInput("it was recorded at a moment that is still to come; correct that")
        if told.kind == "evidence":
            raise InvalidInput(
                "evidence comes with its file; leave it out and bring it to the city"
            )
        self.last = told.recorded
        key = (told.kind, told.id)
        before = self.subjects.get(key)
        if before is None:
            checked_id(told.id)
        elif before.document is None:
            raise InvalidInput("it was removed above; give what comes after another id")
        document = self._after(told, before)
        version = 1 if before is None else before.version + 1
        project, town = told.id, None if before is None else before.town
        if document is not None:
            checked = read_document(told.kind, document)
            town = checked.town if told.kind == "project" else None
            project = told.id if told.kind == "project" else checked.project
            self._check_project(told, before, project)
            if told.kind == "order" and checked.issued:
                orders = self.issued.setdefault(series(checked.issued), {})
                orders[told.id] = count_of(checked.issued, checked.number)
        elif before is not None:
            project = before.project
            self._check_empty(told)
        changes = [] if before is None else before.told
        if told.change is not None:
            changes.append((told.effective, told.change))
        latest = told.effective if before is None else max(before.latest, told.effective)
        self.subjects[key] = _Standing(
            project, town, version, document, told.recorded, told.name, changes, latest
        )
        self.events.append(
            (
                told.recorded, told.effective.isoformat(), told.kind, told.id, project, version,
                None if told.change is None else _json(told.change), told.name,
            )
        )  # fmt: skip

    def _after(self, told: Told, before: _Standing | None) -> dict[str, Any] | None:
        """What a change leads to, as `Renewal.apply` has it."""
        if before is None:
            if told.change is None:
                raise InvalidInput("it is removed before it was there; leave that line out")
            return patched({}, told.change)
        latest = before.latest
        if told.change is None:
            if told.effective < latest:
                raise InvalidInput(
                    f"it was changed with effect from {latest}; remove it from that day on, or later"
                )
            return None
        if told.effective < latest:
            return present(told.kind, [*before.told, (told.effective, told.change)])
        return patched(before.document or {}, told.change)

    def _check_project(self, told: Told, before: _Standing | None, project: str) -> None:
        if told.kind == "project":
            return
        # Also of a day that is past already: what stands now may say nothing of it.
        if before is not None and (told.change or {}).get("project", project) != before.project:
            raise InvalidInput(f"it belongs to {before.project!r} and stays there")
        owner = self.subjects.get(("project", project))
        if owner is None or owner.document is None:
            raise InvalidInput(f"there is no project {project!r} above; give that first")

    def _check_empty(self, told: Told) -> None:
        if told.kind != "project":
            return
        mine = {key: one for key, one in self.subjects.items() if one.project == told.id}
        if any(one.document is not None and kind != "project" for (kind, _), one in mine.items()):
            raise InvalidInput("the project still has something; remove that first")
        latest = max(one.latest for one in mine.values())
        if told.effective < latest:
            raise InvalidInput(
                f"the project had something until {latest}; remove it from that day on, or later"
            )

    def numbers(self) -> Iterable[tuple[str, int]]:
        """How far the numbers of orders were counted, by series."""
        return [(name, max(len(orders), *orders.values())) for name, orders in self.issued.items()]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)
