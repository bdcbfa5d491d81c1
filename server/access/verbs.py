"""What can be done with a city, and which of it a route is: the words of the policy."""

from typing import Any, Literal, get_args

Verb = Literal[
    "open", "own", "read", "export", "edit", "manage", "report", "order", "administer", "audit"
]
"""
open, own
    What anyone may do, and what every signed-in person may do with their own account: no policy
    is asked.
read, export
    Look at layers and ask questions of them; take them out as files.
edit, manage
    Say something about a layer; import, tile, remove and roll back.
report, order
    Say how far a project is; supervise it.
administer, audit
    People and the policy; the log.
"""

VERBS: tuple[Verb, ...] = get_args(Verb)
LAYER_VERBS: tuple[Verb, ...] = ("read", "export", "edit", "manage", "report", "order")
"""Verbs that a policy grants by the sensitivity of a layer."""
CITY_VERBS: tuple[Verb, ...] = ("administer", "audit")
"""Verbs that a policy grants or not."""

KEY = "x-verb"
"""Under what name OpenAPI has the verb of a route."""


def needs(verb: Verb) -> dict[str, Any]:
    """The verb of a route, for its decorator: `@router.get(…, openapi_extra=needs("read"))`."""
    return {KEY: verb}
