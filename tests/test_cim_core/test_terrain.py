"""Elevation models become one surface, exact to the millimetre where no grid had to change."""

import zipfile
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio

from cim_core.errors import Cancelled, InvalidInput
from cim_core.ground import Surface, Surfaces
from cim_core.importers.terrain import TerrainImporter
from cim_core.layer import Layer, Placement, Terrain
from cim_core.progress import Progress
from server.zh import in_chinese
from tests.support.rasters import EAST, NORTH, hills, imported, write_raster

US_FOOT = 1200 / 3937


def surface_of(layer: Layer) -> Surface:
    assert isinstance(layer.content, Terrain)
    return Surface(layer.content.surface)


def test_a_model_keeps_its_pixels(tmp_path: Path) -> None:
    heights = hills(300, 400)
    layer = imported(TerrainImporter(), write_raster(tmp_path / "dem.tif", heights), tmp_path)
    assert layer.kind == "terrain"
    assert layer.lifecycle == "present"
    with rasterio.open(tmp_path / "files/surface.tif") as kept:
        assert np.array_equal(kept.read(1), heights)
        assert kept.crs == rasterio.crs.CRS.from_epsg(4547)
        assert kept.bounds[:1] + kept.bounds[3:] == (EAST, NORTH)
        assert kept.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert kept.dtypes == ("float32",)
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["surface.tif"]
    (sheet,) = layer.features
    assert sheet.feature_class == "Coverage"
    assert layer.content.heights == (float(heights.min()), float(heights.max()))
    west, south, east, north = sheet.shape.bounds
    assert 113.4 < west < east < 113.5 and 23.0 < south < north < 23.2
    assert layer.frame.lon == pytest.approx((west + east) / 2, abs=1e-4)


def test_a_mixed_unit_model_stands_where_proj_has_it(data: Path, tmp_path: Path) -> None:
    """Feet across, metres up: the heights of the file are the heights of the ground."""
    path = data / "terrain/ky4_elevation.tif"
    with pytest.raises(InvalidInput, match="counts in feet") as refused:
        imported(TerrainImporter(), path, tmp_path)
    assert in_chinese(refused.value.sentence)
    ground = surface_of(imported(TerrainImporter(), path, tmp_path, vertical_unit="metre"))
    with rasterio.open(path) as theirs:
        heights, t, crs = theirs.read(1), theirs.transform, theirs.crs
    rows, columns = np.mgrid[3:400:29, 5:580:31]
    x, y = t.c + (columns.ravel() + 0.5) * t.a, t.f + (rows.ravel() + 0.5) * t.e
    there = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    found = ground(np.column_stack(there))
    assert np.abs(found - heights[rows, columns].ravel()).max() < 1e-3
    assert heights.min() > 117 and heights.max() < 226.3
    feet = imported(TerrainImporter(), path, tmp_path, vertical_unit="us-foot")
    assert feet.content.heights[1] == pytest.approx(heights.max() * US_FOOT)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4326"])
def test_places_in_other_systems(crs: str, tmp_path: Path) -> None:
    west, north, pixel = {
        "EPSG:3857": (12_630_000.0, 2_645_000.0, 5.0),
        "EPSG:4326": (113.45, 23.11, 5e-5),
    }[crs]
    path = write_raster(
        tmp_path / "dem.tif", hills(50, 60), crs=crs, west=west, north=north, pixel=pixel
    )
    ground = surface_of(imported(TerrainImporter(), path, tmp_path))
    x, y = west + 20.5 * pixel, north - 10.5 * pixel
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    assert ground(np.array([[lon, lat]]))[0] == pytest.approx(hills(50, 60)[10, 20], abs=1e-4)


def test_heights_in_feet_and_ellipsoidal_ones_become_the_citys(tmp_path: Path) -> None:
    heights = hills(40, 40)
    path = write_raster(tmp_path / "dem.tif", heights)
    feet = imported(TerrainImporter(), path, tmp_path, vertical_unit="foot")
    assert feet.content.heights[1] == pytest.approx(heights.max() * 0.3048)
    above = imported(
        TerrainImporter(), path, tmp_path, Placement(geoid_separation=-4.5),
        vertical_crs="EPSG:4979",
    )  # fmt: skip
    assert above.content.heights[1] == pytest.approx(heights.max() + 4.5)


def test_the_unit_beside_the_band_counts(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "dem.tif", hills(40, 40))
    with rasterio.open(path, "r+") as target:
        target.units = ("ft",)
    layer = imported(TerrainImporter(), path, tmp_path)
    assert layer.content.heights[1] == pytest.approx(hills(40, 40).max() * 0.3048)


