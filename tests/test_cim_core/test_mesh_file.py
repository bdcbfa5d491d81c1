"""Mesh files: what is written is read back by trimesh, or line by line, with nothing lost."""

import io
import json
import re
import struct
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pyproj
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from cim_core.bodies import bodies
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.frame import Frame, projection
from cim_core.layer import Layer
from cim_core.mesh_file import (
    Scene,
    local_scene,
    projected_scene,
    write_glb,
    write_obj,
    write_ply,
)
from cim_core.store.features import Query
from tests.support.layers import GLASS, GUANGZHOU, RED, box, inside_out, layer_of, moved

TOWER, CHAIR, ODD = "2O2Fr$t4X7Zf8NOew3FNtn", "chair~2", 'a b/c"&<墙>'
ABOUT = {"layer": "boxes", "title": "方盒", "version": 3}
_SEAT = box((0.5, 0.5, 0.5), (1, 0, 0), RED)


@pytest.fixture
def layer() -> Layer:
    """A tower of two materials, a chair placed twice (once mirrored), and a thing with an odd id."""
    return layer_of(
        {
            TOWER: [box((2, 3, 10)), box((2, 0.1, 10), (0, 3, 0), GLASS)],
            CHAIR: [(_SEAT, moved((5, 6, 7))), (_SEAT, moved((-5, 6, 7), mirrored=True))],
            ODD: [box((1, 1, 1), (9, 9, 9), RED)],
        },
        classes={CHAIR: "IfcFurniture"},
    )


AREAS = {TOWER: 2 * (6 + 20 + 30) + 2 * (0.2 + 20 + 1), CHAIR: 3.0, ODD: 6.0}


def local(layer: Layer) -> Scene:
    return local_scene(layer, ABOUT, None)


def json_chunk(glb: bytes) -> dict:
    length = struct.unpack("<I", glb[12:16])[0]
    return json.loads(glb[20 : 20 + length])


def read_glb(glb: bytes) -> dict[str, list[trimesh.Trimesh]]:
    """Placed meshes by the `id` of their node, east, north and up again."""
    scene = trimesh.load_scene(io.BytesIO(glb), file_type="glb", process=False)
    found = defaultdict(list)
    back = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    for name in scene.graph.nodes_geometry:
        matrix, geometry = scene.graph[name]
        mesh = scene.geometry[geometry].copy().apply_transform(back @ matrix)
        edge = scene.graph.transforms.edge_data[scene.graph.base_frame, name]
        found[edge["metadata"]["id"]].append(mesh)
    return found


def read_obj(text: str) -> dict[str, list[tuple[str, np.ndarray]]]:
    """(material, corners (m, 3, 3)) by object, read as the format's description says."""
    vertices, found, owner, material = [], defaultdict(list), "", ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(part) for part in rest.split()])
        elif word == "o":
            owner = rest
        elif word == "usemtl":
            material = rest
        elif word == "f":
            corners = [vertices[int(part) - 1] for part in rest.split()]
            found[owner].append((material, np.array(corners)))
    return found


def area(corners: np.ndarray) -> float:
    u, v = corners[1] - corners[0], corners[2] - corners[0]
    return float(np.linalg.norm(np.cross(u, v)) / 2)


def read_ply(ply: bytes) -> tuple[dict[str, trimesh.Trimesh], trimesh.Trimesh]:
    """Meshes by the id that the comments give to the element numbers of the faces."""
    mesh = trimesh.load(io.BytesIO(ply), file_type="ply", process=False)
    head = ply[: ply.index(b"end_header")].decode()
    ids = re.findall(r"^comment element (\d+) (.*) (\w+) 名称 .*$", head, re.MULTILINE)
    number = mesh.metadata["_ply_raw"]["face"]["data"]["element"].reshape(-1)
    assert len(ids) == len(set(number.tolist()))
    parts = {key: mesh.submesh([number == int(index)], append=True) for index, key, _ in ids}
    return parts, mesh


def test_a_glb_holds_every_element_by_its_id_with_its_area(layer: Layer) -> None:
    found = read_glb(write_glb(local(layer)))
    assert {key: sum(m.area for m in meshes) for key, meshes in found.items()} == pytest.approx(
        AREAS
    )
    high = max(mesh.bounds[1][2] for meshes in found.values() for mesh in meshes)
    assert high == 10.0
    # A mirrored placement is inside out only where a reader forgets to turn its triangles.
    assert {round(abs(mesh.volume), 6) for mesh in found[CHAIR]} == {0.125}
    assert sorted(mesh.bounds[0][0] for mesh in found[CHAIR]) == [-6.5, 6.0]


def test_a_glb_keeps_colours_classes_and_where_it_is(layer: Layer) -> None:
    glb = write_glb(local(layer))
    tree = json_chunk(glb)
    assert [node["name"] for node in tree["nodes"]] == [TOWER, TOWER, CHAIR, CHAIR, ODD]
    assert tree["nodes"][2]["extras"] == {
        "id": CHAIR, "class": "IfcFurniture", "name": f"名称 {CHAIR}"
    }  # fmt: skip
    colors = {m["name"]: m["pbrMetallicRoughness"]["baseColorFactor"] for m in tree["materials"]}
    assert colors["red paint"] == list(RED.color)
    assert colors["玻璃 glass"] == list(GLASS.color)
    assert {m["name"] for m in tree["materials"] if m.get("alphaMode") == "BLEND"} == {GLASS.name}
    used = [m["primitives"][0]["material"] for m in tree["meshes"]]
    assert [tree["materials"][index]["name"] for index in used] == [
        "",
        GLASS.name,
        RED.name,
        RED.name,
    ]
    assert tree["asset"]["extras"]["origin"] == {
        "lon": GUANGZHOU.lon, "lat": GUANGZHOU.lat, "ellipsoidal_height": 16.0
    }  # fmt: skip
    assert tree["asset"]["extras"]["title"] == "方盒"
    assert write_glb(local(layer)) == glb


def test_a_mesh_placed_often_stands_once_in_a_glb() -> None:
    placed = {str(n): [(_SEAT, moved((n, 0, 0)))] for n in range(500)}
    tree = json_chunk(write_glb(local(layer_of(placed))))
    assert (len(tree["meshes"]), len(tree["nodes"])) == (1, 500)


def test_an_obj_has_one_object_per_element_with_its_materials(layer: Layer) -> None:
    files = write_obj(local(layer), "boxes")
    text = files["boxes.obj"].decode()
    found = read_obj(text)
    assert {key: sum(area(c) for _, c in faces) for key, faces in found.items()} == (
        pytest.approx(AREAS)
    )
    assert {material for material, _ in found[TOWER]} == {"material", "玻璃_glass"}
    volumes = sum(np.linalg.det(corners) for _, corners in found[CHAIR]) / 6
    assert volumes == pytest.approx(0.25)  # the mirrored one is turned
    assert '# title: "方盒"' in text
    library = files["boxes.mtl"].decode()
    red = re.search(r"newmtl red_paint\nKd (\S+) (\S+) (\S+)\nd 1", library)
    assert [round(255 * float(c)) for c in red.groups()] == list(RED.srgb())
    assert re.search(r"newmtl 玻璃_glass\nKd .*\nd 0.25", library)


def test_trimesh_reads_the_obj_with_its_colours(layer: Layer) -> None:
    files = write_obj(local(layer), "boxes")
    resolver = trimesh.resolvers.ZipResolver({n: io.BytesIO(c) for n, c in files.items()})
    scene = trimesh.load_scene(
        io.BytesIO(files["boxes.obj"]), file_type="obj", resolver=resolver, process=False
    )
    assert scene.area == pytest.approx(sum(AREAS.values()))
    colors = {tuple(int(c) for c in g.visual.material.diffuse[:3]) for g in scene.geometry.values()}
    assert RED.srgb() in colors


def test_a_ply_says_which_element_each_face_belongs_to(layer: Layer) -> None:
    ply = write_ply(local(layer))
    parts, mesh = read_ply(ply)
    assert {key: part.area for key, part in parts.items()} == pytest.approx(AREAS)
    assert mesh.vertices.dtype == np.float64
    colors = {tuple(color) for color in mesh.visual.vertex_colors.tolist()}
    assert colors == {(*PLAIN_SRGB, 255), (*RED.srgb(), 255), (*GLASS.srgb(), 64)}
    assert mesh.volume == pytest.approx(60 + 2 + 0.25 + 1)


PLAIN_SRGB = (229, 229, 226)


def test_projected_coordinates_are_those_of_proj_to_the_micrometre(layer: Layer) -> None:
    system = projection("EPSG:4526", geoid_separation=-5.0)  # eastings of eight digits
    scene = projected_scene(layer, ABOUT, system)
    ecef = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    plane = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4526", always_xy=True)
    matrix = GUANGZHOU.ecef_matrix()
    points = np.vstack([body.positions for body in bodies(layer.content)])
    lon, lat, height = ecef.transform(*(points @ matrix[:3, :3].T + matrix[:3, 3]).T)
    expected = np.column_stack([*plane.transform(lon, lat), height + 5.0])
    assert expected[:, 0].min() > 38_000_000
    ply = trimesh.load(io.BytesIO(write_ply(scene)), file_type="ply", process=False)
    assert np.abs(ply.vertices - expected).max() < 1e-6
    obj = write_obj(scene, "x")["x.obj"].decode()
    lines = [line.split()[1:] for line in obj.splitlines() if line.startswith("v ")]
    assert np.abs(np.array(lines, float) - expected).max() < 2e-6
    glb = write_glb(scene)
    origin = json_chunk(glb)["asset"]["extras"]["origin"]
    placed = np.vstack([m.vertices for meshes in read_glb(glb).values() for m in meshes])
    assert np.abs(np.sort(placed + origin, axis=0) - np.sort(expected, axis=0)).max() < 1e-5
    assert json_chunk(glb)["asset"]["extras"]["crs"] == "EPSG:4526"


def test_a_local_file_says_where_its_origin_lies_in_the_city_s_system(layer: Layer) -> None:
    system = projection("EPSG:4547")
    said = local_scene(layer, ABOUT, system).about["origin_in_crs"]
    plane = pyproj.Proj("EPSG:4547")
    east, north = plane(GUANGZHOU.lon, GUANGZHOU.lat)
    assert (said["easting"], said["northing"]) == pytest.approx((east, north), abs=1e-3)
    # True north lies off grid north by the convergence, to the other side.
    convergence = plane.get_factors(GUANGZHOU.lon, GUANGZHOU.lat).meridian_convergence
    assert said["bearing_of_y"] == pytest.approx(-convergence, abs=1e-4)


@pytest.mark.parametrize(
    ("crs", "sentence"),
    [
        ("EPSG:32632", "the layer 'boxes' lies outside the area of 'EPSG:32632'"),
        ("EPSG:2263", "the reference system 'EPSG:2263' does not count in metres"),
    ],
)
def test_a_system_that_does_not_fit_is_refused(layer: Layer, crs: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(sentence)):
        projected_scene(layer, ABOUT, projection(crs))


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_no_id_or_name_breaks_a_file(feature_id: str, name: str) -> None:
    layer = layer_of({feature_id: [box()]})
    [feature] = layer.content.features
    content = replace(layer.content, features=(replace(feature, name=name),))
    scene = local(replace(layer, content=content))
    obj = write_obj(scene, "x")["x.obj"].decode()
    assert len([line for line in obj.split("\n") if line.startswith("f ")]) == 12
    assert sum(area(c) for faces in read_obj_lf(obj).values() for _, c in faces) == pytest.approx(6)
    ply = trimesh.load(io.BytesIO(write_ply(scene)), file_type="ply", process=False)
    assert ply.area == pytest.approx(6)
    assert list(read_glb(write_glb(scene))) == [feature_id]


def read_obj_lf(text: str) -> dict[str, list[tuple[str, np.ndarray]]]:
    return read_obj("\n".join(line for line in text.split("\n") if line[:2] in ("v ", "f ")))


def test_a_surface_inside_out_stays_as_it_is() -> None:
    scene = local(layer_of({"a": [inside_out(box())]}))
    ply = trimesh.load(io.BytesIO(write_ply(scene)), file_type="ply", process=False)
    assert ply.volume == pytest.approx(-1)


def test_real_elements_keep_their_area_in_all_formats(real_city: City) -> None:
    for known in real_city.layers.current():
        layer = real_city.select(known, Query())
        scene = local(layer)
        expected: dict[str, float] = defaultdict(float)
        for body in bodies(layer.content):
            corners = body.positions[body.triangles]
            cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            expected[body.feature.id] += float(np.linalg.norm(cross, axis=1).sum() / 2)
        glb = {key: sum(m.area for m in part) for key, part in read_glb(write_glb(scene)).items()}
        assert glb == pytest.approx(expected, rel=1e-4, abs=1e-6), known.layer
        ply = trimesh.load(io.BytesIO(write_ply(scene)), file_type="ply", process=False)
        number = ply.metadata["_ply_raw"]["face"]["data"]["element"].reshape(-1)
        areas = np.bincount(number, weights=ply.area_faces)
        assert areas == pytest.approx(list(expected.values()), rel=1e-9, abs=1e-9)
        obj = read_obj(write_obj(scene, "x")["x.obj"].decode())
        found = {key: sum(area(c) for _, c in faces) for key, faces in obj.items()}
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-5), known.layer


def test_a_layer_far_from_the_frame_keeps_its_millimetres_in_a_glb() -> None:
    far = layer_of({"a": [(box(), moved((40_000, 0, 0)))]}, frame=Frame(113.0, 23.1, 0))
    [mesh] = read_glb(write_glb(local(far)))["a"]
    assert mesh.area == pytest.approx(6, abs=1e-6)
