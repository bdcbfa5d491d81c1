"""The cells of features as they are counted: none too few, also for shapes that are very large."""

import json

import numpy as np
import pytest
import shapely

from cim_core.areas_exported import RESOLUTION, growth
from cim_core.cells import cells_of, touched
from cim_core.city import City
from cim_core.store.feature_cells import FeatureCells
from tests.conftest import import_file

NOTHING = np.empty(0, np.uint64)
SHAPES = {
    "house": shapely.box(113.4, 23.1, 113.4002, 23.1002),
    "river": shapely.LineString([(113.3, 23.0), (113.38, 23.09), (113.5, 23.1)]),
    "estate": shapely.box(113.40, 23.10, 113.43, 23.13),
    "county": shapely.box(113.0, 22.8, 113.6, 23.4),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("cells")
    features = [
        {
            "type": "Feature",
            "id": name,
            "properties": {},
            "geometry": shapely.geometry.mapping(shape),
        }
        for name, shape in SHAPES.items()
    ]
    path = folder / "shapes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    city = City.open_or_create(folder / "city")
    import_file(city, path)
    return city


@pytest.mark.parametrize("name", ["house", "river", "estate"])
def test_what_is_kept_of_a_shape_is_as_good_as_the_shape(city: City, name: str) -> None:
    found = FeatureCells(city.database, RESOLUTION, 25.0, filled=False).of("shapes", 1, [name])
    exact = touched([SHAPES[name]], RESOLUTION)
    assert set(exact.tolist()) <= set(found.tolist())
    assert len(found) <= len(exact) * 1.1 + 2


def test_of_a_county_only_the_outline_is_taken(city: City) -> None:
    found = FeatureCells(city.database, RESOLUTION, 25.0, filled=False).of("shapes", 1, ["county"])
    assert set(touched([SHAPES["county"].boundary], RESOLUTION).tolist()) <= set(found.tolist())
    assert cells_of(np.array([[113.3, 23.1]]), RESOLUTION)[0] not in found
    box = (113.405, 23.105, 113.415, 23.112)
    assert (
        len(FeatureCells(city.database, RESOLUTION, 0.001, filled=False).in_box("shapes", 1, box))
        == 0
    )


def test_a_sheet_larger_than_any_limit_is_counted_roughly_and_as_no_less(city: City) -> None:
    found = FeatureCells(city.database, RESOLUTION, 25.0, filled=True).of("shapes", 1, ["county"])
    assert len(found) <= 64
    assert growth(NOTHING, found).after > 25.0


def test_only_what_lies_in_a_box_counts_of_a_large_shape(city: City) -> None:
    box = (113.405, 23.105, 113.415, 23.112)
    found = FeatureCells(city.database, RESOLUTION, 0.001, filled=True).in_box("shapes", 1, box)
    assert set(found.tolist()) == set(touched([shapely.box(*box)], RESOLUTION).tolist())
    inside = cells_of(np.array([[113.41, 23.108]]), RESOLUTION)
    assert inside[0] in found


def test_all_features_of_a_version_are_those_of_each(city: City) -> None:
    cells = FeatureCells(city.database, RESOLUTION, 25.0, filled=True)
    one_by_one = np.concatenate([cells.of("shapes", 1, [name]) for name in SHAPES])
    assert np.array_equal(cells.of("shapes", 1), np.unique(one_by_one))
    assert len(cells.of("shapes", 1, [])) == len(cells.of("shapes", 9)) == 0
