"""Analyses over HTTP and on the command line (OGC API – Processes 1.0, part 1)."""

import email
import json

import httpx
import jsonschema
import pytest

from analysis.registry import ANALYSES
from cim_core.city import City
from tests.support.serving import Server
from tests.support.warm import cim

RUN = "/processes/what-is-here/execution"
TYPES = ("object", "number", "string", "integer", "array", "boolean")
OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"


@pytest.fixture(scope="module")
def web(sample_server: Server) -> httpx.Client:
    return sample_server.client


@pytest.fixture(scope="module")
def place(web: httpx.Client) -> dict[str, object]:
    [bbox] = web.get("/collections/office").json()["extent"]["spatial"]["bbox"]
    return {"type": "Point", "coordinates": [(bbox[0] + bbox[3]) / 2, (bbox[1] + bbox[4]) / 2]}


def test_the_landing_page_leads_to_the_analyses(web: httpx.Client) -> None:
    links = {link["rel"]: link["href"] for link in web.get("/?f=json").json()["links"]}
    listed = web.get(links["http://www.opengis.net/def/rel/ogc/1.0/processes"]).json()
    assert [process["id"] for process in listed["processes"]] == list(ANALYSES)
    for process in listed["processes"]:
        assert {"id", "version", "title", "jobControlOptions", "outputTransmission"} <= set(process)
        [self_link] = [link for link in process["links"] if link["rel"] == "self"]
        described = web.get(self_link["href"]).json()
        assert described["title_zh"] == process["title_zh"]
        assert {"inputs", "outputs"} <= set(described)
    conforms = web.get("/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core" in conforms


def test_a_form_can_be_made_from_the_description(web: httpx.Client) -> None:
    described = {name: web.get(f"/processes/{name}").json()["inputs"] for name in ANALYSES}
    for name, given in ((n, given) for inputs in described.values() for n, given in inputs.items()):
        assert {"title", "title_zh", "description", "description_zh", "minOccurs"} <= set(given)
        jsonschema.Draft202012Validator.check_schema(given["schema"])
        assert "anyOf" not in given["schema"], name
        assert given["schema"]["type"] in TYPES
        assert given["schema"].get("default", "") is not None
    inputs = described["what-is-here"]
    assert inputs["radius"]["unit"] == "m"
    assert inputs["place"]["schema"]["format"] == "geojson-geometry"
    assert inputs["layers"]["schema"]["items"]["format"] == "layer-id"


def test_an_answer_leads_to_its_receipt_and_that_to_the_versions(
    web: httpx.Client, place: dict[str, object]
) -> None:
    asked = {"inputs": {"place": place, "radius": 25, "limit": 5}, "response": "document"}
    answer = web.post(RUN, json=asked)
    assert answer.status_code == 200
    found = answer.json()
    assert len(found["features"]["rows"]) == 5
    assert found["features"]["next"] == ":".join(found["features"]["rows"][-1][:2])
    assert sum(found["cells"]["values"]) == sum(row[-1] for row in found["layers"]["rows"])
    receipt = web.get(found["receipt"]["href"]).json()
    assert receipt["kind"] == "analysis"
    assert receipt["parameters"]["analysis"] == "what-is-here"
    assert receipt["parameters"]["inputs"]["radius"] == 25
    assert [i["name"] for i in receipt["inputs"]] == [
        "community_centre version 1", "office version 1",
    ]  # fmt: skip
    assert all(len(item["sha256"]) == 64 for item in receipt["inputs"])
    assert len(receipt["outputs"]["sha256"]) == 64
    again = web.post(RUN, json=asked).json()
    assert web.get(again["receipt"]["href"]).json()["outputs"] == receipt["outputs"]


def test_outputs_come_raw_when_asked_so(web: httpx.Client, place: dict[str, object]) -> None:
    inputs = {"place": {"value": place}}
    one = web.post(RUN, json={"inputs": inputs, "outputs": {"layers": {}}})
    assert one.headers["content-type"] == "application/json"
    assert one.json()["columns"][0]["name"] == "layer"
    several = web.post(RUN, json={"inputs": inputs})
    head = f"Content-Type: {several.headers['content-type']}\r\n\r\n".encode()
    whole = email.message_from_bytes(head + several.content)
    assert whole.get_content_type() == "multipart/related"
    parts = {
        part["Content-ID"]: json.loads(part.get_payload(decode=True))
        for part in whole.get_payload()
    }
    assert list(parts) == ["features", "layers", "classes", "cells", "receipt"]
    assert parts["layers"] == one.json()


def test_an_analysis_runs_as_a_job_when_that_is_preferred(
    sample_server: Server, place: dict[str, object]
) -> None:
    server = sample_server
    asked = {"inputs": {"place": place, "radius": 50}, "response": "document"}
    accepted = server.client.post(RUN, json=asked, headers={"prefer": "respond-async"})
    assert accepted.status_code == 201
    assert accepted.headers["preference-applied"] == "respond-async"
    job = accepted.json()
    assert accepted.headers["location"] == f"/jobs/{job['jobID']}"
    assert (job["type"], job["processID"]) == ("process", "what-is-here")
    ended = server.finished(job["jobID"])
    assert (ended["status"], ended["progress"]) == ("successful", 100)
    links = {link["rel"].rsplit("/", 1)[-1]: link["href"] for link in ended["links"]}
    results = server.client.get(links["results"]).json()
    at_once = server.client.post(RUN, json=asked).json()
    assert {**results, "receipt": 0} == {**at_once, "receipt": 0}
    assert server.client.get(results["receipt"]["href"]).json()["id"] == ended["report"]["receipt"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "words"),
    [
        (RUN, {"inputs": {}}, 422, "about:blank", "a place or a cell is needed"),
        (RUN, {"inputs": {"cell": "x"}}, 422, "about:blank", "is not an H3 cell"),
        (RUN, {"inputs": {"cell": "8a411d4902dffff", "limit": 0}}, 422, "about:blank", "limit: "),
        (RUN, {"inputs": {"cell": "8a411d4902dffff", "layers": ["no"]}}, 404, "about:blank", "'no'"),
        (RUN, {"inputs": {"cell": "8a411d4902dffff"}, "outputs": {"x": {}}}, 422, "about:blank", "'x'"),
        ("/processes/nope/execution", {"inputs": {}}, 404, f"{OGC}/no-such-process", "'nope'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem_in_both_languages(
    web: httpx.Client, path: str, body: object, status: int, kind: str, words: str
) -> None:
    for headers in ({}, {"prefer": "respond-async"}):
        if headers and status == 404 and "nope" not in path:
            continue  # a layer may be gone by the time the job looks: that is the job's to find
        if headers and "outputs" in body:
            continue
        answer = web.post(path, json=body, headers=headers)
        assert answer.status_code == status
        problem = answer.json()
        assert problem["type"] == kind
        assert words in problem["detail"]
        assert problem["detail_zh"]


def test_results_are_there_only_after_a_good_end(web: httpx.Client, sample_city: City) -> None:
    assert web.get("/jobs/nope/results").json()["type"] == f"{OGC}/no-such-job"
    assert web.get("/processes/nope").json()["type"] == f"{OGC}/no-such-process"


def test_the_command_line_asks_the_same(sample_city: City, web: httpx.Client, place: dict) -> None:
    given = ["--param", f"place={json.dumps(place)}", "-p", "radius=25", "-p", "limit=5"]
    done = cim("analyse", "what-is-here", "--city", sample_city.folder, *given, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    asked = {"inputs": {"place": place, "radius": 25, "limit": 5}, "response": "document"}
    over_http = web.post(RUN, json=asked).json()
    assert {**answer, "receipt": 0} == {**over_http, "receipt": 0}
    receipt = answer["receipt"]["href"].rsplit("/", 1)[-1]
    assert sample_city.receipts.get(receipt)["kind"] == "analysis"
    shown = cim("analyse", "what-is-here", "--city", sample_city.folder, *given)
    assert "Count by class" in shown.stdout
    assert "receipt " in shown.stdout
    wrong = cim("analyse", "what-is-here", "--city", sample_city.folder, "-p", "radius")
    assert wrong.returncode == 4
    assert "write name=value" in wrong.stderr
