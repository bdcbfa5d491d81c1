"""Existing tilesets: taken over whole, or refused with what is wrong."""

import gzip
import json
import re
from pathlib import Path

import pyproj
import pytest
import shapely

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.importers.tileset import TilesetImporter
from cim_core.layer import FILES, ExternalTileset, Layer, Placement, Source
from cim_core.progress import Progress
from server.zh import in_chinese
from tests.conftest import import_file
from tests.support import tilesets
from tests.support.tilesets import b3dm, cmpt, document, glb, i3dm, placed, pnts, tile


def imported(path: Path, scratch: Path, **said: object) -> Layer:
    scratch.mkdir()
    source = Source(path, path.name, "there", "There", scratch=scratch)
    return TilesetImporter()(source, Placement(**said), Progress())


@pytest.mark.parametrize("form", ["folder", "zip", "3tz", "zip with a folder in it"])
def test_a_tileset_is_taken_over_byte_for_byte(form: str, tmp_path: Path) -> None:
    files = tilesets.whole()
    litter = {"readme.html": b"<script>", "__MACOSX/a.b3dm": b"", ".DS_Store": b""}
    match form:
        case "folder":
            path = tilesets.write_folder(tmp_path / "in", files | litter)
        case "zip" | "3tz":
            path = tilesets.write_zip(tmp_path / f"in.{form}", files | litter)
        case _:
            inside = {f"out/{name}": data for name, data in (files | litter).items()}
            path = tilesets.write_zip(tmp_path / "in.zip", inside)
    layer = imported(path, tmp_path / "scratch")
    folder = tmp_path / "scratch" / FILES / "tileset"
    kept = {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
    assert kept == files, "all that is used, and nothing that is not"
    assert layer.warnings == (f"1 files that no tile of {path.name} uses were left out",)
    assert isinstance(layer.content, ExternalTileset)
    assert layer.features[0].attributes["contents"] == {
        "b3dm": 1, "cmpt": 1, "glb": 1, "i3dm": 1, "json": 1, "pnts": 1
    }  # fmt: skip
    assert {p.name for p in (tmp_path / "scratch").iterdir()} == {FILES}


def test_its_place_is_that_of_its_root(tmp_path: Path) -> None:
    path = tilesets.write_folder(tmp_path / "in", tilesets.whole())
    shape = imported(path, tmp_path / "scratch").features[0].shape
    to_here = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=cart +step +proj=topocentric +lon_0=113.46 +lat_0=23.10 +h_0=16"
    )
    corners = [
        to_here.transform(*corner) for corner in shapely.get_coordinates(shape, include_z=True)
    ]
    assert {(round(x), round(y), round(z)) for x, y, z in corners} == {
        (x, y, 0) for x in (-10, 10) for y in (-10, 10)
    }


def test_a_region_and_a_sphere_have_a_place_too(tmp_path: Path) -> None:
    region = {"region": [1.98, 0.4, 1.9801, 0.4001, 2.0, 30.0]}
    root = tile("a.glb") | {"boundingVolume": region}
    path = tilesets.write_folder(tmp_path / "r", {"tileset.json": document(root), "a.glb": glb()})
    feature = imported(path, tmp_path / "one").features[0]
    assert feature.shape.bounds == pytest.approx(
        (113.44564, 22.91831, 113.45137, 22.92404), abs=1e-5
    )
    assert (feature.attributes["lowest"], feature.attributes["highest"]) == (2.0, 30.0)
    middle = tilesets.HERE.ecef_matrix()[:3, 3].tolist()
    root = tile("a.glb") | {"boundingVolume": {"sphere": [*middle, 100.0]}}
    path = tilesets.write_folder(tmp_path / "s", {"tileset.json": document(root), "a.glb": glb()})
    west, south, east, north = imported(path, tmp_path / "two").features[0].shape.bounds
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((113.46, 23.10), abs=1e-5)
    assert (north - south) * 110_800 == pytest.approx(200, rel=0.01)


def test_a_tileset_without_a_place_is_put_where_one_says(tmp_path: Path, city: City) -> None:
    files = {"tileset.json": document(tile("a.glb")), "a.glb": glb()}
    path = tilesets.write_folder(tmp_path / "local", files)
    with pytest.raises(InvalidInput, match="no place on the earth: its root lies 0 km"):
        imported(path, tmp_path / "scratch")
    report = import_file(city, path, anchor=(113.46, 23.10, 16.0))
    wrapped = json.loads((city.folder / "layers/local/1/tileset.json").read_bytes())
    assert wrapped["root"]["content"]["uri"] == "files/tileset/tileset.json"
    assert wrapped["root"]["transform"] == tilesets.HERE.ecef_matrix().T.ravel().tolist()
    assert report["georeference"]["method"] == "user"
    west, south, bottom, *_ = city.layers.get("local").summary["bbox"]
    assert (west, south, bottom) == pytest.approx((113.4599, 23.0999, 16.0), abs=1e-4)


