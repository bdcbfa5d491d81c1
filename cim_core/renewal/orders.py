"""Supervision orders: what can be done with one, when it falls due, how urgent it is.

    draft → issued → received → handling → answered → closed
                         ↑         ↑           │
                         │         └ returned ←┘      withdrawn: from anywhere but closed

Everything here is a function of an order's document; `cim_core.store.renewal` keeps what follows.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from cim_core.errors import Conflict, InvalidInput
from cim_core.renewal.words import OrderState
from cim_core.renewal.working_days import NATIONAL, WorkingDays

Step = Literal[
    "issue", "receive", "handle", "answer", "return", "close", "withdraw", "ask-extension",
    "grant-extension", "refuse-extension",
]  # fmt: skip
STEPS: tuple[Step, ...] = get_args(Step)
OF_UNIT: frozenset[Step] = frozenset(("receive", "handle", "answer", "ask-extension"))
"""The steps of whoever was ordered; the others are those of who orders."""

Urgency = Literal["blue", "yellow", "red"]

_RUNNING: tuple[OrderState, ...] = ("issued", "received", "handling", "answered", "returned")
_AT_WORK: tuple[OrderState, ...] = ("received", "handling", "returned")
_FROM: Mapping[Step, tuple[OrderState, ...]] = {
    "issue": ("draft",),
    "receive": ("issued",),
    "handle": ("received", "returned"),
    "answer": _AT_WORK,
    "return": ("answered",),
    "close": ("answered",),
    "withdraw": ("draft", *_RUNNING),
    "ask-extension": ("issued", *_AT_WORK),
    "grant-extension": _RUNNING,
    "refuse-extension": _RUNNING,
}
_TO: Mapping[Step, OrderState] = {
    "issue": "issued", "receive": "received", "handle": "handling", "answer": "answered",
    "return": "returned", "close": "closed", "withdraw": "withdrawn",
}  # fmt: skip
_NEEDS: Mapping[Step, frozenset[str]] = {
    "answer": frozenset(("text",)),
    "return": frozenset(("text",)),
    "withdraw": frozenset(("text",)),
    "ask-extension": frozenset(("text", "until")),
    "refuse-extension": frozenset(("text",)),
}
_TAKES: Mapping[Step, frozenset[str]] = {
    "issue": frozenset(("deadline",)),
    "answer": frozenset(("evidence",)),
    "close": frozenset(("text",)),
    "grant-extension": frozenset(("text", "deadline")),
}
_WORDS = {
    "text": "a text", "until": "a day until which", "evidence": "evidence", "deadline": "a deadline",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """What somebody does with an order, and with what words.

    by
        The name of who does it.
    until
        The day that is asked for as the new deadline.
    deadline
        The day that is given as the deadline.
    evidence
        Ids.
    """

    day: date
    by: str = ""
    text: str = ""
    evidence: tuple[str, ...] = ()
    until: date | None = None
    deadline: date | None = None


def possible(order: Mapping[str, Any]) -> tuple[Step, ...]:
    """What can be done with an order as it is, whoever does it.

    >>> possible({"state": "draft"}), possible({"state": "closed"})
    (('issue', 'withdraw'), ())
    """
    return tuple(step for step in STEPS if _refusal(order, step) is None)


def changed(
    order: Mapping[str, Any],
    step: Step,
    done: Done,
    days: WorkingDays = NATIONAL,
    number: str = "",
) -> dict[str, Any]:
    """The change that a step makes of an order, as JSON Merge Patch.

    `number` is that under which it is issued. Raises `Conflict` for a step that is not possible now,
    `InvalidInput` for words that are missing or too much.
    """
    refusal = _refusal(order, step)
    if refusal is not None:
        raise refusal
    _check_words(step, done)
    state = {"state": _TO[step]} if step in _TO else {}
    return {**state, **_more(order, step, done, days, number)}


def urgency(order: Mapping[str, Any], at: date, days: WorkingDays = NATIONAL) -> Urgency | None:
    """The colour of the slip an order is urged with: red overdue, blue due soon, else yellow.

    None for one that does not run: a draft, and what is closed or withdrawn. What was answered is
    urged until it is closed, as the slips are.

    >>> order = {"state": "issued", "deadline": "2026-10-09"}
    >>> [urgency(order, date(2026, *day)) for day in ((9, 28), (9, 29), (10, 9), (10, 10))]
    ['yellow', 'blue', 'blue', 'red']
    """
    if not runs(order) or order.get("deadline") is None:
        return None
    deadline = date.fromisoformat(order["deadline"])
    if deadline < at:
        return "red"
    near: int = _settings()["near"]
    return "blue" if deadline < days.deadline(at, near + 1) else "yellow"


def runs(order: Mapping[str, Any]) -> bool:
    """Whether an order was issued and has not ended."""
    return order.get("state", "draft") in _RUNNING


def overdue_days(order: Mapping[str, Any], at: date) -> int:
    """For how many days, of all kinds, the deadline of an order that runs has passed.

    >>> overdue_days({"state": "issued", "deadline": "2026-10-09"}, date(2026, 10, 12))
    3
    """
    if not runs(order) or order.get("deadline") is None:
        return 0
    return max(0, (at - date.fromisoformat(order["deadline"])).days)


def series(day: date) -> str:
    """In what series the numbers of a year are counted."""
    return f"order-{day.year}"


def number_of(day: date, count: int) -> str:
    """The number of an order issued on a day.

    >>> number_of(date(2026, 3, 2), 12)
    '督办〔2026〕12号'
    """
    text: str = _settings()["number"]
    return text.format(year=day.year, count=count)


def count_of(day: date, number: str) -> int:
    """Which of its year an order with such a number is; 0 for a number of another form.

    >>> count_of(date(2026, 3, 2), "督办〔2026〕12号"), count_of(date(2026, 3, 2), "No. 12")
    (12, 0)
    """
    before, after = (part.format(year=day.year) for part in _settings()["number"].split("{count}"))
    count = number.removeprefix(before).removesuffix(after)
    return int(count) if count.isdecimal() and number == number_of(day, int(count)) else 0


def _more(
    order: Mapping[str, Any], step: Step, done: Done, days: WorkingDays, number: str
) -> dict[str, Any]:
    """What a step changes beside the state."""
    today = done.day.isoformat()
    more: dict[str, Any] = {}
    match step:
        case "issue":
            if done.deadline is not None:
                _check_later(done.deadline, done.day, "the day it is issued")
            deadline = done.deadline or days.deadline(done.day, order.get("days", 5))
            more = {"number": number, "issued": today, "issued_by": done.by}
            more["deadline"] = deadline.isoformat()
        case "answer":
            one = {"date": today, "text": done.text, "by": done.by, "evidence": list(done.evidence)}
            more = {"feedback": [*order.get("feedback", ()), one]}
        case "return":
            more = {"returned": done.text}
        case "close" | "withdraw":
            more = {"closed": today, "closed_by": done.by, "conclusion": done.text}
        case "ask-extension":
            assert done.until is not None
            _check_extends(done.until, order, done.day)
            until = done.until.isoformat()
            one = {"until": until, "reason": done.text, "state": "asked", "by": done.by}
            more = {"extensions": [*order.get("extensions", ()), one]}
        case "grant-extension" | "refuse-extension":
            more = _decided(order, done, granted=step == "grant-extension")
    return more


def _decided(order: Mapping[str, Any], done: Done, *, granted: bool) -> dict[str, Any]:
    """The last extension granted, until the day that was asked for or another, or refused."""
    *before, asked = order["extensions"]
    if not granted:
        return {"extensions": [*before, {**asked, "state": "refused", "answer": done.text}]}
    until = done.deadline or date.fromisoformat(asked["until"])
    _check_extends(until, order, done.day)
    decided = {**asked, "state": "granted", "until": until.isoformat(), "answer": done.text}
    return {"extensions": [*before, decided], "deadline": until.isoformat()}


def _refusal(order: Mapping[str, Any], step: Step) -> Conflict | None:
    """Why a step is not possible now."""
    state = order.get("state", "draft")
    if state not in _FROM[step]:
        return Conflict(
            f"{step} is not possible for an order that is {state}; look at it again for what is"
        )
    extensions = order.get("extensions", ())
    pending = any(one.get("state", "asked") == "asked" for one in extensions)
    if step == "ask-extension" and pending:
        return Conflict(
            "more time is asked for already, and nobody has answered that yet; wait for the answer"
        )
    if step in ("grant-extension", "refuse-extension") and not pending:
        return Conflict("nobody asks for more time; only what was asked for is granted or refused")
    return None


def _check_words(step: Step, done: Done) -> None:
    given = {
        name
        for name, there in (
            ("text", done.text.strip()), ("until", done.until), ("evidence", done.evidence),
            ("deadline", done.deadline),
        )
        if there
    }  # fmt: skip
    needed = _NEEDS.get(step, frozenset())
    for name in sorted(needed - given):
        raise InvalidInput(f"{step} needs {_WORDS[name]}; give it as {name}")
    for name in sorted(given - needed - _TAKES.get(step, frozenset())):
        raise InvalidInput(f"{step} takes no {name}; leave it out")


def _check_extends(until: date, order: Mapping[str, Any], today: date) -> None:
    _check_later(until, date.fromisoformat(order["deadline"]), "its deadline")
    _check_later(until, today, "the day it is extended")


def _check_later(day: date, than: date, what: str) -> None:
    if day <= than:
        raise InvalidInput(f"{day} is not after {than}, {what}; give a later day")


@cache
def _settings() -> dict[str, Any]:
    text = files("cim_core.renewal").joinpath("orders.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
