"""What is here, against shapely, pyproj and h3 on their own."""

import json
import pkgutil
from collections import Counter
from importlib import import_module

import h3
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import analysis.registry
from analysis.analysis import Analysis, asked
from analysis.registry import ANALYSES, analyses, analysis_named
from analysis.what_is_here import WhatIsHere
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.store.features import FeatureRow, Query
from tests.support.layers import box, layer_of, moved, publish


def everything(city: City) -> list[FeatureRow]:
    return [
        row
        for version in city.layers.current()
        for row in city.features.find(
            version.layer, version.version, Query(), after=None, limit=1_000_000
        )
    ]


def ask(city: City, **values: object) -> dict[str, object]:
    question = asked(WhatIsHere, {"limit": 10_000, **values})
    return dict(question(city, Progress()).outputs)


def found(outputs: dict[str, object]) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in outputs["features"].rows}


def counts(outputs: dict[str, object], name: str) -> dict[tuple[str, ...], int]:
    return {tuple(row[: -1 if name == "classes" else 1]): row[-1] for row in outputs[name].rows}


@pytest.fixture(scope="module")
def rows(sample_city: City) -> list[FeatureRow]:
    return everything(sample_city)


def middle(rows: list[FeatureRow]) -> tuple[float, float]:
    west, south, east, north = shapely.total_bounds([row.footprint for row in rows])
    return (west + east) / 2, (south + north) / 2


def test_a_polygon_finds_what_shapely_finds(sample_city: City, rows: list[FeatureRow]) -> None:
    lon, lat = middle(rows)
    area = shapely.Point(lon, lat).buffer(6e-4, quad_segs=2)
    outputs = ask(sample_city, place=shapely.geometry.mapping(area))
    expected = [row for row in rows if row.footprint.intersects(area)]
    assert 0 < len(expected) < len(rows)
    assert found(outputs) == {(row.layer, row.feature.id) for row in expected}
    assert counts(outputs, "layers") == Counter((row.layer,) for row in expected)
    assert counts(outputs, "classes") == Counter(
        (row.layer, row.feature.feature_class) for row in expected
    )
    assert outputs["cells"].values.sum() == len(expected)


def test_a_point_finds_what_lies_over_and_under_it(
    sample_city: City, rows: list[FeatureRow]
) -> None:
    [lon, lat] = rows[0].footprint.representative_point().coords[0]
    outputs = ask(sample_city, place={"type": "Point", "coordinates": [lon, lat]})
    point = shapely.Point(lon, lat)
    assert found(outputs) == {
        (r.layer, r.feature.id) for r in rows if r.footprint.intersects(point)
    }
    assert (rows[0].layer, rows[0].feature.id) in found(outputs)
    low = ask(sample_city, place={"type": "Point", "coordinates": [lon, lat]}, top=rows[0].zmin)
    assert found(low) == {
        (r.layer, r.feature.id)
        for r in rows
        if r.footprint.intersects(point) and r.zmin <= rows[0].zmin
    }


@pytest.mark.parametrize("radius", [5.0, 20.0, 60.0])
def test_a_circle_is_round_in_metres(
    sample_city: City, rows: list[FeatureRow], radius: float
) -> None:
    lon, lat = middle(rows[:200])
    plane = pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +ellps=WGS84", always_xy=True
    )
    flat = [shapely.transform(r.footprint, plane.transform, interleaved=False) for r in rows]
    away = shapely.distance(flat, shapely.Point(0, 0))
    outputs = ask(sample_city, place={"type": "Point", "coordinates": [lon, lat]}, radius=radius)
    clear = np.abs(away - radius) > 1e-3
    names = [(row.layer, row.feature.id) for row in rows]
    expected = {names[i] for i in np.flatnonzero(clear & (away < radius))}
    unclear = {names[i] for i in np.flatnonzero(~clear)}
    assert found(outputs) - unclear == expected


@pytest.mark.parametrize("resolution", [9, 11, 13])
def test_a_cell_finds_what_touches_it_and_counts_by_cells(
    sample_city: City, rows: list[FeatureRow], resolution: int
) -> None:
    lon, lat = middle(rows[:100])
    name = h3.latlng_to_cell(lat, lon, resolution)
    outline = shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(name)])
    outputs = ask(sample_city, cell=name, resolution=12)
    expected = [row for row in rows if row.footprint.intersects(outline)]
    assert found(outputs) == {(row.layer, row.feature.id) for row in expected}
    grid = outputs["cells"]
    assert grid.values.sum() == len(expected)
    # Each is counted in a cell that it touches, so no cell counts more than touch it.
    for cell, count in zip(grid.as_dict()["cells"], grid.values.tolist(), strict=True):
        assert h3.get_resolution(cell) == 12
        there = shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]).buffer(1e-9)
        assert count <= sum(row.footprint.intersects(there) for row in expected)


def test_counts_by_coarse_cells_are_sums_of_those_by_fine_ones(
    sample_city: City, rows: list[FeatureRow]
) -> None:
    place = shapely.geometry.mapping(
        shapely.box(*shapely.total_bounds([r.footprint for r in rows]))
    )
    fine = ask(sample_city, place=place, resolution=15)["cells"]
    for resolution in (0, 7, 11, 14):
        coarse = ask(sample_city, place=place, resolution=resolution)["cells"]
        sums: Counter[str] = Counter()
        for cell, value in zip(fine.as_dict()["cells"], fine.values.tolist(), strict=True):
            sums[h3.cell_to_parent(cell, resolution)] += value
        assert dict(zip(coarse.as_dict()["cells"], coarse.values.tolist(), strict=True)) == sums
        assert fine.coarser(resolution).as_dict() == coarse.as_dict()


