"""Point clouds as tiles: all points, at their places, with what they carry; the same every time."""

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import laspy
import numpy as np
import pyproj
import pytest
from py3dtiles.tileset.content import Pnts

from cim_core.city import City
from cim_core.errors import Cancelled
from cim_core.importers.points import PointsImporter
from cim_core.layer import FILES, Layer, Placement, PointCloud, Source
from cim_core.progress import Progress
from cim_core.work import Crew
from server.ingest import Upload, ingest, layer_id_for
from tiles import build_tileset, check_tiles
from tiles.check import BrokenTileset
from tiles.points import _enclose, _name_from
from tiles.points_check import check_points, read_pnts

# What is said of each file beside it, the number of its points, its heights in metres, and the way
# from its coordinates to the ellipsoid as PROJ has it; both files of Amsterdam say nothing themselves.
FILES_AND_WAYS = {
    "ahn3_c25gn1_6.laz": ({"crs": "EPSG:7415"}, 111_858, 1.0, "EPSG:28992"),
    "autzen_trim.laz": ({"options": {"vertical_unit": "foot"}}, 110_000, 0.3048, "EPSG:2994"),
    "both_wkt_geotiff.las": ({}, 25_408, 1200 / 3937, "EPSG:6880"),
    "lone-star.copc.laz": ({"crs": "EPSG:32613"}, 518_862, 1.0, "EPSG:32613"),
    "warsaw_small.las": ({"crs": "EPSG:2180"}, 3_000, 1.0, "EPSG:2180"),
}


