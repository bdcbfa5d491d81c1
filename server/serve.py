"""Listening on this machine."""

import socket
from collections.abc import Callable

import uvicorn

from cim_core.errors import Conflict
from server.app import create_app
from server.settings import Settings

_HOST = "127.0.0.1"
_GRACE_SECONDS = 12
"""What takes longest to answer is a picture of a layer that nobody has asked for yet."""


def serve_city(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; `announce` gets the address once connections are taken.

    Raises `Conflict` when the port is in use.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, settings.port))
    except OSError as error:
        raise Conflict(
            f"port {settings.port} of {_HOST} cannot be used ({error.strerror}); choose another "
            "with --port"
        ) from error
    app = create_app(settings)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )  # fmt: skip
    listener.listen(512)
    announce(f"http://{_HOST}:{listener.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listener])
