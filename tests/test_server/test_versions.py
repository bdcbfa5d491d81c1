"""Versions, comparison and roll-back over HTTP and on the command line."""

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cim_core.city import City
from tests.conftest import EditedCity, import_file
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.serving import Server
from tests.support.warm import cim

BASE = "/collections/community_centre"
KINDS = ("added", "removed", "moved", "geometry", "properties")


@pytest.fixture(scope="module")
def web(edited: EditedCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    running = Server(edited.city.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield running.client
    running.stop()
    assert running.odd_lines() == []


def compared(web: httpx.Client, **query: object) -> dict:
    answer = web.get(f"{BASE}/comparison", params={"from": 1, "to": 2, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def expected(edited: EditedCity) -> dict[str, list[str]]:
    edits = edited.edits
    return {
        "added": [edits.added],
        "removed": [edits.removed],
        "moved": sorted([edits.moved, edits.turned]),
        "geometry": [edits.reshaped],
        "properties": sorted([edits.repropertied, edits.renamed]),
    }


def test_the_list_of_versions_tells_what_is_served(web: httpx.Client) -> None:
    listed = web.get(f"{BASE}/versions").json()
    assert listed["rollbacks"] == []
    assert [(v["version"], v["current"], v["title"]) for v in listed["versions"]] == [
        (2, True, "community_centre"), (1, False, "community_centre"),
    ]  # fmt: skip
    for version in listed["versions"]:
        assert web.get(version["tileset"]).status_code == 200
        assert web.get(f"/receipts/{version['receipt']}").json()["kind"] == "import"


def test_a_comparison_lists_every_edit_with_its_details(
    web: httpx.Client, edited: EditedCity
) -> None:
    body = compared(web)
    edits = edited.edits
    assert (body["layer"], body["from"], body["to"]) == ("community_centre", 1, 2)
    changes = {change["id"]: change for change in body["changes"]}
    assert {
        kind: sorted(c["id"] for c in body["changes"] if kind in c["kinds"]) for kind in KINDS
    } == expected(edited)
    assert {kind: body["counts"][kind] for kind in KINDS} == {
        kind: len(ids) for kind, ids in expected(edited).items()
    }
    # The comparison counts every feature, those without geometry too.
    rows = edited.city.features.all("community_centre", 1)
    assert sum(body["counts"].values()) - body["counts"]["added"] == sum(1 for _ in rows)
    for kind in (*KINDS, "unchanged"):
        assert sum(entry[kind] for entry in body["classes"]) == body["counts"][kind]
    moved = changes[edits.moved]
    assert moved["displacement"][2] == pytest.approx(1.5, abs=1e-3)
    assert moved["rotation"] == 0
    assert changes[edits.turned]["rotation"] == pytest.approx(90)
    assert changes[edits.added]["displacement"] is None
    assert changes[edits.repropertied]["properties"] == [
        {"set": "Pset_DoorCommon", "property": "FireRating", "after": "EI 90", "unit_after": None}
    ]
    assert changes[edits.renamed]["properties"] == [
        {"set": None, "property": "name", "before": "F2 门 Door S5", "unit_before": None,
         "after": "Renamed door", "unit_after": None}
    ]  # fmt: skip
    assert all(len(change["bbox"]) == 6 for change in body["changes"])


def test_a_comparison_can_be_filtered_and_paged(web: httpx.Client, edited: EditedCity) -> None:
    wanted = expected(edited)
    some = compared(web, kind="moved,properties")
    ids = [change["id"] for change in some["changes"]]
    assert ids == sorted(wanted["moved"] + wanted["properties"])
    assert some["counts"] == compared(web)["counts"]  # of the whole, whatever is asked for
    doors = compared(web, **{"class": "IfcDoor"})
    assert [c["id"] for c in doors["changes"]] == wanted["properties"]
    met: list[str] = []
    href = f"{BASE}/comparison?from=1&to=2&limit=2"
    while href:
        page = web.get(href).json()
        met += [change["id"] for change in page["changes"]]
        assert page["numberReturned"] == len(page["changes"]) <= 2
        assert page["numberMatched"] == 7
        href = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert met == [change["id"] for change in compared(web)["changes"]]


def test_the_ids_by_kind_are_enough_to_colour_a_model(
    web: httpx.Client, edited: EditedCity
) -> None:
    answer = web.get(f"{BASE}/comparison/ids", params={"from": 1, "to": 2})
    assert answer.json() == expected(edited)
    turned_round = web.get(f"{BASE}/comparison/ids", params={"from": 2, "to": 1}).json()
    assert turned_round["added"] == [edited.edits.removed]


def test_a_comparison_can_be_had_as_geojson_and_as_csv(
    web: httpx.Client, edited: EditedCity
) -> None:
    answer = web.get(f"{BASE}/comparison", params={"from": 1, "to": 2, "f": "geojson"})
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert len(features) == 7
    assert {f["geometry"]["type"] for f in features} <= {"Polygon", "MultiPolygon"}
    answer = web.get(f"{BASE}/comparison", params={"from": 1, "to": 2, "f": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    by_id = {row["id"]: row for row in rows}
    assert by_id.keys() == {f["id"] for f in features}
    assert by_id[edited.edits.renamed]["before"] == "F2 门 Door S5"
    assert by_id[edited.edits.renamed]["after"] == "Renamed door"
    assert float(by_id[edited.edits.moved]["up_m"]) == pytest.approx(1.5, abs=1e-3)
    assert by_id[edited.edits.removed]["kinds"] == "removed"


def test_a_feature_can_be_asked_for_as_it_was(web: httpx.Client, edited: EditedCity) -> None:
    renamed = edited.edits.renamed
    was = web.get(f"{BASE}/items/{renamed}", params={"version": 1}).json()
    assert (was["properties"]["name"], was["version"]) == ("F2 门 Door S5", 1)
    assert web.get(was["links"][0]["href"]).json() == was
    assert web.get(f"{BASE}/items/{renamed}").json()["properties"]["name"] == "Renamed door"
    gone = edited.edits.removed
    assert web.get(f"{BASE}/items/{gone}").status_code == 404
    assert web.get(f"{BASE}/items/{gone}?version=1").json()["id"] == gone


@pytest.mark.parametrize(
    ("path", "status", "chinese"),
    [
        (f"{BASE}/comparison?from=1&to=9", 404, "图层“community_centre”没有第 9 版；"),
        (f"{BASE}/comparison/ids?from=8&to=2", 404, "图层“community_centre”没有第 8 版；"),
        ("/collections/none/comparison?from=1&to=2", 404, "本城市中没有图层“none”"),
        (
            f"{BASE}/comparison?from=1&to=2&kind=moved,bent",
            422,
            "kind=moved,bent 不是有效的变更种类",
        ),
        (f"{BASE}/comparison?to=2", 422, ""),
        (f"{BASE}/comparison?from=0&to=2", 422, ""),
        (f"{BASE}/items/x?version=9", 404, "图层“community_centre”没有第 9 版"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(
    path: str, status: int, chinese: str, web: httpx.Client
) -> None:
    answer = web.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert chinese in answer.json().get("detail_zh", "")


def small_versions(city: City, folder: Path, count: int) -> None:
    for boxes in range(1, count + 1):
        path = folder / "small.ifc"
        write_ifc(path, Recipe(boxes=boxes))
        import_file(city, path, anchor=(113.46, 23.1, 5.0))


def heard_version(lines: Iterator[str], version: int) -> None:
    """Wait until the layer is said to be of a version."""
    deadline = time.monotonic() + 30
    for line in lines:
        assert time.monotonic() < deadline
        if line.startswith("data:") and '"version"' in line:
            body = json.loads(line.removeprefix("data:"))
            if (body.get("id"), body.get("version")) == ("small", version):
                return
    pytest.fail("the news ended")


def test_rolling_back_is_told_to_everyone_and_answers_from_then_on(
    server: Server, city: City, tmp_path: Path
) -> None:
    current = "/collections/small/versions/current"
    with httpx.stream("GET", f"{server.url}/events", timeout=30) as stream:
        small_versions(city, tmp_path, 3)
        lines = stream.iter_lines()
        # News are of what is new: whoever has not heard of 3 need not hear that it is 1 again.
        heard_version(lines, 3)
        answer = server.client.put(current, json={"version": 1})
        heard_version(lines, 1)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["version"], body["current"], body["features"]) == (1, True, 1)
    receipt = server.client.get(f"/receipts/{body['rollback']}").json()
    assert receipt["kind"] == "rollback"
    assert receipt["parameters"] == {"layer": "small", "from": 3, "to": 1}
    assert server.client.get("/collections/small").json()["numberOfFeatures"] == 1
    assert server.client.get("/collections/small/items").json()["numberMatched"] == 1
    listed = server.client.get("/collections/small/versions").json()
    assert [v["version"] for v in listed["versions"] if v["current"]] == [1]
    assert [(b["from"], b["to"], b["receipt"]) for b in listed["rollbacks"]] == [
        (3, 1, body["rollback"])
    ]
    again = server.client.put(current, json={"version": 1})
    assert (again.status_code, again.json()["rollback"]) == (200, None)
    assert server.client.put(current, json={"version": 7}).status_code == 404
    assert server.client.put(current, json={"version": "latest"}).status_code == 422
    foreign = {"origin": "http://elsewhere.example"}
    with httpx.Client(base_url=server.url, cookies={"cim_session": server.session()}) as browser:
        assert browser.put(current, json={"version": 3}, headers=foreign).status_code == 403
    assert server.client.get("/collections/small").json()["version"] == 1


def test_an_upload_goes_on_beside_a_roll_back_and_is_served_when_it_ends(
    server: Server, city: City, tmp_path: Path
) -> None:
    small_versions(city, tmp_path, 2)
    write_ifc(tmp_path / "small.ifc", Recipe(boxes=9))
    job = server.upload(tmp_path / "small.ifc", layer="small", anchor="113.46,23.10,5")
    answer = server.client.put("/collections/small/versions/current", json={"version": 1})
    assert answer.status_code == 200
    assert server.finished(job["jobID"])["status"] == "successful"
    collection = server.client.get("/collections/small").json()
    assert (collection["version"], collection["numberOfFeatures"]) == (3, 9)


def test_the_commands_say_what_the_interface_says(
    web: httpx.Client, edited: EditedCity, tmp_path: Path
) -> None:
    folder, layer = edited.city.folder, "community_centre"
    listed = cim("versions", layer, "--city", folder, "--json")
    assert json.loads(listed.stdout) == web.get(f"{BASE}/versions").json()
    done = cim("compare", layer, 1, 2, "--city", folder, "--json", "--csv", tmp_path / "c.csv")
    body = compared(web)
    assert json.loads(done.stdout) == {k: body[k] for k in json.loads(done.stdout)}
    assert len(json.loads(done.stdout)["changes"]) == 7
    answer = web.get(f"{BASE}/comparison", params={"from": 1, "to": 2, "f": "csv"})
    assert (tmp_path / "c.csv").read_bytes() == answer.content
    shown = cim("compare", layer, 1, 2, "--city", folder)
    assert "1 added, 1 removed, 2 moved, 1 geometry, 2 properties" in shown.stdout
    assert "Renamed door" in shown.stdout
    missing = cim("compare", layer, 1, 5, "--city", folder)
    assert missing.returncode == 3
    assert "no version 5" in missing.stderr


def test_the_command_rolls_back_once(city: City, tmp_path: Path) -> None:
    small_versions(city, tmp_path, 2)
    done = cim("rollback", "small", 1, "--city", city.folder, "--json")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)["rollback"]
    assert city.receipts.get(receipt)["parameters"]["from"] == 2
    again = cim("rollback", "small", 1, "--city", city.folder)
    assert "is served already" in again.stdout
    assert "back to 1" in cim("versions", "small", "--city", city.folder).stdout
    assert cim("rollback", "small", 6, "--city", city.folder).returncode == 3
