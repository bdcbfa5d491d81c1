"""Point clouds: what a header may say, and what is asked when it says nothing usable."""

import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import laspy
import numpy as np
import pyproj
import pytest
import shapely
from laspy.vlrs.known import WktCoordinateSystemVlr

from cim_core.errors import InvalidInput
from cim_core.frame import Frame
from cim_core.importers.points import PointsImporter
from cim_core.importers.points_file import read_header, read_points
from cim_core.layer import Layer, Placement, PointCloud, Source
from cim_core.progress import Progress
from server.zh import in_chinese

IMPORTER = PointsImporter()


def imported(
    path: Path, scratch: Path, options: dict[str, str] | None = None, **said: object
) -> Layer:
    scratch.mkdir(parents=True)
    source = Source(path, path.name, "cloud", "Cloud", scratch=scratch, options=options or {})
    return IMPORTER(source, Placement(**said), Progress())


def geographic(layer: Layer) -> np.ndarray:
    """The points as the importer hands them on: longitude, latitude, ellipsoidal height."""
    assert isinstance(layer.content, PointCloud)
    files = [laspy.read(path) for path in layer.content.points]
    return layer.frame.to_geographic(np.vstack([np.column_stack([f.x, f.y, f.z]) for f in files]))


def written(path: Path, positions: np.ndarray, wkt: str | None = None, **fields: object) -> Path:
    """A LAS file of (n, 3) positions to the millimetre."""
    header = laspy.LasHeader(point_format=7, version="1.4")
    header.scales, header.offsets = np.full(3, 0.001), np.floor(positions.min(axis=0))
    if wkt is not None:
        header.vlrs.append(WktCoordinateSystemVlr(wkt))
    cloud = laspy.LasData(header)
    cloud.x, cloud.y, cloud.z = positions.T
    for name, values in fields.items():
        cloud[name] = values
    cloud.write(path)
    return path


