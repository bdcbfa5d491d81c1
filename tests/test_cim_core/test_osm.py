"""OpenStreetMap extracts: every element, with its tags, as the class they make it."""

from collections import Counter
from pathlib import Path

import pyogrio
import pytest
import shapely

from cim_core.errors import InvalidInput
from cim_core.importers.osm import OsmImporter, class_of, tags_of
from cim_core.layer import Layer
from tests.support.vectors import imported


@pytest.fixture(scope="module")
def helsinki(data: Path) -> Layer:
    return imported(OsmImporter(), data / "osm" / "Helsinki.osm.pbf")


def test_every_point_and_line_of_the_extract_is_there(helsinki: Layer) -> None:
    kinds = Counter(f.shape.geom_type for f in helsinki.features)
    assert kinds["Point"] == 8045
    assert kinds["LineString"] == 3818
    assert Counter(f.id.partition("/")[0] for f in helsinki.features)["node"] == 8045


def test_shapes_are_those_of_the_file(helsinki: Layer, data: Path) -> None:
    path = data / "osm" / "Helsinki.osm.pbf"
    _, _, wkb, fields = pyogrio.raw.read(str(path), layer="lines", columns=["osm_id"])
    known = {f.id: f.shape for f in helsinki.features}
    for number, shape in zip(fields[0].tolist(), shapely.from_wkb(wkb), strict=True):
        assert known[f"way/{number}"].equals_exact(shape, 1e-9)


def test_tags_make_the_classes(helsinki: Layer) -> None:
    known = {f.id: f for f in helsinki.features}
    street = known["way/99988877"]  # Pohjoisesplanadi
    assert (street.feature_class, street.name) == ("PrimaryRoad", "Pohjoisesplanadi")
    assert (street.attributes["lanes"], street.attributes["name:sv"]) == ("2", "Norra Esplanaden")
    buildings = [f for f in helsinki.features if f.feature_class == "Building"]
    assert len(buildings) > 450
    assert all("building" in f.attributes for f in buildings)
    assert {"WaterBody", "Greenery", "Station", "AdminArea", "Railway", "Shop"} <= set(
        helsinki.class_styles
    )
    assert helsinki.class_styles["PrimaryRoad"].title["zh"] == "主干路"


def test_rings_broken_at_the_edge_are_reported_and_not_fatal(helsinki: Layer) -> None:
    assert any("Non closed ring" in warning for warning in helsinki.warnings)
    assert any("broken rings and were repaired" in warning for warning in helsinki.warnings)
    areas = [f.shape for f in helsinki.features if f.shape.geom_type.endswith("Polygon")]
    assert len(areas) > 1000
    assert shapely.is_valid(areas).all()


@pytest.mark.parametrize(
    ("tags", "kind", "name"),
    [
        ({"highway": "motorway_link"}, "line", "Motorway"),
        ({"highway": "bus_stop"}, "point", "Station"),
        ({"highway": "proposed"}, "line", "Road"),
        ({"building": "yes", "amenity": "school"}, "area", "Building"),
        ({"building": "entrance"}, "point", "Other"),
        ({"building": "no", "amenity": "school"}, "area", "School"),
        ({"boundary": "administrative", "admin_level": "8"}, "area", "AdminArea"),
        ({}, "point", "Other"),
    ],
)
def test_a_class_follows_from_the_tags(tags: dict[str, str], kind: str, name: str) -> None:
    assert class_of(tags, kind) == name


def test_other_tags_are_unpacked() -> None:
    packed = r'"note"=>"a \"b\" => c","lanes"=>"2"'
    assert tags_of({"osm_id": "1", "name": "A", "other_tags": packed}) == {
        "name": "A", "note": 'a "b" => c', "lanes": "2",
    }  # fmt: skip


def test_what_is_no_extract_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(b"<osm>")
    with pytest.raises(InvalidInput, match="does not begin as OpenStreetMap PBF"):
        imported(OsmImporter(), path)
