"""Floor areas of renewal projects, against areas of another library and sums of another."""

import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from analysis.areas import square_metres
from analysis.renewal.twin_areas import TwinAreas, floor_areas
from analysis.renewal.twin_buildings import twin_buildings
from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.layer import Features, Georeference, Layer
from cim_core.renewal.events import Change
from cim_core.renewal.words import titles
from cim_core.sight import Part, Sight
from tests.support.layers import GUANGZHOU, publish
from tests.support.layers import box as body
from tests.support.renewal_twin import BEGIN, box, geodesic, ground, publish_shapes

STATES = tuple(titles("building_states"))


def project(key: str = "q1") -> Change:
    document = {
        "name": key, "type": "old-town", "mode": "micro", "town": "here", "template": "micro-renewal",
    }  # fmt: skip
    return Change("project", key, document, BEGIN)


def building(key: str, of: str = "q1", **more: Any) -> Change:
    return Change("building", key, {"project": of, **more}, BEGIN)


def areas(city: City, at: date = date(2025, 12, 31), of: str = "q1") -> TwinAreas:
    return floor_areas(city, city.renewal.ledger(), at)[of]


def test_square_metres_are_those_of_another_library() -> None:
    rng = np.random.default_rng(8)
    shapes = [
        shapely.affinity.rotate(shapely.box(x, y, x + w, y + h), angle).buffer(w / 9)
        for x, y, w, h, angle in rng.uniform(
            [73, 18, 1e-5, 1e-5, 0], [135, 53, 0.01, 0.01, 90], (40, 5)
        )
    ]
    assert square_metres(shapes) == pytest.approx([geodesic(shape) for shape in shapes], rel=1e-6)
    assert square_metres([shapely.Polygon(), shapely.Point(1, 2)]).tolist() == [0.0, 0.0]
    assert len(square_metres([])) == 0


