"""Supervision orders: what follows from a step, and that no walk of steps leads anywhere odd."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import Conflict, InvalidInput
from cim_core.renewal.documents import patched, read_document
from cim_core.renewal.orders import (
    STEPS,
    Done,
    Step,
    changed,
    number_of,
    overdue_days,
    possible,
    runs,
    series,
    urgency,
)
from cim_core.renewal.working_days import WorkingDays

MONDAY = date(2026, 3, 2)
DRAFT: dict[str, Any] = {
    "project": "p1", "title": "Demolition is behind", "issue": "Say what is in the way.",
    "unit": "east", "days": 5,
}  # fmt: skip


def walked(order: dict[str, Any], *steps: tuple[Step, Done]) -> dict[str, Any]:
    for step, done in steps:
        order = patched(order, changed(order, step, done, number="督办〔2026〕1号"))
    return order


def told(day: int, text: str = "", **more: Any) -> Done:
    return Done(MONDAY + timedelta(days=day), "somebody", text, **more)


ISSUED = walked(DRAFT, ("issue", told(0)))
ANSWERED = walked(ISSUED, ("receive", told(1)), ("handle", told(1)), ("answer", told(2, "done")))


def test_an_order_is_issued_answered_returned_answered_again_and_closed() -> None:
    assert (ISSUED["deadline"], ISSUED["number"]) == ("2026-03-09", "督办〔2026〕1号")
    returned = walked(ANSWERED, ("return", told(3, "no photo")))
    assert (returned["state"], returned["returned"]) == ("returned", "no photo")
    closed = walked(
        returned,
        ("handle", told(3)),
        ("answer", told(4, "with a photo", evidence=("f1",))),
        ("close", told(7, "seen on site")),
    )
    assert [one["text"] for one in closed["feedback"]] == ["done", "with a photo"]
    assert closed["feedback"][1] == {
        "date": "2026-03-06", "text": "with a photo", "by": "somebody", "evidence": ["f1"],
    }  # fmt: skip
    assert (closed["closed"], closed["conclusion"]) == ("2026-03-09", "seen on site")
    assert possible(closed) == ()


def test_more_time_is_asked_for_and_granted_or_refused() -> None:
    order = walked(ISSUED, ("ask-extension", told(1, "rain", until=date(2026, 3, 20))))
    with pytest.raises(Conflict, match="asked for already"):
        changed(order, "ask-extension", told(1, "more rain", until=date(2026, 3, 30)))
    refused = walked(order, ("refuse-extension", told(1, "it was dry")))
    assert refused["deadline"] == "2026-03-09"
    again = walked(refused, ("ask-extension", told(2, "flood", until=date(2026, 3, 20))))
    granted = walked(again, ("grant-extension", told(2)))
    assert granted["deadline"] == "2026-03-20"
    shorter = walked(again, ("grant-extension", told(2, deadline=date(2026, 3, 12))))
    assert [one["state"] for one in shorter["extensions"]] == ["refused", "granted"]
    assert shorter["extensions"][1]["until"] == shorter["deadline"] == "2026-03-12"
    with pytest.raises(Conflict, match="nobody asks"):
        changed(granted, "grant-extension", told(2))
    with pytest.raises(InvalidInput, match="2026-03-09 is not after 2026-03-09, its deadline"):
        changed(again, "grant-extension", told(2, deadline=date(2026, 3, 9)))


@pytest.mark.parametrize(
    ("order", "step", "done", "said"),
    [
        (DRAFT, "receive", told(0), "receive is not possible for an order that is draft"),
        (ISSUED, "answer", told(0, "x"), "answer is not possible for an order that is issued"),
        (ANSWERED, "return", told(0), "return needs a text; give it as text"),
        (ANSWERED, "close", told(0, evidence=("f",)), "close takes no evidence"),
        (ISSUED, "ask-extension", told(0, "x"), "ask-extension needs a day until which"),
        (DRAFT, "issue", told(5, deadline=MONDAY), "2026-03-02 is not after 2026-03-07"),
    ],
)
def test_what_is_not_possible_is_refused_in_words(
    order: dict[str, Any], step: Step, done: Done, said: str
) -> None:
    with pytest.raises((Conflict, InvalidInput), match=said):
        changed(order, step, done)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 40)), max_size=25)
)
def test_no_walk_leads_anywhere_odd(walk: list[tuple[Step, int, int]]) -> None:
    order, day = dict(DRAFT), MONDAY
    for step, later, more in walk:
        day += timedelta(days=later)
        texts = {"answer", "return", "withdraw", "ask-extension", "refuse-extension"}
        until = day + timedelta(days=more) if step == "ask-extension" else None
        done = Done(day, "somebody", "words" if step in texts else "", until=until)
        may = step in possible(order)
        try:
            change = changed(order, step, done, number="督办〔2026〕1号")
        except Conflict:
            assert not may
            continue
        except InvalidInput as error:
            assert "is not after" in error.sentence
            continue
        assert may
        after = patched(order, change)
        read_document("order", after)
        if order.get("deadline"):
            assert after["deadline"] >= order["deadline"], "nobody shortens a deadline"
            assert after["number"] == order["number"]
        assert after.get("feedback", [])[: len(order.get("feedback", []))] == order.get(
            "feedback", []
        )
        asked = [one for one in after.get("extensions", []) if one["state"] == "asked"]
        assert len(asked) <= 1
        assert (after["state"] in ("closed", "withdrawn")) == ("closed" in after)
        assert runs(after) == (after["state"] not in ("draft", "closed", "withdrawn"))
        assert runs(after) <= ("deadline" in after)
        assert (urgency(after, day) is None) == (not runs(after))
        order = after


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.integers(1, 30))
def test_an_order_turns_blue_three_working_days_before_it_is_due_and_red_after(
    issued: date, days: int
) -> None:
    calendar = WorkingDays()
    order = patched(
        {**DRAFT, "days": days}, changed({**DRAFT, "days": days}, "issue", Done(issued))
    )
    deadline = date.fromisoformat(order["deadline"])
    colours = []
    for number in range((deadline - issued).days + 3):
        day = issued + timedelta(days=number)
        left = sum(
            calendar.worked(day + timedelta(days=n)) for n in range(1, (deadline - day).days + 1)
        )
        wanted = "red" if day > deadline else "blue" if left <= 3 else "yellow"
        assert urgency(order, day) == wanted
        assert overdue_days(order, day) == max(0, (day - deadline).days)
        colours.append(wanted)
    assert colours == sorted(colours, key=["yellow", "blue", "red"].index)


def test_numbers_are_counted_by_year() -> None:
    assert (series(MONDAY), number_of(MONDAY, 12)) == ("order-2026", "督办〔2026〕12号")
