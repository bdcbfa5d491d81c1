"""Keeps web pages of other origins from using a server that trusts its own machine."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from server.problem_answers import problem_response
from server.problems import problem

_HERE = {"127.0.0.1", "localhost", "::1"}
_HARMLESS = {"GET", "HEAD", "OPTIONS"}
_REFUSAL = "this server answers only its own pages on this machine"


class SameOrigin:
    """Refuses requests addressed to another host name, and changes asked for by another origin.

    The first stops DNS rebinding, the second cross-site requests; the server listens on the
    loopback address only, so these are the ways in that are left.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] == "http":
            headers = {
                key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
            }
            if not _is_ours(scope["method"], headers.get("host", ""), headers.get("origin")):
                refusal = problem_response(problem(403, "Forbidden", _REFUSAL))
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_ours(method: str, host: str, origin: str | None) -> bool:
    try:
        named = urlsplit(f"//{host}").hostname
        foreign = origin is not None and urlsplit(origin).netloc != host
    except ValueError:  # not an address at all
        return False
    return named in _HERE and (method in _HARMLESS or not foreign)