TRAPS = {
    "an empty system": ("warsaw_small.las", {}, "warsaw_small.las does not say in which reference system"),
    "no system": ("ahn3_c25gn1_7.laz", {}, "ahn3_c25gn1_7.laz does not say in which reference system"),
    "a system of the globe on coordinates of a map": (
        "lone-star.copc.laz", {},
        "the coordinates 515368.6022, 4918340.364 cannot be in EPSG:4978; they are not on the earth's "
        "surface; say with --crs which map system they are in",
    ),
    "feet across, and heights in nothing": (
        "autzen_trim.laz", {}, "counts in feet and does not say in which unit heights are",
    ),
    "a system of another place": (
        "both_wkt_geotiff.las", {"crs": "EPSG:28992"}, "cannot be in EPSG:28992; ",
    ),
    "a system nobody knows": ("warsaw_small.las", {"crs": "EPSG:99"}, "'EPSG:99' is not known"),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_what_a_file_does_not_say_is_asked(trap: str, data: Path, tmp_path: Path) -> None:
    name, said, reason = TRAPS[trap]
    with pytest.raises(InvalidInput, match=re.escape(reason)) as caught:
        imported(data / "pointcloud" / name, tmp_path / "scratch", **said)
    assert in_chinese(caught.value.sentence) is not None
    assert list((tmp_path / "scratch").iterdir()) == []


def test_two_files_without_a_system_become_one_cloud(data: Path, tmp_path: Path) -> None:
    layer = imported_folder(data, tmp_path)
    assert [f.id for f in layer.features] == ["ahn3_c25gn1_6.laz", "ahn3_c25gn1_7.laz"]
    assert [f.attributes["points"] for f in layer.features] == [111_858, 106_232]
    assert layer.georeference.crs == "EPSG:7415"
    first = layer.features[0]
    assert (first.attributes["lowest"], first.attributes["highest"]) == (-0.594, 33.748)
    counts = {p.name: p.value for p in first.property_sets[0].properties}
    cloud = laspy.read(data / "pointcloud" / first.id)
    assert counts["2 Ground"] == int((np.array(cloud.classification) == 2).sum())
    assert counts["6 Building"] == int((np.array(cloud.classification) == 6).sum())
    # The outline is the convex one of all points, by PROJ.
    to_degrees = pyproj.Transformer.from_crs("EPSG:28992", "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(np.array(cloud.x), np.array(cloud.y))
    hull = shapely.MultiPoint(np.column_stack([lon, lat])).convex_hull
    assert first.shape.symmetric_difference(hull).area < 1e-6 * hull.area
    assert np.ptp(shapely.get_coordinates(first.shape, include_z=True)[:, 2]) == 0


def imported_folder(data: Path, tmp_path: Path) -> Layer:
    folder = tmp_path / "ahn"
    folder.mkdir()
    for name in ("ahn3_c25gn1_6.laz", "ahn3_c25gn1_7.laz"):
        (folder / name).write_bytes((data / "pointcloud" / name).read_bytes())
    return imported(folder, tmp_path / "scratch", crs="EPSG:7415")


def test_what_is_given_outranks_the_file_and_that_is_said(data: Path, tmp_path: Path) -> None:
    wkt = pyproj.CRS("EPSG:4547").to_wkt("WKT1_GDAL")
    other = written(tmp_path / "a.las", np.array([[500_000.0, 2_500_000.0, 1.0]] * 3), wkt)
    layer = imported(other, tmp_path / "scratch", crs="EPSG:4548")
    (warning,) = layer.warnings
    assert re.fullmatch(
        r"a\.las says that it is in CGCS2000.*; EPSG:4548 was used, as given", warning
    )
    assert imported(other, tmp_path / "own", crs="EPSG:4547").warnings == ()
    assert geographic(layer)[0, 0] == pytest.approx(117.0, abs=1e-6)
    assert in_chinese(layer.warnings[0]) is not None
    path = data / "pointcloud" / "both_wkt_geotiff.las"
    same = imported(path, tmp_path / "same", {"vertical_unit": "us-foot"}, crs="EPSG:6880")
    assert same.warnings == ()
    assert same.georeference.method == "user"


def test_the_well_known_text_comes_before_the_geotiff_keys(data: Path) -> None:
    scan = read_header(data / "pointcloud" / "both_wkt_geotiff.las", "both.las")
    assert scan.crs.startswith("PROJCS"), "its keys say EPSG:32104, which is in metres"
    assert scan.vertical_unit == "us-foot"


def test_geotiff_keys_serve_where_there_is_no_text(data: Path, tmp_path: Path) -> None:
    cloud = laspy.read(data / "pointcloud" / "both_wkt_geotiff.las")
    header = cloud.header
    for vlr in [v for v in header.vlrs if isinstance(v, WktCoordinateSystemVlr)]:
        header.vlrs.remove(vlr)
    header.global_encoding.wkt = False
    cloud.write(tmp_path / "keys.las")
    scan = read_header(tmp_path / "keys.las", "keys.las")
    assert (scan.crs, scan.vertical_unit) == ("EPSG:32104", "us-foot")


def test_heights_of_a_compound_system_are_in_its_own_unit(tmp_path: Path) -> None:
    positions = np.array([[636001.0, 848935.0, 400.0], [637179.0, 849497.0, 500.0]])
    wkt = pyproj.CRS("EPSG:2994+6360").to_wkt("WKT1_GDAL")  # feet across, US feet up
    layer = imported(written(tmp_path / "a.las", positions, wkt), tmp_path / "scratch")
    heights = geographic(layer)[:, 2]
    assert heights == pytest.approx([400 * 1200 / 3937, 500 * 1200 / 3937], abs=0.001)


@pytest.mark.parametrize("wkt", ["", "''", " \0", "PROJCS[broken", None])
def test_a_text_that_says_nothing_is_as_good_as_none(wkt: str | None, tmp_path: Path) -> None:
    path = written(tmp_path / "a.las", np.array([[500_000.0, 2_500_000.0, 1.0]] * 3), wkt)
    with pytest.raises(InvalidInput, match=r"a\.las does not say in which reference system"):
        imported(path, tmp_path / "scratch")
    assert len(geographic(imported(path, tmp_path / "again", crs="EPSG:4547"))) == 3


def test_geocentric_and_geographic_coordinates_are_taken_as_they_are(tmp_path: Path) -> None:
    there = np.array([[113.46, 23.10, 16.0], [113.461, 23.101, 20.0]])
    to_globe = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    globe = np.column_stack(to_globe.transform(*there.T))
    path = written(tmp_path / "globe.las", globe, pyproj.CRS("EPSG:4978").to_wkt("WKT1_GDAL"))
    found = geographic(imported(path, tmp_path / "one"))
    assert found == pytest.approx(there, abs=2e-3)
    assert Frame(113.46, 23.10, 16.0).from_geographic(found)[0] == pytest.approx(
        [0, 0, 0], abs=2e-3
    )


def test_a_local_scan_stands_at_the_anchor(tmp_path: Path) -> None:
    path = written(tmp_path / "a.las", np.array([[0.0, 0.0, 0.0], [10.0, 20.0, 5.0]]))
    layer = imported(path, tmp_path / "s", anchor=(113.46, 23.10, 16.0), geoid_separation=-4.0)
    frame = Frame(113.46, 23.10, 12.0)
    assert frame.from_geographic(geographic(layer)) == pytest.approx(
        np.array([[0, 0, 0], [10, 20, 5]]), abs=0.002
    )
    assert layer.features[0].attributes["lowest"] == pytest.approx(16.0, abs=0.001)


def test_colours_of_eight_bits_become_sixteen(tmp_path: Path) -> None:
    positions = np.array([[500_000.0, 2_500_000.0, 1.0]] * 3)
    dim = written(
        tmp_path / "dim.las", positions, red=[1, 128, 255], green=[0, 0, 0], blue=[0, 0, 0]
    )
    bright = written(
        tmp_path / "b.las", positions, red=[1, 128, 256], green=[0, 0, 0], blue=[0, 0, 0]
    )
    of_dim = next(read_points(read_header(dim, "dim.las"))).color
    of_bright = next(read_points(read_header(bright, "b.las"))).color
    assert of_dim is not None and of_dim[:, 0].tolist() == [257, 128 * 257, 65535]
    assert of_bright is not None and of_bright[:, 0].tolist() == [1, 128, 256]


def test_damaged_files_are_refused_in_one_sentence(data: Path, tmp_path: Path) -> None:
    whole = (data / "pointcloud" / "warsaw_small.las").read_bytes()
    packed = (data / "pointcloud" / "ahn3_c25gn1_6.laz").read_bytes()
    none = whole[:107] + bytes(4) + whole[111:]
    faults = {
        "text.las": (b"LASF is how it begins", "cannot be read as a LAS file"),
        "other.las": (b"PK\3\4" + whole[4:], "cannot be read as a LAS file"),
        "cut.las": (whole[:50_000], "cut off: it holds|cannot be read as a LAS file"),
        "cut.laz": (packed[:400_000], "cannot be read as a LAS file|cut off"),
        "empty.las": (none, "holds no points"),
    }
    for number, (name, (content, reason)) in enumerate(faults.items()):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=reason) as caught:
            imported(path, tmp_path / f"scratch{number}", crs="EPSG:2180")
        assert in_chinese(caught.value.sentence) is not None
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InvalidInput, match="holds no LAS or LAZ file"):
        imported(tmp_path / "nothing", tmp_path / "last")


