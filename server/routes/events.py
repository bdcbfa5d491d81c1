"""The city's news."""

from collections.abc import AsyncIterable

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.state import StateDep

router = APIRouter(tags=["city"])


@router.get("/events", response_class=EventSourceResponse, summary="What happens in the city")
async def city_events(state: StateDep) -> AsyncIterable[ServerSentEvent]:
    """Jobs as they go on and layers as they change, whichever process does it."""
    async for kind, body in state.hub.events():
        yield ServerSentEvent(event=kind, data=body)
