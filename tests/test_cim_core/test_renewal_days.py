"""Days of renewal: what was there on them stays so, whatever is removed, told late or told twice."""

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cim_core.errors import Conflict, InvalidInput
from cim_core.progress import Progress
from cim_core.renewal.events import Change, Told
from cim_core.renewal.records import StateRows
from cim_core.sight import Sight
from cim_core.store.renewal import Renewal

JANUARY, MARCH, APRIL, MAY = (date(2025, month, 1) for month in (1, 3, 4, 5))
LAST = date(2025, 12, 31)
PROJECT = {
    "name": "Eastern village", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village",
}  # fmt: skip
WEEK = {
    "project": "p1", "metric": "investment", "period": "week", "start": "2025-04-07",
    "end": "2025-04-13", "actual": 1e6,
}  # fmt: skip
MONTH = {**WEEK, "period": "month", "start": "2025-04-01", "end": "2025-04-30", "actual": 4e6}


@pytest.fixture
def renewal(tmp_path: Path) -> Renewal:
    (tmp_path / ".locks").mkdir()
    made = Renewal(tmp_path)
    made.apply([Change("project", "p1", PROJECT, JANUARY)], None)
    return made


def described(rows: StateRows) -> dict[str, str]:
    return {
        name: str(getattr(rows, name))  # as text NaN is NaN
        for name in ("ids", "projects", "states", "since", "floor_areas", "storeys", "persons",
                     "buildings", "layers", "features", "names")
    }  # fmt: skip


def test_what_was_removed_stays_described_on_the_days_before(renewal: Renewal) -> None:
    building = {
        "project": "p1", "name": "No. 1", "layer": "stock", "feature": "h1", "floor_area": 600.0,
        "storeys": 3,
    }  # fmt: skip
    household = {"project": "p1", "number": "1", "building": "b1", "persons": 4}
    renewal.apply(
        [
            Change("building", "b1", building, JANUARY),
            Change("household", "h1", household, JANUARY),
        ],
        None,
    )
    before = renewal.ledger()
    renewal.apply(
        [Change("household", "h1", None, MAY, 1), Change("building", "b1", None, MAY, 1)], None
    )
    after = renewal.ledger()
    assert described(after.buildings(MARCH)) == described(before.buildings(MARCH))
    assert described(after.households(MARCH)) == described(before.households(MARCH))
    assert after.buildings(MARCH).floor_areas.tolist() == [600.0]
    assert (after.buildings(MAY).ids, after.households(MAY).ids) == ((), ())


def test_what_is_told_of_days_before_a_thing_was_there_holds_from_its_first_day(
    renewal: Renewal,
) -> None:
    renewal.apply([Change("building", "b1", {"project": "p1"}, MAY)], None)
    renewal.apply([Change("building", "b1", {"state": "demolished"}, MARCH, 1)], None)
    renewal.apply([Change("task", "t1", {"project": "p1", "title": "T"}, MAY)], None)
    renewal.apply([Change("task", "t1", {"title": "U"}, MARCH, 1)], None)
    ledger = renewal.ledger()
    assert ledger.buildings(APRIL).ids == ()
    assert ledger.documents("task", APRIL) == {}
    rows, spans = ledger.buildings(MAY), ledger.building_spans()
    assert rows.states.tolist() == [3]
    assert (MAY - date(1970, 1, 1)).days == rows.since[0] == spans.begins[0]
    assert len(spans.states) == 1
    assert renewal.get("building", "b1").document["state"] == "demolished"
    task = ledger.documents("task", MAY)["t1"]
    assert (task.document["title"], task.since, task.changed) == ("U", MAY, MAY)
    assert renewal.get("task", "t1").document == task.document


def test_days_are_reported_once_by_week_or_by_month(renewal: Renewal) -> None:
    renewal.apply([Change("progress", "r1", WEEK, APRIL)], None)
    with pytest.raises(Conflict, match=r"investment from 2025-04-07 to 2025-04-13 .* \(r1\)"):
        renewal.apply([Change("progress", "r2", MONTH, APRIL)], None)
    later = {**WEEK, "start": "2025-04-14", "end": "2025-04-20"}
    renewal.apply([Change("progress", "r2", later, APRIL)], None)
    with pytest.raises(Conflict, match="reported already"):
        renewal.apply([Change("progress", "r2", {"start": "2025-04-13"}, APRIL, 1)], None)
    other = {**MONTH, "metric": "land-cleared"}
    renewal.apply([Change("progress", "r3", other, APRIL)], None)
    renewal.apply([Change("progress", "r1", None, APRIL, 1)], None)
    renewal.apply([Change("progress", "r2", {"start": "2025-04-13"}, APRIL, 1)], None)


