"""Problem documents as HTTP answers."""

from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from cim_core import errors
from cim_core.feature import Value
from server.problems import problem, problem_of


def problem_response(body: Mapping[str, Value], instance: str | None = None) -> Response:
    """An HTTP answer that carries a problem document."""
    body = dict(body) if instance is None else {**body, "instance": instance}
    status = body["status"]
    assert isinstance(status, int)
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Let the application answer every error as a problem document."""

    @app.exception_handler(errors.CimError)
    @app.exception_handler(Exception)
    def foreseen(request: Request, error: Exception) -> Response:
        return problem_response(problem_of(error), request.url.path)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"]
        if first["type"] == "literal_error":
            choices = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            said = f"give one of {choices}"
        described = problem_of(errors.InvalidInput(f"{place}: {said}"))
        return problem_response(described, request.url.path)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        title = str(error.detail)
        described = problem(error.status_code, title, f"{request.url.path}: {title}")
        response = problem_response(described, request.url.path)
        response.headers.update(error.headers or {})
        return response
