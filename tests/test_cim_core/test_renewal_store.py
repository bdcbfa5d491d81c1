"""Renewal as it is recorded: nothing lost, nothing altered, any day asked for again."""

import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cim_core.errors import Conflict, InvalidInput, NotFound, OutOfDate
from cim_core.renewal.events import Change
from cim_core.sight import EVERYTHING, Doer, Sight
from cim_core.store.renewal import Renewal

JANUARY, MARCH, MAY = date(2025, 1, 10), date(2025, 3, 1), date(2025, 5, 1)
PROJECT = {
    "name": "Eastern village", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village",
}  # fmt: skip
EDITOR = Doer("a1", "editor")


@pytest.fixture
def renewal(tmp_path: Path) -> Renewal:
    made = Renewal(tmp_path)
    (tmp_path / ".locks").mkdir()
    made.apply([Change("project", "p1", PROJECT, JANUARY)], EDITOR)
    made.apply([Change("project", "p2", {**PROJECT, "town": "west"}, JANUARY)], EDITOR)
    return made


def seen(renewal: Renewal, *towns: str, households: tuple[str, ...] = ()) -> Renewal:
    return renewal.seen_by(Sight({}, towns=frozenset(towns), households=frozenset(households)))


def test_eight_editors_at_once_lose_nothing(renewal: Renewal) -> None:
    def edit(name: str) -> None:
        for number in range(40):
            while True:
                project = renewal.get("project", "p1")
                note = f"{project.document.get('note', '')} {name}{number}"
                try:
                    renewal.apply(
                        [Change("project", "p1", {"note": note}, MARCH, project.version)], EDITOR
                    )
                except OutOfDate:
                    continue
                break

    editors = [threading.Thread(target=edit, args=(name,)) for name in "abcdefgh"]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    told = renewal.get("project", "p1")
    assert told.version == 321
    assert sorted(str(told.document["note"]).split()) == sorted(
        f"{name}{number}" for name in "abcdefgh" for number in range(40)
    )
    assert [event.version for event in renewal.history("p1")] == list(range(1, 322))


def test_who_looked_at_an_older_version_is_told_who_was_faster(renewal: Renewal) -> None:
    renewal.apply([Change("project", "p1", {"note": "one"}, MARCH, 1)], EDITOR)
    with pytest.raises(
        OutOfDate, match=r"changed by editor meanwhile \(it is at version 2, not 1\)"
    ):
        renewal.apply([Change("project", "p1", {"note": "two"}, MARCH, 1)], EDITOR)
    with pytest.raises(Conflict, match="already"):
        renewal.apply([Change("project", "p1", PROJECT, MARCH)], EDITOR)


def test_of_changes_that_are_not_all_right_none_is_made(renewal: Renewal) -> None:
    building = {"project": "p1", "name": "No. 1"}
    with pytest.raises(InvalidInput, match=r"building: .*\$\.state"):
        renewal.apply(
            [
                Change("building", "b1", building, MARCH),
                Change("building", "b2", {**building, "state": "gone"}, MARCH),
            ],
            EDITOR,
        )
    assert renewal.find("building") == []
    assert renewal.revision == 2


def test_a_day_is_asked_for_again_as_it_is_known_now_and_as_it_was_known_then(
    renewal: Renewal,
) -> None:
    clock = [datetime(2025, 3, 2, tzinfo=UTC).timestamp()]
    renewal.file.clock = lambda: clock[0]
    renewal.apply([Change("building", "b1", {"project": "p1", "floor_area": 100.0}, JANUARY)], None)
    renewal.apply([Change("building", "b1", {"state": "signed"}, MARCH, 1)], None)
    first = renewal.file.now()
    clock[0] += 86400 * 90
    renewal.apply([Change("building", "b1", {"floor_area": 120.0}, MAY, 2)], None)
    renewal.apply([Change("building", "b1", {"state": "unsigned"}, MARCH, 3)], None)
    renewal.apply([Change("building", "b1", {"state": "demolished"}, MAY, 4)], None)

    def told(at: date, known: int | None = None) -> tuple[int, float]:
        rows = renewal.ledger().buildings(at, known)
        return int(rows.states[0]), float(rows.floor_areas[0])

    assert told(JANUARY) == (0, 120.0)
    assert told(MARCH, first) == (1, 100.0)
    assert told(MARCH) == (0, 120.0), "it turned out that it was not signed"
    assert told(MAY) == (3, 120.0)
    assert renewal.ledger().buildings(date(2025, 1, 1)).ids == ()


