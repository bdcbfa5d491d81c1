"""What the application says of itself: every route with its verb, every answer, every schema."""

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from jsonschema import Draft202012Validator
from starlette.routing import Mount

from server.access.verbs import VERBS, verb_of
from server.app import create_app
from server.description import schemas
from server.settings import Settings
from tests.support.serving import ROOT, Server

METHODS = {"get", "post", "put", "patch", "delete"}
MOUNTED = {"/t", "/viewer"}
"""Not made of routes; the description tells of them all the same."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(city=tmp_path_factory.mktemp("described") / "city"))


@pytest.fixture(scope="module")
def operations(app: FastAPI) -> dict[tuple[str, str], dict]:
    return {
        (method.upper(), path): operation
        for path, described in app.openapi()["paths"].items()
        for method, operation in described.items()
    }


def test_every_route_has_a_verb_and_is_described(
    app: FastAPI, operations: dict[tuple[str, str], dict]
) -> None:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Mount):
            assert route.path in MOUNTED
            continue
        known = isinstance(route, APIRoute | APIWebSocketRoute)
        assert known, f"{route} is asked without the one dependency of all"
        verb = verb_of(route)
        assert verb in VERBS, f"{route.path} does not say what it is for"
        if isinstance(route, APIWebSocketRoute):
            continue  # OpenAPI has no words for them
        for method in route.methods:
            path = re.sub(r":path}", "}", route.path)
            if route.include_in_schema:
                assert operations[method, path]["x-verb"] == verb
    for place, operation in operations.items():
        assert operation["x-verb"] in VERBS, place


def test_the_description_says_how_everything_may_be_refused(
    operations: dict[tuple[str, str], dict],
) -> None:
    for place, operation in operations.items():
        answers = operation["responses"]
        assert min(answers) < "400" <= max(answers), place
        assert {"401", "403", "429", "500"} <= set(answers), place
        for status, answer in answers.items():
            if status >= "400":
                [(media_type, content)] = answer["content"].items()
                assert media_type == "application/problem+json", place
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, place
        assert "WWW-Authenticate" in answers["401"]["headers"]
        assert "Retry-After" in answers["429"]["headers"]
        if "requestBody" in operation:
            assert {"400", "408", "413"} <= set(answers), place
        if "{layer}" in place[1]:
            assert "404" in answers, place


def test_every_schema_is_one_and_is_used(app: FastAPI) -> None:
    document = app.openapi()
    text = json.dumps(document)
    named = set(re.findall(r'"#/components/(\w+)/([^"]+)"', text))
    for kind, name in named:
        assert name in document["components"][kind], (kind, name)
    for name, schema in schemas().items():
        Draft202012Validator.check_schema(schema)
        assert ("schemas", name) in named, f"nothing is answered as {name}"


def test_the_reference_page_names_every_route(operations: dict[tuple[str, str], dict]) -> None:
    page = (ROOT / "docs/reference/http.md").read_text(encoding="utf-8")
    named = {
        (method, _any(path.partition("?")[0]))
        for method, path in re.findall(r"\b([A-Z]+) (/[^\s`|]*)", page)
    }
    missing = [place for place in operations if (place[0], _any(place[1])) not in named]
    assert missing == [], "docs/reference/http.md does not name these"


def _any(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"{[^}]*}", "{}", path)


def test_what_is_no_json_is_refused_in_a_sentence(server: Server) -> None:
    half = r'{"inputs": {"place": "\ud800"}}'
    deep = '{"a":' * 5_000
    execution = "/processes/what-is-here/execution"
    cases = [
        (half, 422, "half a letter"),
        ('{"inputs": {"radius": NaN}}', 422, "half a letter"),
        (r'{"outputs": {"\ud800": 1}}', 422, ""),
        (deep, 400, "cannot be read"),
        ("[" * 100_000, 400, "cannot be read"),
        (b'"\xff\xfe"', 400, ""),
        ("{", 422, "no JSON"),
    ]
    for body, status, words in cases:
        answer = server.client.post(
            execution, content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == status, (body[:40], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert words in answer.json()["detail"]
        assert answer.json()["detail_zh"]


def test_a_method_that_is_not_there_is_answered_with_those_that_are(server: Server) -> None:
    for method, path, others in (
        ("POST", "/collections/office", "GET, PATCH, DELETE"),
        ("OPTIONS", "/jobs/1", "GET, DELETE"),
        ("DELETE", "/collections/a/versions/current", "PUT"),
        ("POST", "/t/office/1/tileset.json", "GET, HEAD"),
    ):
        answer = server.client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, others), (method, path)


def test_events_are_a_stream_that_begins_at_once(server: Server) -> None:
    with server.client.stream("GET", "/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
