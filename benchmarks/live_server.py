"""`python -m benchmarks.live_server OBJECTS HERTZ`: serves live values in three ways, side by side.

`/live` is the product's: one encoding for all, in columns. `/json` and `/orjson` encode a row for each
object for each client, with Starlette's own `send_json` and with orjson. All have the product's queue: two
deep, the latest wins. Prints its port, then serves until it is ended.
"""

import asyncio
import contextlib
import socket
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import orjson
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from cim_core.observations import Observations, Stream, Streams
from server.edge.connection import connection_classes
from server.live import Channel, Look, Watcher, watched
from server.settings import Settings


class Feed:
    """Objects that all move at once, some times a second."""

    def __init__(self, objects: int, hertz: float) -> None:
        self._hertz = hertz
        self.streams = Streams([_stream(number) for number in range(1, objects + 1)])
        self._random = np.random.default_rng(1)
        self._move()
        self.channel = Channel("cars", watched(self.streams, "cars"), self._look())
        self.queues: set[Queue] = set()

    def _move(self) -> None:
        self.now = time.time_ns() // 1_000_000
        self.values = self._random.normal(size=len(self.streams))

    def _look(self) -> Look:
        times = np.full(len(self.streams), self.now, np.int64)
        cells = np.zeros(len(self.streams), np.uint64)
        return Look(self.now, lambda ids: Observations(ids, times, self.values, cells), {})

    def rows(self) -> dict[str, Any]:
        """What is told in JSON."""
        told = zip(self.streams.ids.tolist(), self.values.tolist(), strict=True)
        return {
            "base": self.now,
            "rows": [{"id": n, "value": value, "age": 0.0, "state": 0} for n, value in told],
        }

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1 / self._hertz
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._move()
            if self.channel.watchers:
                act = self.channel.look(self.streams, self._look())
                if act is not None:
                    act()
            if self.queues:
                told = self.rows()
                for queue in self.queues:
                    queue.put(told)


class Queue:
    """Two deep; the oldest goes first."""

    def __init__(self) -> None:
        self._waiting: deque[dict[str, Any]] = deque(maxlen=2)
        self._awake = asyncio.Event()

    def put(self, told: dict[str, Any]) -> None:
        """The newest."""
        self._waiting.append(told)
        self._awake.set()

    async def next(self) -> dict[str, Any]:
        """The next."""
        await self._awake.wait()
        told = self._waiting.popleft()
        if not self._waiting:
            self._awake.clear()
        return told


def application(feed: Feed) -> FastAPI:
    """The three, behind one another."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(feed.run())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/live")
    async def columns(websocket: WebSocket) -> None:
        await websocket.accept()
        watcher = Watcher(feed.channel)
        feed.channel.watchers.add(watcher)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                item = await watcher.next()
                await (websocket.send_text(item) if isinstance(item, str) else websocket.send_bytes(item))  # fmt: skip
        feed.channel.watchers.discard(watcher)

    @app.websocket("/json")
    async def json(websocket: WebSocket) -> None:
        await websocket.accept()
        queue = Queue()
        feed.queues.add(queue)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await websocket.send_json(await queue.next())
        feed.queues.discard(queue)

    @app.websocket("/orjson")
    async def quick(websocket: WebSocket) -> None:
        await websocket.accept()
        queue = Queue()
        feed.queues.add(queue)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await websocket.send_bytes(orjson.dumps(await queue.next()))
        feed.queues.discard(queue)

    return app


def main() -> None:
    """Serve as the product does."""
    objects, hertz = int(sys.argv[1]), float(sys.argv[2])
    connection, kind = connection_classes(Settings(connections_per_address=100_000))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    config = uvicorn.Config(
        application(Feed(objects, hertz)), log_level="error", access_log=False, http=connection,
        ws=kind, ws_per_message_deflate=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def _stream(number: int) -> Stream:
    return Stream(
        number, f"car {number}", "", number, "", "car", "cars", None, "speed", "km/h", None, 0,
        every=1.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
