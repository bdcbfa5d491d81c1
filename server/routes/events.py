"""The city's news."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.hub import Event
from server.state import StateDep

router = APIRouter(tags=["city"])


async def _news(state: StateDep) -> AsyncIterator[AsyncIterator[Event]]:
    """Listens before the answer begins: who has seen its head misses nothing after that."""
    with state.hub.listening() as news:
        yield news


@router.get("/events", response_class=EventSourceResponse, summary="What happens in the city")
async def city_events(
    news: Annotated[AsyncIterator[Event], Depends(_news)],
) -> AsyncIterable[ServerSentEvent]:
    """Jobs as they go on and layers as they change, whichever process does it."""
    async for kind, body in news:
        yield ServerSentEvent(event=kind, data=body)
