"""Traffic in: messages of vehicles and roadside units, and logs of signal controllers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import anyio.to_thread
from fastapi import APIRouter, Query, Request, WebSocket
from fastapi.responses import Response
from starlette.websockets import WebSocketDisconnect

from cim_core.errors import CimError, InvalidInput, TooMany
from server.access.access import Access
from server.access.notes import note_of
from server.access.verbs import spoken
from server.answers import json_answer
from server.documented import LARGEST, LayerPath, documented, returns
from server.problem_answers import SOCKET_CODES
from server.state import AccessDep, State, StateDep
from server.traffic.bodies import CSV, JSON, NDJSON, PARQUET, events_of, messages_of
from server.traffic.given import GivenTraffic, Refusal, read_messages
from server.traffic.recorder import Taken, TrafficRecorder
from server.zh import in_chinese

router = APIRouter(tags=["traffic"])

_SHOWN = 100
_BELIEVED_SECONDS = 2.0
"""How long who sends goes on before it is asked again whether they may."""

_MESSAGE: dict[str, Any] = {"type": "object", "description": "a message, see v2x-messages"}
_MESSAGES: dict[str, Any] = {
    "required": True,
    "content": {
        JSON: {"schema": {"oneOf": [_MESSAGE, {"type": "array", "items": _MESSAGE}]}},
        NDJSON: {"schema": {"type": "string"}},
    },
}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["timestamp", "device", "code", "parameter"],
    "properties": {
        "timestamp": {"type": ["integer", "string"], "description": "milliseconds since 1970, or ISO 8601"},
        "device": {"type": ["integer", "string"]},
        "code": {"type": "integer"},
        "parameter": {"type": "integer"},
    },
}  # fmt: skip
_EVENTS: dict[str, Any] = {
    "required": True,
    "content": {
        JSON: {"schema": {"type": "array", "items": _EVENT}},
        CSV: {"schema": {"type": "string"}},
        PARQUET: {"schema": {"type": "string", "format": "binary"}},
    },
}


@router.post(
    "/traffic/messages/{layer}",
    summary="Send messages of vehicles and roadside units",
    **documented(
        "record", returns("TrafficTaken"), problems=(404, 413, 415), requestBody=_MESSAGES
    ),
)
async def send_messages(request: Request, layer: LayerPath, state: StateDep) -> Response:
    """Keep what messages say; answered when it is on disk.

    What cannot be read or believed is kept apart, with the element that is wrong
    (`/traffic/refused`); the others are taken. One message that comes alone and cannot be read is 422.
    What was sent before is counted and not kept again. 429 says that more arrives than can be written.
    """
    recorder = state.traffic_recorder
    with recorder.room() as more:
        body = await _body(request, more)
        payloads, alone = messages_of(body, request.headers.get("content-type", ""))
        given = await anyio.to_thread.run_sync(_read, recorder, layer, "http", payloads)
        taken = await recorder.record(given)
    note_of(request.scope).detail.update(messages=taken.messages)
    error = taken.refused[0].error if alone and taken.refused else None
    if error is not None:
        raise error
    return json_answer(_told(taken))


@router.post(
    "/traffic/controller/{layer}",
    summary="Send events of signal controllers",
    **documented("record", returns("TrafficTaken"), problems=(404, 413, 415), requestBody=_EVENTS),
)
async def send_events(
    request: Request,
    layer: LayerPath,
    state: StateDep,
    zone: Annotated[str, Query(description="that of times which name none, as in Asia/Shanghai")] = "UTC",
) -> Response:  # fmt: skip
    """Keep high-resolution events of signal controllers; answered when they are on disk.

    A table with the columns timestamp, device, code and parameter, as controllers log them (Indiana's
    enumerations). They may be of any past day. All of a table is taken, or nothing.
    """
    try:
        known = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(f"zone: {zone!r} is none; give one as in Asia/Shanghai") from None
    recorder = state.traffic_recorder
    await anyio.to_thread.run_sync(recorder.expected_names, layer)
    with recorder.room() as more:
        body = await _body(request, more)
        kind = request.headers.get("content-type", "")
        events = await anyio.to_thread.run_sync(events_of, body, kind, known)
        taken = await recorder.record(GivenTraffic(layer, "http", (events,)))
    return json_answer(_told(taken))


@router.get(
    "/traffic/refused",
    summary="Traffic that was not believed",
    **documented("manage", returns("TrafficRefused")),
)
def refused(
    state: StateDep,
    access: AccessDep,
    layer: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="the id of the last one that is known")
    ] = None,
) -> Response:
    """Messages that were sent and cannot be read or believed, with the reason; the newest first.

    Those of layers that you manage; those of no layer are there for who manages all of them. The
    oldest go when there are too many.
    """
    layers = None if access.manages_all else access.managed
    found = state.whole_city.traffic.refused.find(layer, limit, after, layers)
    return json_answer(
        {
            "refused": [
                {
                    "id": one.id, "time": one.at, "layer": one.layer, "source": one.source,
                    "reason": one.reason, "detail": one.detail,
                    "detail_zh": in_chinese(one.detail), "body": one.body,
                }
                for one in found
            ]
        }
    )  # fmt: skip


@router.websocket("/traffic/messages/{layer}")
@spoken("record")
async def messages(
    websocket: WebSocket, layer: LayerPath, state: StateDep, access: AccessDep
) -> None:
    """Takes messages, one or a list each time, and answers each with what became of it."""
    await websocket.accept()
    until = time.monotonic() + _BELIEVED_SECONDS
    while True:
        told = await websocket.receive()
        if told["type"] != "websocket.receive":
            return
        if time.monotonic() > until:
            if not await asyncio.to_thread(_still, state, access, layer):
                await websocket.close(SOCKET_CODES + 403)
                return
            until = time.monotonic() + _BELIEVED_SECONDS
        body = told.get("bytes") or (told.get("text") or "").encode("utf-8", "replace")
        answer = await _answered(state.traffic_recorder, layer, body)
        try:
            await websocket.send_text(bytes(json_answer(answer).body).decode())
        except (WebSocketDisconnect, RuntimeError):  # who sent it has gone
            return


async def _answered(recorder: TrafficRecorder, layer: str, body: bytes) -> dict[str, Any]:
    try:
        with recorder.room(len(body)):
            payloads, _ = messages_of(body, JSON)
            given = await anyio.to_thread.run_sync(_read, recorder, layer, "websocket", payloads)
            return _told(await recorder.record(given))
    except TooMany as error:
        return {"problem": error.sentence, "problem_zh": in_chinese(error.sentence),
                "retry_after": error.seconds}  # fmt: skip
    except CimError as error:
        return {"problem": error.sentence, "problem_zh": in_chinese(error.sentence)}


def _still(state: State, access: Access, layer: str) -> bool:
    found = state.gate.still(access.person)
    return found is not None and layer in found.fed


def _read(
    recorder: TrafficRecorder, layer: str, source: str, payloads: Sequence[bytes]
) -> GivenTraffic:
    names = recorder.expected_names(layer)
    return read_messages(layer, source, payloads, names, repeat(time.time_ns() // 1_000_000))


async def _body(request: Request, more: Callable[[int], None]) -> bytes:
    """What is sent; room is kept for what has come, so that who sends slowly takes none from others."""
    body = bytearray()
    async for part in request.stream():
        more(len(part))
        body += part
    return bytes(body)


def _told(taken: Taken) -> dict[str, Any]:
    return {
        "messages": taken.messages, "accepted": taken.accepted, "duplicates": taken.duplicates,
        "refusals": len(taken.refused), "refused": [_refusal(x) for x in taken.refused[:_SHOWN]],
    }  # fmt: skip


def _refusal(one: Refusal) -> dict[str, Any]:
    return {
        "reason": one.reason, "detail": one.detail, "detail_zh": in_chinese(one.detail),
        "path": one.path, "rows": one.rows,
    }  # fmt: skip
