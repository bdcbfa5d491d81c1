"""What can be done with a city, and which of it a route is: the words of the policy."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

Verb = Literal[
    "open", "own", "read", "export", "edit", "manage", "record", "respond", "report", "order",
    "households", "administer", "audit",
]  # fmt: skip
"""
open, own
    What anyone may do, and what every signed-in person may do with their own account: no policy
    is asked.
read, export
    Look at layers and ask questions of them; take them out as files.
edit, manage
    Say something about a layer; import, tile, remove and roll back.
record, respond
    Send what things observe; answer the alarms that come of it.
report, order, households
    Say how far a project is; supervise it; see who lives in it.
administer, audit
    People and the policy; the log.
"""

VERBS: tuple[Verb, ...] = get_args(Verb)
LAYER_VERBS: tuple[Verb, ...] = (
    "read", "export", "edit", "manage", "record", "respond", "report", "order", "households",
)  # fmt: skip
"""Verbs that a policy grants by the sensitivity of a layer."""
CITY_VERBS: tuple[Verb, ...] = ("administer", "audit")
"""Verbs that a policy grants or not."""

KEY = "x-verb"
"""Under what name OpenAPI has the verb of a route."""


_SPOKEN = "verb"


def spoken(verb: Verb) -> Callable[[Endpoint], Endpoint]:
    """The verb of a WebSocket, over its function: OpenAPI knows nothing of them."""

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _SPOKEN, verb)
        return endpoint

    return marked


def verb_of(route: Any) -> Verb | None:
    """What a route is for; None for one that does not say it."""
    told: Verb | None = (getattr(route, "openapi_extra", None) or {}).get(KEY)
    return told or getattr(getattr(route, "endpoint", None), _SPOKEN, None)


def needs(verb: Verb) -> dict[str, Any]:
    """The verb of a route, for its decorator: `@router.get(…, openapi_extra=needs("read"))`."""
    return {KEY: verb}
