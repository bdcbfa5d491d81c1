"""A connection that does not wait for ever."""

import asyncio
from asyncio.events import TimerHandle
from collections import Counter
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, ClassVar

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from server.edge.addresses import network
from server.settings import Settings

_HEAD_BYTES = 65_536
_SLOWEST = 1024
"""Bytes a second at which a client must take an answer."""
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """uvicorn's own, with the limits that it leaves to a proxy before it.

    * The next request begins within `patience` seconds, with its head, of 64 KiB at most.
    * What frames a body (chunk sizes, trailers) is not more than the body and 64 KiB.
    * A client takes an answer at 1 KiB a second at least.
    * An address has at most `most` connections, unless it is one of the proxies.

    How long a body may take is the matter of `bodies.py`.
    """

    patience: ClassVar[float]
    most: ClassVar[int]
    proxies: ClassVar[tuple[IPv4Network | IPv6Network, ...]]
    opened: ClassVar[Counter[str]]

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        super().__init__(config, server_state, app_state, _loop)
        self._address = ""
        self._bytes = self._body_bytes = 0
        self._idle: TimerHandle | None = None
        self._flush: TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or hang up where the address has too many connections already."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._address = network(host)
        self.opened[self._address] += 1
        if self.opened[self._address] > self.most and not self._is_proxy(host):
            transport.abort()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self.opened[self._address] -= 1
        if not self.opened[self._address]:
            del self.opened[self._address]
        for timer in (self._idle, self._flush):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on, unless more came than belongs to any request."""
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > _HEAD_BYTES + 2 * self._body_bytes and not self.transport.is_closing():
            if self._is_idle():
                self.transport.write(_TOO_LONG)
            self.transport.close()
            self._watch_flush()

    def on_message_begin(self) -> None:
        """Count anew."""
        super().on_message_begin()
        self._bytes = self._body_bytes = 0

    def on_headers_complete(self) -> None:
        """The request is here: from now on the server is the one to be waited for."""
        super().on_headers_complete()
        if self._idle is not None:
            self._idle.cancel()

    def on_body(self, body: bytes) -> None:
        """Count what belongs to the body."""
        super().on_body(body)
        self._body_bytes += len(body)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self._is_idle():
            self._await_request()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to a WebSocket, which counts as one of the address from now on."""
        for timer in (self._idle, self._flush):
            if timer is not None:
                timer.cancel()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Close what nobody uses."""
        super().timeout_keep_alive_handler()
        self._watch_flush()

    def pause_writing(self) -> None:
        """The client does not take what is sent as fast as it is made."""
        super().pause_writing()
        self._watch_flush()

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        if self._flush is not None and not self.transport.is_closing():
            self._flush.cancel()
            self._flush = None

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_proxy(self, host: str) -> bool:
        return any(ip_address(host) in proxies for proxies in self.proxies) if host else False

    def _await_request(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self.loop.call_later(self.patience, self._give_up)

    def _give_up(self) -> None:
        self.transport.close()
        self._watch_flush()

    def _watch_flush(self) -> None:
        if self._flush is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._flush = self.loop.call_later(self.patience, self._check_flush)

    def _check_flush(self) -> None:
        self._flush = None
        unsent = self.transport.get_write_buffer_size()
        taken, due = self._unsent - unsent, min(self._unsent, self.patience * _SLOWEST)
        if taken < due or unsent == 0:
            self.transport.abort()
        else:
            self._watch_flush()


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's own WebSocket, with the same limits.

    * A client that takes nothing for `patience` seconds is hung up on, and what it sends waits until it
      takes what it is sent.
    * So is one that does not end a connection that the server has ended.
    """

    patience: ClassVar[float]
    opened: ClassVar[Counter[str]]

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        super().__init__(config, server_state, app_state, _loop)
        self._hang_up: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, which was counted when it began as one of HTTP."""
        super().connection_lost(exc)
        if self._hang_up is not None:
            self._hang_up.cancel()
        address = network(self.client[0] if self.client else "")
        self.opened[address] -= 1
        if not self.opened[address]:
            del self.opened[address]

    def pause_writing(self) -> None:
        """The client does not take what is sent as fast as it is made: neither is it listened to."""
        super().pause_writing()
        self.transport.pause_reading()
        self._wait()

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()
        if self._hang_up is not None and not self.transport.is_closing():
            self._hang_up.cancel()
            self._hang_up = None

    async def send(self, message: ASGISendEvent) -> None:
        """Send something; what refuses a WebSocket with an answer of HTTP is a proper end, too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Whoever is served no longer goes, or is made to."""
        super().on_task_complete(task)
        self._wait()

    def keepalive_timeout(self) -> None:
        """Nothing came back to a ping."""
        super().keepalive_timeout()
        self._wait()

    def _wait(self) -> None:
        if self._hang_up is None and not self.disconnected:
            self._hang_up = self.loop.call_later(self.patience, self.transport.abort)


def connection_classes(settings: Settings) -> tuple[type[Connection], type[Socket]]:
    """The connections and WebSockets of one server, which count their addresses together."""
    told = {
        "patience": settings.patience_seconds,
        "most": settings.connections_per_address,
        "proxies": settings.proxy_networks(),
        "opened": Counter[str](),
    }
    return type("Connection", (Connection,), told), type("Socket", (Socket,), told)
