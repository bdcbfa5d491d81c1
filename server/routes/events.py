"""The city's news."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import ServerSentEvent

from cim_core.errors import NotFound
from cim_core.feature import Value
from server.access.access import Access
from server.access.person import Person
from server.documented import NEWS, documented, returns
from server.hub import Event
from server.state import State, StateDep

router = APIRouter(tags=["city"])


async def _news(request: Request, state: StateDep) -> AsyncIterator[AsyncIterator[Event]]:
    """Listens before the answer begins: who has seen its head misses nothing after that."""
    with state.hub.listening() as news:
        yield _seen(news, request, state)


async def _seen(news: AsyncIterator[Event], request: Request, state: State) -> AsyncIterator[Event]:
    """The news that the person may hear now; a layer they see no more is gone for them."""
    person: Person = request.state.person
    shown: set[str] = set(state.gate.access(person).sight.parts or ())
    async for kind, body in news:
        access = await asyncio.to_thread(state.gate.still, person)
        if access is None:
            return
        layer = str(body.get("id"))
        if kind in ("renewal", "checkup"):
            if access.sight.towns != frozenset():
                yield kind, body
        elif kind == "alarm":
            told = await asyncio.to_thread(_alarm, access, state, body)
            if told is not None:
                yield kind, told
        elif kind == "traffic-event":
            told = await asyncio.to_thread(_happened, access, state, body)
            if told is not None:
                yield kind, told
        elif kind == "job":
            job = await asyncio.to_thread(state.whole_city.jobs.get, str(body["jobID"]))
            if access.sees_job(job):
                yield kind, body
        elif access.sight.of(layer) is not None:
            shown.add(layer)
            yield kind, body
        elif layer in shown:
            shown.discard(layer)
            yield kind, {"id": layer, "version": None}


def _alarm(access: Access, state: State, body: dict[str, Value]) -> dict[str, Value] | None:
    """An alarm as somebody may know of it now; None if they may not."""
    number = body["id"]
    assert isinstance(number, int)
    try:
        alarm = access.city(state.whole_city).live.alarms.get(number)
    except NotFound:
        return None
    return alarm.document(access.sight)


def _happened(access: Access, state: State, body: dict[str, Value]) -> dict[str, Value] | None:
    """A traffic event as somebody may know of it now; None if they may not."""
    number = body["id"]
    assert isinstance(number, int)
    try:
        known = access.city(state.whole_city).traffic.events.get(number)
    except NotFound:
        return None
    return {
        "id": known.id, "layer": known.layer, "kind": known.event.kind, "state": known.state,
        "begun": known.event.begun, "ended": known.event.ended,
        "place": [known.event.lon, known.event.lat],
    }  # fmt: skip


@router.get(
    "/events", summary="What happens in the city", **documented("read", returns({NEWS: None}))
)
async def city_events(
    news: Annotated[AsyncIterator[Event], Depends(_news)],
) -> AsyncIterable[ServerSentEvent]:
    """Jobs as they go on, layers as they change, alarms, traffic events, renewal and check-ups.

    Whichever process does it.
    """
    async for kind, body in news:
        yield ServerSentEvent(event=kind, data=body)
