"""Isochrones as a question about a city whose every road is known."""

import json
import math

import numpy as np
import pytest
import shapely

from analysis.analysis import asked
from analysis.checkup.metric_plane import plane_of
from analysis.isochrone import Isochrone
from cim_core.cells import cell_named, cell_names, cell_polygon
from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, NotFound
from cim_core.feature import Feature
from cim_core.layer import Features, Georeference, Layer
from cim_core.progress import Progress
from cim_core.sight import Part, Sight
from server.processes import execute
from tests.support.layers import GUANGZHOU, publish
from tests.support.vectors import CORNER, GK114

ROADS = {
    "main": ([(0, 0), (1600, 0)], {"road_class": "支路", "oneway": "no"}),
    "side": ([(400, 0), (400, 800)], {"road_class": "支路", "oneway": "yes", "speed": 15}),
    "elsewhere": ([(0, 5000), (800, 5000)], {"road_class": "支路"}),
    "river": ([(0, 100), (1600, 100)], {}),
}
SITES = {"station": ((0, 40), "fire"), "lost": ((800, 3000), "fire"), "shop": ((1600, 0), "shop")}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("town") / "city")
    city.settle(GUANGZHOU, GK114)
    plane = plane_of(city)

    def layer(name: str, things: dict[str, tuple[object, dict[str, object], type]]) -> None:
        features = []
        for thing, (drawn, attributes, kind) in things.items():
            shape = kind(np.atleast_2d(np.array(drawn, float)) + CORNER)
            [flat] = plane.degrees([shape])
            features.append(Feature(thing, "Thing", thing, None, attributes, shape=flat))
        where = Georeference("anchor", None, {"en": "", "zh": ""})
        publish(city, Layer(name, name, GUANGZHOU, Features(tuple(features), {}), where))

    layer("roads", {key: (line, said, shapely.LineString) for key, (line, said) in ROADS.items()})
    layer("sites", {key: (at, {"kind": kind}, shapely.Point) for key, (at, kind) in SITES.items()})
    square = [(1000, -216), (1200, -216), (1200, -16), (1000, -16)]
    layer("grounds", {"school": (square, {"kind": "school"}, shapely.Polygon)})
    return city


def rows(table: dict) -> list[dict[str, object]]:
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def test_bands_sites_cells_and_the_drawing_tell_of_the_same_reach(town: City) -> None:
    inputs = {"sites": "sites", "kind": "fire", "minutes": [5, 10], "resolution": 10}
    done = execute(town, "isochrone", inputs, Progress())
    found = json.loads(json.dumps(done.document))
    # Half a minute to the road; then 4.5 min along it, or 9.5: 400 m and beyond into both roads.
    five, ten = rows(found["bands"])
    assert (five["roads"], ten["roads"]) == (360.0, 760.0 + 360.0)
    main, drive = shapely.LineString([(0, 0), (360, 0)]), shapely.LineString([(0, 40), (0, 0)])
    assert five["area"] == pytest.approx(main.union(drive).buffer(100).area, rel=0.01)
    assert ten["added"] == pytest.approx(ten["area"] - five["area"], abs=0.11)
    assert [site["joined"] for site in rows(found["sites"])] == ["no", "yes"]
    assert rows(found["sites"])[1]["away"] == pytest.approx(40, abs=0.01)
    assert rows(found["sites"])[0]["access"] is None
    [about] = rows(found["about"])
    assert (about["pace"], about["off"], about["unreachable"]) == (80.0, 1, 800.0)
    assert about["length"] == 1600 + 800 + 800
    assert [version.layer for version in done.versions] == ["roads", "sites"]

    plane = plane_of(town)
    cells = dict(zip(found["cells"]["cells"], found["cells"]["values"], strict=True))
    line = shapely.LineString([(0, 0), (760, 0)])
    [reach] = plane.degrees([shapely.transform(line, lambda places: places + CORNER)])
    for name, minutes in cells.items():
        [inside] = plane.laid_out([cell_polygon(cell_named(name)).intersection(reach)])
        if inside.length > 30:
            nearest = shapely.get_coordinates(inside)[:, 0].min() - CORNER[0]
            assert minutes == pytest.approx(0.5 + max(nearest, 0) / 80, abs=0.3)
    assert max(cells.values()) <= 10
    bands = [one for one in found["drawing"]["features"] if one["properties"]["class"] == "band"]
    drawn = [shapely.geometry.shape(band["geometry"]) for band in bands]
    assert [band["id"] for band in bands] == ["5-min", "10-min"]
    sizes = shapely.area(plane.laid_out(drawn))
    assert sizes.tolist() == pytest.approx([five["area"], ten["added"]], rel=1e-3)
    assert bands[0]["properties"]["color"] != bands[1]["properties"]["color"]


def test_grounds_are_left_by_the_edge_that_is_nearest_to_a_road(town: City) -> None:
    """Grounds of 200 × 200 m that reach to 16 m from the road are not 116 m away from it."""
    found = execute(town, "isochrone", {"sites": "grounds", "minutes": [1]}, Progress()).document
    [site] = rows(found["sites"])
    assert (site["id"], site["joined"], site["access"]) == ("school", "yes", 0.2)
    assert site["away"] == pytest.approx(16, abs=0.01)
    [about] = rows(found["about"])
    assert about["off"] == 0
    # 64 m in the rest of the minute, beyond both ends of 200 m of street.
    [band] = rows(found["bands"])
    assert band["roads"] == pytest.approx(200 + 2 * 64, abs=0.5)


