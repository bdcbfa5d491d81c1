"""The one dependency of all routes: without it nothing is answered."""

from starlette.requests import HTTPConnection

from cim_core.errors import Forbidden
from server.access.verbs import verb_of
from server.state import AccessDep


def allowed(request: HTTPConnection, access: AccessDep) -> None:
    """Let a request through whose person may do what its route is for.

    A route of a layer is allowed for that layer. Raises `Forbidden`, also for a route that does not
    say what it is for, `SignInNeeded`, or `NotFound` for a layer the person does not see.
    """
    route = request.scope["route"]
    verb = verb_of(route)
    if verb is None:
        raise Forbidden(f"{route.path} does not say what it is for, so nobody may ask it")
    request.state.verb = verb
    access.require(verb, request.path_params.get("layer"))
