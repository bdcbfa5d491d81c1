"""A history that another program recorded: in whole, with its moments, or not at all."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cim_core.errors import Cancelled, Conflict, InvalidInput
from cim_core.progress import Progress
from cim_core.renewal.events import Change, Told
from cim_core.store.renewal import Renewal

DAY = 86_400_000
JANUARY = date(2025, 1, 10)
PROJECT = {
    "name": "Eastern village", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village",
}  # fmt: skip
ORDER = {"project": "p1", "title": "Hurry", "issue": "Why so late?", "unit": "east"}
HISTORY = [
    Told(1, 1 * DAY, JANUARY, "project", "p1", PROJECT, "office"),
    Told(2, 2 * DAY, JANUARY, "building", "b1", {"project": "p1", "floor_area": 80.0}, "office"),
    Told(3, 3 * DAY, date(2025, 2, 1), "building", "b1", {"state": "signed"}, "east"),
    Told(4, 3 * DAY, JANUARY, "task", "t1", {"project": "p1", "title": "Survey"}, "office"),
    Told(5, 4 * DAY, JANUARY, "order", "o1", ORDER, "office"),
    Told(6, 5 * DAY, date(2025, 3, 3), "order", "o1",
         {"state": "issued", "issued": "2025-03-03", "number": "督办〔2025〕1号"}, "office"),
    Told(7, 6 * DAY, date(2025, 4, 1), "task", "t1", None, "office"),
]  # fmt: skip


@pytest.fixture
def renewal(tmp_path: Path) -> Renewal:
    (tmp_path / ".locks").mkdir()
    made = Renewal(tmp_path)
    made.file.clock = lambda: 30 * DAY / 1000
    return made


def test_a_history_is_as_if_it_had_been_recorded_here(renewal: Renewal, tmp_path: Path) -> None:
    renewal.load(HISTORY, Progress())
    other = Renewal(tmp_path / "other")
    (tmp_path / "other" / ".locks").mkdir(parents=True)
    versions: dict[str, int] = {}
    for told in HISTORY:
        other.file.clock = lambda told=told: told.recorded / 1000
        version = versions.get(told.id)
        other.apply([Change(told.kind, told.id, told.change, told.effective, version)], None)
        versions[told.id] = (version or 0) + 1
    mine, theirs = renewal.history("p1"), other.history("p1")
    assert [replace(event, name="") for event in mine] == theirs
    assert {event.name for event in mine} == {"office", "east"}
    for kind in ("project", "building", "task", "order"):
        mine_now = [(one.id, one.version, one.document, one.changed) for one in renewal.find(kind)]
        assert mine_now == [
            (one.id, one.version, one.document, one.changed) for one in other.find(kind)
        ]
    rows = renewal.ledger().buildings(date(2025, 2, 2), 2 * DAY)
    assert (rows.ids, rows.states.tolist()) == (("b1",), [0]), "as it was known then"


def test_numbers_of_orders_go_on_where_the_history_ends(renewal: Renewal) -> None:
    renewal.load(HISTORY, Progress())
    with renewal.transaction() as connection:
        assert renewal.number(connection, "order-2025") == 2
        assert renewal.number(connection, "order-2026") == 1


def test_no_number_is_given_again_whose_order_was_removed_or_skipped(renewal: Renewal) -> None:
    second = replace(HISTORY[4], line=8, recorded=7 * DAY, id="o2")
    given = {"state": "issued", "issued": "2025-04-01", "number": "督办〔2025〕7号"}
    told = replace(second, line=9, effective=date(2025, 4, 1), change=given)
    gone = replace(second, line=10, effective=date(2025, 4, 2), change=None)
    renewal.load([*HISTORY, second, told, gone], Progress())
    with renewal.transaction() as connection:
        assert renewal.number(connection, "order-2025") == 8


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (replace(HISTORY[1], recorded=0), "recorded before the line above"),
        (replace(HISTORY[1], recorded=31 * DAY), "still to come"),
        (replace(HISTORY[1], change={"project": "p2"}), "no project 'p2' above"),
        (replace(HISTORY[1], change={"project": "p1", "state": "gone"}), r"\$\.state"),
        (replace(HISTORY[1], change=None), "removed before it was there"),
        (replace(HISTORY[1], id="no id"), "cannot be an id"),
        (replace(HISTORY[1], kind="evidence", change={}), "evidence comes with its file"),
    ],
    ids=[
        "back in time",
        "ahead of time",
        "no project",
        "no such state",
        "removed",
        "id",
        "evidence",
    ],
)
def test_a_history_with_a_line_that_is_not_right_is_not_brought_in_at_all(
    renewal: Renewal, told: Told, why: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"line 2 \(\w+ .*\): .*{why}"):
        renewal.load([HISTORY[0], told], Progress())
    assert renewal.find("project") == []
    assert renewal.revision == 0


def test_what_comes_after_an_end_is_refused(renewal: Renewal) -> None:
    with pytest.raises(InvalidInput, match=r"line 8 .*removed above"):
        renewal.load([*HISTORY, replace(HISTORY[3], line=8, recorded=7 * DAY)], Progress())
    gone = replace(HISTORY[0], line=8, recorded=7 * DAY, change=None)
    with pytest.raises(InvalidInput, match=r"line 8 .*still has something"):
        renewal.load([*HISTORY, gone], Progress())
    early = replace(gone, effective=date(2025, 2, 1))
    project, task, removed = HISTORY[0], HISTORY[3], replace(HISTORY[6], recorded=6 * DAY)
    with pytest.raises(InvalidInput, match=r"line 8 .*had something until 2025-04-01"):
        renewal.load([project, task, removed, early], Progress())
    moved = replace(HISTORY[2], line=9, recorded=8 * DAY, change={"project": "p2"})
    second = replace(HISTORY[0], line=8, id="p2", recorded=7 * DAY)
    with pytest.raises(InvalidInput, match=r"line 9 .*belongs to 'p1'"):
        renewal.load([*HISTORY, second, moved], Progress())


def test_what_is_told_late_changes_what_was_and_not_what_is(renewal: Renewal) -> None:
    late = Told(8, 7 * DAY, date(2025, 1, 20), "building", "b1", {"state": "unsigned"}, "east")
    with pytest.raises(InvalidInput, match="with effect from 2025-02-01; remove it from that day"):
        renewal.load([*HISTORY, replace(late, change=None)], Progress())
    renewal.load([*HISTORY, late], Progress())
    assert renewal.get("building", "b1").document["state"] == "signed"


def test_a_city_that_has_renewal_keeps_its_own(renewal: Renewal) -> None:
    renewal.apply([Change("project", "mine", PROJECT, JANUARY)], None)
    with pytest.raises(Conflict, match="has renewal already"):
        renewal.load(HISTORY, Progress())
    assert [one.id for one in renewal.find("project")] == ["mine"]


def test_who_stops_it_has_nothing_of_it(renewal: Renewal) -> None:
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        renewal.load(HISTORY, Progress(cancelled=lambda: next(asked)))
    assert renewal.revision == 0