def test_driving_obeys_ways_and_limits_and_towards_turns_them(town: City) -> None:
    [place] = plane_of(town).degrees([shapely.Point(400 + CORNER[0], 200 + CORNER[1])])
    base = {"place": shapely.geometry.mapping(place), "minutes": [1.0], "mode": "drive"}

    def roads(**more: object) -> float:
        answer = asked(Isochrone, {**base, **more})(town, Progress())
        return float(answer.outputs["bands"].rows[0][-1])  # type: ignore[union-attr]

    # 15 km/h are 250 m in a minute, up the one-way road only.
    assert roads() == pytest.approx(250, abs=0.01)
    # Towards it: 200 m of that road take 0.8 min; 0.2 min at 30 km/h on both sides of its foot.
    assert roads(towards=True) == pytest.approx(200 + 2 * 100, abs=0.01)
    assert roads(mode="walk") == pytest.approx(160, abs=0.01)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "one of the two"),
        ({"sites": "sites", "place": {"type": "Point", "coordinates": [113, 23]}}, "one of the two"),
        ({"place": {"type": "Point", "coordinates": [413, 23]}}, "not a GeoJSON Point"),
        ({"place": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}, "not a GeoJSON Point"),
        ({"sites": "sites", "minutes": [0]}, "above 0"),
        ({"sites": "sites", "kind": "nothing"}, "no feature of the kind 'nothing' with a place"),
        ({"sites": "sites", "roads": "sites"}, "no road centre lines"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_one_sentence(
    town: City, inputs: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        asked(Isochrone, inputs)(town, Progress())


def test_a_layer_that_is_not_there_is_named(town: City, city: City) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        asked(Isochrone, {"sites": "sites", "roads": "nowhere"})(town, Progress())
    with pytest.raises(InvalidInput, match="has no place yet"):
        asked(Isochrone, {"place": {"type": "Point", "coordinates": [113, 23]}})(city, Progress())


def test_cells_are_each_named_once(town: City) -> None:
    answer = asked(Isochrone, {"sites": "sites", "minutes": [3]})(town, Progress())
    grid = answer.outputs["cells"]
    names = cell_names(grid.cells)  # type: ignore[union-attr]
    assert len(set(names)) == len(names) > 3
    assert all(math.isfinite(value) for value in grid.values.tolist())  # type: ignore[union-attr]


def test_cells_that_are_too_small_are_refused(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.reach.cells._MOST_PLACES", 4_000)
    few = asked(Isochrone, {"sites": "sites", "minutes": [10], "resolution": 12})
    assert len(few(town, Progress()).outputs["cells"].cells) > 50  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="cells of the resolution 15 are too small"):
        few.model_copy(update={"resolution": 15})(town, Progress())


def test_roads_that_nobody_may_use_are_refused(town: City) -> None:
    few = asked(Isochrone, {"sites": "sites", "roads": "footpaths", "mode": "drive"})
    [flat] = plane_of(town).degrees([shapely.LineString(np.array([(0, 0), (900, 0)]) + CORNER)])
    path = Feature("path", "Thing", "path", None, {"road_class": "footway"}, shape=flat)
    where = Georeference("anchor", None, {"en": "", "zh": ""})
    publish(town, Layer("footpaths", "footpaths", GUANGZHOU, Features((path,), {}), where))
    with pytest.raises(
        InvalidInput, match="'footpaths' has no road that is open to the mode drive"
    ):
        few(town, Progress())
    assert few.model_copy(update={"mode": "walk"})(town, Progress())


def test_who_sees_only_some_of_the_roads_is_told_so(town: City) -> None:
    part = Part(area=shapely.box(113.0, 22.0, 114.0, 24.0))
    seen = town.seen_by(Sight({"roads": part, "sites": Part()}), None)
    with pytest.raises(Forbidden, match="only in part"):
        asked(Isochrone, {"sites": "sites"})(seen, Progress())


def test_who_sees_only_some_of_the_sites_is_told_so(town: City) -> None:
    [flat] = plane_of(town).degrees([shapely.Point(CORNER[:2]).buffer(100)])
    seen = town.seen_by(Sight({"roads": Part(), "sites": Part(area=flat)}), None)
    told = [
        rows(execute(city, "isochrone", {"sites": "sites", "minutes": [5]}, Progress()).document["about"])
        for city in (town, seen)
    ]  # fmt: skip
    assert [about["in_part"] for [about] in told] == ["no", "yes"]


def test_so_many_places_are_enough(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.isochrone._MOST_PLACES", 2)
    fire = asked(Isochrone, {"sites": "sites", "kind": "fire", "minutes": [5]})
    assert fire(town, Progress())
    with pytest.raises(InvalidInput, match="3 places to begin at"):
        fire.model_copy(update={"kind": None})(town, Progress())
