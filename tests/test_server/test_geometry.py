"""Geometry taken out of a city over HTTP and on the command line."""

import io
import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import ezdxf
import httpx
import numpy as np
import pytest
import shapely
import trimesh
from PIL import Image

from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.frame import Frame
from cim_core.store.features import Query
from server.cli import EXIT_CODES
from server.extraction import extract
from tests.conftest import import_file
from tests.support.layers import GLASS, RED, box, layer_of, publish
from tests.support.serving import Server
from tests.support.warm import cim

ODD = ['a b/c"&<墙>', "100%", "wall/geometry", "x?y#z", "a,b", "2O2Fr$t4X7Zf8NOew3FNtn", "chair~2"]
FRAME = Frame(113.46, 23.10, 16.0)
SEPARATION = -5.0


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with a layer of boxes in two versions: a house of two storeys, a room, odd ids."""
    city = City.open_or_create(tmp_path_factory.mktemp("boxes") / "city")
    (city.folder / "city.toml").write_text(
        'name = "盒城"\n[place]\nanchor = [113.46, 23.1, 21.0]\ncrs = "EPSG:4547"\n'
        f"geoid_separation = {SEPARATION}\n",
        encoding="utf-8",
    )
    things = {
        "wall": [box((10, 0.2, 3))],
        "door": [box((1, 0.2, 2.1), (10, 0, 0), GLASS)],
        "slab": [box((11, 8, 0.2), (0, 0, -0.2))],
        "upper wall": [box((10, 0.2, 3), (0, 0, 3.2), RED)],
        "upper slab": [box((11, 8, 0.2), (0, 0, 3))],
        "room": [box((9, 7, 2.8), (0.5, 0.5, 0.1))],
        **{key: [box((1, 1, 1), (20 + 2 * n, 0, 0), RED)] for n, key in enumerate(ODD)},
    }
    classes = {"door": "IfcDoor", "slab": "IfcSlab", "upper slab": "IfcSlab", "room": "IfcSpace"}
    storeys = {
        "wall": "S1", "door": "S1", "slab": "S1", "room": "S1", "upper wall": "S2", "upper slab": "S2",
    }  # fmt: skip
    publish(city, layer_of({"wall": [box((2, 0.2, 3))]}, frame=FRAME))
    publish(city, layer_of(things, classes, FRAME, hidden=["IfcSpace"], storeys=storeys))
    return city


@pytest.fixture(scope="module")
def web(boxes: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    running = Server(boxes.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield running.client
    running.stop()
    assert running.odd_lines() == []


def ids_of(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    scene = trimesh.load_scene(io.BytesIO(answer.content), file_type="glb", process=False)
    edges = scene.graph.transforms.edge_data
    return {edge["metadata"]["id"] for edge in edges.values() if "metadata" in edge}


@pytest.mark.parametrize("feature_id", ODD)
def test_an_element_comes_out_whatever_its_id_looks_like(
    web: httpx.Client, feature_id: str
) -> None:
    answer = web.get(f"/collections/boxes/geometry/{quote(feature_id, safe='')}")
    assert ids_of(answer) == {feature_id}
    assert answer.headers["content-type"] == "model/gltf-binary"
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="boxes-') and name.endswith('.glb"')


def test_an_element_as_obj_is_a_zip_with_its_materials(web: httpx.Client) -> None:
    answer = web.get("/collections/boxes/geometry/door?f=obj")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="boxes-door.zip"'
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.namelist() == ["boxes-door.obj", "boxes-door.mtl"]
    assert b"mtllib boxes-door.mtl" in packed.read("boxes-door.obj")
    again = web.get("/collections/boxes/geometry/door?f=obj")
    ids = [one.headers["x-export-id"].encode() for one in (answer, again)]
    files = [zipfile.ZipFile(io.BytesIO(one.content)) for one in (answer, again)]
    assert len(set(ids)) == 2
    for name in packed.namelist():
        assert (
            len({file.read(name).replace(told, b"") for file, told in zip(files, ids, strict=True)})
            == 1
        )
    dates = [[item.date_time for item in file.infolist()] for file in files]
    assert dates[0] == dates[1]


def test_an_element_as_ply_in_the_city_s_system(web: httpx.Client) -> None:
    answer = web.get("/collections/boxes/geometry/wall?f=ply&crs=EPSG:4547")
    assert answer.headers["content-type"] == "application/ply"
    mesh = trimesh.load(io.BytesIO(answer.content), file_type="ply", process=False)
    assert mesh.volume == pytest.approx(6, rel=1e-3)  # the projection has a scale
    assert mesh.bounds[0] == pytest.approx([444675, 2555713, 16 - SEPARATION], abs=60)
    assert mesh.bounds[0][2] == pytest.approx(16 - SEPARATION, abs=1e-4)
    comments = answer.content[: answer.content.index(b"end_header")].decode()
    assert 'comment crs: "EPSG:4547"' in comments and '"version": 2' not in comments
    assert "comment version: 2" in comments


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ids=wall,door", {"wall", "door"}),
        ("ids=room", {"room"}),
        ("class=IfcSlab", {"slab", "upper slab"}),
        ("class=IfcSpace", {"room"}),
        ("storey=S1", {"wall", "door", "slab"}),
        ("storey=层 S2", {"upper wall", "upper slab"}),
        ("storey=S1&class=IfcDoor", {"door"}),
        ("ids=wall&version=1", {"wall"}),
    ],
)
def test_a_selection_is_what_the_filters_say_without_hidden_classes(
    web: httpx.Client, query: str, expected: set[str]
) -> None:
    assert ids_of(web.get(f"/collections/boxes/geometry?{query}")) == expected


def test_a_selection_by_box_is_what_touches_it(web: httpx.Client) -> None:
    places = FRAME.to_geographic(np.array([[19.0, -1, 0], [21.5, 2, 0]]))
    box_text = ",".join(f"{v:.8f}" for v in (*places[0][:2], *places[1][:2]))
    assert ids_of(web.get(f"/collections/boxes/geometry?bbox={box_text}")) == {ODD[0]}
    everything = ids_of(web.get("/collections/boxes/geometry"))
    assert everything == {"wall", "door", "slab", "upper wall", "upper slab", *ODD}


def test_an_earlier_version_is_given_as_it_was(web: httpx.Client) -> None:
    for version, length in ((1, 2), (2, 10)):
        answer = web.get(f"/collections/boxes/geometry/wall?f=ply&version={version}")
        mesh = trimesh.load(io.BytesIO(answer.content), file_type="ply", process=False)
        assert mesh.extents[0] == pytest.approx(length)


@pytest.mark.parametrize(
    ("path", "status", "english", "chinese"),
    [
        ("geometry/nothing", 404, "there is no feature 'nothing' in the layer 'boxes'", "没有构件“nothing”"),
        ("geometry?ids=wall,nothing", 404, "there is no feature 'nothing'", "没有构件“nothing”"),
        ("geometry/S1", 404, "has no geometry of its own", "自身没有几何"),
        ("geometry?class=IfcPump", 404, "no element of the layer 'boxes' matches", "没有符合条件的构件"),
        ("geometry?ids=,", 404, "no element of the layer 'boxes' matches", "没有符合条件的构件"),
        ("geometry?storey=S9", 404, "'S9' is not the id, or the one name", "“S9”不是图层“boxes”中楼层"),
        ("geometry?version=7", 404, "no version 7", "7"),
        ("geometry/wall?crs=EPSG:32632", 422, "lies outside the area of 'EPSG:32632'", "不在坐标系“EPSG:32632”"),
        ("geometry/wall?crs=EPSG:2263", 422, "does not count in metres", "单位不是米"),
        ("geometry/wall?crs=nonsense", 422, "'nonsense' is not known", "无法识别坐标系"),
        ("geometry/wall?f=stl", 422, "query.f", "query.f"),
        ("section", 422, "say where to cut in one way", "指定剖切位置"),
        ("section?height=1&line=1,2,3,4", 422, "say where to cut in one way", "指定剖切位置"),
        ("section?point=113.46,23.1,3", 422, "say where to cut in one way", "指定剖切位置"),
        ("section?height=500", 422, "which reaches from 20.80 to 27.20 m; move the plane", "请移动剖切面"),
        ("section?height=nan", 422, "nan m is no height", "不是有效高程"),
        ("section?height=1e300", 422, "is no height", "不是有效高程"),
        ("section?storey=S1&above=inf", 422, "inf m is no height", "不是有效高程"),
        ("section?storey=S9", 404, "'S9' is not the id", "层 S1, 层 S2"),
        ("section?line=1,2,3", 422, "line=1,2,3 is not a section line", "不是有效的剖切线"),
        ("section?line=113.46,23.1,113.46,23.1", 422, "are one place", "同一位置"),
        ("section?line=113.46,23.1,113.46,95", 422, "is not a section line", "不是有效的剖切线"),
        ("section?line=10,20,11,21", 422, "meets no element", "未与图层“boxes”的任何构件相交"),
        ("section?point=a,b,c&normal=1,1,1", 422, "point=a,b,c is not a place", "不是有效位置"),
        ("section?point=113.46,23.1,3&normal=0,0,0", 422, "has no direction", "法线没有方向"),
        ("section?point=113.46,23.1,3&normal=1e400,0,0", 422, "is not a direction", "不是有效方向"),
        ("section?height=22&class=IfcPump", 404, "no element of the layer 'boxes' matches", "没有符合条件"),
        ("section?height=22&f=dwg", 422, "query.f", "query.f"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_told_in_one_sentence_in_both_languages(
    web: httpx.Client, path: str, status: int, english: str, chinese: str
) -> None:
    answer = web.get(f"/collections/boxes/{path}")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert english in problem["detail"]
    assert chinese in problem["detail_zh"]


def section(web: httpx.Client, query: str) -> dict:
    answer = web.get(f"/collections/boxes/section?f=json&{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def cut_ids(document: dict) -> set[str]:
    return {item["id"] for item in document["cuts"]}


@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_what_has_no_bodies_is_not_given_as_an_empty_file(
    kind: str, city: City, tmp_path: Path
) -> None:
    tree = {"type": "Feature", "id": "t", "properties": {}, "geometry": None}
    tree["geometry"] = {"type": "Point", "coordinates": [113.46, 23.1]}
    path = tmp_path / "trees.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [tree]}))
    import_file(city, path)
    with pytest.raises(NotFound, match="no bodies"):
        extract(city, city.layers.get("trees"), Query(), kind)


def test_a_plan_at_a_height_is_in_the_city_s_heights(web: httpx.Client) -> None:
    ground = FRAME.height - SEPARATION
    document = section(web, f"height={ground + 1.2}")
    assert cut_ids(document) == {"wall", "door"}
    areas = {item["id"]: item["area"] for item in document["cuts"]}
    assert areas == pytest.approx({"wall": 2, "door": 0.2}, rel=1e-6)
    assert cut_ids(section(web, f"height={ground - 0.1}")) == {"slab"}
    assert document["plane"]["height"] == pytest.approx(ground + 1.2)
    assert document["version"] == 2 and document["receipt"]


def test_a_plan_over_a_storey_stands_on_what_most_of_its_elements_stand_on(
    web: httpx.Client,
) -> None:
    ground = FRAME.height - SEPARATION
    document = section(web, "storey=S1")
    assert document["plane"]["height"] == pytest.approx(ground + 1.2, abs=0.006)
    assert cut_ids(document) == {"wall", "door"}
    assert cut_ids(section(web, "storey=层 S2&above=1.5")) == {"upper wall"}
    assert cut_ids(section(web, "storey=S1&above=1.2&class=IfcSpace")) == {"room"}


def test_an_upright_section_shows_heights_in_the_city_s_datum(web: httpx.Client) -> None:
    ends = FRAME.to_geographic(np.array([[5.0, -3, 0], [5.0, 12, 0]]))
    line = ",".join(f"{v:.9f}" for end in ends for v in end[:2])
    document = section(web, f"line={line}")
    assert cut_ids(document) == {"wall", "slab", "upper wall", "upper slab"}
    ground = FRAME.height - SEPARATION
    [wall] = [item for item in document["cuts"] if item["id"] == "wall"]
    assert shapely.geometry.shape(wall["face"]).bounds == pytest.approx(
        (3, ground, 3.2, ground + 3), abs=2e-4
    )
    # The same plane by a point in it and the side it is seen from.
    place = ",".join(f"{v:.9f}" for v in ends[0][:2])
    same = section(web, f"point={place},{ground}&normal=1,0,0")
    assert same["bounds"] == pytest.approx(document["bounds"], abs=1e-6)


def test_a_tilted_section_cuts_the_whole_diagonal(web: httpx.Client) -> None:
    place = FRAME.to_geographic(np.array([[20.5, 0.5, 0.5]]))[0]
    query = f"point={place[0]:.9f},{place[1]:.9f},{place[2] - SEPARATION:.6f}&normal=1,1,1"
    [first] = [item for item in section(web, query)["cuts"] if item["id"] == ODD[0]]
    assert first["area"] == pytest.approx(3 * np.sqrt(3) / 4, abs=1e-4)


def test_a_section_comes_as_svg_dxf_and_png(web: httpx.Client, tmp_path: Path) -> None:
    url = "/collections/boxes/section?storey=S1&f="
    svg = web.get(url + "svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-disposition"] == 'inline; filename="boxes-section.svg"'
    ids = {path.get("data-id") for path in ET.fromstring(svg.content).iter()} - {None}
    assert ids == {"wall", "door"}
    dxf = web.get(url + "dxf")
    assert dxf.headers["content-type"] == "image/vnd.dxf"
    (tmp_path / "s.dxf").write_bytes(dxf.content)
    assert len(ezdxf.readfile(tmp_path / "s.dxf").modelspace().query("LWPOLYLINE")) == 2
    png = web.get(url + "png", timeout=120)
    assert png.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(png.content)).width > 500


def test_a_feature_links_to_its_geometry(web: httpx.Client) -> None:
    for feature_id in ("wall", ODD[0]):
        item = web.get(f"/collections/boxes/items/{quote(feature_id, safe='')}").json()
        [link] = [link for link in item["links"] if link["type"] == "model/gltf-binary"]
        assert ids_of(web.get(link["href"])) == {feature_id}


def test_too_much_at_once_is_refused_with_a_way_out(boxes: City, tmp_path: Path) -> None:
    server = Server(boxes.folder, tmp_path / "server.log", CIM_MAX_TRIANGLES="20")
    try:
        assert server.client.get("/collections/boxes/geometry/wall").status_code == 200
        for path in ("geometry?ids=wall,door", "section?storey=S1&f=json"):
            answer = server.client.get(f"/collections/boxes/{path}")
            assert answer.status_code == 413
            assert answer.json()["detail"].startswith(
                "the answer would have 24 triangles, and this server gives 20 at once; ask for fewer"
            )
            assert "24 个三角形" in answer.json()["detail_zh"]
    finally:
        server.stop()
    assert server.odd_lines() == []


def test_a_secret_system_is_not_shown_beside_longitude_and_latitude(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    (city.folder / "local.proj").write_text(
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=113.5 +x_0=40000 +y_0=-2500000"
        " +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    (city.folder / "local.proj").chmod(0o600)
    (city.folder / "city.toml").write_text(
        'name = "x"\n[place]\nanchor = [113.46, 23.1, 0]\ncrs = "LOCAL-1"\ncrs_pipeline = "local.proj"\n'
    )
    publish(city, layer_of({"a": [box()]}, frame=FRAME))
    known = city.layers.get("boxes")
    local = extract(city, known, Query(), "ply")["boxes.ply"]
    projected = extract(city, known, Query(), "ply", crs="LOCAL-1")["boxes.ply"]
    assert b'"lon": 113.46' in local and b"LOCAL-1" not in local and b"easting" not in local
    assert b'crs: "LOCAL-1"' in projected and b"113.46" not in projected


def test_the_commands_write_what_the_server_answers(
    boxes: City, web: httpx.Client, tmp_path: Path
) -> None:
    city = ("--city", boxes.folder)
    glb, svg = tmp_path / "out.GLB", tmp_path / "plan.svg"
    done = cim("extract", "boxes", *city, "--id", "wall", "--id", "a,b", "-o", glb)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    scene = trimesh.load_scene(io.BytesIO(glb.read_bytes()), file_type="glb", process=False)
    assert scene.area == pytest.approx(2 * (2 + 30 + 0.6) + 6)
    done = cim("section", "boxes", *city, "--storey", "层 S1", "-o", svg)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert svg.read_bytes() == web.get("/collections/boxes/section?storey=S1").content
    json_file = tmp_path / "plan.json"
    cim("section", "boxes", *city, "--height", "21.5", "-o", json_file)
    assert cut_ids(json.loads(json_file.read_text())) == {"wall", "door", *ODD}


def test_the_command_writes_an_obj_beside_its_materials_or_in_a_zip(
    boxes: City, tmp_path: Path
) -> None:
    one = ("extract", "boxes", "--city", boxes.folder, "--id", "door", "-o")
    assert cim(*one, tmp_path / "door.obj").returncode == 0
    assert "mtllib door.mtl" in (tmp_path / "door.obj").read_text()
    assert "newmtl" in (tmp_path / "door.mtl").read_text()
    assert cim(*one, tmp_path / "both.zip").returncode == 0
    assert zipfile.ZipFile(tmp_path / "both.zip").namelist() == ["both.obj", "both.mtl"]


def test_the_commands_end_with_a_sentence_where_they_cannot(boxes: City, tmp_path: Path) -> None:
    from cim_core import errors

    for arguments, kind, sentence in (
        (("extract", "boxes", "-o", tmp_path / "x.stl"), errors.UnsupportedFormat, "x.stl cannot be written"),
        (("extract", "nothing", "-o", tmp_path / "x.glb"), errors.NotFound, "there is no layer 'nothing'"),
        (("section", "boxes", "-o", tmp_path / "x.svg"), errors.InvalidInput, "say where to cut in one way"),
        (("section", "boxes", "--height", "500", "-o", tmp_path / "x.svg"), errors.InvalidInput, "move the plane"),
    ):  # fmt: skip
        done = cim(*arguments, "--city", boxes.folder)
        assert done.returncode == EXIT_CODES[kind]
        assert f"error: {sentence}" in done.stderr or sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
