"""A client of WebSockets that costs little: many share the machine with the server that is measured."""

import asyncio
from abc import ABC, abstractmethod

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class FrameClient(asyncio.Protocol, ABC):
    """Hands each message to `heard`, text or binary, as bytes."""

    def __init__(self, path: str) -> None:
        self._path, self._data = path, bytearray()
        self._head = True

    @abstractmethod
    def heard(self, frame: bytes) -> None:
        """A message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(_HANDSHAKE.format(path=self._path).encode())

    def data_received(self, data: bytes) -> None:
        """Part what came into messages."""
        self._data += data
        if self._head:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            del self._data[: end + 4]
            self._head = False
        while (frame := self._frame()) is not None:
            self.heard(frame)

    def _frame(self) -> bytes | None:
        if len(self._data) < 2:
            return None
        size, begin = self._data[1] & 127, 2
        if size > 125:
            wide = 2 if size == 126 else 8
            if len(self._data) < 2 + wide:
                return None
            size, begin = int.from_bytes(self._data[2 : 2 + wide], "big"), 2 + wide
        if len(self._data) < begin + size:
            return None
        frame = bytes(self._data[begin : begin + size])
        del self._data[: begin + size]
        return frame


async def connected(client: FrameClient, port: int) -> None:
    """Connect a client to a server on this machine."""
    await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
