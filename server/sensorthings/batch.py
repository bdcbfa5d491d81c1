"""Many requests in one (`$batch`), in the JSON format of OData 4.01, part 19."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from cim_core.errors import InvalidInput
from server.access.access import Access
from server.access.verbs import Verb
from server.problems import problem_of
from server.sensorthings.change import How
from server.sensorthings.service import Answer, Service

MOST = 1_000
"""Requests of one batch."""

_METHODS = ("get", "post", "patch", "put", "delete")
_VERBS: Mapping[str, Verb] = {
    "get": "read",
    "post": "record",
    "patch": "manage",
    "put": "manage",
    "delete": "manage",
}
_MADE = re.compile(r"^\$([\w-]+)(?=/|\?|$)")


class Batch:
    """The requests of one batch, one after the other; each may name what one before it made.

    `$2/Datastreams` in an address and `{"@iot.id": "$2"}` in a body stand for what the request with the
    id 2 made. A request fails for itself: there are no groups that succeed or fail together.
    """

    def __init__(self, service: Callable[[], Service]) -> None:
        """`service` as it is now: what one request makes may be what the next one needs to see."""
        self._make = service
        self._service = service()
        self._made: dict[str, str] = {}

    def run(self, given: object) -> dict[str, Any]:
        """What each request is answered with; raises `InvalidInput` for what is no batch."""
        requests = given.get("requests") if isinstance(given, dict) else None
        if not isinstance(requests, list) or len(requests) > MOST:
            raise InvalidInput(
                f"a batch is an object with a list of up to {MOST:,} requests; send one"
            )
        for one in requests:
            if not isinstance(one, dict) or not isinstance(one.get("url"), str):
                raise InvalidInput("a request of a batch has id, method and url; send all three")
            if one.get("atomicityGroup") is not None:
                raise InvalidInput(
                    "the requests of a batch cannot succeed or fail together here; leave out atomicityGroup, "
                    "or send what belongs together as one entity with others inside"
                )
        return {"responses": [self._one(request) for request in requests]}

    def _one(self, request: Mapping[str, Any]) -> dict[str, Any]:
        number = str(request.get("id", ""))
        told: dict[str, Any] = {"id": request.get("id", "")}
        try:
            answer = self._answer(str(request.get("method", "")).lower(), request)
        except Exception as error:  # noqa: BLE001 – one request of many fails for itself
            problem = bad_request(problem_of(error))
            return {**told, "status": problem["status"], "body": problem}
        told["status"] = answer.status
        if answer.link is not None:
            told["location"] = answer.link
            self._made[number] = answer.link.removeprefix(f"{self._service.root}/")
        if answer.text is not None or answer.body is not None:
            told["body"] = answer.body if answer.text is None else answer.text
        return told

    def _answer(self, method: str, request: Mapping[str, Any]) -> Answer:
        if method not in _METHODS:
            raise InvalidInput(
                f"{method[:20]!r} is no method of a batch; take one of {', '.join(_METHODS)}"
            )
        path, query = self._address(request["url"])
        given = self._named(request.get("body"))
        service = self._service = self._make()
        require(service.access, method, path)
        if method == "get":
            return service.get(path, query)
        if method == "post":
            return service.create(path, given)
        if method == "delete":
            return service.remove(path)
        told = request.get("headers")
        headers = (
            {key.lower(): value for key, value in told.items()} if isinstance(told, dict) else {}
        )
        patch = "json-patch" in str(headers.get("content-type", ""))
        how: How = "replace" if method == "put" else "patch" if patch else "merge"
        return service.change(path, given, how)

    def _address(self, url: str) -> tuple[str, dict[str, str]]:
        path, _, query = url.removeprefix(self._service.root).lstrip("/").partition("?")
        path = _MADE.sub(lambda found: self._made_by(found[1]), unquote(path))
        return path, dict(parse_qsl(query, keep_blank_values=True))

    def _made_by(self, number: str) -> str:
        if number not in self._made:
            raise InvalidInput(
                f"${number} names a request of this batch that made nothing; correct it"
            )
        return self._made[number]

    def _named(self, given: Any) -> Any:
        """A body with the ids of what was made before instead of their names."""
        match given:
            case {"@iot.id": str() as name} if name.startswith("$"):
                made = self._made_by(name[1:])
                number = made[made.index("(") + 1 : -1]
                own = int(number) if number.isdigit() else number.strip("'")
                return {**given, "@iot.id": own}
            case dict():
                return {key: self._named(value) for key, value in given.items()}
            case list():
                return [self._named(value) for value in given]
        return given


def require(access: Access, method: str, path: str) -> None:
    """Raise what says that somebody may not ask this at all; the routes ask the same."""
    recording = path == "CreateObservations" or path.rsplit("/", 1)[-1] == "Observations"
    if method == "post" and not recording:
        access.require("manage")
    else:
        access.require(_VERBS[method])


def bad_request(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem as SensorThings tells it: what is wrong with a request is 400."""
    return {**problem, "status": 400} if problem["status"] == 422 else problem