def test_a_version_wraps_the_tileset_by_one_tile(tmp_path: Path, city: City) -> None:
    path = tilesets.write_zip(tmp_path / "there.3tz", tilesets.whole())
    report = import_file(city, path)
    assert (report["features"], report["georeference"]["crs"]) == (1, "EPSG:4978")
    root = json.loads((city.folder / "layers/there/1/tileset.json").read_bytes())["root"]
    assert "transform" not in root
    middle = tilesets.HERE.ecef_matrix() @ [0, 0, 5, 1]
    assert root["boundingVolume"]["box"][:3] == pytest.approx(middle[:3].tolist())
    assert city.layers.get("there").summary["kind"] == "tileset"


def test_implicit_tiles_bring_their_subtrees_and_contents(tmp_path: Path) -> None:
    subtrees = {"uri": "subtrees/{level}/{x}/{y}.subtree"}
    implicit = {
        "subdivisionScheme": "QUADTREE", "subtreeLevels": 2, "availableLevels": 2, "subtrees": subtrees
    }  # fmt: skip
    transform = tilesets.HERE.ecef_matrix().T.ravel().tolist()
    root = tile("c/{level}/{x}/{y}.glb", 9.0, implicitTiling=implicit, transform=transform)
    files = {
        "tileset.json": document(root, "1.1"), "subtrees/0/0/0.subtree": b"subt",
        "c/0/0/0.glb": glb(), "c/1/1/0.glb": glb(), "c/other.glb": glb(),
    }  # fmt: skip
    path = tilesets.write_folder(tmp_path / "in", files)
    layer = imported(path, tmp_path / "scratch")
    assert layer.features[0].attributes["contents"] == {"glb": 2}
    assert layer.warnings == ("1 files that no tile of in uses were left out",)
    (path / "c/1/1/0.glb").write_bytes(b"glTF")
    with pytest.raises(InvalidInput, match=r"c/1/1/0\.glb in the tileset is not right"):
        imported(path, tmp_path / "again")


