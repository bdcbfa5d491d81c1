"""A planned building against its parcel's conditions, each figure computed by hand."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from analysis.analysis import Answer, asked
from analysis.planning_check import PlanningCheck
from analysis.planning_check_figures import corridor_figure
from analysis.planning_check_parts import planned_buildings, told
from analysis.rays.daylight import sun_of
from analysis.rays.scene import city_scene
from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, NotFound
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.progress import Progress
from cim_core.sight import Part, Sight
from tests.conftest import import_file
from tests.support.blocks import (
    AT,
    Block,
    geojson,
    metres,
    place,
    point,
    publish_areas,
    publish_blocks,
    rectangle,
)
from tests.support.layers import box, publish
from tests.support.rasters import write_raster

PARCEL = {"far_limit": 2.0, "coverage_limit": 30, "height_limit": 30.0, "setback": 5.0, "green_ratio": 0.35}  # fmt: skip
"""Of 100 × 80 m. What is planned: a tower of 12 storeys and 40 m, 3 m from the west boundary, and a house
of 2 storeys that reaches 2 m over the south one. North of it stand a house and an old shed, which goes."""
TOWER = Block(3, 30, 30, 20, 40, attributes={"floors": 12})
HOUSE = Block(60, -2, 25, 22, 8, attributes={"floors": 2})
HOME = Block(30, 84, 30, 10, 20, attributes={"use": "residential"})
SHED = Block(70, 60, 10, 10, 5, attributes={"use": "industrial"})


@pytest.fixture
def planned(city: City) -> City:
    publish_areas(city, "parcels", {"p1": ("LandUse", rectangle(0, 0, 100, 80), PARCEL)})
    publish_blocks(city, "stock", {"home": HOME, "shed": SHED})
    publish_blocks(city, "plan", {"tower": TOWER, "house": HOUSE}, "planned")
    return city


def check(city: City, **values: object) -> Answer:
    given = {"place": point(50, 40), "planned": "plan", **values}
    return asked(PlanningCheck, given)(city, Progress())


def figures(answer: Answer) -> dict[str, dict[str, object]]:
    table = answer.outputs["figures"]
    rows = [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]
    return {row["code"]: row for row in rows}


def proofs(answer: Answer, code: str) -> list[dict]:
    wanted = figures(answer)[code]["proof"]
    features = answer.outputs["sketch"].as_dict()["features"]
    return [one for one in features if one["id"] in wanted]


def area(feature: dict) -> float:
    """Square metres of the outline of a shape."""
    shape = shapely.geometry.shape(feature["geometry"])
    return shapely.area(shapely.transform(shapely.force_2d(shape), lambda p: [metres(*q)[:2] for q in p]))  # fmt: skip


def test_every_figure_is_the_one_worked_out_by_hand(planned: City) -> None:
    found = figures(check(planned))
    assert list(found) == ["far", "density", "height", "setback", "green", "sunlight"]
    assert found["far"]["value"] == pytest.approx((600 * 12 + 550 * 2) / 8000, abs=1e-4)
    assert found["density"]["value"] == pytest.approx(100 * (600 + 25 * 20) / 8000, abs=1e-3)
    assert found["height"]["value"] == pytest.approx(40, abs=1e-3)
    assert found["setback"]["value"] == pytest.approx(-2, abs=1e-3)
    assert [found[code]["condition"] for code in ("far", "density", "height", "setback", "green")] == [2.0, 30.0, 30.0, 5.0, 35.0]  # fmt: skip
    assert [found[code]["verdict"] for code in ("far", "density", "height", "setback")] == ["met", "met", "failed", "failed"]  # fmt: skip
    assert (found["green"]["value"], found["green"]["verdict"]) == (None, "unknown")
    assert "no planned layer" in found["green"]["reason"]
    assert found["far"]["source"] == "far_limit"
    [parcel] = check(planned).outputs["parcel"].rows
    assert parcel[:3] == ("parcels", "p1", "p1")
    assert parcel[3:] == (pytest.approx(8000, rel=1e-4), 2, pytest.approx(8300, rel=1e-4))


def test_each_verdict_has_the_geometry_that_proves_it(planned: City) -> None:
    answer = check(planned)
    [high] = proofs(answer, "height")
    assert high["properties"]["class"] == "too-high"
    assert (high["properties"]["bottom"], high["properties"]["top"]) == pytest.approx((30, 40), abs=0.01)  # fmt: skip
    assert area(high) == pytest.approx(600, rel=1e-3)
    line, *beyond = proofs(answer, "setback")
    assert line["geometry"]["type"] in ("LineString", "LinearRing")
    # Of the tower 2 m between 3 and 5 m from the boundary, of the house what lies south of y = 5.
    assert sorted(area(one) for one in beyond) == pytest.approx([2 * 20, 25 * 7], rel=1e-3)
    assert sorted(area(one) for one in proofs(answer, "density")) == pytest.approx([550, 600], rel=1e-3)  # fmt: skip
    known = {one["class"] for one in answer.outputs["sketch"].as_dict()["classes"]}
    assert known >= {"parcel", "building", "footprint", "line", "beyond", "too-high"}


def test_parameters_stand_for_what_the_parcel_says(planned: City) -> None:
    found = figures(check(planned, far=1.0, height=45.0, setback=0.0, density=0.1, green=0.0))
    assert [found[code]["verdict"] for code in ("far", "height", "setback", "density")] == ["failed", "met", "failed", "failed"]  # fmt: skip
    assert found["far"]["source"] == "parameter"
    # Of a drawn parcel nobody says anything; the house alone, on land that holds it.
    drawn = geojson(rectangle(50, -12, 45, 52))
    alone = check(planned, place=drawn, features=["house"])
    found = figures(alone)
    assert found["setback"]["value"] == pytest.approx(10, abs=1e-3)
    assert {found[code]["verdict"] for code in ("far", "density", "height", "setback", "green")} == {"unknown"}  # fmt: skip
    assert "no such condition" in found["far"]["reason"]
    assert alone.outputs["parcel"].rows[0][4] == 1


def test_storeys_that_nobody_told_are_not_guessed_in_silence(planned: City) -> None:
    publish_blocks(planned, "plan", {"tower": Block(20, 30, 30, 20, 36)}, "planned")
    far = figures(check(planned))["far"]
    assert far["value"] == pytest.approx(600 * 12 / 8000, abs=1e-4)
    assert far["reason"] == "storeys were estimated from heights"


def test_green_land_of_the_plan_counts_where_nothing_is_built(planned: City) -> None:
    publish_areas(planned, "gardens", {"g": ("Greenery", rectangle(0, 20, 50, 60), {})}, "planned")
    green = figures(check(planned))["green"]
    # The tower stands on 600 m² of it.
    assert green["value"] == pytest.approx(100 * (3000 - 600) / 8000, abs=0.01)
    assert green["verdict"] == "failed"


def test_green_land_beside_the_parcel_is_no_part_of_it(planned: City) -> None:
    gardens = {"in": ("Greenery", rectangle(0, 60, 50, 20), {}), "by": ("Greenery", rectangle(100, 0, 9, 40), {})}  # fmt: skip
    publish_areas(planned, "gardens", gardens, "planned")
    answer = check(planned)
    assert figures(answer)["green"]["value"] == pytest.approx(100 * 1000 / 8000, abs=0.01)
    assert {one["geometry"]["type"] for one in proofs(answer, "green")} == {"Polygon"}
    publish_areas(planned, "gardens", {"by": gardens["by"]}, "planned")
    assert figures(check(planned))["green"]["verdict"] == "unknown"


@pytest.mark.parametrize(("gap", "deepest"), [((40, 30, 20, 50), 10), ((40, 30, 20, 16), 8)])
def test_what_spans_a_gap_in_its_parcel_reaches_beyond_the_boundary(
    city: City, gap: tuple[float, ...], deepest: float
) -> None:
    land = shapely.difference(rectangle(0, 0, 100, 80), rectangle(*gap))
    publish_areas(city, "parcels", {"p1": ("LandUse", land, PARCEL)})
    publish_blocks(city, "plan", {"b": Block(20, 30, 60, 40, 12, attributes={"floors": 3})}, "planned")  # fmt: skip
    found = figures(check(city, place=point(10, 10), setback=0.0))["setback"]
    assert (found["value"], found["verdict"]) == (pytest.approx(-deepest, abs=0.05), "failed")


def test_neighbours_keep_their_sun_or_the_windows_are_shown(planned: City) -> None:
    slab = Block(5, 52, 90, 20, 60, attributes={"floors": 20})
    publish_blocks(planned, "plan", {"slab": slab}, "planned")
    answer = check(planned)
    sun = figures(answer)["sunlight"]
    lost = answer.outputs["windows"].rows
    assert sun["value"] == len(lost) == len(proofs(answer, "sunlight")) > 0
    assert sun["verdict"] == "failed"
    assert {row[2] for row in lost} == {"home"}
    assert all(row[5] < min(row[4], 180) for row in lost)
    # A house as low as the one that is there already takes no sun from them.
    publish_blocks(planned, "plan", {"low": Block(3, 30, 30, 20, 6, attributes={"floors": 2})}, "planned")  # fmt: skip
    calm = check(planned)
    assert figures(calm)["sunlight"]["verdict"] == "met"
    assert calm.outputs["windows"].rows == ()


def test_a_view_corridor_is_blocked_by_what_rises_into_it(planned: City) -> None:
    line = {"type": "LineString", "coordinates": [place(x, 40)[:2] for x in (-100, 200)]}
    values = {"corridor": line, "corridor_width": 10.0, "corridor_height": 10.0, "corridor_end": 40.0}  # fmt: skip
    answer = check(planned, **values)
    found = figures(answer)["corridor"]
    # A tenth of a metre upwards with each metre: 20.3 m high where the tower begins, at x = 3.
    assert found["value"] == pytest.approx(40 - 20.3, abs=0.01)
    assert found["verdict"] == "failed"
    _, blocked = proofs(answer, "corridor")
    assert area(blocked) == pytest.approx(10 * 30, rel=1e-3)
    over = figures(check(planned, **{**values, "corridor_height": 41.0, "corridor_end": 60.0}))
    assert (over["corridor"]["value"], over["corridor"]["verdict"]) == (0, "met")
    beside = geojson(rectangle(-50, 60, 200, 10))
    assert figures(check(planned, corridor=beside, corridor_height=1.0))["corridor"]["verdict"] == "met"  # fmt: skip


def test_a_corridor_that_leads_nowhere_is_refused(planned: City) -> None:
    here, far = place(50, 40)[:2], place(51, 40.5)[:2]
    for coordinates in (
        [], [here], [here, here], [here, place(50.5, 40)[:2]], [here, far, here], [[200, 200], [300, 300]],
        [here[::-1], far[::-1]], [["a", "b"], ["c", "d"]],
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="not a GeoJSON LineString"):
            check(planned, corridor={"type": "LineString", "coordinates": coordinates})
    scene = city_scene(planned, place(50, 40)[:2], 200.0, Progress(), planned="plan")
    built = planned_buildings(planned, scene, planned.layers.get("plan"), rectangle(0, 0, 100, 80))
    area = shapely.box(-50, -50, 50, 50)
    lost = corridor_figure(scene, built, area, lambda places: np.full(len(places), np.nan))
    assert (lost.value, lost.verdict) == (None, "unknown"), "a surface that is nowhere"


def test_a_shadow_that_goes_farther_than_was_looked_does_not_meet_the_standard(city: City) -> None:
    publish_areas(city, "parcels", {"p1": ("LandUse", rectangle(0, 0, 100, 80), PARCEL)})
    publish_blocks(city, "plan", {"tower": Block(40, 30, 20, 20, 250)}, "planned")
    homes = {"home": Block(40, 450, 20, 10, 12, attributes={"use": "residential"})}
    publish_blocks(city, "stock", homes)
    near, wide = (figures(check(city, reach=reach))["sunlight"] for reach in (600, 2000))
    assert near["verdict"] == "unknown"
    assert "no dwelling was found" in near["reason"]
    assert "300 m from the parcel" in near["reason"]
    assert wide["verdict"] == "met"
    assert "of 20 windows" in wide["reason"]
    # The shadow at eight in the morning, and as much again around what it meets.
    lowest = sun_of("great-cold", 2026, AT, 1.0).directions[:, 2].min()
    assert int(near["reason"].split()[-2]) == pytest.approx(2 * 250 / lowest, abs=2)
    parts = {layer: Part() for layer in ("parcels", "plan")}
    seen = city.seen_by(Sight({**parts, "stock": Part(hidden=("owner",))}), None)
    answer = check(seen, reach=2000)
    found = figures(answer)["sunlight"]
    assert (found["verdict"], "stock" in found["reason"]) == ("unknown", True)
    assert ("stock", None) in {(row[0], row[2]) for row in answer.outputs["about"].rows}


def test_trees_are_no_buildings_and_parts_count_with_their_whole(city: City) -> None:
    publish_areas(city, "parcels", {"p1": ("LandUse", rectangle(0, 0, 100, 80), PARCEL)})
    publish_blocks(
        city, "plan",
        {
            "a": Block(20, 30, 20, 20, 30, attributes={"floors": 10}),
            "mast": Block(25, 35, 2, 2, 36, 30, kind="BuildingInstallation", parent="wing"),
            "tree": Block(0, 0, 10, 10, 8, kind="SolitaryVegetationObject"),
            "wing": Block(20, 30, 10, 20, 33, kind="BuildingPart", parent="a"),
        },
        "planned",
    )  # fmt: skip
    answer = check(city)
    found = figures(answer)
    assert found["far"]["value"] == pytest.approx(400 * 10 / 8000, abs=1e-4)
    assert found["far"]["reason"] is None
    assert found["density"]["value"] == pytest.approx(100 * 400 / 8000, abs=1e-3)
    assert found["setback"]["value"] == pytest.approx(20, abs=1e-3)
    assert found["height"]["value"] == pytest.approx(36, abs=1e-3), "with what the building holds"
    assert answer.outputs["parcel"].rows[0][4] == 1


def test_a_house_given_as_ifc_is_measured_storey_by_storey(real_city: City) -> None:
    # Outer walls of 12 × 10 m on two storeys; the ridge 6.318 m over the floor, whose slab is 0.2 m thick.
    found = figures(check(real_city, place=around(8.436539, 49.100505), planned="fzk_haus", far=0.2, density=0.09, height=6.5))  # fmt: skip
    assert found["far"]["value"] == pytest.approx(2 * 120 / 1200, abs=2e-4)
    assert found["density"]["value"] == pytest.approx(100 * 120 / 1200, abs=0.01)
    assert found["height"]["value"] == pytest.approx(6.318 + 0.2, abs=2e-3)
    assert [found[code]["verdict"] for code in ("far", "density", "height")] == ["met", "failed", "failed"]  # fmt: skip
    assert "no terrain" in found["height"]["reason"]


def test_foundations_do_not_make_a_model_higher(real_city: City) -> None:
    # From the slab of level 1, 0.137 m thick, to the skylights; the footings lie 1.55 m deep.
    found = figures(check(real_city, place=around(6.122167, 49.629223), planned="duplex_a_georef"))
    assert found["height"]["value"] == pytest.approx(6.635 + 0.137, abs=2e-3)


def around(lon: float, lat: float) -> dict[str, object]:
    """A parcel of 40 × 30 m with a place in its middle."""
    frame = Frame(lon, lat, 0.0)
    corners = frame.to_geographic(np.array([[-20.0, -15, 0], [20, -15, 0], [20, 15, 0], [-20, 15, 0]]))  # fmt: skip
    return geojson(shapely.Polygon(corners[:, :2]))


def test_height_is_over_the_terrain_where_that_is_known(planned: City, tmp_path: Path) -> None:
    level = np.full((60, 60), 4.0, "f4")
    place = {"west": 444_580.0, "north": 2_555_860.0}
    import_file(planned, write_raster(tmp_path / "dem.tif", level, **place), kind="terrain")
    found = figures(check(planned, height=36.1))["height"]
    assert found["value"] == pytest.approx(40 - 4, abs=1e-2)
    assert (found["verdict"], found["reason"]) == ("met", None)


def test_of_several_models_in_one_layer_each_is_as_high_as_itself(city: City) -> None:
    publish_areas(city, "parcels", {"p1": ("LandUse", rectangle(0, 0, 100, 80), PARCEL)})
    rooms = {"low": [(5, 3.0)], "high": [(45, 3.0), (45, 40.0)]}
    features, meshes = [], {}
    for key, storeys in rooms.items():
        features.append(Feature(key, "IfcBuilding", f"House {key}"))
        bottom = 0.0
        for number, (west, top) in enumerate(storeys):
            mesh = box((20, 20, top - bottom), (west, 20, bottom))
            meshes[mesh.key()] = mesh
            storey = f"{key}{number}"
            features += [
                Feature(storey, "IfcBuildingStorey", storey, key, {"elevation": bottom}),
                Feature(
                    f"{storey}r", "IfcSpace", "room", storey, {"storey": storey},
                    instances=(Instance(mesh.key(), np.eye(4)),),
                ),
            ]  # fmt: skip
            bottom = top
    content = Features(tuple(features), meshes)
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    frame = Frame(*AT, 0.0)
    publish(city, Layer("plan", "plan", frame, content, georeference, lifecycle="planned"))
    answer = check(city)
    found = figures(answer)
    assert found["far"]["value"] == pytest.approx(3 * 400 / 8000, abs=1e-4)
    assert found["height"]["value"] == pytest.approx(40, abs=1e-3)
    prisms = {one["properties"]["label"]: one["properties"]["top"] for one in proofs(answer, "far")}
    assert prisms == pytest.approx({"House low": 3, "House high": 40}, abs=0.01)
    [high] = proofs(answer, "height")
    assert area(high) == pytest.approx(400, rel=1e-3)
    with pytest.raises(InvalidInput, match="checked as a whole"):
        check(city, features=["low0r"])


def test_a_parcel_says_its_conditions_in_several_words() -> None:
    assert told({"容积率上限": "2.5"}, "far") == (2.5, "容积率上限")
    assert told({"Density_Limit": "28%"}, "density") == (0.28, "Density_Limit")
    assert told({"far_limit": "see plan"}, "far") == (None, "")
    assert told({"green_ratio": "0.5%"}, "green") == (0.005, "green_ratio")
    assert told({"green_ratio": "35％"}, "green") == (0.35, "green_ratio")
    # What no upper limit is set for has 0 in many registers; a building line may be the boundary itself.
    assert told({"far_limit": 0, "容积率上限": 1.8}, "far") == (1.8, "容积率上限")
    assert told({"height_limit": "0"}, "height") == (None, "")
    assert told({"setback": 0}, "setback") == (0, "setback")
    assert told({"setback": -1}, "setback") == (None, "")


def test_what_cannot_be_checked_is_said(planned: City) -> None:
    for values, kind, sentence in (
        ({"place": point(50, 300)}, InvalidInput, "has no parcel at this place"),
        ({"planned": "nowhere"}, NotFound, "nowhere"),
        ({"planned": "parcels"}, InvalidInput, "has no bodies"),
        ({"place": geojson(rectangle(0, 300, 9, 9))}, InvalidInput, "plans nothing on this parcel"),
        ({"corridor": {"type": "LineString"}}, InvalidInput, "not a GeoJSON LineString"),
    ):
        with pytest.raises(kind, match=sentence):
            check(planned, **values)
    partly = {"plan": Part(heights=False), "parcels": Part(), "stock": Part()}
    with pytest.raises(Forbidden, match="only in part"):
        check(planned.seen_by(Sight(partly), None))
