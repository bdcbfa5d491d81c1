"""Answers as plain JSON, without a response model between the data and the wire."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi.responses import Response


def json_answer(
    body: Mapping[str, Any], media_type: str = "application/json", status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """A JSON answer; what is current now is not kept by caches, and what one is told is not for others."""
    kept = {"cache-control": "private, no-cache", **(headers or {})}
    return Response(json_bytes(body), status, kept, media_type)


def json_bytes(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8, also of whole numbers beyond 64 bits, which somebody may have sent.

    >>> json_bytes({"a": 2**64})
    b'{"a": 18446744073709551616}'
    """
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, ensure_ascii=False, default=_plain).encode()


def _plain(thing: object) -> Any:
    """What orjson tells of itself and `json` does not, as times."""
    return orjson.loads(orjson.dumps(thing))
