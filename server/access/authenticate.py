"""Finds out who a request comes from, before anything is looked up for it."""

from collections.abc import Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from cim_core.errors import CimError, SignInNeeded
from server.access.gate import Gate
from server.access.person import Person
from server.edge.addresses import client_address, is_loopback
from server.problem_answers import problem_response
from server.problems import problem_of

COOKIES = ("__Host-cim_session", "cim_session")
"""Where a session stands: the first where the city is reached by https, else the second."""

CAPABILITY = "/c/"
"""What addresses with a capability begin with."""

BEHIND = ("/t/", "/tiles/")
"""What a capability is good for."""

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_ELSEWHERE = frozenset({"read", "record", "report", "order", "households"})
"""Verbs that change nothing of who somebody is and what they may."""


class Authenticate:
    """Puts who asks into `scope["state"]["person"]`.

    They come with a session in a cookie, a key in `Authorization: Bearer`, or a capability in the
    path, `/c/TOKEN/…`, which is taken out of it. A key or a capability that is good no more is
    refused with 401; a session that has ended leaves a stranger.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            person = await self._person(scope)
        except CimError as error:
            refusal = problem_response(problem_of(error))
            refusal.headers["www-authenticate"] = "Bearer"
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        try:
            await self._app(scope, receive, send)
        finally:
            method = scope.get("method", "GET")
            if method not in _HARMLESS and scope["state"].get("verb") not in _ELSEWHERE:
                self._gate.forget()

    async def _person(self, scope: Scope) -> Person:
        address = client_address(scope)
        if scope["path"].startswith(CAPABILITY):
            return await self._by_capability(scope, address)
        headers = dict(scope["headers"])
        scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme:
            found = None
            if scheme.lower() == "bearer":
                found = self._gate.remembered_key(secret.strip(), address) or await _in_thread(
                    partial(self._gate.by_key, secret.strip(), address)
                )
            if found is None:
                raise SignInNeeded(
                    "the key in the Authorization header is not good, or not any more; ask for another"
                )
            return found
        token = session_token(
            headers.get(b"cookie", b""), secure=scope["scheme"] in ("https", "wss")
        )
        if token:
            found = await _in_thread(partial(self._gate.by_session, token, address))
            if found is not None:
                return found
        here = is_loopback(scope)
        return await anyio.to_thread.run_sync(partial(self._gate.anyone, address, here=here))

    async def _by_capability(self, scope: Scope, address: str) -> Person:
        token, slash, rest = scope["path"].removeprefix(CAPABILITY).partition("/")
        path = slash + rest
        good = scope.get("method") in ("GET", "HEAD") and path.startswith(BEHIND)
        found = None
        if good:
            found = await _in_thread(partial(self._gate.by_capability, token, address))
        if found is None:
            raise SignInNeeded("this address is good no more; ask for the layer's address again")
        raw = scope.get("raw_path", b"")
        scope["path"] = path
        scope["raw_path"] = raw[len(CAPABILITY) + len(token) :]
        return found


def session_token(header: bytes, *, secure: bool) -> str | None:
    """The token of a session in a Cookie header.

    By https only the cookie counts that no other name of the same domain can set.
    """
    if not header:
        return None
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return None
    name = COOKIES[0] if secure else COOKIES[1]
    return cookies[name].value if name in cookies else None


async def _in_thread(find: Callable[[], Person | None]) -> Person | None:
    return await anyio.to_thread.run_sync(find)
