"""What a route says of itself in the description of the API: its verb and every answer it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse

from cim_core.layer import LAYER_ID
from server.access.verbs import Verb, needs
from server.problems import STATUS
from tiles.mercator import DEEPEST

JSON, PROBLEM, NEWS = "application/json", "application/problem+json", "text/event-stream"

LARGEST = 2**63 - 1
"""The largest integer SQLite knows."""

LayerPath = Annotated[
    str, Path(description="a layer's id", json_schema_extra={"pattern": LAYER_ID})
]
"""What cannot be an id is not there, like an id nobody has; so the pattern is told, not enforced."""
VersionPath = Annotated[int, Path(ge=1, le=LARGEST, description="a kept version")]
VersionQuery = Annotated[
    int | None, Query(ge=1, le=LARGEST, description="a kept version; else the served one")
]
LevelPath = Annotated[int, Path(json_schema_extra={"minimum": 0, "maximum": DEEPEST})]
GridPath = Annotated[int, Path(json_schema_extra={"minimum": 0, "maximum": (1 << DEEPEST) - 1})]
"""The column or the row of a tile; there is none beyond, and that is said when it is asked for."""

_ALWAYS = (401, 403, 422, 429, 500, 507)
"""A key that is none; a foreign origin, or not allowed; a value that is none; too often; a fault of
ours; a disk that refuses."""
_TITLES = {status: title for status, title in STATUS.values() if title != "Cancelled"}
_TITLES |= {
    400: "Unreadable request",
    408: "Request timeout",
    416: "Range not satisfiable",
    500: "Internal error",
}
_DESCRIPTIONS = {
    200: "What was asked for",
    201: "It was made",
    202: "A job was begun",
    204: "Done, or there is nothing",
    206: "The part that was asked for",
    302: "Elsewhere",
    304: "What the client has is what there is",
    **_TITLES,
}
_HEADERS: Mapping[int, tuple[str, ...]] = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route: the name of the schema by media type, None for what is no JSON."""

    status: int
    content: Mapping[str, str | None]
    headers: tuple[str, ...] = ()


def returns(
    content: str | Mapping[str, str | None] | None = None,
    status: int = 200,
    headers: Iterable[str] = (),
) -> Answer:
    """An answer in JSON of a schema in `schemas.toml`, in other media types, or without a body."""
    if isinstance(content, str):
        content = {JSON: content}
    return Answer(status, content or {}, tuple(headers))


def documented(
    verb: Verb,
    *answers: Answer,
    problems: Iterable[int] = (),
    **operation: Any,
) -> dict[str, Any]:
    """What the decorator of a route is given: `@router.get("/city", **documented("read", …))`.

    problems
        The statuses it may refuse with beside those that every route may.
    operation
        What else OpenAPI is to say of it.
    """
    told = {str(answer.status): _told(answer) for answer in answers}
    refusals = sorted({*_ALWAYS, *problems})
    return {
        "status_code": answers[0].status,
        "response_class": EventSourceResponse if NEWS in answers[0].content else Response,
        "responses": {**told, **{str(status): problem_answer(status) for status in refusals}},
        "openapi_extra": {**needs(verb), **operation},
    }


def problem_answer(status: int) -> dict[str, Any]:
    """A problem document as an answer in OpenAPI."""
    return _told(Answer(status, {PROBLEM: "Problem"}, _HEADERS.get(status, ())))


def _told(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"description": _DESCRIPTIONS[answer.status]}
    if answer.headers:
        told["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers
        }
    if answer.content:
        told["content"] = {
            media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}} if name else {}
            for media_type, name in answer.content.items()
        }
    return told
