"""Serving a city, until somebody stops it."""

import logging
import resource
from collections.abc import Callable

import uvicorn

from server.app import create_app
from server.edge.connection import connection_classes
from server.edge.edge import outside
from server.listening import address_of, certificate, is_here, listen
from server.settings import Settings

_GRACE_SECONDS = 12
"""What takes longest to answer is a picture of a layer that nobody has asked for yet."""
_SAID = 1_024
"""Bytes that who listens to a WebSocket may say at once."""
_FILES = 65_536
"""Connections and files that may be open at once, where the system allows that many."""

_log = logging.getLogger(__name__)


def serve_city(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; `announce` gets the address once connections are taken.

    Raises what `listen` and `certificate` raise.
    """
    app = create_app(settings)
    gate = app.state.cim.gate

    def has_policy() -> bool:
        return bool(gate.in_force.kind != "none")

    tls = certificate(settings)
    listeners = listen(settings, has_policy)
    _allow_many_files()
    connection, socket = connection_classes(settings)
    config = uvicorn.Config(
        outside(app, settings),
        # What clients do wrong is no line of the log: anybody could fill it.
        log_level="error", access_log=False, server_header=False, ws=socket,
        http=connection, timeout_graceful_shutdown=_GRACE_SECONDS,
        # Nobody has anything to say; frames are too full of numbers to be worth compressing for each.
        ws_max_size=_SAID, ws_per_message_deflate=False,
        # The headers of proxies are read by the edge, which knows whom to believe.
        proxy_headers=False,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )  # fmt: skip
    announce(address_of(settings, listeners[0]))
    if tls is None and not settings.proxies and not all(is_here(one) for one in listeners):
        _log.warning(
            "passwords and everything else can be read by others on the network: serve with "
            "--tls-cert, or behind a proxy that CIM_PROXIES names"
        )
    uvicorn.Server(config).run(sockets=listeners)


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