WRONG = {
    "no version": ({"tileset.json": b'{"asset":{},"geometricError":1,"root":{}}'}, "asset.version is None"),
    "another version": ({"tileset.json": document(tile(), "2.0")}, "asset.version is 2.0"),
    "no JSON": ({"tileset.json": b"{"}, "it is no JSON;"),
    "nested beyond sense": ({"tileset.json": b"[" * 200_000}, "it is no JSON;"),
    "a list": ({"tileset.json": b"[]"}, "it is no JSON object"),
    "no root": ({"tileset.json": b'{"asset":{"version":"1.0"},"geometricError":1}'}, "it has no root"),
    "no error": ({"tileset.json": document({"boundingVolume": {}})}, "a geometricError in it is missing"),
    "a bad error": ({"tileset.json": document(tile(error=float("nan")))}, "a geometricError in it"),
    "no volume": ({"tileset.json": document({"geometricError": 1})}, "a boundingVolume in it is missing"),
    "a short box": (
        {"tileset.json": document({"geometricError": 1, "boundingVolume": {"box": [1, 2, 3]}})},
        "no box, sphere or region of numbers",
    ),
    "a bad transform": ({"tileset.json": document(tile(transform=[1, 2]))}, "not 16 numbers"),
    "a bad refine": ({"tileset.json": document(tile(refine="MORE"))}, "neither ADD nor REPLACE"),
    "children that are none": ({"tileset.json": document(tile(children={}))}, "no list"),
    "a child that is none": ({"tileset.json": placed(3)}, "one of its tiles is no object"),
    "implicit without subtrees": (
        {"tileset.json": document(tile(implicitTiling={}))}, "names no subtrees",
    ),
    "no name": ({"tileset.json": placed(tile(""))}, "a file without a name"),
    "a missing content": ({"tileset.json": placed(tile("a.b3dm"))}, "a.b3dm, which is not there"),
    "a remote content": (
        {"tileset.json": placed(tile("https://example.com/a.b3dm"))}, "which is not beside it",
    ),
    "a remote content without scheme": (
        {"tileset.json": placed(tile("//example.com/a.b3dm"))}, "which is not beside it",
    ),
    "a file: content": ({"tileset.json": placed(tile("file:///etc/a.glb"))}, "which is not beside it"),
    "an absolute content": ({"tileset.json": placed(tile("/etc/a.glb"))}, "which is not beside it"),
    "a content above": ({"tileset.json": placed(tile("../a.glb"))}, "which is outside its folder"),
    "a hidden content above": (
        {"tileset.json": placed(tile("%2e%2e/a.glb"))}, "which is outside its folder",
    ),
    "a page": (
        {"tileset.json": placed(tile("a.html")), "a.html": b3dm(glb())}, "which is no file of 3D Tiles",
    ),
    "much data": (
        {"tileset.json": placed(tile("data:,".ljust(17 << 20, "a")))}, "more data than may stand in",
    ),
    "itself": (
        {"tileset.json": placed(tile("b.json")), "b.json": document(tile("c.json")),
         "c.json": document(tile("b.json"))},
        "a tileset that holds itself",
    ),
    "a packed content": (
        {"tileset.json": placed(tile("a.b3dm")), "a.b3dm": gzip.compress(b3dm(glb()))},
        "it is packed with gzip",
    ),
    "a packed tileset": ({"tileset.json": gzip.compress(placed())}, "it is packed with gzip"),
    "another magic": ({"tileset.json": placed(tile("a.b3dm")), "a.b3dm": glb()}, "it is no b3dm"),
    "a short header": (
        {"tileset.json": placed(tile("a.b3dm")), "a.b3dm": b"b3dm"}, "shorter than its header",
    ),
    "a cut content": (
        {"tileset.json": placed(tile("a.b3dm")), "a.b3dm": b3dm(glb())[:-8]}, "header announces",
    ),
    "wrong parts": (
        {"tileset.json": placed(tile("p.pnts")), "p.pnts": pnts()[:12] + b"\xff\xff" + pnts()[14:]},
        "the lengths in its header are more",
    ),
    "no glTF inside": (
        {"tileset.json": placed(tile("a.b3dm")), "a.b3dm": b3dm(b"nothing at all, really")},
        "no binary glTF where it should",
    ),
    "a cut glTF": (
        {"tileset.json": placed(tile("a.b3dm")), "a.b3dm": b3dm(glb()[:-8])}, "its glTF announces",
    ),
    "a glTF without JSON": (
        {"tileset.json": placed(tile("a.glb")), "a.glb": glb().replace(b"JSON", b"BIN\0")},
        "does not begin with JSON",
    ),
    "a model that calls home": (
        {"tileset.json": placed(tile("a.b3dm")),
         "a.b3dm": b3dm(glb(images=[{"uri": "http://example.com/1.png"}]))},
        "which is not beside it",
    ),
    "an instance that calls home": (
        {"tileset.json": placed(tile("a.i3dm")), "a.i3dm": i3dm("http://example.com/t.glb")},
        "which is not beside it",
    ),
    "a plain glTF that is none": (
        {"tileset.json": placed(tile("a.gltf")), "a.gltf": b"{}"}, "it is no glTF",
    ),
    "strange things in a composite": (
        {"tileset.json": placed(tile("a.cmpt")), "a.cmpt": cmpt(b"vctr" + b3dm(glb())[4:])},
        "no content of 3D Tiles",
    ),
    "a composite without end": (
        {"tileset.json": placed(tile("a.cmpt")),
         "a.cmpt": cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(pnts()))))))))))},
        "deeper than anything to be shown",
    ),
    "a composite that counts wrongly": (
        {"tileset.json": placed(tile("a.cmpt")), "a.cmpt": cmpt(pnts())[:12] + b"\2" + cmpt(pnts())[13:]},
        "announces more contents than it has",
    ),
    "a composite that stands still": (
        {"tileset.json": placed(tile("a.cmpt")),
         "a.cmpt": cmpt(b"pnts\1\0\0\0\0\0\0\0" + bytes(20))},
        "has no length",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_broken_tileset_is_refused_with_what_is_wrong(fault: str, tmp_path: Path) -> None:
    files, reason = WRONG[fault]
    path = tilesets.write_folder(tmp_path / "in", files)
    with pytest.raises(InvalidInput, match=re.escape(reason)) as caught:
        imported(path, tmp_path / "scratch")
    chinese = in_chinese(caught.value.sentence)
    assert chinese is not None
    assert not re.search(r"it |is no|refers|header", chinese), chinese
    assert not (tmp_path / "scratch" / FILES).exists()
