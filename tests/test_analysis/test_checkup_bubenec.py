"""Density and coverage of a real block of houses, as another program computed them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from analysis.checkup.formulas import Input
from analysis.checkup.metric_plane import plane_of
from analysis.checkup.roles import FILE_NAME
from cim_core.city import City
from cim_core.city_file import write_place
from cim_core.importers.tables import TableImporter
from tests.support.checkup import measured, scene_of
from tests.support.layers import publish
from tests.support.renewal_twin import publish_shapes
from tests.support.vectors import imported

ROLES = """
[inputs.towns]
layer = "around"
[inputs.communities]
layer = "tessellation"
[inputs.built-up]
layer = "tessellation"
where = {}
[inputs.roads]
layer = "streets"
"""


@pytest.fixture(scope="module")
def city(data: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """Buildings, streets and tessellation in a city whose own system is EPSG:3857, as their file's is."""
    city = City.open_or_create(tmp_path_factory.mktemp("bubenec") / "city")
    for table in ("tessellation", "buildings", "streets"):
        layer = imported(TableImporter(), data / "land" / "bubenec.gpkg", table=table)
        write_place(city.folder, layer.frame, "EPSG:3857", None)
        publish(city, replace(layer, id=table))
    shapes = city.feature_columns.of("streets", 1).shapes
    around = shapely.union_all(shapes).convex_hull.buffer(0.001)
    publish_shapes(city, "around", [("all", "area", around, {})])
    (city.folder / FILE_NAME).write_text(ROLES)
    return city


@pytest.fixture(scope="module")
def truth(data: Path) -> dict[str, float]:
    """What momepy has, in EPSG:32633."""
    oracle = json.loads((data / "land" / "indicators_oracle.json").read_text("utf-8"))
    found: dict[str, float] = oracle["bubenec_true_units_EPSG32633"]
    return found


def test_areas_are_those_on_the_ground(city: City, truth: dict[str, float]) -> None:
    assert city.settings.crs == "EPSG:3857"
    assert plane_of(city).name == "EPSG:32633"
    found = measured(
        scene_of(city), operator="total", what={"input": "buildings"}, measure="area"
    )  # fmt: skip
    assert found.value[0] == pytest.approx(truth["build_area_m2"], abs=0.5)
    assert found.value[0] == pytest.approx(43_151, abs=1)


def test_coverage_by_buildings(city: City, truth: dict[str, float]) -> None:
    told = {"what": {"input": "buildings"}, "measure": "area", "within": {"input": "built-up"}}
    found = measured(scene_of(city), operator="density", **told)
    assert found.denominator[0] == pytest.approx(truth["tessellation_area_m2"], abs=1)
    assert found.value[0] == pytest.approx(0.28718, abs=1e-5)


def test_length_of_streets_by_area(city: City, truth: dict[str, float]) -> None:
    scene = scene_of(city)
    streets = measured(scene, operator="total", what={"input": "roads"}, measure="length").value[0]
    area = measured(scene, operator="total", what={"input": "built-up"}, measure="area").value[0]
    assert streets == pytest.approx(truth["street_len_m"], abs=0.1)
    # The peer divides all streets by the tessellation, also those on its edge and beyond.
    assert streets / area * 1000 == pytest.approx(25.39, abs=0.005)
    assert streets / area * 1000 == pytest.approx(
        truth["road_km_per_km2_of_tessellation"], abs=1e-3
    )
    told = {"what": {"input": "roads"}, "measure": "length", "within": {"input": "built-up"}}
    inside = measured(scene, operator="density", scale=1000.0, **told)
    land = shapely.union_all(scene.pick(Input(input="built-up")).shapes)
    lines = shapely.union_all(scene.pick(Input(input="roads")).shapes)
    assert inside.numerator[0] == pytest.approx(lines.intersection(land).length, abs=0.01)
    assert 0 < inside.numerator[0] < streets


def test_each_plot_of_the_tessellation(city: City, data: Path) -> None:
    """The mean over cells as momepy has it; in EPSG:3857 each ratio is the same, the scale being even."""
    oracle = json.loads((data / "land" / "indicators_oracle.json").read_text("utf-8"))
    told = {"what": {"input": "buildings"}, "measure": "area", "within": {"input": "built-up"}}
    found = measured(scene_of(city), "community", operator="density", **told)
    assert len(found.value) == 144
    assert found.value.mean() == pytest.approx(oracle["bubenec"]["tess"]["CAR_mean"], abs=1e-4)
    # A house that stands a little beyond its cell counts whole there, and as far as it is inside here.
    extremes = [found.value.min(), found.value.max()]
    assert extremes == pytest.approx(oracle["bubenec"]["tess"]["CAR_min_max"], abs=2e-4)