def test_areas_of_any_day_are_footprint_times_storeys_by_state(city: City) -> None:
    rng = np.random.default_rng(38)
    houses, changes = [], [project("q1"), project("q2")]
    rows, steps = [], []
    for number in range(60):
        wide, deep, turn = rng.uniform(6, 30), rng.uniform(6, 30), rng.uniform(0, 90)
        shape = ground(shapely.affinity.rotate(shapely.box(0, 0, wide, deep), turn).buffer(0))
        shape = shapely.affinity.translate(shape, 1e-3 * (number % 8), 1e-3 * (number // 8))
        floors = int(rng.integers(1, 9))
        houses.append((f"h{number}", "Building", shape, {"floors": floors}))
        of = f"q{1 + number % 2}"
        changes.append(building(f"b{number}", of, layer="stock", feature=f"h{number}"))
        rows.append((f"b{number}", of, geodesic(shape) * floors))
        days = sorted(rng.choice(360, 5, replace=False).tolist())
        for version, (day, state) in enumerate(zip(days, STATES[1:], strict=True), start=1):
            on = BEGIN + timedelta(days=day)
            changes.append(Change("building", f"b{number}", {"state": state}, on, version))
            steps.append((f"b{number}", on, STATES.index(state)))
    publish_shapes(city, "stock", houses)
    city.renewal.apply(changes, None)
    table = pd.DataFrame(rows, columns=["building", "project", "area"])
    told = pd.DataFrame(steps, columns=["building", "day", "state"])
    for day in rng.choice(365, 12).tolist():
        at = BEGIN + timedelta(days=day)
        last = told[told.day <= at].groupby("building").state.max()
        gone = table.building.map(last).fillna(0) >= STATES.index("demolished")
        expected = table.assign(gone=gone).groupby(["project", "gone"]).area.sum()
        found = floor_areas(city, city.renewal.ledger(), at)
        for of in ("q1", "q2"):
            assert found[of].demolished == pytest.approx(expected.get((of, True), 0.0), rel=1e-6)
            assert found[of].existing == pytest.approx(expected.get((of, False), 0.0), rel=1e-6)
            assert found[of].whole and not found[of].unknown


HOUSE = box(0, 0, 20, 10)


@pytest.mark.parametrize(
    ("attributes", "surveyed", "storeys", "how"),
    [
        ({"floors": 4}, 9.0, 4, "storeys"),
        ({"Building:Levels": "6"}, None, 6, "storeys"),
        ({"层数": "7层"}, None, 7, "storeys"),
        ({"floors": 0, "height": 12.4}, None, 4, "height"),
        ({"height": "9.1 m"}, 5.0, 5, "surveyed"),
        ({"建筑高度": 1.2}, None, 1, "height"),
        ({"floors": True, "use": "6"}, None, None, "unknown"),
        ({"floors": "many"}, None, None, "unknown"),
        ({"floors": 2000}, None, None, "unknown"),
    ],
)
def test_storeys_are_taken_from_where_they_are_told(
    city: City, attributes: Mapping[str, Any], surveyed: float | None, storeys: int | None, how: str
) -> None:
    publish_shapes(city, "stock", [("h", "Building", HOUSE, attributes)])
    more = {} if surveyed is None else {"storeys": surveyed}
    city.renewal.apply([project(), building("b", layer="stock", feature="h", **more)], None)
    found = areas(city)
    assert found.by_building["b"].how == how
    assert found.unknown == ([] if storeys else ["b"])
    assert found.estimated == (["b"] if how == "height" else [])
    assert found.existing == pytest.approx(geodesic(HOUSE) * (storeys or 0), rel=1e-6)


def test_what_names_nothing_that_is_there_is_unknown_and_named(city: City) -> None:
    publish_shapes(city, "stock", [("line", "Building", shapely.boundary(HOUSE), {"floors": 3})])
    city.renewal.apply(
        [
            project(), building("b1"), building("b2", layer="none", feature="h"),
            building("b3", layer="stock", feature="h"), building("b4", layer="stock", feature="line"),
            building("b5", layer="stock", state="demolished"),
        ],
        None,
    )  # fmt: skip
    found = areas(city)
    assert found.unknown == ["b1", "b2", "b3", "b4", "b5"]
    assert (found.demolished, found.existing, found.whole) == (0.0, 0.0, False)


def test_what_is_not_seen_of_the_twin_is_not_used(city: City) -> None:
    publish_shapes(city, "stock", [("h", "Building", HOUSE, {"floors": 4, "height": 12.0})])
    city.renewal.apply([project(), building("b", layer="stock", feature="h")], None)
    all_of_it = areas(city).existing

    def seen(part: Part | None) -> TwinAreas:
        parts = {} if part is None else {"stock": part}
        return areas(city.seen_by(Sight(parts, towns=None), None))

    assert seen(Part()).existing == all_of_it
    assert seen(None).unknown == ["b"]
    assert seen(Part(("floors",))).by_building["b"].how == "height"
    assert seen(Part(("floors", "height"), heights=False)).unknown == ["b"]
    assert seen(Part(area=box(500, 0, 10, 10))).unknown == ["b"]
    assert seen(Part(area=box(10, 0, 10, 10))).existing == all_of_it


def test_a_building_that_is_gone_is_taken_from_the_version_that_had_it(city: City) -> None:
    publish_shapes(
        city, "stock", [("h", "Building", HOUSE, {"floors": 4}), ("i", "Building", HOUSE, {})]
    )
    city.renewal.apply(
        [project(), building("b", layer="stock", feature="h", state="demolished")], None
    )
    before = areas(city)
    publish_shapes(city, "stock", [("i", "Building", HOUSE, {})])
    assert areas(city) == before
    assert before.demolished == pytest.approx(geodesic(HOUSE) * 4, rel=1e-6)
    publish_shapes(city, "stock", [("h", "Building", HOUSE, {"floors": 5})])
    assert areas(city).demolished == pytest.approx(geodesic(HOUSE) * 5, rel=1e-6)


def test_a_building_of_parts_covers_what_they_cover_together(city: City) -> None:
    whole = Feature("h", "Building", "house", attributes={"storeysAboveGround": 2})
    parts = [
        Feature(f"h{n}", "BuildingPart", "part", "h", shape=box(10 * n, 0, 15, 10)) for n in (0, 1)
    ]
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    publish(city, Layer("lod", "lod", GUANGZHOU, Features((whole, *parts), {}), georeference))
    city.renewal.apply([project(), building("b", layer="lod", feature="h")], None)
    assert areas(city).existing == pytest.approx(2 * geodesic(box(0, 0, 25, 10)), rel=1e-6)


def model(city: City) -> None:
    """A model as IFC has them: a basement, two floors, of which the upper is a court, and a roof."""
    storeys = {"B1": -3.0, "F1": 0.0, "F2": 3.0, "RF": 6.0}
    elements = [
        ("B1", "IfcSpace", (30, 30, 3), (0, 0, -3)), ("F1", "IfcSpace", (20, 10, 3), (0, 0, 0)),
        ("F1", "IfcWall", (1, 10, 3), (20, 0, 0)), ("F1", "IfcSlab", (50, 50, 0.2), (0, 0, -0.2)),
        ("F2", "IfcSlab", (10, 10, 0.2), (0, 0, 3)), ("RF", "IfcSlab", (20, 10, 0.2), (0, 0, 6)),
        ("RF", "IfcWall", (20, 0.3, 1), (0, 0, 6)),
    ]  # fmt: skip
    meshes, features = {}, [Feature("house", "IfcBuilding", "house")]
    for key, elevation in storeys.items():
        attributes = {"elevation": elevation}
        features.append(Feature(key, "IfcBuildingStorey", key, "house", attributes))
    for number, (storey, kind, size, at) in enumerate(elements):
        mesh = body(size, at)
        meshes[mesh.key()] = mesh
        instances = (Instance(mesh.key(), np.eye(4)),)
        attributes = {"storey": storey}
        features.append(Feature(f"e{number}", kind, kind, storey, attributes, instances=instances))
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    publish(
        city, Layer("model", "model", GUANGZHOU, Features(tuple(features), meshes), georeference)
    )


@pytest.mark.parametrize("feature", ["house", None])
def test_a_model_is_measured_floor_by_floor_above_the_ground(
    city: City, feature: str | None
) -> None:
    model(city)
    named = {} if feature is None else {"feature": feature}
    city.renewal.apply([project(), building("b", layer="model", **named)], None)
    found = areas(city)
    assert found.by_building["b"].how == "model"
    assert found.existing == pytest.approx(21 * 10 + 10 * 10, rel=1e-4)
    [twin] = twin_buildings(city, [("model", feature or "")]).values()
    assert (twin.footprint, twin.storeys) == (pytest.approx(210, rel=1e-4), 2.0)
    assert twin.height == pytest.approx(7.2, abs=1e-3)


def test_two_cities_are_not_mistaken_for_each_other(city: City, tmp_path: Path) -> None:
    publish_shapes(city, "stock", [("h", "Building", HOUSE, {"floors": 4})])
    other = City.open(Path(shutil.copytree(city.folder, tmp_path / "other")))
    publish_shapes(other, "stock", [("h", "Building", HOUSE, {"floors": 1})])
    [here], [there] = (twin_buildings(one, [("stock", "h")]).values() for one in (city, other))
    assert (here.storeys, there.storeys) == (4.0, 1.0)