def test_a_record_of_progress_counts_from_the_end_of_its_period(renewal: Renewal) -> None:
    record = {
        "project": "p1", "metric": "investment", "period": "week", "start": "2025-03-03",
        "end": "2025-03-09", "actual": 2e6, "plan": 3e6,
    }  # fmt: skip
    renewal.apply([Change("progress", "r1", record, date(2025, 3, 9))], None)
    renewal.apply([Change("progress", "r1", {"actual": 2.5e6}, date(2025, 3, 9), 1)], None)
    assert renewal.ledger().progress(date(2025, 3, 8)).ids == ()
    rows = renewal.ledger().progress(date(2025, 3, 9))
    assert (rows.actuals.tolist(), rows.plans.tolist()) == ([2.5e6], [3e6])
    renewal.apply([Change("progress", "r1", None, date(2025, 3, 9), 2)], None)
    assert renewal.ledger().progress(MAY).ids == ()


def test_what_is_of_other_towns_is_not_there(renewal: Renewal) -> None:
    renewal.apply(
        [
            Change("household", "h1", {"project": "p1", "number": "1", "holder": "A"}, MARCH),
            Change("household", "h2", {"project": "p2", "number": "2", "holder": "B"}, MARCH),
        ],
        EDITOR,
    )
    west = seen(renewal, "west")
    assert [one.id for one in west.find("project")] == ["p2"]
    assert west.find("household") == []
    assert west.ledger().projects == ("p2",)
    assert {event.kind for event in west.history("p2")} == {"project"}
    with pytest.raises(NotFound):
        west.get("project", "p1")
    with pytest.raises(NotFound):
        west.history("p1")
    with pytest.raises(NotFound):
        west.apply([Change("project", "p1", {"note": "mine"}, MAY, 1)], EDITOR)
    with pytest.raises(NotFound):
        west.apply([Change("task", None, {"project": "p1", "title": "T"}, MAY)], EDITOR)
    entitled = seen(renewal, "west", "east", households=("west",))
    assert [one.id for one in entitled.find("household")] == ["h2"]
    assert {event.kind for event in entitled.history("p2")} == {"project", "household"}
    assert {event.kind for event in entitled.history("p1")} == {"project"}
    assert renewal.seen_by(EVERYTHING).get("household", "h1").document["holder"] == "A"
    nobody = renewal.seen_by(replace(EVERYTHING, towns=frozenset(), households=frozenset()))
    assert (nobody.find("project"), nobody.ledger().events) == ([], ())


def test_events_are_neither_altered_nor_deleted(renewal: Renewal) -> None:
    for statement in ("UPDATE events SET name = ''", "DELETE FROM events"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="events are not"),
            renewal.transaction() as connection,
        ):
            connection.execute(statement)


def test_a_project_that_has_anything_is_not_removed(renewal: Renewal) -> None:
    task = renewal.apply([Change("task", None, {"project": "p1", "title": "Survey"}, MARCH)], None)[
        0
    ]
    with pytest.raises(Conflict, match="still has 1 of the kind task"):
        renewal.apply([Change("project", "p1", None, MAY, 1)], None)
    renewal.apply([Change("task", task.id, None, MAY, 1)], None)
    renewal.apply([Change("project", "p1", None, MAY, 1)], None)
    with pytest.raises(NotFound):
        renewal.get("project", "p1")
    assert set(renewal.ledger().documents("project", MARCH)) == {"p1", "p2"}
    assert set(renewal.ledger().documents("project", MAY)) == {"p2"}
