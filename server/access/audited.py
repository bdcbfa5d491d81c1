"""Puts into the log what people do: every write, denial, export and look at sensitive layers."""

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim_core.city import City
from cim_core.store.office_audit import Result
from server.access.gate import Gate
from server.access.gathering import NOT_WRITTEN, Gathering, Row
from server.access.notes import Note, note_of
from server.access.person import Person, stranger
from server.problem_answers import SOCKET_CODES, problem_response
from server.problems import problem_of

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_DENIED = frozenset({401, 403, 429})
_SIGNING: Mapping[tuple[str, str], str] = {
    ("POST", "/session"): "sign-in",
    ("POST", "/session/link"): "sign-in",
    ("GET", "/session/oidc/callback"): "sign-in",
    ("DELETE", "/session"): "sign-out",
}
"""What nobody needs a right for and the log has all the same, under verbs of its own."""

_OWN = frozenset({"own", "sign-in", "sign-out", "households"})
_FREE = frozenset({"", "open", "read"})
"""Verbs that are in the log always (whoever looks at personal data is), and never because of the method."""

_SECRET_NAMES = frozenset({"code", "state", "token", "key", "password", "secret", "session"})
_FREE_TEXT = frozenset({"name", "note", "q"})
"""What people write into addresses below `/renewal`: it may name those who live there."""
_SECRET = re.compile(r"cim_[\w-]{8,}")
_CAPABILITY = re.compile(r"^/c/[^/]*")
_LAYER = re.compile(
    r"^(?:/c/[^/]*)?/(?:collections|t|tiles|live)/([a-z0-9][a-z0-9_-]{0,62})(?:/|$)"
)
_OFTEN = re.compile(
    r"^(?:/c/[^/]*)?/(?:t|tiles)/|/thumbnail$|^/(?:live|heat|observations|sta)/|^/things(?:/|$)"
    r"|^/vital-signs$"
)
"""What a viewer asks for many times a minute: tiles, small pictures, what things observe, signs."""

