"""Supervision orders as people ask for them: who may take which step, and what is told of an order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cim_core.city import City
from cim_core.errors import Conflict, Forbidden
from cim_core.renewal import orders
from cim_core.renewal.events import Change, Subject
from cim_core.renewal.orders import OF_UNIT, Done, Step
from cim_core.renewal.working_days import WorkingDays, city_days
from cim_core.sight import Towns
from server.access.access import Access
from server.access.verbs import Verb
from server.renewal.asked import today
from server.renewal.edits import Editing, looked_at, refuse_fields
from server.renewal.references import check_neighbours

_FOLLOWS = (
    "state", "number", "issued", "issued_by", "deadline", "feedback", "extensions", "returned",
    "closed", "closed_by", "conclusion",
)  # fmt: skip
"""What follows from the steps of an order, and nobody writes."""
_REMEDY = "it follows from the order's steps"
_BLANK: Mapping[str, Any] = {
    "state": "draft", "number": "", "task": None, "cooperating": [], "light": "yellow", "days": 5,
    "issued": None, "issued_by": "", "deadline": None, "feedback": [], "extensions": [],
    "returned": "", "closed": None, "closed_by": "", "conclusion": "",
}  # fmt: skip
"""An order of which nothing was told."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are asked for; None for all.

    urgency
        The colour of the slip they are urged with.
    """

    project: str | None = None
    town: str | None = None
    unit: str | None = None
    state: str | None = None
    urgency: str | None = None

    def among(self, order: Mapping[str, Any]) -> bool:
        """Whether an order is of the project, the town and the unit."""
        units = (order["unit"], *order.get("cooperating", ()))
        return (
            self.project in (None, order["project"])
            and self.town in (None, order["town"])
            and (self.unit is None or self.unit in units)
        )

    def takes(self, order: Mapping[str, Any]) -> bool:
        """Whether it is in the state, and as urgent."""
        return self.state in (None, order["state"]) and self.urgency in (None, order["urgency"])


def draft(editing: Editing, key: str | None, document: Mapping[str, Any], day: date) -> Subject:
    """Begin an order; raises `InvalidInput`, `Forbidden`, `NotFound`."""
    refuse_fields(document, _FOLLOWS, _REMEDY)
    return editing.add("order", key, document, day)


def redraft(
    editing: Editing, order: Subject, if_match: str, change: Mapping[str, Any], day: date
) -> Subject:
    """Change an order that is not issued yet; raises `Conflict` for others."""
    looked_at(order, if_match)
    refuse_fields(change, _FOLLOWS, _REMEDY)
    if order.document.get("state", "draft") != "draft":
        raise Conflict(
            f"the order {order.id!r} is issued already, and what is issued is not rewritten; withdraw it "
            "and issue another"
        )
    return editing.change(order, if_match, change, day)


def take_step(editing: Editing, order: Subject, step: Step, if_match: str, done: Done) -> Subject:
    """Go a step; raises `Conflict` where it is not possible now, `OutOfDate`, `InvalidInput`."""
    renewal, doer = editing.city.renewal, editing.access.doer
    version = looked_at(order, if_match)
    check_neighbours(editing.city, "evidence", list(done.evidence), order.project)
    with renewal.transaction() as connection:
        number = ""
        if step == "issue":
            count = renewal.number(connection, orders.series(done.day))
            number = orders.number_of(done.day, count)
        days = city_days(editing.city.folder)
        change = orders.changed(order.document, step, done, days, number)
        event = Change("order", order.id, change, done.day, version)
        return editing.recorded(renewal.apply_within(connection, [event], doer))[0]


def require_step(access: Access, order: Mapping[str, Any], town: str, step: Step) -> Verb:
    """By which right who asks takes a step; raises `Forbidden` for one that is not for them."""
    verb: Verb = "report" if step in OF_UNIT else "order"
    access.require_town(verb, town)
    if step in OF_UNIT and not _of_unit(access, order["unit"]):
        raise Forbidden(
            f"this order is for the unit {order['unit']!r}, and you are not of it; ask somebody who is"
        )
    return verb


def _of_unit(access: Access, unit: str) -> bool:
    """Whether who asks answers for a unit; who may report on all towns does for all units."""
    person = access.person
    return access.towns("report") is None or unit in person.towns or unit == person.department


def may(access: Access, order: Mapping[str, Any], town: str) -> list[Step]:
    """The steps that are possible now and for who asks."""
    reports, supervises = (_within(access.towns(verb), town) for verb in ("report", "order"))
    answers = reports and _of_unit(access, order["unit"])
    return [step for step in orders.possible(order) if (answers if step in OF_UNIT else supervises)]


def _within(towns: Towns, town: str) -> bool:
    return towns is None or town in towns


def entries(
    city: City, access: Access, wanted: Wanted, at: date | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The orders that are wanted, what runs first and of that what is due first; and their counts.

    The counts are of all of a project, town and unit, whatever their state. `at` is a day, as it was
    then; None for now, with what who asks may do.
    """
    if at is None:
        orders_now = {one.id: (one.version, one.document) for one in city.renewal.find("order")}
        projects = {one.id: one.document for one in city.renewal.find("project")}
    else:
        ledger = city.renewal.ledger()
        told = ledger.documents("order", at)
        orders_now = {key: (one.version, one.document) for key, one in told.items()}
        projects = {key: one.document for key, one in ledger.documents("project", at).items()}
    day, days = at or today(city), city_days(city.folder)
    among = []
    for key, (version, document) in orders_now.items():
        project = projects.get(document["project"])
        if project is not None:
            steps = may(access, document, project["town"]) if at is None else []
            found = _entry(key, version, document, project, day, days)
            among += [{**found, "may": steps}] if wanted.among(found) else []
    counts = {
        "open": sum(orders.runs(one) for one in among),
        "overdue": sum(one["urgency"] == "red" for one in among),
        "by_state": dict(Counter(one["state"] for one in among)),
    }
    among.sort(key=lambda one: (not orders.runs(one), one["deadline"] or "9999", one["id"]))
    return [one for one in among if wanted.takes(one)], counts


def order_entry(city: City, access: Access, order: Subject) -> dict[str, Any]:
    """An order as it is told now."""
    project = city.renewal.get("project", order.project).document
    found = _entry(
        order.id, order.version, order.document, project, today(city), city_days(city.folder)
    )
    return {**found, "may": may(access, order.document, project["town"])}


def _entry(
    key: str,
    version: int,
    document: Mapping[str, Any],
    project: Mapping[str, Any],
    day: date,
    days: WorkingDays,
) -> dict[str, Any]:
    told = {**_BLANK, **document}
    issued, deadline = (
        date.fromisoformat(told[name]) if told[name] else None for name in ("issued", "deadline")
    )
    return {
        **told,
        "id": key,
        "version": version,
        "project_name": project["name"],
        "town": project["town"],
        "urgency": orders.urgency(document, day, days),
        "overdue_days": orders.overdue_days(document, day),
        "weekends_only": list(days.unknown(issued, deadline)) if issued and deadline else [],
    }