@pytest.fixture(scope="module")
def clouds(data: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with every real point cloud."""
    city = City.open_or_create(tmp_path_factory.mktemp("clouds") / "city")
    for name, (said, *_) in FILES_AND_WAYS.items():
        path = data / "pointcloud" / name
        upload = Upload(path, name, layer_id_for(name), path.stem, **said)
        ingest(city, upload, Crew(), Progress())
    return city


def version_folder(city: City, name: str) -> Path:
    return city.layers_folder / layer_id_for(name) / "1"


def drawn(tileset: Path) -> Iterator[tuple[Pnts, np.ndarray]]:
    """The contents below the root, read by py3dtiles, and the way to EPSG:4978."""
    root = json.loads(tileset.read_bytes())["root"]
    matrix = np.array(root["transform"]).reshape(4, 4).T
    stack = [(child, tileset.parent) for child in root["children"]]
    while stack:
        tile, folder = stack.pop()
        stack += [(child, folder) for child in tile.get("children", [])]
        if "content" not in tile:
            continue
        path = folder / tile["content"]["uri"]
        if path.suffix == ".json":
            stack.append((json.loads(path.read_bytes())["root"], path.parent))
        else:
            yield Pnts.from_file(path), matrix


def read_back(tileset: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """EPSG:4978 positions, classification, intensity and colours of all points."""
    positions, classes, intensities, colors = [], [], [], []
    for pnts, matrix in drawn(tileset):
        local = pnts.get_vertices().astype(np.float64)
        positions.append(local @ matrix[:3, :3].T + matrix[:3, 3])
        classes.append(pnts.get_extra_field("classification"))
        intensities.append(pnts.get_extra_field("intensity"))
        if pnts.get_colors() is not None:
            colors.append(pnts.get_colors())
    return (
        np.vstack(positions), np.concatenate(classes), np.concatenate(intensities),
        np.vstack(colors) if colors else None,
    )  # fmt: skip


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    """How far two clouds are apart at most, seen from many sides; both (n, 3), in any order."""
    middle = expected.mean(axis=0)
    sides = np.random.default_rng(4).normal(size=(12, 3))
    sides /= np.linalg.norm(sides, axis=1)[:, None]
    return max(
        float(np.abs(np.sort((found - middle) @ s) - np.sort((expected - middle) @ s)).max())
        for s in sides
    )


@pytest.mark.parametrize("name", FILES_AND_WAYS)
def test_every_point_of_a_real_file_is_drawn_where_proj_puts_it(
    name: str, clouds: City, data: Path
) -> None:
    _, count, metres, crs = FILES_AND_WAYS[name]
    points = laspy.read(data / "pointcloud" / name)
    assert len(points) == count
    plane = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = plane.transform(np.array(points.x), np.array(points.y))
    globe = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    expected = np.column_stack(globe.transform(lon, lat, np.array(points.z) * metres))

    positions, classes, intensities, colors = read_back(
        version_folder(clouds, name) / "tileset.json"
    )
    assert len(positions) == count
    # LAS holds millimetres here; autzen's own text is not EPSG:2994 to the last digit.
    assert apart(positions, expected) < (0.01 if name == "autzen_trim.laz" else 0.002)
    assert np.bincount(classes).tolist() == np.bincount(points.classification).tolist()
    assert np.array_equal(np.sort(intensities), np.sort(points.intensity))
    if "red" in points.point_format.dimension_names:
        red = np.array(points.red)
        eight_bits = red if red.max() < 256 else red // 256
        assert np.array_equal(np.sort(colors[:, 0]), np.sort(eight_bits))
    else:
        assert colors is None


def test_the_version_holds_the_tiles_and_nothing_else(clouds: City) -> None:
    folder = version_folder(clouds, "warsaw_small.las")
    present = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert present == {"checkin.json", "files", "tileset.json"}
    version = clouds.layers.get("warsaw_small")
    assert version.summary["kind"] == "points"
    assert version.summary["tile_attributes"] == ["classification", "intensity"]
    assert version.summary["tileset"]["deviation"] < 0.001


def imported(path: Path, scratch: Path, **said: str) -> Layer:
    scratch.mkdir(parents=True)
    source = Source(path, path.name, "cloud", "Cloud", scratch=scratch)
    return PointsImporter()(source, Placement(**said), Progress())


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_points_give_the_same_bytes(data: Path, tmp_path: Path) -> None:
    path = data / "pointcloud" / "both_wkt_geotiff.las"
    made = []
    for name in ("one", "two"):
        scratch = tmp_path / name
        layer = imported(path, scratch)
        build_tileset(layer, tmp_path, scratch / "tileset.json", Progress())
        made.append(digest(scratch))
    assert made[0] == made[1]
    assert len(made[0]) > 5


def test_a_cancelled_tiling_leaves_no_working_files(data: Path, tmp_path: Path) -> None:
    layer = imported(data / "pointcloud" / "both_wkt_geotiff.las", tmp_path / "version")
    asked = iter([False] * 3)
    progress = Progress(cancelled=lambda: next(asked, True))
    with pytest.raises(Cancelled):
        build_tileset(layer, tmp_path, tmp_path / "version" / "tileset.json", progress)
    assert not (tmp_path / "version" / "tileset.json").exists()
    assert {path.name for path in (tmp_path / "version").iterdir()} == {"files", "points"}


@pytest.fixture
def tiled(data: Path, tmp_path: Path) -> tuple[Layer, Path]:
    """A small cloud's tiles, to be spoilt."""
    layer = imported(data / "pointcloud" / "warsaw_small.las", tmp_path / "v", crs="EPSG:2180")
    tileset = tmp_path / "v" / "tileset.json"
    build_tileset(layer, tmp_path, tileset, Progress())
    check_tiles(layer, tileset, [], Progress())
    return layer, tileset


def test_the_check_misses_no_fault(tiled: tuple[Layer, Path]) -> None:
    layer, tileset = tiled
    assert isinstance(layer.content, PointCloud)
    folder = tileset.parent / FILES / "points"
    one = sorted(folder.glob("r?.pnts"))[0]
    whole, document = one.read_bytes(), json.loads(tileset.read_bytes())

    def refused(reason: str) -> None:
        with pytest.raises(BrokenTileset, match=reason):
            check_points(tileset, 3000, Progress())

    one.write_bytes(whole[:-8])
    refused("the lengths in its header are wrong")
    one.write_bytes(b"pnt5" + whole[4:])
    refused("no pnts of version 1")
    start = 28 + struct.unpack_from("<I", whole, 12)[0]
    one.write_bytes(whole[:start] + struct.pack("<f", 1e6) + whole[start + 4 :])
    refused("points lie outside their tile")
    one.write_bytes(whole[:start] + struct.pack("<f", float("nan")) + whole[start + 4 :])
    refused("points that are nowhere")
    one.write_bytes(whole)
    (folder / "stray.pnts").write_bytes(whole)
    refused("no tile uses it")
    (folder / "stray.pnts").unlink()
    one.unlink()
    refused("missing or used twice")
    one.write_bytes(whole)
    with pytest.raises(BrokenTileset, match="3000 points instead of 2999"):
        check_points(tileset, 2999, Progress())
    child = document["root"]["children"][0]
    child["boundingVolume"]["box"][3] *= 9
    tileset.write_text(json.dumps(document))
    refused("reaches beyond its parent")
    child["boundingVolume"]["box"][3] /= 9
    child["geometricError"] = 1e9
    tileset.write_text(json.dumps(document))
    refused("larger than its parent's")


def test_a_branch_in_a_file_of_its_own_is_widened_and_checked_too(
    tiled: tuple[Layer, Path],
) -> None:
    _, tileset = tiled
    folder = tileset.parent / FILES / "points"
    document = json.loads(tileset.read_text().replace("files/points/", ""))
    root = document["root"]
    branch = root["children"][0]
    # As py3dtiles leaves a large branch, with a box that is not that of all below.
    small = {"box": [*branch["boundingVolume"]["box"][:3], *np.diag([1e-3] * 3).ravel().tolist()]}
    (folder / "tileset.0.json").write_text(json.dumps({**document, "root": branch}))
    outer = {**branch, "boundingVolume": small, "content": {"uri": "tileset.0.json"}}
    root["children"][0] = outer
    _enclose(root, folder)
    _name_from(root, "files/points/")
    tileset.write_text(json.dumps(document))
    check_points(tileset, 3000, Progress())
    assert outer["boundingVolume"]["box"] == pytest.approx(branch["boundingVolume"]["box"])


def test_our_reader_agrees_with_py3dtiles(tiled: tuple[Layer, Path]) -> None:
    for path in (tiled[1].parent / FILES).rglob("*.pnts"):
        ours, theirs = read_pnts(path.read_bytes()), Pnts.from_file(path)
        assert np.array_equal(ours.positions, theirs.get_vertices())
        assert np.array_equal(ours.colors, theirs.get_colors())
        for name, values in ours.properties.items():
            assert np.array_equal(values, theirs.get_extra_field(name))
