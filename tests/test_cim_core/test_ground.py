"""The ground of a city, from the layers people imported."""

from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.city import City
from cim_core.layer import SURFACE
from tests.conftest import import_file
from tests.support.rasters import EAST, NORTH, write_raster


def places(*east_north: tuple[float, float]) -> np.ndarray:
    to = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True)
    return np.column_stack(to.transform(*np.array(east_north).T))


@pytest.fixture
def city(tmp_path: Path) -> City:
    """Present ground at 10 m, in part known finer at 11 m, and a planned pad at 15 m."""
    made = City.open_or_create(tmp_path / "city")
    assert made.ground() is None
    import_file(
        made, write_raster(tmp_path / "coarse.tif", np.full((60, 60), 10, "f4"), pixel=10.0)
    )
    fine = np.full((60, 60), 11, "f4")
    import_file(made, write_raster(tmp_path / "fine.tif", fine, west=EAST + 100, north=NORTH - 100))
    pad = write_raster(
        tmp_path / "pad.tif", np.full((8, 8), 15, "f4"), west=EAST + 200, north=NORTH - 200
    )
    import_file(made, pad, options={"lifecycle": "planned"})
    return made


def test_the_finer_layer_lies_over_the_coarser_and_plans_over_both(city: City) -> None:
    where = places(
        (EAST + 50, NORTH - 50), (EAST + 150, NORTH - 150), (EAST + 220, NORTH - 220),
        (EAST - 500, NORTH),
    )  # fmt: skip
    assert np.allclose(city.ground()(where), [10, 11, 11, np.nan], equal_nan=True)
    assert np.allclose(city.ground(planned=True)(where), [10, 11, 15, np.nan], equal_nan=True)
    without = city.ground(without="fine")
    assert np.allclose(without(where), [10, 10, 10, np.nan], equal_nan=True)


def test_the_city_begins_on_its_ground(city: City) -> None:
    settings = city.settings
    assert settings.crs == "EPSG:4547"
    assert settings.frame.height == pytest.approx(10)
    version = city.layers.get("coarse")
    assert version.summary["kind"] == "terrain"
    assert version.summary["bbox"][2] == 10
    assert (city.layers_folder / f"coarse/{version.version}/files/{SURFACE}").is_file()


def test_ground_may_be_asked_for_many_places_far_apart(city: City) -> None:
    random = np.random.default_rng(2)
    where = places(*(np.array([EAST, NORTH]) + random.uniform(0, 1, (5000, 2)) * (600, -600)))
    assert set(np.round(city.ground()(where), 6).tolist()) == {10, 11}
