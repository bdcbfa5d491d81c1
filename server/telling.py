"""Telling a client over a WebSocket what happens, for as long as they may hear it."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from cim_core.sight import Sight
from server.access.access import Access
from server.access.gate import Gate
from server.problem_answers import SOCKET_CODES

_BELIEVED_SECONDS = 2.0
"""How long who watches goes on before it is asked again whether they may."""

_NOT_HEARD = 1003
"""WebSocket's own code for a message of a kind that is not taken (RFC 6455, 7.4.1)."""


class Watching(Protocol):
    """What there is to tell one client."""

    async def next(self) -> str | bytes:
        """What they are to be told next: a text, or a frame."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told of a layer.

    watching
        The layer as somebody sees it.
    sees
        Whether somebody may hear of it at all.
    """

    layer: str
    watching: Callable[[str, Sight], AbstractAsyncContextManager[Watching]]
    sees: Callable[[Sight, str], bool]


async def tell(websocket: WebSocket, told: Told, gate: Gate, access: Access) -> None:
    """Tell one client until they go, say something, or may not listen any more."""
    await websocket.accept()
    telling = asyncio.create_task(_tell(websocket, told, gate, access))
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


async def _tell(websocket: WebSocket, told: Told, gate: Gate, access: Access) -> int:
    """Tell one client until they may not listen any more; the code to close with."""
    person, layer = access.person, told.layer
    while told.sees(access.sight, layer):
        sight = access.sight
        async with told.watching(layer, sight) as watcher:
            while access.sight.part(layer).key == sight.part(layer).key:
                await _tell_for_now(websocket, watcher)
                found = await asyncio.to_thread(gate.still, person)
                if found is None:
                    return SOCKET_CODES + 401
                access = found
                if not told.sees(access.sight, layer):
                    break
    return SOCKET_CODES + 404


async def _tell_for_now(websocket: WebSocket, watcher: Watching) -> None:
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
