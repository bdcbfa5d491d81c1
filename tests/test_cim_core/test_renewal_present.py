"""What is told later of an earlier day: what stands now is what the ledger has for today."""

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.renewal.documents import Kind
from cim_core.renewal.events import Change
from cim_core.renewal.words import titles
from cim_core.store.renewal import Renewal

BEGIN, LAST = date(2025, 1, 1), date(2025, 12, 31)
PROJECT = {
    "name": "Eastern village", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village",
}  # fmt: skip
DAYS = st.integers(0, 30).map(lambda number: BEGIN + timedelta(days=number))
STATES = list(titles("building_states"))


@pytest.fixture
def renewal(tmp_path: Path) -> Renewal:
    (tmp_path / ".locks").mkdir()
    made = Renewal(tmp_path)
    made.apply([Change("project", "p1", PROJECT, BEGIN)], None)
    return made


def told(renewal: Renewal, kind: Kind, changes: list[tuple[date, dict[str, Any]]]) -> str:
    """The id of a new thing of which all this is told, one after the other."""
    first = {"title": "T"} if kind == "task" else {}
    made = renewal.apply([Change(kind, None, {"project": "p1", **first}, BEGIN)], None)[0]
    for version, (day, change) in enumerate(changes, start=1):
        renewal.apply([Change(kind, made.id, change, day, version)], None)
    return made.id


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(DAYS, st.integers(0, 5), st.booleans()), max_size=8))
def test_what_stands_now_is_what_the_ledger_has_for_today(
    renewal: Renewal, changes: list[tuple[date, int, bool]]
) -> None:
    tasks = [(day, {"note": str(n)} if both else {"stage": str(n)}) for day, n, both in changes]
    key = told(renewal, "task", tasks)
    assert (
        renewal.get("task", key).document == renewal.ledger().documents("task", LAST)[key].document
    )
    states = [
        (day, {"state": STATES[n], **({"floor_area": n + 1.0} if both else {})})
        for day, n, both in changes
    ]
    key = told(renewal, "building", states)
    rows, document = renewal.ledger().buildings(LAST), renewal.get("building", key).document
    place = rows.ids.index(key)
    assert STATES[rows.states[place]] == document.get("state", "unsigned")
    area = rows.floor_areas[place]
    assert document.get("floor_area") == (None if math.isnan(area) else area)


def test_a_thing_is_not_removed_from_a_day_before_its_last_change(renewal: Renewal) -> None:
    key = told(renewal, "task", [(date(2025, 3, 1), {"note": "x"})])
    with pytest.raises(InvalidInput, match="was changed with effect from 2025-03-01"):
        renewal.apply([Change("task", key, None, date(2025, 2, 1), 2)], None)
    renewal.apply([Change("task", key, None, date(2025, 3, 1), 2)], None)
    assert key not in renewal.ledger().documents("task", LAST)


def test_a_change_that_would_leave_a_day_without_a_right_document_is_refused(
    renewal: Renewal,
) -> None:
    approval = {"approval": {"number": "2025-17"}}
    renewal.apply([Change("project", "p1", approval, date(2025, 5, 1), 1)], None)
    dated = {"approval": {"date": "2025-04-20"}}
    with pytest.raises(InvalidInput, match="missing required field `number`"):
        renewal.apply([Change("project", "p1", dated, date(2025, 4, 20), 2)], None)
    renewal.apply([Change("project", "p1", dated, date(2025, 5, 1), 2)], None)
