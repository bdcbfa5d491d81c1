"""What things observe, as it happens."""

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from server.access.access import Access
from server.access.person import Person
from server.access.verbs import spoken
from server.documented import LayerPath
from server.live import Watcher
from server.problem_answers import SOCKET_CODES
from server.state import AccessDep, State, StateDep

router = APIRouter(tags=["observations"])

_BELIEVED_SECONDS = 2.0
"""How long who watches goes on before it is asked again whether they may."""

_NOT_HEARD = 1003
"""WebSocket's own code for a message of a kind that is not taken (RFC 6455, 7.4.1)."""


@router.websocket("/live/{layer}")
@spoken("read")
async def live(websocket: WebSocket, layer: LayerPath, state: StateDep, access: AccessDep) -> None:
    """The newest value, age and state of every datastream of a layer, and every change of them."""
    await websocket.accept()
    telling = asyncio.create_task(_tell(websocket, layer, state, access))
    hearing = asyncio.create_task(_hear(websocket))
    try:
        done, _ = await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (telling, hearing):
            task.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)
    codes = [
        task.result() for task in done if not isinstance(task.exception(), WebSocketDisconnect)
    ]
    if codes and codes[0] is not None:
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.close(codes[0])


async def _tell(websocket: WebSocket, layer: str, state: State, access: Access) -> int:
    """Tell one client until they may not listen any more; the code to close with."""
    person: Person = access.person
    while True:
        sight = access.sight
        async with state.live.watching(layer, sight) as watcher:
            while access.sight.part(layer).key == sight.part(layer).key:
                await _tell_for_now(websocket, watcher)
                found = await asyncio.to_thread(state.gate.still, person)
                if found is None:
                    return SOCKET_CODES + 401
                access = found
                if access.sight.of(layer) is None:
                    return SOCKET_CODES + 404


async def _tell_for_now(websocket: WebSocket, watcher: Watcher) -> None:
    """Tell one client for as long as it is believed that they may listen."""
    until = asyncio.get_running_loop().time() + _BELIEVED_SECONDS
    while True:
        try:
            async with asyncio.timeout_at(until):
                item = await watcher.next()
        except TimeoutError:
            return
        if isinstance(item, str):
            await websocket.send_text(item)
        else:
            await websocket.send_bytes(item)
        if asyncio.get_running_loop().time() >= until:
            return


async def _hear(websocket: WebSocket) -> int | None:
    """Wait until the client goes; the code to close with if they say something instead."""
    message = await websocket.receive()
    return _NOT_HEARD if message["type"] == "websocket.receive" else None
