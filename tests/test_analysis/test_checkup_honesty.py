"""What is not known says why: statuses and reasons of values."""

from pathlib import Path

import pytest
import shapely

from analysis.checkup.examine import examine
from analysis.checkup.examine import measure as measure_of
from analysis.checkup.formulas import Input
from analysis.checkup.roles import FILE_NAME, city_roles, roles
from analysis.checkup.scene import Scene
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.sight import WHOLE, Part, Sight
from tests.support.checkup import (
    SQUARE,
    a_set,
    box,
    drawn,
    indicator,
    line,
    measured,
    point,
    scene_of,
)
from tests.support.renewal_twin import ground

ESTATES = {"input": "estates"}
GREENWAYS = {"input": "greenways"}
GAP = {"operator": "gap", "what": ESTATES, "required": "parking_required", "existing": "parking"}


def said(scene: Scene, **told: object) -> tuple[str, str]:
    """Status and reason of the district."""
    found = measured(scene, **told)
    return found.status[0], found.reason[0]


def test_a_missing_layer_and_a_missing_column_are_named(tmp_path: Path) -> None:
    scene = scene_of(drawn(tmp_path, estates=[("a", box(0, 0, 9, 9), {"parking": 3})]))
    total = {"operator": "total", "what": {"input": "ponding"}}
    assert said(scene, **total) == ("unavailable", "no-layer")
    assert said(scene, **GAP) == ("unavailable", "no-column")
    where = {"operator": "total", "what": {**ESTATES, "where": {"managed": False}}}
    assert said(scene, **where) == ("unavailable", "no-column")
    assert measured(scene, **where).surveyed.tolist() == [0.0]


def test_a_layer_without_features_is_no_zero_but_one_without_such_features_is(
    tmp_path: Path,
) -> None:
    points = [("p", point(5, 5), {"severity": "slight"})]
    scene = scene_of(
        drawn(tmp_path, ponding=points, clinics=[], parcels=[("l", SQUARE, {"land_use": "R"})])
    )
    severe = {"operator": "total", "what": {"input": "ponding", "where": {"severity": "severe"}}}
    assert (*said(scene, **severe), measured(scene, **severe).value[0]) == ("ready", "", 0.0)
    assert said(scene, operator="total", what={"input": "clinics"}) == (
        "unavailable",
        "no-features",
    )
    # A coverage by sites of which there are none is 0, and doubtful.
    sites = [{"input": "ponding", "where": {"severity": "severe"}, "radius": 300}]
    told = {"operator": "coverage", "demand": {"input": "residential-land"}, "sites": sites}
    assert (*said(scene, **told), measured(scene, **told).value[0]) == (
        "partial",
        "no-features",
        0.0,
    )


def test_nothing_to_divide_by(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, parcels=[("l", box(0, 0, 400, 1000), {"land_use": "R"})],
        communities=[("west", box(0, 0, 500, 1000), {}), ("east", box(500, 0, 500, 1000), {})],
        bus_stops=[("s", point(0, 0), {})],
    )  # fmt: skip
    sites = [{"input": "bus-stops", "radius": 5000}]
    found = measured(
        scene_of(city), "community", operator="coverage", demand={"input": "residential-land"}, sites=sites
    )  # fmt: skip
    assert found.status == ("unavailable", "ready")  # in the order of the ids
    assert found.reason == ("nothing-to-divide-by", "")
    assert str(found.value.tolist()) == "[nan, 100.0]"