def test_several_files_are_one_mosaic(tmp_path: Path) -> None:
    heights = hills(120, 160)
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    for row in range(2):
        for column in range(2):
            part = heights[row * 60 : row * 60 + 60, column * 80 : column * 80 + 80]
            write_raster(
                sheets / f"{row}{column}.tif",
                part,
                west=EAST + column * 400,
                north=NORTH - row * 300,
            )
    layer = imported(TerrainImporter(), sheets, tmp_path)
    assert len(layer.features) == 4
    with rasterio.open(tmp_path / "files/surface.tif") as kept:
        assert np.array_equal(kept.read(1), heights)
    with zipfile.ZipFile(tmp_path / "sheets.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sheets.iterdir():
            archive.write(path, f"a b/{path.name}")
    (tmp_path / "zip").mkdir()
    imported(TerrainImporter(), tmp_path / "sheets.zip", tmp_path / "zip")
    with rasterio.open(tmp_path / "zip/files/surface.tif") as kept:
        assert np.array_equal(kept.read(1), heights)


def test_the_finest_file_counts_and_others_fill_around_it(tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    write_raster(sheets / "a.tif", np.full((100, 100), 10, "f4"), pixel=10.0)
    fine = np.full((50, 50), 20, "f4")
    fine[:10] = -9999
    write_raster(
        sheets / "b.tif", fine, west=EAST + 200, north=NORTH - 300, pixel=4.0, nodata=-9999
    )
    degrees = np.full((30, 30), 30, "f4")
    write_raster(
        sheets / "c.tif", degrees, crs="EPSG:4326", west=113.4645, north=23.106, pixel=1e-4
    )
    layer = imported(TerrainImporter(), sheets, tmp_path)
    assert [feature.name for feature in layer.features] == ["b", "a", "c"]
    ground = surface_of(layer)
    to = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True)
    x = EAST + np.array([300, 300, 50, 550])
    y = NORTH - np.array([400, 320, 50, 950])
    assert np.allclose(ground(np.column_stack(to.transform(x, y))), [20, 10, 10, 10])
    assert ground(np.array([[113.466, 23.1045]]))[0] == pytest.approx(30)
    assert np.isnan(ground(np.array([[113.40, 23.1]]))).all()


def test_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    heights = hills(60, 60)
    heights[20:30, 20:30] = -32768
    path = write_raster(tmp_path / "dem.tif", heights, nodata=-32768)
    ground = surface_of(imported(TerrainImporter(), path, tmp_path))
    found = ground.at_pixels(np.array([[25.0, 25.0], [10.0, 10.0], [19.9, 25.5], [20.1, 25.5]]))
    assert np.isnan(found).tolist() == [True, False, False, True]
    assert 5 < found[2] < 60
    undeclared = write_raster(tmp_path / "undeclared.tif", heights)
    with pytest.raises(InvalidInput, match="-32768 m is not of this earth") as refused:
        imported(TerrainImporter(), undeclared, tmp_path)
    assert in_chinese(refused.value.sentence)
    said = surface_of(imported(TerrainImporter(), undeclared, tmp_path, nodata="-32768"))
    assert np.isnan(said.at_pixels(np.array([[25.0, 25.0]])))


def test_a_turned_model_is_laid_north_up(tmp_path: Path) -> None:
    cos, sin = 5 * np.cos(np.radians(30)), 5 * np.sin(np.radians(30))
    turned = rasterio.Affine(cos, sin, EAST, sin, -cos, NORTH)
    path = write_raster(tmp_path / "dem.tif", np.full((80, 80), 7, "f4"), transform=turned)
    ground = surface_of(imported(TerrainImporter(), path, tmp_path))
    x, y = EAST + 40 * (cos + sin), NORTH + 40 * (sin - cos)
    place = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True).transform(x, y)
    assert ground(np.array([place]))[0] == pytest.approx(7)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no crs", "does not say in which reference system"),
        ("nowhere", "does not say where it lies"),
        ("bands", "has 3 bands, and terrain has one"),
        ("empty", "holds no height"),
        ("text", "cannot be read as GeoTIFF"),
        ("cut", "is damaged"),
        ("elsewhere", "the coordinates"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_what_cannot_be_imported_is_refused_in_both_languages(
    fault: str, words: str, tmp_path: Path
) -> None:
    path, heights = tmp_path / "dem.tif", hills(600, 600)
    match fault:
        case "no crs":
            write_raster(path, heights, crs=None)
        case "nowhere":
            write_raster(path, heights, transform=None)
        case "bands":
            write_raster(path, np.stack([heights] * 3))
        case "empty":
            write_raster(path, np.full((9, 9), -1, "f4"), nodata=-1)
        case "text":
            path.write_text("no picture")
        case "cut":
            write_raster(path, heights)
            path.write_bytes(path.read_bytes()[:300_000])
        case "elsewhere":
            write_raster(path, heights, west=NORTH, north=EAST)
    with pytest.raises(InvalidInput, match=r"dem\.tif") as refused:
        imported(TerrainImporter(), path, tmp_path)
    assert words in refused.value.sentence
    assert in_chinese(refused.value.sentence)


def test_a_system_that_is_missing_can_be_said(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "dem.tif", hills(40, 40), crs=None)
    layer = imported(TerrainImporter(), path, tmp_path, Placement(crs="EPSG:4547"))
    assert layer.georeference.method == "user"
    assert surface_of(layer).pixel == 5.0


def test_a_file_that_refers_to_others_is_not_followed(tmp_path: Path) -> None:
    dem = write_raster(tmp_path / "secret.tif", hills(40, 40))
    path = tmp_path / "dem.tif"
    path.write_text(
        '<VRTDataset rasterXSize="40" rasterYSize="40"><VRTRasterBand dataType="Float32" band="1">'
        f"<SimpleSource><SourceFilename>{dem}</SourceFilename></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(InvalidInput, match="cannot be read as GeoTIFF"):
        imported(TerrainImporter(), path, tmp_path)


def test_an_import_can_be_cancelled(tmp_path: Path) -> None:
    from cim_core.layer import Source

    path = write_raster(tmp_path / "dem.tif", hills(40, 40))
    asked = []
    progress = Progress(cancelled=lambda: len(asked) > 1 or asked.append(1) is not None)
    with pytest.raises(Cancelled):
        TerrainImporter()(
            Source(path, "dem.tif", "a", "A", scratch=tmp_path), Placement(), progress
        )


def test_surfaces_lie_over_one_another(tmp_path: Path) -> None:
    present = imported(
        TerrainImporter(), write_raster(tmp_path / "a.tif", np.full((40, 40), 5, "f4")), tmp_path
    )
    below = Surfaces((surface_of(present),))
    (tmp_path / "pad").mkdir()
    pad = write_raster(
        tmp_path / "pad.tif", np.full((10, 10), 8, "f4"), west=EAST + 50, north=NORTH - 50
    )
    planned = imported(
        TerrainImporter(), pad, tmp_path / "pad", lifecycle="planned", ground=below
    )  # fmt: skip
    assert planned.lifecycle == "planned"
    assert planned.content.below == (present.content.surface,)
    both = Surfaces((surface_of(planned), *below.surfaces))
    to = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True)
    x, y = EAST + np.array([75.0, 20.0, -9.0]), NORTH - np.array([75.0, 20.0, 9.0])
    assert np.array_equal(both(np.column_stack(to.transform(x, y))), [8, 5, np.nan], equal_nan=True)


def test_files_at_both_ends_of_a_country_are_no_mosaic(tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    write_raster(sheets / "a.tif", hills(20, 20))
    write_raster(sheets / "b.tif", hills(20, 20), west=EAST + 150_000, north=NORTH + 1_800_000)
    with pytest.raises(InvalidInput, match="lie too far apart") as refused:
        imported(TerrainImporter(), sheets, tmp_path)
    assert in_chinese(refused.value.sentence)


PIPELINE = (
    "+proj=pipeline +step +inv +proj=tmerc +lon_0=114 +x_0=500000 +ellps=GRS80 "
    "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
"""A city's own system that happens to be EPSG:4547, so that GDAL can be asked as well."""


def test_a_model_in_the_citys_own_system_stands_where_its_pipeline_says(tmp_path: Path) -> None:
    heights = hills(150, 200)
    heights[100:110, 50:60] = np.nan
    path = write_raster(tmp_path / "dem.tif", heights, crs=None)
    own = Placement(city_crs="local", crs="local", pipeline=PIPELINE)
    layer = imported(TerrainImporter(), path, tmp_path, own)
    assert layer.georeference.crs == "local"
    assert not [p for p in tmp_path.iterdir() if p.is_dir() and p.name != "files"]
    (tmp_path / "known").mkdir()
    known = imported(TerrainImporter(), path, tmp_path / "known", Placement(crs="EPSG:4547"))
    random = np.random.default_rng(3)
    x, y = EAST + random.uniform(10, 990, 3000), NORTH - random.uniform(10, 740, 3000)
    places = np.column_stack(
        pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True).transform(x, y)
    )
    ours, theirs = surface_of(layer)(places), surface_of(known)(places)
    assert (np.isnan(ours) == np.isnan(theirs)).mean() > 0.995
    away = np.abs(ours - theirs)
    assert np.nanquantile(away, 0.999) < 0.3
    assert "tmerc" not in str(layer.georeference)
