"""Problem documents as HTTP answers."""

import math
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from cim_core import errors
from cim_core.feature import Value
from server.answers import json_bytes
from server.problems import problem, problem_of


def problem_response(body: Mapping[str, Value], instance: str | None = None) -> Response:
    """An HTTP answer that carries a problem document."""
    body = dict(body) if instance is None else {**body, "instance": instance}
    status = body["status"]
    assert isinstance(status, int)
    return Response(json_bytes(body), status, media_type="application/problem+json")


def error_response(error: Exception, instance: str) -> Response:
    """The HTTP answer of an error, with the headers that belong to its kind."""
    response = problem_response(problem_of(error), instance)
    if isinstance(error, errors.TooMany):
        response.headers["retry-after"] = str(math.ceil(error.seconds))
    elif isinstance(error, errors.SignInNeeded):
        response.headers["www-authenticate"] = "Bearer"
    return response


SOCKET_CODES = 4000
"""What a WebSocket is closed with is the status of an answer and this many more."""

_LONGEST_REASON = 120
"""Bytes; the protocol takes 123."""


def refusal(connection: HTTPConnection, error: Exception) -> ASGIApp:
    """What a request that is not granted is answered with.

    A WebSocket is taken and closed at once: pages are told nothing of one that was not taken.
    """
    if connection.scope["type"] != "websocket":
        return error_response(error, connection.url.path)
    body = problem_of(error)

    async def close(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        reason = str(body["detail"]).encode()[:_LONGEST_REASON].decode("utf-8", "ignore")
        code = SOCKET_CODES + int(str(body["status"]))
        await send({"type": "websocket.close", "code": code, "reason": reason})

    return close


def install(app: FastAPI) -> None:
    """Let the application answer every error as a problem document."""

    @app.exception_handler(errors.CimError)
    @app.exception_handler(Exception)
    def foreseen(request: HTTPConnection, error: Exception) -> ASGIApp:
        return refusal(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"]
        if first["type"] == "literal_error":
            choices = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            said = f"give one of {choices}"
        elif first["type"] == "json_invalid":
            place, said = "body", "this is no JSON; send JSON in UTF-8"
        described = problem_of(errors.InvalidInput(f"{place}: {said}"))
        return problem_response(described, request.url.path)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        title = str(error.detail)
        sentence = f"{request.url.path}: {title}"
        if error.status_code == 400:
            title = "Unreadable request"
            sentence = "the request's body cannot be read; send what /docs says, JSON in UTF-8"
        described = problem(error.status_code, title, sentence)
        response = problem_response(described, request.url.path)
        response.headers.update(error.headers or {})
        if error.status_code == 405:  # the router has looked at the first route of the path only
            response.headers["allow"] = ", ".join(_methods(request))
        return response


def _methods(request: Request) -> list[str]:
    """What else may be done with the address of a request (RFC 9110, 10.2.1)."""
    routes = request.app.routes
    return [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]
