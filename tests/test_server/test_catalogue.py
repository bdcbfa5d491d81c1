"""The catalogue over HTTP and on the command line: places, what is said, pictures, what is near."""

import json
from pathlib import Path

import pytest
import shapely

from cim_core.city import City
from cim_core.errors import MissingDependency
from server import pictures
from server.pictures import thumbnail
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.layers import box, layer_of, publish
from tests.support.serving import Server
from tests.support.warm import cim
from tests.test_cim_core.test_feature_places import EXACT, outlined


@pytest.fixture
def boxes(city: City) -> City:
    publish(city, layer_of({"a": [box((4, 4, 4))], "b": [box((2, 2, 9), (8, 0, 0))]}))
    publish(city, outlined(EXACT))
    return city


def test_every_layer_stands_at_one_place_of_the_tree(boxes: City, server: Server) -> None:
    tree = server.client.get("/catalogue").json()["tree"]
    assert [family["title"]["zh"] for family in tree][:2] == ["时空基础", "资源调查"]
    standing: dict[str, list[str]] = {}

    def walk(node: dict) -> None:
        standing.setdefault(node["id"], []).extend(layer["id"] for layer in node["layers"])
        for layer in node["layers"]:
            assert layer == server.client.get(f"/collections/{layer['id']}").json()
        for child in node["children"]:
            walk(child)

    for family in tree:
        walk(family)
    assert {place: ids for place, ids in standing.items() if ids} == {
        "projects/completion": ["boxes"], "base/maps": ["things"],
    }  # fmt: skip


def test_collections_say_what_they_are(boxes: City, server: Server) -> None:
    listed = {c["id"]: c for c in server.client.get("/collections").json()["collections"]}
    assert [(c["kind"], c["numberOfFeatures"]) for c in listed.values()] == [
        ("model", 2), ("vector", 5),
    ]  # fmt: skip
    assert listed["things"]["tileset"] is None
    assert listed["things"]["cim_level"] == 1
    for collection in listed.values():
        rels = {link["rel"] for link in collection["links"]}
        assert {"self", "items", "preview", "describedby"} <= rels
        assert collection["extent"]["temporal"]["interval"] == [[None, None]]


def test_what_is_said_about_a_layer_is_kept_with_a_receipt(boxes: City, server: Server) -> None:
    web = server.client
    with web.stream("GET", "/events") as events:
        said = {"licence": "CC BY 4.0", "date": "2024-05", "accuracy": 0.5, "place": "topics/poi"}
        answer = web.patch("/collections/things", json=said)
        assert answer.status_code == 200
        for line in events.iter_lines():  # everyone hears of it
            if line.startswith("data:") and json.loads(line[5:]).get("id") == "things":
                break
    changed = web.get("/collections/things").json()
    assert {key: changed[key] for key in said} == said
    assert changed["version"] == 1
    assert changed["extent"]["temporal"]["interval"] == [["2024-05-01T00:00:00Z", None]]
    receipt = web.get(answer.json()["links"][-1]["href"]).json()
    assert receipt["parameters"]["about"] == said
    assert web.patch("/collections/things", json={"date": None}).json()["date"] is None
    for wrong in ({"cim_level": 9}, {"colour": "red"}, {"place": "x"}):
        problem = web.patch("/collections/things", json=wrong)
        assert problem.status_code == 422
        assert problem.json()["detail_zh"]
    assert web.patch("/collections/nope", json={}).status_code == 404


def test_the_command_line_says_the_same(boxes: City) -> None:
    done = cim("about", "boxes", "--city", boxes.folder, "--set", "department=住建局", "--json")
    told = json.loads(done.stdout)
    assert (told["department"], told["lifecycle"]) == ("住建局", "present")
    assert boxes.receipts.get(told["receipt"])["kind"] == "about"
    assert boxes.layers.get("boxes").about.department == "住建局"
    done = cim("about", "boxes", "--city", boxes.folder, "--set", "department=")
    assert boxes.layers.get("boxes").about.department is None
    assert "projects/completion" in done.stdout
    assert cim("about", "boxes", "--city", boxes.folder, "--set", "level=9").returncode == 4


def test_what_an_import_is_told_about_a_layer_is_known_afterwards(tmp_path: Path) -> None:
    write_ifc(tmp_path / "small.ifc", Recipe())
    city = tmp_path / "new"
    options = ["--option", "licence=CC0", "--option", "cim_level=5"]
    done = cim("import", tmp_path / "small.ifc", "--city", city, *options, "--json")
    assert done.returncode == 0, done.stderr
    about = City.open(city).layers.get("small").about
    assert (about.licence, about.cim_level, about.place) == ("CC0", 5, "projects/completion")


def test_nearest_features_come_with_their_distances(boxes: City, server: Server) -> None:
    answer = server.client.get("/collections/things/nearest?point=113.46,23.1&limit=3")
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()["features"]
    assert found[0]["properties"]["distance"] == 0
    distances = [feature["properties"]["distance"] for feature in found]
    assert distances == sorted(distances)
    assert all(shapely.geometry.shape(feature["geometry"]).is_valid for feature in found)
    assert server.client.get("/collections/things/nearest?point=1").status_code == 422


def _size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_a_picture_is_painted_once_and_kept_with_the_version(boxes: City, server: Server) -> None:
    for layer in ("boxes", "things"):
        answer = server.client.get(f"/collections/{layer}/thumbnail", timeout=120)
        assert answer.headers["content-type"] == "image/png"
        assert _size(answer.content) == (320, 200)
        assert len(set(answer.content)) > 50, "a picture of something"
        kept = boxes.layers_folder / layer / "1" / "thumbnail.png"
        assert kept.read_bytes() == answer.content
        again = server.client.get(f"/collections/{layer}/thumbnail")
        assert again.content == answer.content


def test_where_nothing_can_be_painted_a_sign_stands_for_the_layer(
    boxes: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_gl(*_: object) -> bytes:
        raise MissingDependency("this machine cannot paint pictures of layers")

    monkeypatch.setattr(pictures, "thumbnail_png", without_gl)
    content, media_type = thumbnail(boxes, boxes.layers.get("boxes"))
    assert media_type == "image/svg+xml"
    assert b"<svg" in content
    assert b'width="320" height="200"' in content
    monkeypatch.undo()
    assert thumbnail(boxes, boxes.layers.get("boxes")) == (content, media_type), "kept"