_LABELS_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Audited:
    """Writes the log's row of a request before the head of its answer is sent.

    So nothing is handed out that is not in the log: where the row cannot be written, the answer is
    507. Stands outside of what finds out who asks, so that what is refused there is in the log too.
    """

    def __init__(self, app: ASGIApp, city: City, gate: Gate) -> None:
        self._app = app
        self._city = city
        self._gate = gate
        self._gathering = Gathering(self._write)
        self._writing = CapacityLimiter(1)
        self._labels: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._looking: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with its row in the log."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._closing(send))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, self._of_socket(scope, send))
            return
        request = _Asked(scope["method"], scope["path"], scope["query_string"], note_of(scope))
        begun = refused = False

        async def audited(message: Message) -> None:
            nonlocal begun, refused
            if message["type"] == "http.response.start" and not begun:
                begun = True
                try:
                    await self._record(scope, request, message["status"])
                except NOT_WRITTEN as error:  # what is not in the log is not told
                    refused = True
                    await problem_response(problem_of(error))(scope, receive, send)
                else:
                    await send(_named(message, request.note))
            elif not refused:
                await send(message)

        try:
            await self._app(scope, receive, audited)
        except Exception:
            if not begun:
                await self._record(scope, request, 500)
            raise

    def _of_socket(self, scope: Scope, send: Send) -> Send:
        """What a WebSocket sends, with its row in the log before the first of it."""
        request = _Asked("GET", scope["path"], scope["query_string"], note_of(scope))
        begun = False

        async def audited(message: Message) -> None:
            nonlocal begun
            if not begun and message["type"] != "websocket.accept":
                begun = True
                await self._record(scope, request, _socket_status(message))
            await send(message)

        return audited

    def _closing(self, send: Send) -> Send:
        async def closing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await asyncio.gather(*self._looking)
                await self._gathering.close()
            await send(message)

        return closing

    async def _record(self, scope: Scope, request: "_Asked", status: int) -> None:
        """Write the row of a request that is to have one."""
        person = _person(scope)
        verb = _verb(scope, request)
        layer = request.layer
        layers = {*request.note.layers, *([layer] if layer else ())}
        if status >= HTTPStatus.BAD_REQUEST:
            request.note.export = None  # nothing was handed out
        row = _row(request, person, verb, status, layers)
        if status == HTTPStatus.NOT_FOUND and layer is not None:
            # Later: whoever asks does not learn from how long it takes whether there is something.
            self._later(self._hidden(row, person, layer))
        elif status in _DENIED:
            await self._deny(row, person)
        elif verb == "record":
            # Sensors report all day long: who sends, how much, and what of it was refused, by the minute.
            who = person.key or person.id or f"address {row.address}"
            await self._gathering.add((verb, who, row.result), row)
        elif verb in _OWN or _changes(request.method, verb) or request.note.export is not None:
            await self._keep(row, person)
        elif verb == "read" and status < HTTPStatus.BAD_REQUEST and layers:
            sensitive = tuple(sorted(layers & await self._sensitive()))
            if sensitive and _OFTEN.search(request.path):
                who = person.id or f"address {row.address}"
                await self._gathering.add(("look", who, *sensitive), row)
            elif sensitive:
                await self._write(row)

    async def _keep(self, row: Row, person: Person) -> None:
        """Write what was done; what strangers fail at comes in storms, and they are not signed out."""
        if row.person is not None or row.result == "ok":
            if row.verb != "sign-out" or person.known:
                await self._write(row)
        else:
            await self._gathering.add(("failed", row.address), row)

    async def _deny(self, row: Row, person: Person) -> None:
        """Those of strangers come in storms, and so do those for asking too often."""
        denied = replace(row, result="denied")
        if person.known and row.status != HTTPStatus.TOO_MANY_REQUESTS:
            await self._write(denied)
        else:
            await self._gathering.add(("denied", row.address, row.person or ""), denied)

    async def _hidden(self, row: Row, person: Person, layer: str) -> None:
        """Write that somebody asked for what is there, but not for them."""
        access = await to_thread.run_sync(self._gate.access, person)
        part = access.sight.of(layer)
        seen = part is not None and (part.whole or "/t/" not in row.what)
        if layer in access.labels and not seen:
            await self._deny(row, person)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._looking.add(task)
        task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a denial is not in the log", exc_info=task.exception())

    async def _sensitive(self) -> frozenset[str]:
        until, sensitive = self._labels
        if monotonic() > until:
            labels = await to_thread.run_sync(self._city.layers.labels)
            sensitive = frozenset(la.layer for la in labels if la.sensitivity == "sensitive")
            self._labels = monotonic() + _LABELS_SECONDS, sensitive
        return sensitive

    async def _write(self, row: Row) -> None:
        append = partial(
            self._city.office.audit.append, row.verb, row.what, result=row.result,
            person=row.person, name=row.name, via=row.via, address=row.address, layers=row.layers,
            status=row.status, detail=row.detail,
        )  # fmt: skip
        # Whoever goes away while it is written does not keep it out of the log.
        await asyncio.shield(to_thread.run_sync(append, limiter=self._writing))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it came, before anything is taken out of its address."""

    method: str
    path: str
    query: bytes
    note: Note

    @property
    def layer(self) -> str | None:
        found = _LAYER.match(self.path)
        return found and found[1]

    @property
    def what(self) -> str:
        """Method and address without secrets.

        >>> _Asked("GET", "/c/uJ3x/t/pipes/1/tileset.json", b"", Note()).what
        'GET /c/…/t/pipes/1/tileset.json'
        >>> _Asked("GET", "/session/oidc/callback", b"code=1&state=2&f=json", Note()).what
        'GET /session/oidc/callback?f=json'
        >>> _Asked("POST", "/renewal/projects/e1/evidence", b"name=Li.jpg&lon=1", Note()).what
        'POST /renewal/projects/e1/evidence?lon=1'
        """
        path = _SECRET.sub("…", _CAPABILITY.sub("/c/…", self.path))
        given = parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)
        untold = _SECRET_NAMES | (_FREE_TEXT if path.startswith("/renewal/") else frozenset())
        told = [(name, value) for name, value in given if name.lower() not in untold]
        query = _SECRET.sub("…", urlencode(told, safe="/:,"))
        return f"{self.method} {path}" + (f"?{query}" if query else "")


def _socket_status(message: Message) -> int:
    """What the first message of a WebSocket is as the status of an answer."""
    if message["type"] == "websocket.http.response.start":
        return int(message["status"])
    if message["type"] == "websocket.close" and message.get("code", 0) >= SOCKET_CODES:
        return int(message["code"]) - SOCKET_CODES
    return int(HTTPStatus.OK)


def _changes(method: str, verb: str) -> bool:
    """Whether something is written; questions are posted as well, and signing in is."""
    return method not in _HARMLESS and not (method == "POST" and verb in _FREE)


def _person(scope: Scope) -> Person:
    client = scope.get("client")
    known: Person | None = scope["state"].get("person")
    return known or stranger(client[0] if client else "")


def _verb(scope: Scope, request: _Asked) -> str:
    signing = _SIGNING.get((request.method, request.path))
    if signing is not None:
        return signing
    found: str = request.note.verb or scope["state"].get("verb", "")
    return found or ("read" if _OFTEN.search(request.path) else "")


def _row(request: _Asked, person: Person, verb: str, status: int, layers: set[str]) -> Row:
    note = request.note
    account, name = note.account or (person.id, person.name if person.known else "")
    detail = {**note.detail, **({"export": note.export} if note.export else {})}
    result: Result = "ok" if status < HTTPStatus.BAD_REQUEST else "failed"
    return Row(
        verb, request.what, result, status, account, name, person.via, person.address,
        tuple(sorted(layers)), detail,
    )  # fmt: skip


def _named(message: Message, note: Note) -> Message:
    """The head of an answer, with the id of the export in it."""
    if note.export is None:
        return message
    named = (b"x-export-id", note.export.encode())
    return {**message, "headers": [*message.get("headers", ()), named]}
