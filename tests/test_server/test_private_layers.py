"""What a layer that is not public tells those who may not see it: nothing."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cim_core.city import City
from server.access.policy import public_policy
from tests.conftest import import_file
from tests.support.checkups import mini_set
from tests.support.serving import Server
from tests.support.surveys import write_survey

PLACE = {"type": "Point", "coordinates": [113.4449, 23.1027]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A city with public trees and sensitive pipes, and its own policy."""
    folder = tmp_path_factory.mktemp("guarded")
    city = City.open_or_create(folder / "city")
    survey = write_survey(folder / "pipes")
    import_file(city, survey, crs="EPSG:4547", kind="pipes")
    trees = folder / "trees.geojson"
    trees.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "id": "t1", "properties": {"name": "JS1 tree"}, "geometry": PLACE}
                ],
            }
        )
    )  # fmt: skip
    import_file(city, trees, options={"sensitivity": "public"})
    city.office.policies.put(public_policy().document(), 0, "test")
    running = Server(city.folder, folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture
def stranger(guarded: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, timeout=30) as client:
        yield client


def asks(version: int, receipt: str, content: str, job: str) -> list[tuple[str, str]]:
    """Every way to ask for the pipes by name."""
    layer = "/collections/pipes"
    return [
        ("GET", layer),
        ("GET", f"{layer}/items"),
        ("GET", f"{layer}/items?f=csv"),
        ("GET", f"{layer}/items/JS1"),
        ("GET", f"{layer}/nearest?point=113.4449,23.1027"),
        ("GET", f"{layer}/attributes"),
        ("GET", f"{layer}/attributes/depth_start"),
        ("GET", f"{layer}/thumbnail"),
        ("GET", f"{layer}/versions"),
        ("GET", f"{layer}/versions/{version}/checkin"),
        ("GET", f"{layer}/comparison?from={version}&to={version}"),
        ("GET", f"{layer}/geometry"),
        ("GET", f"{layer}/section?height=11.2"),
        ("GET", f"/t/pipes/{version}/tileset.json"),
        ("GET", f"/t/pipes/content/{content}"),
        ("GET", f"/tiles/pipes/{version}/15/26709/14221.mvt"),
        ("GET", f"/tiles/pipes/{version}/15/26709/14221.png"),
        ("GET", f"/receipts/{receipt}"),
        ("GET", f"/jobs/{job}"),
        ("GET", f"/jobs/{job}/events"),
        ("PATCH", layer),
        ("DELETE", layer),
        ("POST", f"{layer}/tiles"),
        ("PUT", f"{layer}/versions/current"),
    ]


def test_a_stranger_learns_nothing_of_a_private_layer_also_after_others_asked(
    guarded: Server, stranger: httpx.Client
) -> None:
    entitled = guarded.client
    known = entitled.get("/collections/pipes").json()
    tileset = entitled.get(known["tileset"]["href"])
    assert tileset.headers["cache-control"] == "private, no-cache"
    content = tileset.json()["root"]["content"]["uri"].rpartition("/")[2]
    job = entitled.post("/collections/pipes/tiles").json()["jobID"]
    guarded.finished(job)
    version = entitled.get("/collections/pipes").json()["version"]
    prefix = known["tileset"]["href"].partition("/t/")[0]
    asked = asks(version, known["receipt"], content, job)
    for method, path in asked:
        if method == "GET" and "/events" not in path and "/jobs/" not in path:
            answer = entitled.request(method, path.replace("/t/", f"{prefix}/t/"))
            assert answer.status_code == 200, (path, answer.text)
            assert "public" not in answer.headers.get("cache-control", "")
    for method, path in asked:
        answer = stranger.request(
            method, path, json={"version": 1} if method in ("PUT", "PATCH") else None
        )
        absent = (
            path.replace("pipes", "nowhere")
            .replace(known["receipt"], "0" * 32)
            .replace(job, "1" * 22)
        )
        other = stranger.request(
            method, absent, json={"version": 1} if method in ("PUT", "PATCH") else None
        )
        assert answer.status_code == other.status_code == 404, (method, path, answer.text)
        for word in ("nowhere", "0" * 32, "1" * 22):
            real = {"nowhere": "pipes", "0" * 32: known["receipt"], "1" * 22: job}[word]
            assert real not in other.text
            assert answer.text.replace(real, word) == other.text or real not in absent


def test_lists_searches_and_counts_leave_a_private_layer_out(
    guarded: Server, stranger: httpx.Client
) -> None:
    listed = stranger.get("/collections").json()["collections"]
    assert [layer["id"] for layer in listed] == ["trees"]
    for path in ("/catalogue", "/collections", "/jobs", "/wmts"):
        assert "pipes" not in stranger.get(path).text, path
    hits = stranger.get("/search?q=JS1").json()["hits"]
    assert [(hit["layer"], hit["id"]) for hit in hits] == [("trees", "t1")]
    assert len(guarded.client.get("/search?q=JS1").json()["hits"]) > 1
    asked = {"inputs": {"place": PLACE, "radius": 500}, "response": "document"}
    here = stranger.post("/processes/what-is-here/execution", json=asked).json()
    everything = guarded.client.post("/processes/what-is-here/execution", json=asked).json()
    assert len(here["features"]["rows"]) == 1 < len(everything["features"]["rows"])
    named = {**asked, "inputs": {**asked["inputs"], "layers": ["pipes"]}}
    assert stranger.post("/processes/what-is-here/execution", json=named).status_code == 404
    assert (
        stranger.get(f"/receipts/{everything['receipt']['href'].rpartition('/')[2]}").status_code
        == 404
    )


def test_events_tell_a_stranger_of_public_layers_only(
    guarded: Server, stranger: httpx.Client
) -> None:
    with (
        stranger.stream("GET", "/events", timeout=20) as news,
        guarded.client.stream("GET", "/events", timeout=20) as all_news,
    ):
        lines = news.iter_lines()
        made = guarded.client.put("/checkup/sets/mini", json=mini_set())
        assert made.status_code == 201, made.text
        internal = next(line for line in all_news.iter_lines() if line == "event: checkup")
        job = guarded.client.post("/collections/pipes/tiles").json()["jobID"]
        guarded.finished(job)
        guarded.client.patch("/collections/trees", json={"licence": "CC BY 4.0"})
        told = next(line for line in lines if line.startswith("data:"))
    assert json.loads(told.removeprefix("data:"))["id"] == "trees"
    assert internal


def test_a_capability_opens_tiles_until_it_is_revoked(
    guarded: Server, stranger: httpx.Client
) -> None:
    session = guarded.session()
    with httpx.Client(base_url=guarded.url, cookies={"cim_session": session}) as signed_in:
        href = signed_in.get("/collections/pipes").json()["tileset"]["href"]
        assert href.startswith("/c/")
        assert stranger.get(href).status_code == 200  # whoever has the address has the capability
        prefix = href.partition("/t/")[0]
        for path in ("/collections", "/collections/pipes/items", "/session", "/events"):
            assert stranger.get(prefix + path).status_code == 401
        assert stranger.delete(prefix + "/t/pipes/1/tileset.json").status_code == 401
        guarded.office.sessions.end(session)
        began = time.monotonic()
        while stranger.get(href).status_code != 401:
            assert time.monotonic() - began < 10
            time.sleep(0.2)
        assert stranger.get(f"/c/{'x' * 43}{href.partition('/c/')[2][43:]}").status_code == 401


def test_a_role_without_depth_sees_a_plan_without_it(guarded: Server) -> None:
    with httpx.Client(
        base_url=guarded.url, headers={"authorization": f"Bearer {guarded.key('viewer')}"}
    ) as viewer:
        layer = viewer.get("/collections/pipes").json()
        assert layer["tileset"] is None and layer["part"]["heights"] is False
        assert set(layer["part"]["hidden"]) == {"depth", "pressure", "owner"}
        assert len(layer["extent"]["spatial"]["bbox"][0]) == 4
        maps = [link["href"] for link in layer["links"] if "{z}" in link["href"]]
        assert maps and all(href.startswith("/c/") for href in maps)
        items = viewer.get("/collections/pipes/items?limit=1000").json()["features"]
        assert items
        for item in items:
            told = json.dumps(viewer.get(f"/collections/pipes/items/{item['id']}").json())
            assert "depth" not in told and "elevation" not in told and "埋深" not in told
            for coordinate in shape_points(item["geometry"]):
                assert len(coordinate) == 2
        for path in ("section?height=11.2", "geometry", "versions/1/checkin"):
            assert viewer.get(f"/collections/pipes/{path}").status_code in (403, 404)
        asked = {"inputs": {"at": PLACE}, "response": "document"}
        assert viewer.post("/processes/trace/execution", json=asked).status_code == 403


def test_a_file_has_one_address_by_which_it_is_counted_and_logged(guarded: Server) -> None:
    client = guarded.client
    href = client.get("/collections/pipes").json()["tileset"]["href"]
    prefix, _, rest = href.partition("/t/pipes/")
    for odd in ("/t//pipes/", "/t/pipes//", "/t/./pipes/", "/t/pipes/../pipes/"):
        with socket.create_connection(("127.0.0.1", int(guarded.url.rpartition(":")[2]))) as raw:
            raw.sendall(
                f"GET {prefix}{odd}{rest} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()
            )
            assert raw.recv(4096).split()[1] == b"404", odd
    assert client.get(href).status_code == 200


def test_what_decides_who_sees_a_layer_takes_somebody_who_manages_it(guarded: Server) -> None:
    headers = {"authorization": f"Bearer {guarded.key('editor')}"}
    with httpx.Client(base_url=guarded.url, headers=headers) as editor:
        assert editor.patch("/collections/trees", json={"source": "survey"}).status_code == 200
        for said in ({"sensitivity": "internal"}, {"department": "x"}, {"cim_level": 1}):
            assert editor.patch("/collections/trees", json=said).status_code == 403, said
        assert editor.post("/imports?filename=a.ifc", content=b"x").status_code == 403


def shape_points(geometry: dict) -> list[list[float]]:
    points = geometry["coordinates"]
    return [points] if geometry["type"] == "Point" else points


def test_without_a_policy_this_machine_reads_everything_and_changes_nothing(
    tmp_path: Path, guarded: Server
) -> None:
    city = City.open_or_create(tmp_path / "city")
    import_file(city, write_survey(tmp_path / "pipes"), crs="EPSG:4547", kind="pipes")
    running = Server(city.folder, tmp_path / "server.log")
    with httpx.Client(base_url=running.url) as anyone:
        assert [c["id"] for c in anyone.get("/collections").json()["collections"]] == ["pipes"]
        assert anyone.get("/t/pipes/1/tileset.json").status_code == 200
        refused = anyone.delete("/collections/pipes")
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert "sign in" in refused.json()["detail"]
        assert refused.json()["detail_zh"]
        for name in ("forwarded", "x-forwarded-for"):  # asked for somebody elsewhere
            assert anyone.get("/collections", headers={name: "10.0.0.9"}).status_code in (401, 403)
    running.stop()
    assert running.odd_lines() == []
