"""The supervision list of a week or a month: which orders run, whose they are, what was closed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cim_core.renewal.orders import overdue_days, runs, urgency
from cim_core.renewal.words import Title, titles
from cim_core.renewal.working_days import WorkingDays
from server.renewal.report import (
    Cell,
    Section,
    Table,
    day_text,
    said,
    section_title,
    sentence,
    table_columns,
)

_REPORT = "supervision"
_URGENT: Mapping[str | None, int] = {"red": 0, "blue": 1, "yellow": 2, None: 3}


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stood on the list's last day, with what it belongs to.

    urgency, overdue
        What it is urged with, and for how many days its deadline has passed.
    """

    document: Mapping[str, Any]
    project: str
    town: Title | str
    urgency: str | None
    overdue: int

    @property
    def running(self) -> bool:
        """Whether it was issued and has not ended."""
        return runs(self.document)

    def issued_since(self, day: date) -> bool:
        """Whether it was issued then or later."""
        issued = self.document.get("issued")
        return issued is not None and date.fromisoformat(issued) >= day

    def closed_since(self, day: date) -> bool:
        """Whether its work was done, and that seen to, then or later."""
        closed = self.document.get("closed")
        done = self.document.get("state") == "closed"
        return done and closed is not None and date.fromisoformat(closed) >= day


def order_of(
    document: Mapping[str, Any], project: str, town: Title | str, at: date, days: WorkingDays
) -> Order:
    """An order on a day, by a city's calendar."""
    return Order(document, project, town, urgency(document, at, days), overdue_days(document, at))


def sections(
    orders: Iterable[Order], start: date, end: date, unit: Callable[[str], Title | str]
) -> list[Section]:
    """All sections of the list; the longest overdue first.

    orders
        All there were by the last day.
    unit
        What a town or department is called, by its id.
    """
    issued = [one for one in orders if one.document.get("state", "draft") != "draft"]
    running = [one for one in issued if one.running]
    running.sort(
        key=lambda one: (_URGENT[one.urgency], -one.overdue, one.document.get("deadline", ""))
    )
    closed = [one for one in issued if one.closed_since(start)]
    closed.sort(key=lambda one: (one.document["closed"], one.document.get("number", "")))
    told = sentence(
        _REPORT, "orders", issued=sum(one.issued_since(start) for one in issued),
        closed=len(closed), open=len(running), overdue=_count(running, "red"),
        soon=_count(running, "blue"), **{"from": day_text(start), "to": day_text(end)},
    )  # fmt: skip
    return [
        Section("overview", section_title(_REPORT, "overview"), (told,), _units(issued, start, unit)),
        Section(
            "open", section_title(_REPORT, "open"),
            () if running else (sentence(_REPORT, "none_open"),),
            Table("open", table_columns("open"), [_open(one, unit) for one in running]),
        ),
        Section(
            "closed", section_title(_REPORT, "closed"),
            () if closed else (sentence(_REPORT, "none_closed"),),
            Table("closed", table_columns("closed"), [_closed(one, unit) for one in closed]),
        ),
    ]  # fmt: skip


def _units(orders: Sequence[Order], start: date, unit: Callable[[str], Title | str]) -> Table:
    """How many orders each unit has, whoever has most overdue first."""
    by_unit: dict[str, list[Order]] = {}
    for one in orders:
        if one.running or one.issued_since(start) or one.closed_since(start):
            by_unit.setdefault(one.document["unit"], []).append(one)
    counted = {name: _counts(several, start) for name, several in by_unit.items()}
    names = sorted(counted, key=lambda name: (-counted[name][3], -counted[name][2], name))
    rows: list[list[Cell]] = [[unit(name), *counted[name]] for name in names]
    everything = [one for several in by_unit.values() for one in several]
    total: list[Cell] | None = [said("total"), *_counts(everything, start)] if rows else None
    return Table("units", table_columns("units"), rows, total)


def _counts(orders: Sequence[Order], start: date) -> list[int]:
    return [
        sum(one.issued_since(start) for one in orders),
        sum(one.closed_since(start) for one in orders), sum(one.running for one in orders),
        _count(orders, "red"), _count(orders, "blue"),
    ]  # fmt: skip


def _count(orders: Iterable[Order], word: str) -> int:
    return sum(one.urgency == word for one in orders)


def _open(one: Order, unit: Callable[[str], Title | str]) -> list[Cell]:
    document = one.document
    answers = document.get("feedback", ())
    last = f"{answers[-1]['date']} {answers[-1]['text']}" if answers else ""
    state = titles("order_states")[document["state"]]
    return [
        document.get("number", ""), document.get("light", "yellow"), one.project, one.town,
        document["title"], unit(document["unit"]), _several(document.get("cooperating", ()), unit),
        document.get("issued", ""), document.get("deadline", ""), state, one.overdue or None,
        one.urgency, last,
    ]  # fmt: skip


def _closed(one: Order, unit: Callable[[str], Title | str]) -> list[Cell]:
    document = one.document
    return [
        document.get("number", ""), one.project, one.town, document["title"],
        unit(document["unit"]), document.get("issued", ""), document.get("deadline", ""),
        document["closed"], document.get("conclusion", ""),
    ]  # fmt: skip


def _several(units: Iterable[str], unit: Callable[[str], Title | str]) -> Title:
    named = [unit(one) for one in units]
    return {
        language: between.join(one if isinstance(one, str) else one[language] for one in named)
        for language, between in (("en", ", "), ("zh", "、"))
    }
