"""Answers as plain JSON, without a response model between the data and the wire."""

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
    return Response(orjson.dumps(body), status, kept, media_type)
