"""What a request meets on its way in, put together.

Around the application stands `outside`. In it, in this order: the log, which has refusals too;
`checks`; `Bodies`; who it is that asks (`server/access/authenticate.py`); and how often that person
may (`Rates.person`).
"""

import ipaddress
from collections.abc import Callable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from server.edge.addresses import Proxies
from server.edge.checked import Check
from server.edge.guard import Guard
from server.edge.headers import SecurityHeaders
from server.edge.rates import Rates
from server.settings import Settings

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_ASKED = ("Authorization", "Content-Type", "If-None-Match", "Range")
_TOLD = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Export-Id",
)


def outside(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application behind what concerns every answer, also that of a refusal or an error.

    The security headers; the address that asks; what pages of other sites may read.
    """
    if settings.origins:
        # Never with credentials: a page of another site asks with a key or as a stranger.
        app = CORSMiddleware(
            app, allow_origins=settings.origins, allow_methods=_METHODS, allow_headers=_ASKED,
            expose_headers=_TOLD,
        )  # fmt: skip
    return SecurityHeaders(Proxies(app, settings.proxies), settings)


def checks(settings: Settings, rates: Rates, has_policy: Callable[[], bool]) -> tuple[Check, ...]:
    """What a request must pass before anybody asks who makes it."""
    guard = Guard(frozenset((*settings.hosts, *_addresses(settings.host))), has_policy)
    return guard.host, guard.proxy, guard.site, rates.address


def _addresses(hosts: tuple[str, ...]) -> list[str]:
    """Those of the places to listen at that a client can name."""
    return [host for host in hosts if not _is_wildcard(host)]


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
