"""The description of the API is true: asked however wrongly, the server answers as described."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import pytest

from cim_core.city import City
from cim_core.store.features import Query
from cim_core.store.renewal_hooks import Hooks
from server.access.policy import default_policy
from tests.conftest import import_file
from tests.support.alarming import add_thing
from tests.support.checkups import put_set
from tests.support.every_checkup import RUN, another, checkup_of
from tests.support.fuzzing import Findings, asked
from tests.support.rasters import hills, write_raster
from tests.support.renewal import evidence_of, renewal_of
from tests.support.sensing import say
from tests.support.serving import Server
from tests.support.surveys import write_survey
from tests.support.traffic import drive


@dataclass(frozen=True)
class Subject:
    """A server, who asks it, by verb, what its city has, and what of that is left alone."""

    server: Server
    headers: dict[str, dict[str, str]]
    known: dict[str, list]
    fixed: dict[str, dict[str, str]]

    def asked(self, examples: int, seed: int) -> Findings:
        return asked(self.server, self.headers, self.known, self.fixed, examples, seed=seed)


@pytest.fixture(scope="module")
def subject(sample_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """A city with a layer of every kind that is quickly made; whatever is asked may change it."""
    folder = tmp_path_factory.mktemp("schemathesis")
    shutil.copytree(sample_city.folder, folder / "city", ignore=shutil.ignore_patterns("*-shm"))
    city = City.open(folder / "city")
    tree = {"type": "Point", "coordinates": [113.46, 23.1]}
    features = [{"type": "Feature", "id": "t1", "properties": {"name": "a"}, "geometry": tree}]
    for name in ("trees", "spare"):
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        import_file(city, path)
    import_file(city, folder / "trees.geojson")
    import_file(city, write_survey(folder / "pipes"), crs="EPSG:4547", kind="pipes")
    import_file(city, write_raster(folder / "ground.tif", hills(60, 60)), kind="terrain")
    [stream] = add_thing(city.live, "well", every=60)
    say(city, stream, round(time.time() * 1000), 1.5)
    renewal_of(city)
    drive(city, "ways")
    checkup_of(city)
    another(city)
    put_set(city, "spare")
    server = Server(
        city.folder, folder / "server.log", CIM_RATE_PERSON="1000000", CIM_RATE_FILES="1000000",
        CIM_RATE_SIGN_IN="1000000", CIM_PASSWORD_MEMORY_KIB="12288",
    )  # fmt: skip
    headers, fixed = _people(city)
    yield Subject(server, headers, _known(city, server, headers[""]), fixed)
    server.stop()
    assert server.odd_lines() == []


def _people(city: City) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Who asks, two people since nobody administers and audits at once, and what is kept from them.

    What they end, revoke or lock is not what they need themselves.
    """
    office = city.office
    office.policies.put(default_policy().document(), 0, "test")
    roles = ("data-manager", "supervisor", "security-administrator")
    doer, auditor = (
        office.people.add("doer", roles=roles),
        office.people.add("auditor", roles=["auditor"]),
    )
    everything = [
        "read", "export", "edit", "manage", "record", "respond", "report", "order",
        "households", "administer",
    ]  # fmt: skip
    _, key = office.keys.add(doer.id, "all but the log", everything, 1)
    _, log = office.keys.add(auditor.id, "the log", ["read", "audit"], 1)
    session = office.sessions.begin(doer.id, "127.0.0.1", 36_000, "password")
    spare = office.people.add("spare")
    spare_key, _ = office.keys.add(doer.id, "spare", ["read"], 1)
    headers = {
        "": {"Authorization": f"Bearer {key}"},
        "audit": {"Authorization": f"Bearer {log}"},
        # An empty one, since else that of whoever asked first is sent again.
        "own": {"Authorization": "", "Cookie": f"cim_session={session}"},
    }
    fixed = {
        "DELETE /collections/{layer}": {"path.layer": "spare"},
        "POST /collections/{layer}/tiles": {"path.layer": "spare"},
        # Painting takes seconds, and is the subject of other tests.
        "GET /collections/{layer}/thumbnail": {"path.layer": "ground"},
        "DELETE /renewal/projects/{project}": {"path.project": "e2"},
        "DELETE /checkup/runs/{run}": {"path.run": "2025-2"},
        "DELETE /checkup/sets/{set}": {"path.set": "spare"},
        # LibreOffice writes PDF for seconds, and is the subject of other tests.
        "GET /checkup/runs/{run}/report": {"query.form": "xlsx"},
        "DELETE /keys/{key}": {"path.key": spare_key.id},
        "PATCH /people/{person}": {"path.person": spare.id},
        "POST /people/{person}/password": {"path.person": spare.id},
    }
    return headers, fixed


