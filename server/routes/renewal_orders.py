"""Supervision orders of renewal: who must do what until when, and what came of it."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import InvalidInput
from cim_core.renewal.orders import Done, Step
from cim_core.renewal.words import OrderState
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.asked import parse_day, today
from server.renewal.edits import Alteration, Creation, EditingDep, IfMatch, event_document
from server.renewal.order_edits import (
    Wanted,
    draft,
    entries,
    order_entry,
    redraft,
    require_step,
    take_step,
)
from server.routes.renewal_edits import CREATED, SUBJECT

router = APIRouter(tags=["renewal"])

OrderPath = Annotated[str, Path(description="an order's id")]
_Day = Annotated[str | None, Field(max_length=40)]


class Words(BaseModel):
    """What is said with a step: a text, the ids of evidence, the day asked for, the day given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, Field(max_length=4000)] = ""
    evidence: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = []
    until: _Day = None
    deadline: _Day = None


@router.get(
    "/renewal/orders",
    summary="Supervision orders",
    **documented("read", returns("RenewalOrders")),
)
def list_orders(
    editing: EditingDep,
    project: Annotated[str | None, Query(description="a project's id")] = None,
    town: Annotated[str | None, Query(description="a town's id")] = None,
    state: OrderState | None = None,
    unit: Annotated[
        str | None, Query(description="the unit that answers, or works with it")
    ] = None,
    urgency: Literal["blue", "yellow", "red"] | None = None,
    at: Annotated[str | None, Query(description="as they were on a day, as 2026-03-31")] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> Response:
    """What runs first, and of that what is due first; `counts` are of any state and urgency."""
    day = None if at is None else parse_day("at", at)
    wanted = Wanted(project, town, unit, state, urgency)
    found, counts = entries(editing.city, editing.access, wanted, day)
    return json_answer({"orders": found[:limit], "counts": counts})


@router.get(
    "/renewal/orders/{order}",
    summary="One supervision order, and what was done with it",
    **documented("read", returns("RenewalOrderDetail", headers=("ETag",)), problems=(404,)),
)
def get_order(order: OrderPath, editing: EditingDep) -> Response:
    """Its events are in the order in which they were recorded."""
    city = editing.city
    found = city.renewal.get("order", order)
    events = city.renewal.history(found.project, "order", order)
    told = {
        **order_entry(city, editing.access, found),
        "events": [event_document(city, event) for event in events],
    }
    return json_answer(told, headers={"etag": f'"{found.version}"'})


@router.post(
    "/renewal/orders",
    summary="Draft a supervision order",
    **documented("order", CREATED, problems=(404, 409)),
)
def create_order(new: Creation, editing: EditingDep) -> Response:
    """It becomes an order when it is issued; until then it can be rewritten."""
    project = new.document.get("project")
    if not isinstance(project, str):
        raise InvalidInput("order: an order needs its project; give the id of a project as project")
    editing.project(project, "order")
    made = draft(editing, new.id, new.document, editing.effective(new.effective))
    return editing.answer(made, 201)


@router.patch(
    "/renewal/orders/{order}",
    summary="Rewrite the draft of an order",
    **documented("order", SUBJECT, problems=(404, 409, 412)),
)
def change_order(
    order: OrderPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """409 for one that is issued: it is withdrawn, and another is issued."""
    found = editing.subject("order", order, "order")
    effective = editing.effective(given.effective)
    return editing.answer(redraft(editing, found, if_match, given.change, effective))


@router.post(
    "/renewal/orders/{order}/{step}",
    summary="A step of an order",
    **documented("read", SUBJECT, problems=(404, 409, 412)),
)
def go_step(
    order: OrderPath, step: Step, given: Words, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """By who supervises, or by the unit that was ordered; 409 for what is not possible now.

    The unit receives, handles, answers and asks for more time, all else is for who supervises. 412
    where somebody was faster.
    """
    found = editing.subject("order", order)
    town = editing.city.renewal.get("project", found.project).document["town"]
    editing.note.verb = require_step(editing.access, found.document, town, step)
    editing.note.detail["step"] = step
    doer = editing.access.doer
    done = Done(
        today(editing.city),
        doer.name if doer else "",
        given.text.strip(),
        tuple(given.evidence),
        _day("until", given.until),
        _day("deadline", given.deadline),
    )
    return editing.answer(take_step(editing, found, step, if_match, done))


def _day(name: str, text: str | None) -> date | None:
    return None if text is None else parse_day(name, text)
