"""What is drawn on a map tile: of one version, in its box, large enough to be seen."""

from pathlib import Path

import pytest
import shapely

from cim_core.city import City
from cim_core.store.drawn_features import Drawn
from tests.conftest import import_file
from tests.support.vectors import write_table

WORLD = (113.0, 23.0, 114.0, 24.0)


@pytest.fixture
def places(city: City, tmp_path: Path) -> City:
    """Two versions of a layer beside another layer, all in one place."""
    shapes = [
        shapely.box(113.40, 23.10, 113.41, 23.11),
        shapely.box(113.42, 23.10, 113.4201, 23.1001),
        shapely.Point(113.43, 23.10),
        shapely.Point(113.44, 23.10, 7.5),
        shapely.LineString([(113.45, 23.10), (113.45, 23.12)]),
    ]
    names = ["field", "shed", "stop", "lamp", "road"]
    path = write_table(tmp_path / "a.gpkg", shapes, {"name": names}, crs="EPSG:4326")
    for table in ("a", "a"):
        import_file(city, path, options={"table": table})
    import_file(city, write_table(tmp_path / "b.gpkg", shapes, {"name": names}, crs="EPSG:4326"))
    return city


def found(
    city: City, version: int, box: tuple = WORLD, least: float = 0.0, most: int = 100
) -> Drawn:
    return city.drawn_features.in_box("a", version, box, least, most)


def test_each_version_has_its_own(places: City) -> None:
    first, second = found(places, 1), found(places, 2)
    assert sorted(first.names) == sorted(second.names) == ["field", "lamp", "road", "shed", "stop"]
    assert not set(first.numbers) & set(second.numbers)
    assert found(places, 7).ids == []


def test_what_is_too_small_is_left_out_but_points_never_are(places: City) -> None:
    assert sorted(found(places, 1, least=0.005).names) == ["field", "lamp", "road", "stop"]


def test_only_what_lies_in_the_box_is_found(places: City) -> None:
    drawn = found(places, 1, (113.429, 23.09, 113.455, 23.13))
    assert sorted(drawn.names) == ["lamp", "road", "stop"]
    assert {n: s.geom_type for n, s in zip(drawn.names, drawn.shapes, strict=True)} == {
        "lamp": "Point", "road": "LineString", "stop": "Point",
    }  # fmt: skip
    assert len(found(places, 1, most=2).ids) == 2
