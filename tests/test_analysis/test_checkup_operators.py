"""Each operator against a case that was computed by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely

from analysis.checkup.operators import method_of
from analysis.checkup.operators.geometry import subdivided
from cim_core.errors import InvalidInput
from tests.support.checkup import box, drawn, formula, line, measured, point, scene_of, value

LAND = [("built", box(0, 0, 1000, 500), {"kind": "built-up"})]


def test_density_is_footprint_by_area_and_overlaps_count_once(tmp_path: Path) -> None:
    # 100 × 100 and 100 × 100 with 50 × 100 in common: 15,000 m² of 500,000 are 3 %.
    city = drawn(
        tmp_path, land=LAND,
        buildings=[
            ("a", box(0, 0, 100, 100), {}), ("b", box(50, 0, 100, 100), {}),
            ("north", box(0, 600, 100, 100), {}),
        ],
    )  # fmt: skip
    what = {"what": {"input": "buildings"}, "within": {"input": "built-up"}}
    scene = scene_of(city)
    found = measured(scene, operator="density", measure="area", scale=100.0, **what)
    assert found.value[0] == pytest.approx(3.0, rel=1e-6)
    assert found.numerator[0] == pytest.approx(15_000, rel=1e-6)
    assert found.denominator[0] == pytest.approx(500_000, rel=1e-6)
    # Counted, each is one, and what is outside the built-up area is none of it.
    assert value(scene, operator="density", measure="count", scale=1e6, **what) == pytest.approx(4)


def test_density_of_roads_counts_what_is_inside_once(tmp_path: Path) -> None:
    # 1,000 m inside the half square, 500 m beyond it; the same line drawn twice is one road.
    road = line((500, -250), (500, 1250))
    city = drawn(
        tmp_path, land=LAND,
        roads=[("a", road, {}), ("again", road, {}), ("b", line((0, 250), (500, 250)), {})],
    )  # fmt: skip
    told = {"what": {"input": "roads"}, "measure": "length", "within": {"input": "built-up"}}
    found = value(scene_of(city), operator="density", scale=1000.0, **told)
    assert found == pytest.approx(1.0 / 0.5, rel=1e-6)  # km by km²


def test_density_of_a_column_takes_the_part_that_is_inside(tmp_path: Path) -> None:
    # Half of 200 m of a house with 1,000 m² of floors are inside: 500 m² by 500,000.
    city = drawn(
        tmp_path, land=LAND, buildings=[("a", box(0, 400, 10, 200), {"floor_area": 1000.0})]
    )
    told = {"what": {"input": "buildings"}, "within": {"input": "built-up"}}
    found = value(scene_of(city), operator="density", measure="floor_area", **told)
    assert found == pytest.approx(0.001, rel=1e-6)


def test_per_capita(tmp_path: Path) -> None:
    # 20,000 m² of parks; 1,000 people in one cell, half of 3,000 in another that is half outside.
    city = drawn(
        tmp_path,
        parks=[("p", box(0, 0, 100, 200), {})],
        population=[
            ("c1", box(0, 0, 100, 100), {"population": 1000.0}),
            ("c2", box(950, 0, 100, 100), {"population": 3000.0}),
        ],
    )
    told = {"what": {"input": "parks"}, "measure": "area", "population": {"input": "population"}}
    found = measured(scene_of(city), operator="per-capita", **told)
    assert found.denominator[0] == pytest.approx(2500, rel=1e-6)
    assert found.value[0] == pytest.approx(8.0, rel=1e-6)


def test_share_of_counts_areas_columns_and_what_is_near(tmp_path: Path) -> None:
    kinds = [
        ("a", box(0, 0, 100, 100), {"cover": "grass", "permeable": True}),
        ("b", box(100, 0, 300, 100), {"cover": "paving", "permeable": False}),
    ]
    city = drawn(
        tmp_path, land_cover=kinds,
        utility_tunnels=[("t", line((0, 300), (300, 300)), {})],
        roads=[("r", line((0, 290), (600, 290)), {}), ("far", line((0, 900), (600, 900)), {})],
    )  # fmt: skip
    scene = scene_of(city)
    part = {"part": {"input": "land-cover", "where": {"permeable": True}}, "whole": {"input": "land-cover"}}  # fmt: skip
    assert value(scene, operator="share", measure="area", **part) == pytest.approx(25.0, rel=1e-6)
    assert value(scene, operator="share", measure="count", **part) == pytest.approx(50.0)
    # The tunnel ends at 300; the road within 20 m of it ends where a circle of 20 m around its end does.
    near = {"part": {"input": "roads"}, "whole": {"input": "roads"}, "near": {"input": "tunnels"}}
    found = measured(scene, operator="share", measure="length", distance=20.0, **near)
    assert found.numerator[0] == pytest.approx(300 + math.sqrt(300), abs=0.05)
    assert found.denominator[0] == pytest.approx(1200, rel=1e-6)
    found = measured(scene, operator="share", measure="count", distance=20.0, **near)
    assert found.value[0] == 50.0


def test_a_part_is_of_its_whole(tmp_path: Path) -> None:
    """An estate that was renovated without need is none of those to renovate; land beyond is none of it."""
    city = drawn(
        tmp_path,
        estates=[
            ("a", box(0, 0, 9, 9), {"to_renovate": "yes", "renovated": "no"}),
            ("b", box(20, 0, 9, 9), {"to_renovate": "yes", "renovated": "yes"}),
            ("c", box(40, 0, 9, 9), {"to_renovate": "no", "renovated": "yes"}),
            ("d", box(60, 0, 9, 9), {"to_renovate": "no", "renovated": "yes"}),
        ],
        parcels=[("p", box(0, 0, 100, 100), {"land_use": "R"})],
        parks=[("in", box(0, 0, 50, 50), {}), ("out", box(100, 0, 500, 100), {})],
    )  # fmt: skip
    scene = scene_of(city)
    part = {"input": "estates", "where": {"renovated": "yes"}}
    whole = {"input": "estates", "where": {"to_renovate": "yes"}}
    told = {"operator": "share", "part": part, "whole": whole}
    assert value(scene, measure="count", **told) == 50.0
    assert value(scene, measure="area", **told) == pytest.approx(50.0)
    told = {"part": {"input": "parks"}, "whole": {"input": "residential-land"}}
    assert value(scene, operator="share", measure="area", **told) == pytest.approx(25.0)


def test_totals_count_sum_and_find_the_largest(tmp_path: Path) -> None:
    city = drawn(
        tmp_path,
        land=[
            ("one", box(0, 0, 100, 100), {"kind": "cluster"}),
            ("two", box(200, 0, 200, 300), {"kind": "cluster"}),
            ("built", box(0, 0, 900, 900), {"kind": "built-up"}),
        ],
        mains=[("m", line((0, 0), (30, 40)), {"length": 51.5}), ("n", line((0, 0), (7, 0)), {"length": 7.25})],
    )  # fmt: skip
    scene = scene_of(city)
    what = {"what": {"input": "clusters"}}
    assert value(scene, operator="total", **what) == 2
    assert value(scene, operator="total", measure="area", scale=1e-6, **what) == pytest.approx(0.07)
    largest = value(scene, operator="total", measure="largest-area", **what)
    assert largest == pytest.approx(60_000, rel=1e-6)
    mains = {"what": {"input": "mains"}}
    assert value(scene, operator="total", measure="length", **mains) == pytest.approx(57, rel=1e-6)
    longest = value(scene, operator="total", measure="longest", **mains)
    assert longest == pytest.approx(50, rel=1e-6)
    where = {"what": {"input": "clusters", "where": {"shape_area": {"above": 10_001}}}}
    assert value(scene, operator="total", **where) == 1
    # Only the first cluster is inside the first cluster.
    inside = {"within": {"input": "clusters", "where": {"shape_area": {"max": 10_001}}}}
    found = measured(scene, operator="total", measure="area", **what, **inside)
    assert found.value[0] == pytest.approx(10_000, rel=1e-6)
    assert value(scene, operator="total", **what, **inside) == 1


def test_lines_that_run_along_each_other_count_once_whatever_their_corners(tmp_path: Path) -> None:
    streets = [
        ("a", line((0, 10), (100, 10)), {}), ("b", line((50, 10), (150, 10)), {}),  # 150 m together
        ("back", line((150, 10.004), (90, 10), (60, 10), (60, 40)), {}),  # 30 m of it go on north
        ("cross", line((30, 0), (30, 20)), {}), ("on", line((150, 10), (200, 11)), {}),
        ("ramp", line((0, 10), (100, 20)), {}),
    ]  # fmt: skip
    scene = scene_of(drawn(tmp_path, mains=streets))
    found = value(scene, operator="total", what={"input": "mains"}, measure="length")
    ends = math.hypot(50, 1) + math.hypot(100, 10)
    assert found == pytest.approx(150 + 30 + 20 + ends, abs=0.05)
    towns = measured(scene, "town", operator="total", what={"input": "mains"}, measure="length")
    assert towns.value[0] == pytest.approx(found)


def test_corners_however_near_to_each_other_lose_no_land() -> None:
    """A kilometre of land with one corner rounded to a thousandth of a millimetre."""
    round_corner = shapely.Point(0, 0).buffer(1e-6, quad_segs=100)
    land = shapely.union(shapely.Polygon([(0, 0), (1000, 0), (0, 1000)]), round_corner)
    assert shapely.get_num_coordinates(land) > 200
    parts = subdivided(np.array([land], object))
    assert parts.sizes().sum() == pytest.approx(land.area, abs=1e-6)


def test_a_column_of_lines_named_length_is_measured_not_read(tmp_path: Path) -> None:
    city = drawn(tmp_path, mains=[("m", line((0, 0), (30, 40)), {"length": 999.0})])
    found = value(scene_of(city), operator="total", what={"input": "mains"}, measure="length")
    assert found == pytest.approx(50, rel=1e-6)


def test_a_gap_is_summed_one_by_one(tmp_path: Path) -> None:
    # 100 − 80 = 20 are lacking, 50 too many help nobody.
    estates = [
        ("a", box(0, 0, 10, 10), {"parking": 80, "parking_required": 100, "piles": 5}),
        ("b", box(20, 0, 10, 10), {"parking": 150, "parking_required": 100, "piles": 30}),
    ]
    scene = scene_of(drawn(tmp_path, estates=estates))
    what = {"what": {"input": "estates"}}
    told = {"required": "parking_required", "existing": "parking"}
    found = measured(scene, operator="gap", **what, **told)
    assert found.value.tolist() == [20.0] and found.denominator.tolist() == [1.0]
    [evidence] = found.evidence
    assert (evidence.ids, evidence.values.tolist()) == (("a",), [20.0])
    # 10 % of 80 and 150 spaces are 8 and 15 piles.
    ratio = {"of": "parking", "ratio": 0.1, "existing": "piles"}
    assert value(scene, operator="gap", **what, **ratio) == pytest.approx(3.0)
    # 11 % are 8.8 and 16.5 piles, so 9 and 17 in whole ones, of which 5 and 30 are there.
    assert value(scene, operator="gap", **what, **{**ratio, "ratio": 0.11}) == pytest.approx(3.8)
    assert value(scene, operator="gap", **what, **{**ratio, "ratio": 0.11}, whole=True) == 4.0
    exact = {
        "of": "parking",
        "ratio": 0.07,
        "existing": "piles",
        "whole": True,
    }  # 5.6 and 10.500000000000002
    assert value(scene, operator="gap", **what, **exact) == 1.0
    with pytest.raises(InvalidInput, match="either `required`, or `of` with `ratio`"):
        measured(scene, operator="gap", **what, existing="piles")


def test_equipped_needs_one_of_each_inside_or_near(tmp_path: Path) -> None:
    communities = [("c1", box(0, 0, 100, 100), {}), ("c2", box(200, 0, 100, 100), {})]
    facilities = [
        ("s", point(50, 50), {"kind": "shop"}), ("s2", point(250, 50), {"kind": "shop"}),
        ("e", point(140, 50), {"kind": "elderly-station"}),  # 40 m from c1, 60 m from c2
    ]  # fmt: skip
    scene = scene_of(drawn(tmp_path, communities=communities, facilities=facilities))
    shops = {"input": "facilities", "where": {"kind": "shop"}}
    elderly = {"input": "facilities", "where": {"kind": "elderly-station"}}
    what = {"operator": "equipped", "units": {"input": "communities"}}
    assert value(scene, **what, sites=[shops]) == 100.0
    found = measured(scene, **what, sites=[shops, {**elderly, "radius": 50}])
    assert (found.value[0], found.numerator[0], found.denominator[0]) == (50.0, 1.0, 2.0)
    assert [(e.ids, e.values.tolist()) for e in found.evidence] == [(("c2",), [1.0])]
    assert value(scene, **what, sites=[elderly]) == 0.0
    assert value(scene, **what, sites=[elderly], lacking=True) == 2.0


def test_losses_and_their_reverse(tmp_path: Path) -> None:
    areas = [
        ("a", box(0, 0, 100, 100), {"supplied": 100.0, "metered": 80.0}),
        ("b", box(200, 0, 100, 100), {"supplied": 300.0, "metered": 290.0}),
    ]
    scene = scene_of(drawn(tmp_path, water_meters=areas))
    told = {"what": {"input": "water-meters"}, "given": "supplied", "used": "metered"}
    assert value(scene, operator="loss", **told) == pytest.approx(7.5)
    assert value(scene, operator="loss", reverse=True, **told) == pytest.approx(92.5)


def test_means_plain_and_harmonic(tmp_path: Path) -> None:
    # 3 km at 30 km/h and 3 km at 60 km/h take 6 and 3 minutes: 40 km/h, not 45.
    links = [
        ("a", line((0, 0), (300, 0)), {"length": 3000.0, "speed": 30.0}),
        ("b", line((0, 9), (300, 9)), {"length": 3000.0, "speed": 60.0}),
    ]
    scene = scene_of(drawn(tmp_path, link_speeds=links))
    told = {"what": {"input": "link-speeds"}, "value": "speed", "weight": "length"}
    assert value(scene, operator="mean", **told) == pytest.approx(45.0)
    assert value(scene, operator="mean", harmonic=True, **told) == pytest.approx(40.0)


def test_trips_need_both_ends(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, metro_stations=[("s", point(100, 100), {})],
        commutes=[
            ("both", line((100, 200), (200, 100)), {"commuters": 30.0}),
            ("home", line((100, 200), (900, 900)), {"commuters": 50.0}),
            ("work", line((900, 900), (100, 200)), {"commuters": 20.0}),
        ],
    )  # fmt: skip
    sites = [{"input": "stations", "radius": 150}]
    told = {"trips": {"input": "commutes"}, "weight": "commuters", "sites": sites}
    assert value(scene_of(city), operator="both-ends", **told) == pytest.approx(30.0)


def test_how_values_come_about_is_told() -> None:
    schools = {"input": "schools"}
    near, on_foot = [{**schools, "radius": 500}], [{**schools, "minutes": 10}]
    demand = {"operator": "coverage", "demand": {"input": "residential-land"}}
    assert method_of(formula(**demand, sites=near)) == "euclidean"
    assert method_of(formula(**demand, sites=on_foot, on="walk")) == "network"
    assert method_of(formula(operator="total", what=schools)) == "count"
    assert method_of(formula(operator="total", what=schools, measure="pupils")) == "reported"
    assert method_of(formula(operator="total", what=schools, measure="area")) == "measured"
