"""Where the server listens."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator

from cim_core.errors import Conflict, Forbidden, InvalidInput
from server.settings import Settings

_WAITING = 512
"""Connections that may wait to be taken."""
_UNSENT = 131_072
"""Bytes of an answer that the system takes before it has sent any of them."""


def listen(settings: Settings, has_policy: Callable[[], bool]) -> list[socket.socket]:
    """Sockets that listen at every place the settings name, all at one port.

    Raises `Forbidden` for a place beyond this machine where the city has no policy, `InvalidInput`
    for one that does not exist, `Conflict` when the port is in use.
    """
    places = [place for host in settings.host for place in _places(host)]
    beyond = [address for _, address in places if not ipaddress.ip_address(address).is_loopback]
    if beyond and not has_policy():
        raise Forbidden(
            f"this city has no policy of who may see what, so it is not served on {beyond[0]}, beyond "
            "this machine; write one with `cim policy default`, and let in who may sign in with "
            "`cim user add`"
        )
    opened: list[socket.socket] = []
    port = settings.port
    try:
        for family, address in places:
            opened.append(_bound(family, address, port))
            port = port or opened[0].getsockname()[1]
        for listener in opened:
            listener.listen(_WAITING)
    except OSError as error:
        for listener in opened:
            listener.close()
        raise Conflict(
            f"port {port} of {address} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    return opened


def is_here(listener: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def address_of(settings: Settings, listener: socket.socket) -> str:
    """What to type into a browser on this machine; with TLS the name that the certificate is for."""
    host, port = listener.getsockname()[:2]
    here = ipaddress.ip_address(host)
    if settings.tls_cert and settings.hosts:
        name = settings.hosts[0]
    elif here.is_unspecified:
        name = "127.0.0.1" if here.version == 4 else "::1"
    else:
        name = host
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"


def certificate(settings: Settings) -> ssl.SSLContext | None:
    """What TLS is spoken with; None for plain HTTP.

    Raises `InvalidInput` where certificate and key cannot be read or do not belong together.
    """
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise InvalidInput("--tls-key needs the certificate, too; give it with --tls-cert")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        files = " and ".join(str(path) for path in (settings.tls_cert, settings.tls_key) if path)
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            f"the certificate cannot be used ({files}: {reason}); give PEM files that belong "
            "together, the key without a password and readable by this account alone"
        ) from error
    return context


def _places(host: str) -> Iterator[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise InvalidInput(
            f"{host} is no address of this machine ({error.strerror}); give one with --host, as in "
            "127.0.0.1, or 0.0.0.0 for all"
        ) from error
    for family, _, _, _, address in found:
        yield family, str(address[0])


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections get it from here: what a slow client has not taken does not pile up in the system.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        if family == socket.AF_INET6:  # else it would take the port of the other family as well
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener
