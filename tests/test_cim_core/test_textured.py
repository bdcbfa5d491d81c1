"""Textured models: their pictures stay, and they stand where they are said to."""

import json
import struct
from pathlib import Path

import numpy as np
import pyproj
import pytest
import trimesh
from PIL import Image

from cim_core.errors import InvalidInput
from cim_core.frame import Frame
from cim_core.importers.textured import TexturedImporter
from cim_core.layer import Layer, TexturedModel
from tests.support.vectors import CORNER, GK114, imported, zipped

PLACE = (113.46, 23.1, 5.0)
SIZE = (10.0, 20.0, 5.0)
OBJ = """mtllib box.mtl
usemtl brick
v 0 0 0
v 10 0 0
v 10 20 0
v 0 20 5
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3
f 1/1 3/3 4/4
"""


def obj_folder(folder: Path, picture: str = "brick.jpg", *, there: bool = True) -> Path:
    folder.mkdir()
    (folder / "box.obj").write_text(OBJ)
    (folder / "box.mtl").write_text(f"newmtl brick\nKd 1 1 1\nmap_Kd {picture}\n")
    if there:
        pixels = np.random.default_rng(7).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / picture)
    return folder


def read(path: Path, tmp_path: Path, **more: object) -> Layer:
    scratch = tmp_path / "version"
    scratch.mkdir(exist_ok=True)
    return imported(TexturedImporter(), path, scratch=scratch, **more)


def places(layer: Layer) -> np.ndarray:
    """The vertices of the written GLB on earth, (n, 3), read by trimesh."""
    assert isinstance(layer.content, TexturedModel)
    scene = trimesh.load_scene(layer.content.model)
    points = np.vstack([part.vertices for part in scene.dump()])
    return layer.frame.to_geographic(np.column_stack([points[:, 0], -points[:, 2], points[:, 1]]))


def glb(path: Path) -> dict:
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])


def test_a_model_at_an_anchor_stands_there(tmp_path: Path) -> None:
    path = zipped(obj_folder(tmp_path / "box"), tmp_path / "box.zip")
    assert TexturedImporter().recognises(path)
    layer = read(path, tmp_path, anchor=PLACE, separation=-4.0)
    local = Frame(113.46, 23.1, 1.0).from_geographic(places(layer))
    assert local.min(axis=0) == pytest.approx([0, 0, 0], abs=1e-4)
    assert local.max(axis=0) == pytest.approx(SIZE, abs=1e-4)
    (feature,) = layer.features
    assert feature.attributes["triangles"] == 2
    assert feature.attributes["highest"] == pytest.approx(10.0, abs=1e-3)
    assert layer.warnings == ()
    assert not (tmp_path / "version" / "unpacked").exists()


def test_a_model_in_a_map_system_stands_where_pyproj_puts_it(tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box")
    offset = f"{CORNER[0]},{CORNER[1]},12"
    layer = read(folder / "box.obj", tmp_path, crs=GK114, offset=offset)
    to_map = pyproj.Transformer.from_crs(4326, GK114, always_xy=True)
    found = places(layer)
    east, north = to_map.transform(found[:, 0], found[:, 1])
    there = np.column_stack([east, north, found[:, 2]]) - [*CORNER, 12.0]
    assert there.min(axis=0) == pytest.approx([0, 0, 0], abs=1e-3)
    assert there.max(axis=0) == pytest.approx(SIZE, abs=1e-3)


def test_jpeg_stays_jpeg_and_webp_stays_webp(tmp_path: Path) -> None:
    for picture, kind in (("brick.jpg", "image/jpeg"), ("brick.webp", "image/webp")):
        folder = obj_folder(tmp_path / kind.replace("/", "-"), picture)
        layer = read(folder / "box.obj", tmp_path, anchor=PLACE)
        document = glb(layer.content.model)
        assert [image["mimeType"] for image in document["images"]] == [kind]
        assert document["meshes"][0]["primitives"][0]["attributes"].keys() >= {"TEXCOORD_0"}


def test_a_missing_picture_is_named_and_not_fatal(tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box", there=False)
    layer = read(folder / "box.obj", tmp_path, anchor=PLACE)
    assert any("brick.jpg" in warning for warning in layer.warnings)
    assert len(places(layer)) >= 4


def test_gltf_has_y_up_and_ply_z_up(tmp_path: Path) -> None:
    """The same box, laid out as each format has it, stands the same way."""
    box = trimesh.creation.box(extents=SIZE)
    box.visual = trimesh.visual.ColorVisuals(box, vertex_colors=[200, 100, 50, 255])
    box.export(tmp_path / "box.ply")
    upright = box.copy()
    upright.vertices = upright.vertices @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]]).T
    upright.export(tmp_path / "box.glb")
    for name in ("box.ply", "box.glb"):
        layer = read(tmp_path / name, tmp_path, anchor=PLACE)
        local = Frame(*PLACE).from_geographic(places(layer))
        assert np.ptp(local, axis=0) == pytest.approx(SIZE, abs=1e-3), name


@pytest.mark.parametrize(
    "picture", ["http://example.org/a.jpg", "../a.jpg", "/etc/a.jpg", "\\\\host\\a.jpg"]
)
def test_what_does_not_lie_beside_the_model_is_refused(picture: str, tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box", picture, there=False)
    with pytest.raises(InvalidInput, match="does not lie beside it"):
        read(folder / "box.obj", tmp_path, anchor=PLACE)


def test_a_remote_picture_in_a_glb_is_refused(tmp_path: Path) -> None:
    document = {"asset": {"version": "2.0"}, "images": [{"uri": "https://example.org/a.png"}]}
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = b"glTF" + struct.pack("<II", 2, 20 + len(text)) + struct.pack("<I", len(text)) + b"JSON"
    (tmp_path / "a.glb").write_bytes(head + text)
    with pytest.raises(InvalidInput, match=r"names https://example\.org/a\.png"):
        read(tmp_path / "a.glb", tmp_path, anchor=PLACE)


def test_without_a_place_it_is_refused_and_the_remedy_named(tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box")
    with pytest.raises(InvalidInput, match="does not say where it stands; give --anchor"):
        read(folder / "box.obj", tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"offset": "1,2"}, "offset=1,2 is not an offset"),
        ({"offset": "1,2,nan"}, "offset=1,2,nan is not an offset"),
        ({"up": "x"}, "up=x is not an axis"),
    ],
)
def test_wrong_options_are_refused(options: dict, sentence: str, tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box")
    with pytest.raises(InvalidInput, match=sentence):
        read(folder / "box.obj", tmp_path, anchor=PLACE, **options)


@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.obj", "a.ply"])
def test_a_damaged_model_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(InvalidInput, match="export it again"):
        read(tmp_path / name, tmp_path, anchor=PLACE)


def test_an_archive_of_two_models_is_refused(tmp_path: Path) -> None:
    folder = obj_folder(tmp_path / "box")
    (folder / "second.obj").write_text(OBJ)
    with pytest.raises(InvalidInput, match="holds 2 models"):
        read(zipped(folder, tmp_path / "a.zip"), tmp_path, anchor=PLACE)