def test_pages_hold_each_feature_once(sample_city: City, rows: list[FeatureRow]) -> None:
    place = shapely.geometry.mapping(
        shapely.box(*shapely.total_bounds([r.footprint for r in rows]))
    )
    seen, after = [], None
    while True:
        outputs = ask(sample_city, place=place, limit=170, **({"after": after} if after else {}))
        table = outputs["features"]
        assert len(table.rows) <= 170
        assert sum(row[-1] for row in outputs["layers"].rows) == len(rows)
        seen += [(row[0], row[1]) for row in table.rows]
        after = table.next
        if after is None:
            break
    assert seen == sorted((row.layer, row.feature.id) for row in rows)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 5e-4), st.floats(1e-6, 5e-4))
def test_any_box_finds_what_shapely_finds(
    sample_city: City, rows: list[FeatureRow], x: float, y: float, wide: float, high: float
) -> None:
    west, south, east, north = shapely.total_bounds([row.footprint for row in rows])
    lon, lat = west + x * (east - west), south + y * (north - south)
    area = shapely.box(lon, lat, lon + wide, lat + high)
    outputs = ask(sample_city, place=shapely.geometry.mapping(area))
    assert found(outputs) == {
        (row.layer, row.feature.id) for row in rows if row.footprint.intersects(area)
    }


def test_only_the_served_versions_and_the_layers_asked_for_count(city: City) -> None:
    publish(city, layer_of({"a": [box((5, 5, 5))], "b": [(box(), moved((500, 0, 0)))]}))
    publish(city, layer_of({"c": [box((5, 5, 5))]}))
    publish(city, layer_of({"d": [box((5, 5, 5))]}, layer_id="others"))
    place = {"type": "Point", "coordinates": [113.46001, 23.10001]}
    assert found(ask(city, place=place)) == {("boxes", "c"), ("others", "d")}
    assert found(ask(city, place=place, layers=["others"])) == {("others", "d")}
    with pytest.raises(NotFound, match="nowhere"):
        ask(city, place=place, layers=["nowhere"])


def test_it_reports_and_can_be_stopped(sample_city: City) -> None:
    seen: list[tuple[int, int, str]] = []
    question = WhatIsHere(place={"type": "Polygon", "coordinates": [[[113, 23], [114, 23], [114, 24], [113, 23]]]})  # fmt: skip
    question(sample_city, Progress(lambda *step: seen.append(step)))
    assert seen
    assert seen[-1][2] == "looking"


POINT = {"type": "Point", "coordinates": [113.46, 23.1]}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "a place or a cell is needed"),
        ({"place": POINT, "cell": "8a411d4902dffff"}, "not both"),
        ({"cell": "8a411d4902d7ffe"}, "is not an H3 cell"),
        ({"place": {"type": "Point"}}, "not a GeoJSON geometry"),
        ({"place": {"type": "Point", "coordinates": [200, 0]}}, "not a GeoJSON geometry"),
        ({"place": {"type": "Point", "coordinates": []}}, "not a GeoJSON geometry"),
        ({"place": {"type": "Circle", "coordinates": [1, 2]}}, "not a GeoJSON geometry"),
        ({"place": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "crosses itself"),
        ({"place": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "radius": 5}, "a radius goes with a point"),
        ({"place": POINT, "radius": -1}, "radius: Input should be greater than or equal to 0"),
        ({"place": POINT, "radius": "far"}, "radius: Input should be a valid number"),
        ({"place": POINT, "resolution": 16}, "resolution: Input should be less than or equal to 15"),
        ({"place": POINT, "bottom": 5, "top": 1}, "no height lies between"),
        ({"place": POINT, "colour": "red"}, "what-is-here has no parameter colour"),
        ({"place": POINT, "after": "x"}, "does not say where a page ended"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_sentence(
    values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        asked(WhatIsHere, values)


def test_every_analysis_is_in_the_registry() -> None:
    def below(kind: type) -> set[type]:
        return {kind, *(k for sub in kind.__subclasses__() for k in below(sub))}

    for module in pkgutil.iter_modules(analysis.__path__):
        import_module(f"analysis.{module.name}")
    ours = {
        kind.name: f"{kind.__module__}:{kind.__name__}"
        for kind in below(Analysis) - {Analysis}
        if kind.__module__.startswith("analysis.") and hasattr(kind, "name")
    }
    missing = ours.items() - ANALYSES.items()
    assert not missing, f"ANALYSES in {analysis.registry.__file__} misses the lines {missing}"
    assert list(analyses()) == [kind.name for kind in analyses().values()] == list(ANALYSES)
    with pytest.raises(NotFound, match="there are what-is-here"):
        analysis_named("nope")


@pytest.mark.parametrize("kind", analyses().values(), ids=list(ANALYSES))
def test_an_analysis_speaks_both_languages(kind: type[Analysis]) -> None:
    for said in (kind.title, kind.description, *kind.outputs.values()):
        assert said["en"]
        assert said["zh"]
    for name, schema in json.loads(json.dumps(kind.model_json_schema()))["properties"].items():
        for word in ("title", "title_zh", "description", "description_zh"):
            assert schema[word], (name, word)