def test_a_ratio_is_of_what_was_surveyed(tmp_path: Path) -> None:
    """Four houses: one has the hazard, one has not, nobody looked at two: 50 % of half of them."""
    survey = [
        ("a", point(1, 1), {"structure_hazard": True}), ("b", point(2, 2), {"structure_hazard": False}),
        ("c", point(3, 3), {}), ("d", point(4, 4), {"gas_hazard": True}),
    ]  # fmt: skip
    scene = scene_of(drawn(tmp_path, building_survey=survey))
    part = {"input": "building-survey", "where": {"structure_hazard": True}}
    told = {"part": part, "whole": {"input": "building-survey"}, "measure": "count"}
    found = measured(scene, operator="share", **told)
    assert (found.numerator[0], found.denominator[0], found.value[0]) == (1.0, 2.0, 50.0)
    assert (found.surveyed[0], found.status, found.reason) == (0.5, ("partial",), ("in-part",))
    [evidence] = found.evidence  # the one that has not; of the others nothing is known
    assert (evidence.layer, evidence.ids) == ("building-survey", ("b",))
    found = measured(scene, operator="total", what=part)
    assert (found.value[0], found.surveyed[0], found.status) == (1.0, 0.5, ("partial",))
    [evidence] = found.evidence
    assert (evidence.ids, evidence.values.tolist(), evidence.units.tolist()) == (("a",), [1.0], [0])


def test_the_survey_is_of_those_that_are_asked_about(tmp_path: Path) -> None:
    """Of two dwellings one was looked at; the office nobody looked at is beside the point."""
    houses = [
        ("a", box(0, 0, 9, 9), {"use": "residential", "height": 90.0}),
        ("b", box(20, 0, 9, 9), {"use": "residential"}), ("c", box(40, 0, 9, 9), {"use": "office"}),
    ]  # fmt: skip
    what = {"input": "buildings", "where": {"use": "residential", "height": {"above": 80}}}
    found = measured(scene_of(drawn(tmp_path, buildings=houses)), operator="total", what=what)
    assert (found.value[0], found.surveyed[0]) == (1.0, 0.5)


def test_sums_of_unknown_values_are_partial_and_of_none_unavailable(tmp_path: Path) -> None:
    estates = [
        ("a", box(0, 0, 9, 9), {"parking": 3, "parking_required": 5}),
        ("b", box(20, 0, 9, 9), {"parking": 3}),
    ]
    communities = [("one", box(0, 0, 15, 900), {}), ("two", box(15, 0, 900, 900), {})]
    scene = scene_of(drawn(tmp_path, estates=estates, communities=communities))
    found = measured(scene, **GAP)
    assert (found.value[0], found.surveyed[0], found.reason) == (2.0, 0.5, ("in-part",))
    found = measured(scene, "community", **GAP)
    assert found.status == ("ready", "unavailable")
    assert found.reason == ("", "not-surveyed")


def test_time_without_roads_says_so(tmp_path: Path) -> None:
    land = [("l", SQUARE, {"land_use": "R"})]
    scene = scene_of(drawn(tmp_path, parcels=land, clinics=[("c", point(0, 0), {})]))
    told = {"demand": {"input": "residential-land"}, "sites": [{"input": "clinics", "minutes": 15}]}
    assert said(scene, operator="coverage", on="walk", **told) == ("unavailable", "no-network")


def seen(city: City, **parts: Part) -> Scene:
    """The scene of somebody who sees some layers in part."""
    whole = {version.layer: WHOLE for version in city.layers.current()}
    return scene_of(city.seen_by(Sight({**whole, **parts}), None))


def test_who_sees_a_part_is_told_that_it_is_one(tmp_path: Path) -> None:
    estates = [
        ("a", box(0, 0, 9, 9), {"parking": 3, "parking_required": 5}),
        ("b", box(900, 0, 9, 9), {"parking": 0, "parking_required": 7}),
    ]
    city = drawn(tmp_path, estates=estates)
    assert measured(scene_of(city), **GAP).value[0] == 9.0
    west = Part(area=ground(box(0, 0, 100, 100)))
    found = measured(seen(city, estates=west), **GAP)
    assert (found.value[0], found.status, found.reason) == (2.0, ("partial",), ("in-part",))
    # A column that is hidden is not one that the layer lacks.
    assert said(seen(city, estates=Part(hidden=("parking*",))), **GAP) == ("unavailable", "in-part")
    # A layer that is not seen is not there.
    nobody = scene_of(city.seen_by(Sight({"towns": WHOLE}), None))
    assert said(nobody, **GAP) == ("unavailable", "no-layer")
    # Nothing in the part is no zero.
    empty = Part(area=ground(box(500, 500, 10, 10)))
    assert said(seen(city, estates=empty), **GAP) == ("unavailable", "in-part")


