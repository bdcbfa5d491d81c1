"""How large the body of a request may be, and how long it may take."""

import asyncio
import re
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim_core.errors import TooLarge
from server.problem_answers import error_response, problem_response
from server.problems import problem

_UPLOADS = re.compile(r"/imports|/renewal/(projects/[^/]+/evidence|progress-sheet|bring-in)")
"""Have limits of their own (`CIM_MAX_UPLOAD_BYTES`, `CIM_EVIDENCE_BYTES`, `CIM_UPLOAD_BYTES_PER_DAY`)."""
_SLOW = "the request did not arrive in time; send it again over a better connection"
_SLOWEST = 1024
"""Bytes a second; a body may take its patience and the time it would take at this pace."""


class Bodies:
    """Refuses bodies that are too large, whatever they announce, and those that do not arrive.

    app
        What is asked next.
    most
        Bytes a body may have, except an upload's.
    patience
        Seconds this server waits for a client in all, and as long again as it takes to send what
        arrived at 1 KiB a second. Only the time in which somebody waits for the body counts.
    """

    def __init__(self, app: ASGIApp, most: int, patience: float) -> None:
        self._app = app
        self._most = most
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        headers = dict(scope.get("headers", ()))
        declared = headers.get(b"content-length", b"0")
        if scope["type"] != "http" or (declared == b"0" and b"transfer-encoding" not in headers):
            await self._app(scope, receive, send)
            return
        most = None if _UPLOADS.fullmatch(scope["path"]) else self._most
        if most is not None and int(declared) > most:
            await _too_large(most, scope)(scope, receive, send)
            return
        body = _Body(scope, receive, send, most, self._patience)
        await self._app(scope, body.receive, body.send)


class _Body:
    """A body while it arrives. Refused half-way, the request looks as if its client had gone."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, most: int | None, patience: float
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._most, self._left = most, patience
        self._received = 0
        self._ended = self._answered = self._refused = False

    async def receive(self) -> Message:
        """The next piece; a disconnect once the body was refused."""
        if self._refused:
            return {"type": "http.disconnect"}
        if self._ended:
            return await self._receive()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self._left)):
                message = await self._receive()
        except TimeoutError:
            response = problem_response(problem(408, "Request timeout", _SLOW), self._scope["path"])
            response.headers["connection"] = "close"
            return await self._refuse(response)
        size = len(message.get("body", b""))
        self._left += size / _SLOWEST - (time.monotonic() - begun)
        self._received += size
        self._ended = not message.get("more_body", False)
        if self._most is not None and self._received > self._most:
            return await self._refuse(_too_large(self._most, self._scope))
        return message

    async def send(self, message: Message) -> None:
        """Send what the application answers, unless the request has been refused."""
        self._answered = True
        if not self._refused:
            await self._send(message)

    async def _refuse(self, response: Response) -> Message:
        self._refused = True
        if not self._answered:
            await response(self._scope, self._receive, self._send)
        return {"type": "http.disconnect"}


def _too_large(most: int, scope: Scope) -> Response:
    error = TooLarge(
        f"the request is larger than this server takes ({most / 2**20:.3g} MiB); ask for less at a "
        "time, or have CIM_MAX_BODY_BYTES raised"
    )
    return error_response(error, scope["path"])
