"""Keeps web pages of other sites from using a server through the browser of somebody it trusts."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope

from cim_core.errors import Forbidden
from server.edge.addresses import is_forwarded

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HARMLESS = {"GET", "HEAD", "OPTIONS"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Guard:
    """The checks of a request's names: the one it is addressed to, and the site that asks.

    hosts
        The names this server answers under, lower-case, besides those of its own machine and the
        address a request arrived at. A page that had its own name point here (DNS rebinding) gives
        itself away by that name; an address cannot be pointed anywhere.
    has_policy
        Whether the city says who may see what.
    """

    hosts: frozenset[str]
    has_policy: Callable[[], bool]

    def host(self, scope: Scope) -> None:
        """Raise `Forbidden` for a request that is addressed to another name."""
        if named(scope) not in LOOPBACK_NAMES | self.hosts | _arrived_at(scope):
            raise Forbidden(
                "this server does not answer under that host name; use its own, or have the name "
                "added to CIM_HOSTS"
            )

    def site(self, scope: Scope) -> None:
        """Raise `Forbidden` for a change that a page of another site asks for.

        Also for a WebSocket: browsers let any page open one, with the cookies of who looks at it. Who
        brings a key in `Authorization` is let through: no browser sends one of its own accord.
        """
        if scope.get("method") in _HARMLESS:
            return
        if _header(scope, b"authorization")[:7].lower() == "bearer ":
            return
        origin, fetched_by = _header(scope, b"origin"), _header(scope, b"sec-fetch-site")
        foreign_page = bool(origin) and not _is_own(origin, scope)
        if foreign_page or fetched_by in ("cross-site", "same-site"):
            if scope["type"] == "websocket":
                raise Forbidden("a page of another site cannot listen here; use the viewer")
            raise Forbidden("a page of another site cannot change anything here; use the viewer")

    def proxy(self, scope: Scope) -> None:
        """Raise `Forbidden` for what a proxy hands on to a city that trusts its own machine."""
        if is_forwarded(scope) and not self.has_policy():
            raise Forbidden(
                "this city has no policy of who may see what, so it answers its own machine only "
                "and nothing that a proxy hands on; write one with `cim policy default`"
            )


def named(scope: Scope) -> str | None:
    """The name a request is addressed to, lower-case and without the port."""
    place = _place(f"//{_header(scope, b'host')}")
    return place and place[0]


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _place(address: str) -> tuple[str, int | None] | None:
    """Name and port of an address; None if it is none."""
    try:
        parts = urlsplit(address)
        return (parts.hostname.rstrip("."), parts.port) if parts.hostname else None
    except ValueError:
        return None


def _is_own(origin: str, scope: Scope) -> bool:
    """Whether a page comes from where its request goes."""
    kind = origin.partition(":")[0]
    page, here = _place(origin), _place(f"//{_header(scope, b'host')}")
    if page is None or here is None or (scope["scheme"] in ("https", "wss") and kind != "https"):
        return False
    usual = _PORTS.get(kind)
    return (page[0], page[1] or usual) == (here[0], here[1] or usual)


def _arrived_at(scope: Scope) -> frozenset[str]:
    """The address of this machine that a connection was made to."""
    try:
        return frozenset({str(ipaddress.ip_address((scope.get("server") or ("",))[0]))})
    except ValueError:
        return frozenset()
