"""Sketches as they are served: GeoJSON with heights, and the legend beside it."""

import json

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.sketch import Scale, Sketch, SketchClass, SketchShape
from server.outputs import CSV, GEOJSON, JSON, KEPT, media_type_of, media_types, written

HOURS = Scale({"en": "Sun", "zh": "日照"}, "h", (1.0, 2.0), ("#000001", "#000002", "#000003"))
CLASSES = {
    "roof": SketchClass({"en": "Roof", "zh": "屋顶"}, "#aa0000"),
    "line": SketchClass({"en": "Line", "zh": "线"}, "#00aa00"),
    "none": SketchClass({"en": "None", "zh": "无"}, "#0000aa"),
}


def sketch() -> Sketch:
    square = shapely.box(113.46, 23.10, 113.4612345678912, 23.101)
    return Sketch(
        (
            SketchShape("a", "roof", square, {"en": "High", "zh": "高"}, 1.5, 3.00049, 9.0),
            SketchShape("b", "line", shapely.LineString([(113, 23, 1.23456), (113.1, 23, 2)])),
            SketchShape("c", "roof", shapely.GeometryCollection([square, shapely.Point(1, 2)])),
        ),
        CLASSES,
        HOURS,
    )


def test_a_sketch_is_a_collection_of_features_with_its_legend() -> None:
    told = json.loads(written("proof", sketch(), JSON))
    assert told["type"] == "FeatureCollection"
    first, second, third = told["features"]
    assert first["id"] == "a"
    assert first["properties"] == {
        "class": "roof", "label": "High", "label_zh": "高", "value": 1.5, "color": "#000002",
        "bottom": 3.0, "top": 9.0,
    }  # fmt: skip
    assert first["geometry"]["coordinates"][0][0][0] == 113.461234568
    assert second["geometry"] == {"type": "LineString", "coordinates": [[113, 23, 1.235], [113.1, 23, 2]]}  # fmt: skip
    assert (second["properties"]["color"], second["properties"]["label"]) == ("#00aa00", None)
    assert [part["type"] for part in third["geometry"]["geometries"]] == ["Polygon", "Point"]
    assert [(one["class"], one["count"]) for one in told["classes"]] == [("roof", 2), ("line", 1)]
    assert told["scale"]["limits"] == [1.0, 2.0]
    assert Sketch((), CLASSES).as_dict()["scale"] is None
    for feature in told["features"]:
        assert shapely.geometry.shape(feature["geometry"]).is_valid


def test_a_sketch_is_kept_as_geojson_and_nothing_else(tmp_path) -> None:
    assert media_types(sketch()) == (JSON, GEOJSON)
    assert media_type_of(tmp_path / "proof.geojson") == GEOJSON
    assert GEOJSON in KEPT, "who takes one out is in the log"
    assert json.loads(written("proof", sketch(), GEOJSON))["type"] == "FeatureCollection"
    with pytest.raises(InvalidInput, match="cannot be had as text/csv"):
        written("proof", sketch(), CSV)


@given(st.floats(-5, 5))
def test_a_value_has_the_colour_after_the_last_limit_it_reaches(value: float) -> None:
    assert HOURS.color(value) == HOURS.colors[sum(limit <= value for limit in HOURS.limits)]
