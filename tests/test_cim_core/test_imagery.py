"""Orthophotos become one picture, in their own pixels."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from cim_core.errors import InvalidInput
from cim_core.importers.imagery import ImageryImporter
from cim_core.importers.terrain import TerrainImporter
from server.importers import importer_for
from server.zh import in_chinese
from tests.support.rasters import EAST, hills, imported, write_raster


def picture(rows: int, columns: int) -> np.ndarray:
    y, x = np.mgrid[:rows, :columns]
    return np.stack([100 + x / columns * 100, 100 + y / rows * 100, 150 + 0 * x]).astype("u1")


def kept(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    with rasterio.open(tmp_path / "files/image.tif") as image:
        assert image.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        return image.read().astype(int), image.dataset_mask() > 0


def test_a_picture_stays_what_it_is(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "photo.tif", picture(700, 900))
    layer = imported(ImageryImporter(), path, tmp_path)
    assert layer.kind == "imagery"
    colours, there = kept(tmp_path)
    assert there.all()
    assert np.abs(colours - picture(700, 900)).max() <= 4  # JPEG
    with rasterio.open(layer.content.image) as image:
        assert image.overviews(1)
        assert image.crs.to_epsg() == 4547


def test_what_a_picture_does_not_show_is_transparent(tmp_path: Path) -> None:
    bands = np.concatenate([picture(600, 600), np.full((1, 600, 600), 255, "u1")])
    bands[3, :100] = 0
    path = tmp_path / "alpha.tif"
    write_raster(path, bands, photometric="rgb", alpha="yes")
    with rasterio.open(path) as source:
        assert source.colorinterp[3] == ColorInterp.alpha
    imported(ImageryImporter(), path, tmp_path)
    _, there = kept(tmp_path)
    assert not there[:100].any() and there[100:].all()
    black = picture(60, 60)
    black[:, :10] = 0
    black[0, 20:30] = 0  # no red is not nothing
    (tmp_path / "black").mkdir()
    imported(
        ImageryImporter(), write_raster(tmp_path / "black.tif", black, nodata=0), tmp_path / "black"
    )
    _, there = kept(tmp_path / "black")
    assert not there[:10].any() and there[10:].all()


def test_a_palette_becomes_colours(tmp_path: Path) -> None:
    numbers = np.zeros((64, 64), "u1")
    numbers[:, 32:] = 7
    path = tmp_path / "map.tif"
    write_raster(path, numbers)
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {0: (10, 200, 30, 255), 7: (250, 20, 20, 255)})
    assert ImageryImporter().recognises(path) and not TerrainImporter().recognises(path)
    imported(ImageryImporter(), path, tmp_path)
    colours, _ = kept(tmp_path)
    assert np.abs(colours[:, 10, 5] - (10, 200, 30)).max() < 12
    assert np.abs(colours[:, 10, 60] - (250, 20, 20)).max() < 12


def test_sheets_are_one_picture(tmp_path: Path) -> None:
    whole, sheets = picture(200, 300), tmp_path / "sheets"
    sheets.mkdir()
    write_raster(sheets / "a.tif", whole[:, :, :150])
    write_raster(sheets / "b.TIF", whole[:, :, 150:], west=EAST + 150 * 5)
    layer = imported(ImageryImporter(), sheets, tmp_path)
    assert len(layer.features) == 2
    colours, there = kept(tmp_path)
    assert there.all() and np.abs(colours - whole).max() <= 12


def test_what_a_tif_holds_decides_who_imports_it(tmp_path: Path) -> None:
    def kind(name: str, bands: np.ndarray) -> str:
        path = write_raster(tmp_path / name, bands)
        return importer_for(name, path).kind

    assert kind("a.tif", hills(9, 9)) == "terrain"
    assert kind("b.tif", hills(9, 9).astype("i2")) == "terrain"
    assert kind("c.tiff", picture(9, 9)) == "imagery"
    assert kind("d.tif", picture(9, 9)[0]) == "imagery"
    assert importer_for("d.tif", tmp_path / "d.tif", "terrain").kind == "terrain"


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_the_pictures_of_a_model_are_no_imagery(tmp_path: Path) -> None:
    write_raster(tmp_path / "skin.tif", picture(9, 9), crs=None, transform=None)
    write_raster(tmp_path / "photo.tif", picture(9, 9))
    for name in ("skin", "photo"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.write(tmp_path / f"{name}.tif", "a.tif")
    assert not ImageryImporter().recognises(tmp_path / "skin.zip")
    assert ImageryImporter().recognises(tmp_path / "photo.zip")


def test_numbers_that_are_no_colours_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "deep.tif", picture(9, 9).astype("u2"))
    with pytest.raises(InvalidInput, match="numbers of type uint16") as refused:
        imported(ImageryImporter(), path, tmp_path)
    assert in_chinese(refused.value.sentence)


def test_a_picture_in_the_citys_own_system_is_turned_into_degrees(tmp_path: Path) -> None:
    from cim_core.ground import Surface  # its places are PROJ's, the pixels the picture's
    from cim_core.layer import Placement
    from tests.test_cim_core.test_terrain import PIPELINE

    bands = picture(80, 100)
    path = write_raster(tmp_path / "photo.tif", bands, crs=None, photometric="rgb")
    own = Placement(city_crs="local", crs="local", pipeline=PIPELINE)
    layer = imported(ImageryImporter(), path, tmp_path, own)
    image = Surface(layer.content.image)
    west, south, east, north = image.bounds_wgs84
    middle = image.pixels(np.array([[(west + east) / 2, (south + north) / 2]]))[0].astype(int)
    colours, there = kept(tmp_path)
    assert there.mean() > 0.98
    assert np.abs(colours[:, middle[1], middle[0]] - bands[:, 40, 50]).max() <= 8
