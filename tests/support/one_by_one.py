"""An application asked in this process, without a client between: for tests that ask thousands of times."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message


async def status_of(
    app: ASGIApp, method: str, url: str, body: Any, headers: Mapping[str, str], address: str
) -> int:
    """The status of an answer; one that goes on for ever is left as soon as it begins."""
    split = urlsplit(url)
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    given = {"host": "localhost", "content-type": "application/json", **headers}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": split.path, "raw_path": quote(split.path).encode(),
        "query_string": split.query.encode(), "root_path": "", "client": (address, 50000),
        "server": ("localhost", 80), "state": {},
        "headers": [(k.encode(), v.encode()) for k, v in given.items()]
        + [(b"content-length", str(len(content)).encode())],
    }  # fmt: skip
    status: list[int] = []
    begun = asyncio.Event()
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits that long")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])
            begun.set()

    asking = asyncio.create_task(app(scope, receive, send))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
    endless = split.path.endswith("/events")
    if endless:
        asking.cancel()
    waiting.cancel()
    await asyncio.gather(asking, waiting, return_exceptions=True)
    assert status, f"{method} {url} was not answered: {asking}"
    return status[0]