def _known(city: City, server: Server, who: dict[str, str]) -> dict[str, list]:
    """What there is, by where it is asked for; the first of each is asked for most."""
    point = {"type": "Point", "coordinates": [113.4449, 23.1027]}
    answer = server.client.post(
        "/processes/what-is-here/execution", json={"inputs": {"place": point, "radius": 20}},
        headers={"prefer": "respond-async", **who},
    )  # fmt: skip
    job = city.jobs.newest(1)[0].id
    assert answer.headers["location"] == f"/jobs/{job}"
    while not city.jobs.get(job).ended:
        time.sleep(0.05)
    layers = {version.layer: version for version in city.layers.current()}
    pipes = layers["pipes"]
    [feature, *_] = city.features.find("pipes", pipes.version, Query(), after=None, limit=1)
    return {
        "path.layer": ["pipes", "trees", "office", "ground"],
        "path.version": [1, 2],
        "path.item": [feature.feature.id, "t1"],
        "path.name": ["what-is-here", "zmin", "class"],
        "path.job_id": [job],
        "path.receipt_id": [pipes.receipt],
        "path.thing": [1], "path.property": ["x"], "query.datastreams": ["1"],
        "path.z": [15], "path.x": [26710], "path.y": [14222],
        "path.path": ["index.html", "surface.tif"],
        "path.project": ["e1", "w1"], "path.task": ["e1-t1"], "path.building": ["e1-b1"],
        "path.household": ["e1-h1"], "path.order": ["e1-o1"], "path.record": ["e1-investment-1"],
        "path.step": ["receive"], "path.evidence": [evidence_of(city)],
        "path.hook": [Hooks(city.renewal.file).add("https://example.org/", ["overdue"], None).id],
        "path.run": [RUN], "path.code": ["33", "16"], "path.problem": ["2025-2.1"],
        "path.set": ["mini", "mohurd-2025"],
        "path.intersection": ["J1"], "query.intersection": ["J1"], "query.corridor": ["main"],
        "path.event": [1],
        "header.If-Match": ["1", "2"],
        "query.from": [1, RUN], "query.to": [1, RUN],
        "query.point": ["113.4449,23.1027"],
        "query.bbox": ["113.4,23,113.5,23.2"],
        "query.height": [12],
        "query.ids": [feature.feature.id],
        "query.version": [1],
        "query.class": [feature.feature.feature_class],
    }  # fmt: skip


def _is_as_described(found: Findings, server: Server) -> None:
    assert found.wrong == [], "\n".join(found.wrong)
    assert found.statuses.total() > 20 * len(found.operations)
    # Who asks has not lost what they may meanwhile; else all of it was asked in vain.
    assert found.statuses[401] + found.statuses[403] < found.statuses.total() / 20, found.statuses
    assert server.client.get("/healthz").status_code == 200


STRANGE = (
    "%00", "%ff%fe%ed%a0%80", "%zz", "9" * 5_000, "9223372036854775808", "nan,inf,1e400,-1",
    "%2e%2e%2f%2e%2e%2fcity.gpkg", "",
)  # fmt: skip
"""What no parameter is, though each is some parameter's weak spot."""


def test_no_strange_value_of_a_parameter_is_a_fault_of_the_server(subject: Subject) -> None:
    paths = subject.server.client.get("/openapi.json").json()["paths"]
    places = [
        (path, parameter["name"], operation["x-verb"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())
        if method == "get" and parameter["in"] in ("path", "query") and "/session/" not in path
    ]
    assert len(places) > 100
    for path, name, verb in places:
        headers = subject.headers.get(verb, subject.headers[""])
        for value in STRANGE:
            status, media_type = _get(subject.server, _target(path, name, value, subject), headers)
            assert status < 500, (path, name, value[:40])
            assert status < 400 or media_type == "application/problem+json", (path, name, value)


def _target(path: str, name: str, value: str, subject: Subject) -> str:
    """An address with a strange value of one parameter, and what there is in the rest of its path.

    It stands in the query as well, where nothing is known by the name.
    """
    for other in re.findall("{([^}]*)}", path):
        known = subject.known.get(f"path.{other}", ["x"])[0]
        path = path.replace(f"{{{other}}}", value if other == name else quote(str(known)))
    return f"{path}?{name}={value}"


def _get(server: Server, target: str, headers: dict[str, str]) -> tuple[int, str | None]:
    """Ask as it is written, which clients of a better education do not."""
    place = urlsplit(server.url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
    connection.putrequest("GET", target)
    for key, text in headers.items():
        connection.putheader(key, text)
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.getheader("content-type")


def test_everything_is_answered_as_described(subject: Subject) -> None:
    _is_as_described(subject.asked(examples=4, seed=1), subject.server)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
def test_everything_is_answered_as_described_for_long(subject: Subject, seed: int) -> None:
    _is_as_described(subject.asked(examples=150, seed=seed), subject.server)
