"""OGC SensorThings API 1.1 at `/sta/v1.1`; the work is done in `server/sensorthings/`."""

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from cim_core.errors import CimError, InvalidInput
from server.access.notes import note_of
from server.access.taking import Taking
from server.answers import json_answer
from server.documented import documented, returns
from server.problem_answers import error_response, problem_response
from server.problems import problem_of
from server.sensorthings.batch import Batch, bad_request, require
from server.sensorthings.change import How
from server.sensorthings.recording import Recording
from server.sensorthings.service import Answer, Service
from server.state import StateDep

ROOT = "/sta/v1.1"

router = APIRouter(tags=["sensorthings"])

_ENTITY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
_ANY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": ["object", "array"]}}},
}
_CHANGE = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object"}},
        "application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
    },
}
_DEEPEST = 100
_PLAIN = (str, int, float, type(None))
_PATH = Path(
    description="as in Things(1)/Datastreams",
    json_schema_extra={"examples": ["Things", "Things(1)"]},
)
PathParam = Annotated[str, _PATH]


def _service(request: Request, state: StateDep) -> Callable[[], Service]:
    note = note_of(request.scope)
    root = f"{request.url.scheme}://{request.url.netloc}{ROOT}"

    def service() -> Service:
        """As it is now: in a batch, what one request makes is there for the next one."""
        access = state.gate.access(request.state.person)
        city, source = access.city(state.whole_city), state.sources.get("sensorthings")
        recording = Recording(state.whole_city, access, state.recorder, source, note)
        taking = Taking(state.exports, access, note)
        return Service(root, state.whole_city, city, access, recording, taking, note)

    return service


async def _json(request: Request) -> Any:
    """The body; an error that is told later, as all are here."""
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return InvalidInput("this is no JSON; send JSON in UTF-8")
    if not _is_shallow(given):
        return InvalidInput("this has objects in objects without end; send fewer of them")
    return given


def _is_shallow(given: Any) -> bool:
    """Whether it can be gone through by functions that call themselves."""
    level = [given]
    for _ in range(_DEEPEST):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for some in inside if not isinstance(some, _PLAIN) for one in some]
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return True
    return False


ServiceDep = Annotated[Callable[[], Service], Depends(_service)]
JsonDep = Annotated[Any, Depends(_json)]


@router.get(
    ROOT,
    summary="SensorThings: which sets there are",
    **documented("read", returns("SensorThings")),
)
def get_service(request: Request, service: ServiceDep) -> Response:
    """The service document of OGC SensorThings API 1.1, with what of it is served."""
    return _answered(request, lambda: service().get("", {}))


@router.get(
    ROOT + "/{path:path}",
    summary="SensorThings: entities and observations",
    **documented(
        "read",
        returns({"application/json": "SensorThings", "text/plain": None}),
        returns(None, 204),
        problems=(400, 404),
    ),
)
def get_entities(path: PathParam, request: Request, service: ServiceDep) -> Response:
    """A set, an entity or a property by its path; with $filter, $expand, $orderby and the others."""
    return _answered(request, lambda: service().get(path.strip("/"), dict(request.query_params)))


@router.post(
    ROOT + "/{path:path}",
    summary="SensorThings: a new entity, observations, or many requests in one",
    # Which verb is needed is for the path to say, see `server.sensorthings.batch.require`.
    **documented(
        "open",
        returns("SensorThings", 201, ("Location",)),
        returns("SensorThings"),
        problems=(400, 404, 409),
        requestBody=_ANY,
    ),
)
def post_entity(path: PathParam, request: Request, service: ServiceDep, given: JsonDep) -> Response:
    """Make an entity, with others inside it or linked with those that are there; record observations.

    `CreateObservations` takes many as a data array, `$batch` many requests, each of which is asked for
    what it is for.
    """

    def answer() -> Answer:
        if path.strip("/") == "$batch":
            return Answer(200, Batch(service).run(_good(given)))
        asked = service()
        require(asked.access, "post", path.strip("/"))
        return asked.create(path.strip("/"), _good(given))

    return _answered(request, answer)


@router.patch(
    ROOT + "/{path:path}",
    summary="SensorThings: change an entity",
    **documented("manage", returns("SensorThings"), problems=(400, 404, 409), requestBody=_CHANGE),
)
def patch_entity(
    path: PathParam, request: Request, service: ServiceDep, given: JsonDep
) -> Response:
    """Change what is sent of an entity; by JSON Patch where the body is one."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    how: How = "patch" if media_type == "application/json-patch+json" else "merge"
    return _answered(request, lambda: service().change(path.strip("/"), _good(given), how))


@router.put(
    ROOT + "/{path:path}",
    summary="SensorThings: write an entity anew",
    **documented("manage", returns("SensorThings"), problems=(400, 404, 409), requestBody=_ENTITY),
)
def put_entity(path: PathParam, request: Request, service: ServiceDep, given: JsonDep) -> Response:
    """Replace the properties of an entity by those that are sent."""
    return _answered(request, lambda: service().change(path.strip("/"), _good(given), "replace"))


@router.delete(
    ROOT + "/{path:path}",
    summary="SensorThings: remove an entity",
    **documented("manage", returns("SensorThings"), problems=(400, 404, 409)),
)
def delete_entity(path: PathParam, request: Request, service: ServiceDep) -> Response:
    """Remove an entity, and what cannot be without it."""
    return _answered(request, lambda: service().remove(path.strip("/")))


def _good(given: Any) -> Any:
    if isinstance(given, InvalidInput):
        raise given
    return given


def _answered(request: Request, answer: Callable[[], Answer]) -> Response:
    """An answer; what is wrong with a request is 400 here, as the standard has it, not 422."""
    try:
        found = answer()
    except InvalidInput as error:
        return problem_response(bad_request(problem_of(error)), request.url.path)
    except CimError as error:
        return error_response(error, request.url.path)
    headers = {} if found.link is None else {"location": found.link}
    if found.text is not None:
        return Response(found.text, found.status, headers, "text/plain")
    if found.body is None and found.status == 204:
        return Response(status_code=204)
    return json_answer(
        {} if found.body is None else found.body, status=found.status, headers=headers
    )
