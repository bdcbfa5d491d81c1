"""Observations in: from programs that post them, whatever sent them first."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import anyio.to_thread
import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from cim_core.errors import CimError, InvalidInput
from cim_core.feature import Value
from cim_core.observation_sources import ObservationSource
from cim_core.store.live_dead import REASONS, DeadLetter
from server.access.notes import note_of
from server.access.person import Person
from server.answers import json_answer
from server.documented import LARGEST, documented, returns
from server.given_bodies import ARROW, JSON, NDJSON, read_body
from server.problem_answers import error_response
from server.record import Recorded
from server.sifting import Asked
from server.state import AccessDep, State, StateDep
from server.zh import in_chinese

_LARGE = 1 << 17
"""Bytes from which a body is read in a thread of its own; Arrow is whatever its size."""

_OBSERVATION: dict[str, Any] = {
    "type": "object",
    "required": ["datastream", "time", "value"],
    "properties": {
        "datastream": {"type": ["integer", "string"], "description": "its id or its key"},
        "time": {"type": ["number", "string"], "description": "milliseconds since 1970, or ISO 8601"},
        "value": {"description": "the result"},
        "unit": {"type": "string"},
        "lon": {"type": "number"},
        "lat": {"type": "number"},
        "quality": {},
        "seq": {"description": "taken and not kept"},
    },
}  # fmt: skip
_LIST = {"type": "array", "items": _OBSERVATION}
_BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "oneOf": [
                    {"type": "object", "required": ["observations"], "properties": {"observations": _LIST}},
                    _LIST,
                    _OBSERVATION,
                ]
            }
        },
        NDJSON: {"schema": {"type": "string"}},
        ARROW: {"schema": {"type": "string", "format": "binary"}},
    },
}  # fmt: skip


class _Quick(APIRoute):
    """A route that is asked thousands of times a second, and so does itself what `allowed` does.

    Each dependency of FastAPI that may wait is a thread, and there are four of them else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return _ingested


async def _ingested(request: Request) -> Response:
    state: State = request.app.state.cim
    person: Person = request.state.person
    request.state.verb = "record"
    access = state.gate.access(person)
    try:
        access.require("record")
        source = state.sources.get(request.query_params.get("source", "http"))
        size = _size(request, state.settings.max_body_bytes)
        with state.recorder.room(size):
            body = await request.body()
            kind = request.headers.get("content-type", "")
            if len(body) < _LARGE and not kind.lstrip().lower().startswith(ARROW):
                given = read_body(body, kind, source)
            else:
                given = await anyio.to_thread.run_sync(read_body, body, kind, source)
            del body
            recorded = await state.recorder.record(Asked(source, given, access.fed))
    except CimError as error:
        return error_response(error, request.url.path)
    except ClientDisconnect:  # nobody is there to be told
        return Response(status_code=400)
    note_of(request.scope).detail.update(observations=len(given), source=source.name)
    return json_answer(told(recorded))


def _size(request: Request, most: int) -> int:
    """How many bytes the body announces to have; as many as any may where it announces nothing."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else most


def told(recorded: Recorded) -> dict[str, Any]:
    """What became of observations, as it is answered."""
    return {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "dead": dict(recorded.dead),
    }


_quick = APIRouter(route_class=_Quick)


@_quick.post(
    "/ingest",
    summary="Send observations",
    **documented("record", returns("Recorded"), problems=(404, 413, 415), requestBody=_BODY),
)
async def ingest(
    request: Request,
    source: Annotated[str, Query(description="a source of observations, see city.toml")] = "http",
) -> Response:
    """Keep observations; answered when they are on disk.

    Single ones that cannot be believed are kept apart, with the reason (`/dead-letters`); the others
    are taken. What was sent before is counted and not kept again, so whoever got no answer sends it
    once more. 429 says that more arrives than can be written.
    """
    return await _ingested(request)


router = APIRouter(tags=["observations"])
router.include_router(_quick)


@router.get(
    "/dead-letters",
    summary="What was not believed",
    **documented("manage", returns("DeadLetters")),
)
def dead_letters(
    state: StateDep,
    access: AccessDep,
    reason: Annotated[str | None, Query(description=f"one of {', '.join(REASONS)}")] = None,
    source: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="the id of the last one that is known")
    ] = None,
) -> Response:
    """Observations that were sent and cannot be believed, with the reason; the newest first.

    Those of layers that you manage; those of no layer are there for who manages all of them. The
    oldest go when there are too many.
    """
    if reason is not None and reason not in REASONS:
        raise InvalidInput(f"reason: {reason!r} is none; give one of {', '.join(REASONS)}")
    dead = state.whole_city.live.dead
    layers = None if access.manages_all else access.managed
    found = dead.find(reason, source, limit, after, layers)
    return json_answer({"letters": [_letter(one) for one in found], "counts": dead.counts(layers)})


def _letter(one: DeadLetter) -> dict[str, Any]:
    return {
        "id": one.id, "time": one.at, "source": one.source, "reason": one.reason,
        "detail": one.detail, "detail_zh": in_chinese(one.detail), "body": _sayable(one.body),
    }  # fmt: skip


def _sayable(body: Value) -> Value:
    """What was sent; as its text where our JSON cannot have it: beyond 64 bits, or nested too deep."""
    try:
        orjson.dumps(body)
    except TypeError:
        return json.dumps(body, ensure_ascii=False)
    return body


@router.get(
    "/observation-sources",
    summary="Where observations come from",
    **documented("manage", returns("ObservationSources")),
)
def observation_sources(state: StateDep) -> Response:
    """The sources that `city.toml` names and the usual ones, and how it stands with MQTT."""
    sources = [_source(one) for one in state.sources.all().values()]
    return json_answer({"sources": sources, "mqtt": state.mqtt.state if state.mqtt else None})


def _source(one: ObservationSource) -> dict[str, Any]:
    return {
        "name": one.name, "title": one.title, "crs_tag": one.crs_tag,
        "time_zone": one.time_zone.key if one.time_zone else None, "topics": list(one.topics),
    }  # fmt: skip