def test_the_importer_knows_its_files(data: Path, tmp_path: Path) -> None:
    assert IMPORTER.recognises(data / "pointcloud")
    assert IMPORTER.recognises(data / "pointcloud" / "lone-star.copc.laz")
    assert not IMPORTER.recognises(data / "ifc")
    (tmp_path / "a.las").write_bytes(b"text")
    assert not IMPORTER.recognises(tmp_path / "a.las")


def test_memory_does_not_grow_with_the_number_of_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cim_core.importers.points_file._AT_ONCE", 10_000)
    random = np.random.default_rng(1)
    peaks = []
    for number, count in enumerate((20_000, 200_000)):
        corner = np.array([500_000.0, 2_500_000.0, 0.0])
        path = written(tmp_path / f"{count}.las", corner + random.random((count, 3)) * 100)
        tracemalloc.start()
        imported(path, tmp_path / f"scratch{number}", crs="EPSG:4547")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_new_version_keeps_its_frame(data: Path, tmp_path: Path) -> None:
    path = data / "pointcloud" / "warsaw_small.las"
    old = Frame(21.05, 52.215, 100.0)
    placement = Placement(crs="EPSG:2180", layer_frame=old)
    (tmp_path / "s").mkdir()
    source = Source(path, path.name, "cloud", "Cloud", scratch=tmp_path / "s")
    assert IMPORTER(source, placement, Progress()).frame == old
    far = replace(placement, layer_frame=Frame(0.0, 0.0, 0.0))
    (tmp_path / "t").mkdir()
    assert (
        IMPORTER(replace(source, scratch=tmp_path / "t"), far, Progress()).frame != far.layer_frame
    )