def test_two_who_correct_two_records_at_once_do_not_both_get_the_same_days(
    renewal: Renewal,
) -> None:
    for week in range(8):
        first = 1 + 3 * week
        days = {"start": f"2025-04-{first:02}", "end": f"2025-04-{first + 2:02}"}
        renewal.apply([Change("progress", f"r{week}", {**WEEK, **days}, APRIL)], None)
    refused: list[str] = []

    def move(key: str) -> None:
        try:
            days = {"start": "2025-06-02", "end": "2025-06-08"}
            renewal.apply([Change("progress", key, days, APRIL, 1)], None)
        except Conflict:
            refused.append(key)

    threads = [threading.Thread(target=move, args=(f"r{week}",)) for week in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7


def history(tmp_path: Path, *records: dict[str, Any]) -> Renewal:
    (tmp_path / "other" / ".locks").mkdir(parents=True)
    made = Renewal(tmp_path / "other")
    told = [Told(1, 0, JANUARY, "project", "p1", PROJECT, "")]
    told += [
        Told(place, 1000 * place, APRIL, "progress", f"r{place}", record, "")
        for place, record in enumerate(records, start=2)
    ]
    made.load(told, Progress())
    return made


def test_of_days_told_twice_in_a_history_what_was_told_first_counts(tmp_path: Path) -> None:
    ledger = history(tmp_path, MONTH, WEEK, {**WEEK, "metric": "land-cleared"}).ledger()
    rows = ledger.progress(LAST)
    assert rows.ids == ("r2", "r4")
    assert rows.actuals.tolist() == [4e6, 1e6]
    (one,) = ledger.twice(LAST)
    assert (one.id, one.other) == ("r3", "r2")
    # Also before the month has ended: else what was done by a day would become less later.
    assert ledger.progress(date(2025, 4, 20)).ids == ("r4",)
    assert ledger.progress(LAST, 3000).ids == ("r2",)


def test_a_removed_project_keeps_its_past_for_those_who_see_its_town(renewal: Renewal) -> None:
    renewal.apply([Change("project", "p1", None, MAY, 1)], None)
    east, west = (
        renewal.seen_by(Sight({}, towns=frozenset({town}))).ledger() for town in ("east", "west")
    )
    assert set(east.documents("project", APRIL)) == {"p1"}
    assert east.documents("project", MAY) == {}
    assert west.documents("project", APRIL) == {}


def test_a_project_is_not_removed_from_a_day_on_which_it_had_something(renewal: Renewal) -> None:
    renewal.apply([Change("task", "t1", {"project": "p1", "title": "T"}, MARCH)], None)
    renewal.apply([Change("task", "t1", None, MAY, 1)], None)
    with pytest.raises(InvalidInput, match="had something until 2025-05-01; remove it from that"):
        renewal.apply([Change("project", "p1", None, APRIL, 1)], None)
    renewal.apply([Change("project", "p1", None, MAY, 1)], None)


def test_a_thing_stays_in_its_project_on_days_that_are_past_too(renewal: Renewal) -> None:
    renewal.apply([Change("project", "p2", {**PROJECT, "town": "west"}, JANUARY)], None)
    renewal.apply([Change("task", "t1", {"project": "p1", "title": "T"}, JANUARY)], None)
    renewal.apply([Change("task", "t1", {"project": "p1"}, MAY, 1)], None)
    with pytest.raises(InvalidInput, match="belongs to 'p1' and stays there"):
        renewal.apply([Change("task", "t1", {"project": "p2"}, MARCH, 2)], None)


def test_a_slip_in_the_day_of_a_building_does_not_stretch_the_campaign(renewal: Renewal) -> None:
    renewal.apply([Change("building", "b1", {"project": "p1"}, date(1990, 1, 1))], None)
    renewal.apply([Change("project", "p1", {"note": "x"}, MAY, 1)], None)
    assert renewal.ledger().span == (JANUARY, MAY)
