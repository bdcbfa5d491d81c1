"""What refuses a request before it is looked into any further."""

from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from cim_core.errors import CimError
from server.problem_answers import error_response

Check = Callable[[Scope], None]
"""Raises a `CimError` where a request is to be refused."""


class Checked:
    """Answers a request with the error of the first check that refuses it."""

    def __init__(self, app: ASGIApp, checks: Sequence[Check]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            try:
                for check in self._checks:
                    check(scope)
            except CimError as error:
                await error_response(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
