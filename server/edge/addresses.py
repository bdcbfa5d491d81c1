"""From which address a request comes, and whether a proxy stood between."""

import ipaddress
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HANDED_ON = (b"forwarded", b"via", b"x-forwarded-", b"x-real-ip")
"""What the names of headers begin with that somebody in between adds."""


class Proxies:
    """Finds out who a request comes from where a proxy handed it on.

    What `X-Forwarded-For` and `X-Forwarded-Proto` say is believed of the named proxies only, by
    uvicorn's own reading: from the right, up to the first address that is no proxy of ours.

    app
        What is asked next.
    proxies
        Addresses and networks, as in `10.0.0.0/8`.
    """

    def __init__(self, app: ASGIApp, proxies: tuple[str, ...]) -> None:
        self._believing = ProxyHeadersMiddleware(cast(Any, app), list(proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the client's own address and scheme into the scope, and hand the request on."""
        await self._believing(cast(Any, scope), cast(Any, receive), cast(Any, send))


def is_forwarded(scope: Scope) -> bool:
    """Whether somebody between the client and this server says that they handed the request on."""
    return any(name.startswith(_HANDED_ON) for name, _ in scope["headers"])


def client_address(scope: Scope) -> str:
    """The client's address as text; empty where there is none that could be one.

    A proxy that hands on what strangers wrote may name anything as their address.

    >>> client_address({"client": ("::ffff:10.1.2.3", 0)})
    '10.1.2.3'
    >>> client_address({"client": ("unknown", 0)}), client_address({})
    ('', '')
    """
    try:
        address = ipaddress.ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def network(address: str) -> str:
    """What counts as one client where something is counted: of IPv6 the 64 bits one customer has.

    >>> network("2001:db8::1"), network("10.1.2.3"), network("")
    ('2001:db8::/64', '10.1.2.3', '')
    """
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address


def is_loopback(scope: Scope) -> bool:
    """Whether a request comes from this very machine: by its address, and not handed on.

    A proxy on this machine would make strangers look like its own people, so nothing that was
    handed on counts, whatever address it names.

    >>> hosts = ("127.0.0.5", "::1", "10.0.0.1")
    >>> [is_loopback({"client": (host, 0), "headers": []}) for host in hosts]
    [True, True, False]
    >>> is_loopback({"client": ("127.0.0.1", 0), "headers": [(b"x-forwarded-for", b"10.0.0.1")]})
    False
    """
    address = client_address(scope)
    return bool(address) and ipaddress.ip_address(address).is_loopback and not is_forwarded(scope)