def test_a_city_without_towns_has_no_district(tmp_path: Path) -> None:
    city = drawn(tmp_path, towns=[], estates=[("a", box(0, 0, 9, 9), {})])
    assert said(scene_of(city), operator="total", what=ESTATES) == ("unavailable", "no-layer")


def test_a_city_says_which_layer_plays_a_role(tmp_path: Path) -> None:
    city = drawn(tmp_path, metro=[("m", line((0, 0), (30, 40)), {"state": "ok", "use": "yes"})])
    path = city.folder / FILE_NAME
    path.write_text(
        '[inputs.mains]\nlayer = "metro"\nwhere = { state = "ok" }\ncolumns = { monitored = "use" }\n'
    )
    role = city_roles(city)["mains"]
    assert (role.layer, role.where, role.named) == ("metro", {"state": "ok"}, {"monitored": "use"})
    picked = scene_of(city).pick(Input(input="mains", where={"monitored": "yes"}))
    assert picked.ids == ("m",)
    assert picked.missing == {"length"}
    assert city_roles(drawn(tmp_path / "other")) == roles()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[inputs.main]\nlayer = 'x'\n", r"there is no role 'main'; \[inputs.…\] takes one of towns"),
        ("[inputs.mains]\nlayers = 'x'\n", r"inputs.mains.layers: Extra inputs .* write \[inputs.ROLE\]"),
        ("[inputs.mains]\ncolumns = { depth = 'd' }\n", r"depth is no column of the role; it has length"),
        ("[inputs.mains\n", "cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_named(tmp_path: Path, text: str, message: str) -> None:
    city = drawn(tmp_path)
    (city.folder / FILE_NAME).write_text(text)
    with pytest.raises(InvalidInput, match=message) as caught:
        city_roles(city)
    assert str(city.folder / FILE_NAME) in caught.value.sentence


def test_a_formula_that_asks_for_what_is_not_is_refused(tmp_path: Path) -> None:
    scene = scene_of(drawn(tmp_path))
    with pytest.raises(InvalidInput, match="there is no role 'castles'; an input is one of towns"):
        measured(scene, operator="total", what={"input": "castles"})
    with pytest.raises(InvalidInput, match="'towns' has no column 'king'; it has population"):
        measured(scene, operator="total", what={"input": "towns", "where": {"king": "Lu"}})


def test_areas_that_cross_themselves_are_mended(tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    scene = scene_of(drawn(tmp_path, parks=[("p", bow, {})]))
    found = measured(scene, operator="total", what={"input": "parks"}, measure="area")
    assert found.value[0] == pytest.approx(5000, rel=1e-6)


def test_a_column_that_no_role_has_is_named(tmp_path: Path) -> None:
    scene = scene_of(drawn(tmp_path, buildings=[("b", box(0, 0, 9, 9), {"floor_area": 9.0})]))
    with pytest.raises(InvalidInput, match="'buildings' has no column 'flor_area'; it has use"):
        measured(scene, operator="total", what={"input": "buildings"}, measure="flor_area")


def test_what_stands_where_nobody_knows_who_lives_is_nobodys(tmp_path: Path) -> None:
    """Two halves with 10 m² for each of 100: of one it is not known how many live there."""
    city = drawn(
        tmp_path,
        parks=[("p", box(400, 0, 200, 10), {})],
        population=[("w", box(0, 0, 500, 1000), {"population": 100}), ("e", box(500, 0, 500, 1000), {})],
    )  # fmt: skip
    told = {"what": {"input": "parks"}, "population": {"input": "population"}}
    found = measured(scene_of(city), operator="per-capita", measure="area", **told)
    assert found.value[0] == pytest.approx(10.0, rel=1e-6)
    assert (found.status, found.reason, found.surveyed[0]) == (
        ("partial",), ("in-part",), pytest.approx(0.5),
    )  # fmt: skip


def test_houses_without_an_answer_are_not_safe(tmp_path: Path) -> None:
    """Of four houses a point lies in one, another is named by one, one has no answer, one no point."""
    flats = {"use": "residential"}
    city = drawn(
        tmp_path,
        buildings=[
            *((key, box(20 * i, 0, 9, 9), flats) for i, key in enumerate("abcd")),
            ("office", box(200, 0, 9, 9), {"use": "office"}),
        ],
        building_survey=[
            ("1", point(5, 5), {"gas_hazard": "no"}), ("2", point(900, 900), {"gas_hazard": "no", "building": "b"}),
            ("3", point(45, 5), {}),
        ],
    )  # fmt: skip
    told = {"what": {"input": "building-survey", "where": {"gas_hazard": "yes"}}}
    told["about"] = {"input": "buildings", "where": flats}
    found = measured(scene_of(city), operator="total", **told)
    assert (found.value[0], found.surveyed[0], found.status) == (0.0, 0.5, ("partial",))
    found = measured(scene_of(city), "building", operator="total", **told)
    assert found.status == ("ready", "ready", "unavailable", "unavailable", "unavailable")
    assert found.reason[2:] == ("not-surveyed",) * 3


def test_the_district_of_who_sees_some_towns_is_a_part(tmp_path: Path) -> None:
    towns = [("w", box(0, 0, 500, 1000), {}), ("e", box(500, 0, 500, 1000), {})]
    city = drawn(tmp_path, towns=towns, ponding=[("p", point(5, 5), {})])
    count = {"operator": "total", "what": {"input": "ponding"}}
    assert said(scene_of(city), **count) == ("ready", "")
    scene = seen(city, towns=Part(area=ground(box(0, 0, 100, 100))))
    assert said(scene, **count) == ("partial", "in-part")
    assert measured(scene, "cell", **count).status[0] == "partial"
    assert measured(scene, "town", **count).status == ("ready",)


ROAD = line((0, 500), (1000, 500))
WALK = {
    "operator": "coverage", "on": "walk", "demand": {"input": "residential-land"},
    "sites": [{"input": "clinics", "minutes": 15}],
}  # fmt: skip


def test_roads_that_nobody_may_walk_along_are_no_network(tmp_path: Path) -> None:
    land = [("l", SQUARE, {"land_use": "R"})]
    clinic = [("c", point(0, 500), {})]
    roads = [("r", ROAD, {"road_class": "快速路"})]
    scene = scene_of(drawn(tmp_path, parcels=land, clinics=clinic, roads=roads))
    assert said(scene, **WALK) == ("unavailable", "no-network")


def test_sites_off_the_roads_and_columns_that_are_hidden_are_told(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, parcels=[("l", SQUARE, {"land_use": "R"})], roads=[("r", ROAD, {"oneway": "no"})],
        clinics=[("c", point(0, 500), {}), ("off", point(100, 900), {}), ("abroad", point(0, 9000), {})],
    )  # fmt: skip
    scene = scene_of(city)
    assert said(scene, **WALK) == ("partial", "sites-off-roads")
    named = dict(WALK, sites=[{"input": "clinics", "where": {"kind": "x"}, "minutes": 15}])
    assert said(scene, **named) == ("unavailable", "no-column")
    hidden = seen(city, roads=Part(hidden=("oneway",)))
    assert said(hidden, **WALK) == ("unavailable", "in-part")


def test_values_of_another_kind_than_is_asked_for_are_no_no(tmp_path: Path) -> None:
    estates = [("a", box(0, 0, 9, 9), {"renovated": 1, "managed": "3"})]
    mixed = [("p", point(5, 5), {"severity": "severe"}), ("q", point(6, 6), {"severity": 4})]
    scene = scene_of(drawn(tmp_path, estates=estates, ponding=mixed))
    for where in ({"renovated": "yes"}, {"managed": {"min": 1}}):
        told = {"operator": "total", "what": {**ESTATES, "where": where}}
        assert said(scene, **told) == ("unavailable", "other-values")
    assert said(scene, operator="total", what={**ESTATES, "where": {"renovated": 1}}) == (
        "ready",
        "",
    )
    severe = {"input": "ponding", "where": {"severity": "severe"}}
    assert said(scene, operator="total", what=severe) == ("partial", "in-part")


def test_points_have_no_area_and_areas_no_length(tmp_path: Path) -> None:
    parks = [("a", box(0, 0, 100, 100), {}), ("b", point(5, 5), {})]
    scene = scene_of(drawn(tmp_path, parks=parks, greenways=[("g", box(0, 0, 9, 9), {})]))
    told = {"operator": "total", "what": {"input": "parks"}, "measure": "area"}
    found = measured(scene, **told)
    assert (found.status, found.surveyed.tolist()) == (("partial",), [0.5])
    assert found.value[0] == pytest.approx(10_000)
    told = {"operator": "total", "what": {"input": "greenways"}, "measure": "length"}
    assert said(scene, **told) == ("unavailable", "not-surveyed")
    for measure, role in (("length", "parks"), ("area", "greenways"), ("longest", "clinics")):
        wrong = indicator("x", operator="total", what={"input": role}, measure=measure)
        with pytest.raises(InvalidInput, match=f"{role}.* has no {measure}"):
            measure_of(scene, wrong)
    near = {"near": {"input": "parks"}, "distance": 9, "measure": "longest"}
    wrong = indicator("x", operator="share", part=GREENWAYS, whole=GREENWAYS, **near)
    with pytest.raises(InvalidInput, match="near cannot be measured as longest"):
        measure_of(scene, wrong)


def test_a_layer_is_of_the_day_on_which_it_was_published_in_china(tmp_path: Path) -> None:
    city = drawn(tmp_path, clinics=[("c", point(5, 5), {})])
    with city.database.transaction() as connection:
        connection.execute("UPDATE versions SET published = '2026-03-01T18:30:00Z'")
    assert scene_of(city).pick(Input(input="clinics")).date == "2026-03-02"


def test_a_long_trip_without_an_answer_is_one_trip(tmp_path: Path) -> None:
    trips = [
        ("short", line((0, 0), (10, 0)), {"commuters": 5.0, "minutes": 9.0}),
        ("long", line((0, 0), (990, 0)), {"commuters": 5.0}),
    ]
    told = {"what": {"input": "commutes"}, "value": "minutes", "weight": "commuters"}
    scene = scene_of(drawn(tmp_path, commutes=trips))
    found = measured(scene, operator="mean", **told)
    assert (found.value[0], found.surveyed[0], found.status) == (9.0, 0.5, ("partial",))
    short = {"input": "commutes", "where": {"minutes": {"max": 45}}}
    found = measured(scene, operator="total", what=short, measure="commuters")
    assert (found.value[0], found.surveyed[0], found.status) == (5.0, 0.5, ("partial",))


def test_what_is_made_of_points_of_interest_is_a_proxy(tmp_path: Path) -> None:
    towns = [("t", SQUARE, {})]
    city = drawn(tmp_path, towns=towns, facilities=[("s", point(5, 5), {"kind": "shop"})])
    which = a_set(
        indicator("shops", (), operator="equipped", units={"input": "towns"}, sites=[{"input": "facilities"}]),
        indicator("towns", (), operator="total", what={"input": "towns"}),
    )  # fmt: skip

    def proxies() -> list[bool]:
        return [one.proxy for one in examine(scene_of(city), which, lambda _: None).set.indicators]

    assert proxies() == [False, False]
    (city.folder / FILE_NAME).write_text("[inputs.facilities]\nproxy = true\n", "utf-8")
    assert proxies() == [True, False]
