"""Coverage: the rules at its edges, the published figures, and brute force over dense points."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.errors import InvalidInput
from tests.support.checkup import SQUARE, box, dense, draw, drawn, line, measured, point, scene_of

HOMES = {"input": "residential-land"}
R2 = {"land_use": "R2"}


def test_the_published_coverage_of_schools(tmp_path: Path) -> None:
    """15.80 of 28.16 km² of residential land within 1 km of a school are 56.11 %, published as 56.10."""
    # A school 7.9 km long in the middle of a strip 2 km wide, and 12.36 km² farther away than 1 km.
    schools = [("s", line((1000, -1000), (1000, 8900)), {"kind": "middle"})]
    city = drawn(
        tmp_path, towns=[("t", box(0, 0, 6000, 7900), {})], schools=schools,
        parcels=[
            ("near", box(0, 0, 2000, 7900), R2),
            ("far", box(3000, 0, 2000, 6180), R2),
            ("shops", box(5000, 0, 900, 7900), {"land_use": "B1"}),
        ],
    )  # fmt: skip
    sites = [{"input": "schools", "where": {"kind": "middle"}, "radius": 1000}]
    found = measured(scene_of(city), operator="coverage", demand=HOMES, sites=sites)
    assert found.numerator[0] == pytest.approx(15.80e6, rel=1e-6)
    assert found.denominator[0] == pytest.approx(28.16e6, rel=1e-6)
    assert round(float(found.value[0]), 2) == 56.11


@pytest.mark.parametrize(
    ("size", "away", "served"),
    [
        (5000.0, 500.0, True), (5000.0, 500.5, False), (4999.0, 300.0, True),
        (4999.0, 300.5, False), (2000.0, 300.0, True), (1999.0, 0.5, False),
    ],
)  # fmt: skip
def test_parks_serve_by_their_size(tmp_path: Path, size: float, away: float, served: bool) -> None:
    """From 5,000 m² on 500 m, from 2,000 m² on 300 m, below that nothing: exactly at the borders."""
    park = box(0, 0, size / 100, 100)
    beyond = box(size / 100 + away - 10, 40, 10, 20)  # its far side is `away` from the park
    city = drawn(
        tmp_path, parks=[("p", park, {})], parcels=[("home", beyond, R2)],
        land=[("b", box(0, 0, 1000, 1000), {"kind": "built-up"})],
    )  # fmt: skip
    sites = [
        {"input": "parks", "where": {"shape_area": {"min": 5000}}, "radius": 500},
        {"input": "parks", "where": {"shape_area": {"min": 2000, "below": 5000}}, "radius": 300},
    ]
    told = {"demand": HOMES, "sites": sites, "within": {"input": "built-up"}}
    [found] = measured(scene_of(city), operator="coverage", **told).value
    assert (found == pytest.approx(100.0, abs=1e-3)) == served


def test_overlapping_circles_and_overlapping_land_count_once(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, towns=[("t", SQUARE, {})],
        bus_stops=[("a", line((0, 0), (0, 1000)), {}), ("b", line((0, 0), (0, 1000)), {})],
        parcels=[("p", box(0, 0, 400, 100), R2), ("q", box(200, 0, 400, 100), R2)],
    )  # fmt: skip
    sites = [{"input": "bus-stops", "radius": 300}]
    found = measured(scene_of(city), operator="coverage", demand=HOMES, sites=sites)
    assert found.numerator[0] == pytest.approx(300 * 100, rel=1e-6)
    assert found.denominator[0] == pytest.approx(600 * 100, rel=1e-6)
    assert found.unserved is not None
    assert shapely.area(found.unserved[0]) == pytest.approx(300 * 100, rel=1e-6)
    [evidence] = found.evidence
    assert dict(zip(evidence.ids, evidence.values, strict=True)) == {
        "p": pytest.approx(10_000, rel=1e-6), "q": pytest.approx(20_000, rel=1e-6)
    }  # fmt: skip
    assert evidence.units.tolist() == [0, 0]


def test_demand_counts_inside_the_built_up_area_only(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, bus_stops=[("a", line((0, 0), (0, 1000)), {})],
        parcels=[("p", box(0, 0, 600, 100), R2)],
        land=[("b", box(100, 0, 300, 1000), {"kind": "built-up"})],
    )  # fmt: skip
    told = {"demand": HOMES, "sites": [{"input": "bus-stops", "radius": 200}]}
    scene = scene_of(city)
    found = measured(scene, operator="coverage", within={"input": "built-up"}, **told)
    assert (found.numerator[0], found.denominator[0]) == pytest.approx((10_000, 30_000), rel=1e-6)
    found = measured(scene, operator="coverage", **told)
    assert (found.numerator[0], found.denominator[0]) == pytest.approx((20_000, 60_000), rel=1e-6)


def test_what_stands_outside_serves_inside(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, bus_stops=[("outside", point(-100, 500), {})],
        parcels=[("p", box(-500, 400, 600, 200), R2)],
    )  # fmt: skip
    told = {"demand": HOMES, "sites": [{"input": "bus-stops", "radius": 1000}]}
    found = measured(scene_of(city), operator="coverage", **told)
    # All 100 m of the land that are inside are served; the 500 m outside are no demand.
    assert found.value[0] == 100.0
    assert found.denominator[0] == pytest.approx(100 * 200, rel=1e-6)


def test_duty_areas_are_circles_and_people_weigh(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, facilities=[("f", point(500, 500), {"kind": "fire-station"})],
        population=[("c", SQUARE, {"population": 700.0, "year": 2024})],
    )  # fmt: skip
    sites = [{"input": "facilities", "duty_area": 250_000.0}]
    told = {"operator": "coverage", "demand": {"input": "population"}, "sites": sites}
    scene = scene_of(city)
    found = measured(scene, weight="population", **told)
    assert found.numerator[0] == pytest.approx(175.0, rel=1e-3)  # the circle is a polygon
    assert found.denominator[0] == pytest.approx(700.0)
    assert measured(scene, **told).denominator[0] == pytest.approx(1e6, rel=1e-6)
    assert {one.role: one.date for one in scene.used}["population"] == "2024"


def test_every_kind_of_site_may_be_needed(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, parcels=[("p", SQUARE, R2)],
        facilities=[
            ("a", line((0, 0), (0, 1000)), {"kind": "market"}),
            ("b", line((1000, 0), (1000, 1000)), {"kind": "shop"}),
        ],
    )  # fmt: skip
    sites = [
        {"input": "facilities", "where": {"kind": kind}, "radius": 600} for kind in ("market", "shop")
    ]  # fmt: skip
    scene, told = scene_of(city), {"operator": "coverage", "demand": HOMES, "sites": sites}
    assert measured(scene, **told).value[0] == pytest.approx(100.0)
    assert measured(scene, every=True, **told).value[0] == pytest.approx(20.0, rel=1e-6)


def test_time_counts_on_roads(tmp_path: Path) -> None:
    city = drawn(
        tmp_path, parcels=[("near", box(0, 490, 300, 20), R2), ("far", box(700, 490, 300, 20), R2)],
        clinics=[("c", point(0, 500), {})],
        roads=[("r", line((0, 500), (1000, 500)), {"road_class": "residential"})],
    )  # fmt: skip
    on_foot = {"demand": HOMES, "sites": [{"input": "clinics", "minutes": 5}]}
    found = measured(scene_of(city), operator="coverage", on="walk", **on_foot)
    # 5 minutes are 400 m, and what lies beside the road: all of the one, none of the other.
    assert found.value[0] == pytest.approx(50.0)
    with pytest.raises(InvalidInput, match="need radius"):
        measured(scene_of(city), operator="coverage", **on_foot)


squares = st.lists(
    st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(5, 60)] * 2), min_size=1, max_size=6
)
places = st.lists(st.tuples(st.integers(-40, 140), st.integers(-40, 140)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city whose layers an example draws anew."""
    return drawn(tmp_path_factory.mktemp("blank") / "city", towns=[("t", box(0, 0, 100, 100), {})])


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(squares, squares, places, st.integers(5, 50))
def test_coverage_equals_brute_force(
    blank: City, homes: list, built: list, sites: list, radius: int
) -> None:
    """Counting points one metre apart, whatever overlaps, is outside, or is inside something else."""
    draw(blank, "parcels", [(f"p{n}", box(*one), R2) for n, one in enumerate(homes)])
    draw(blank, "land", [(f"b{n}", box(*one), {"kind": "built-up"}) for n, one in enumerate(built)])
    draw(blank, "bus-stops", [(f"s{n}", point(*one), {}) for n, one in enumerate(sites)])
    told = {"demand": HOMES, "sites": [{"input": "bus-stops", "radius": radius}], "within": {"input": "built-up"}}  # fmt: skip
    found = measured(scene_of(blank), operator="coverage", **told)
    demand = shapely.intersection(
        shapely.union_all([box(*one) for one in homes]),
        shapely.intersection(shapely.union_all([box(*one) for one in built]), box(0, 0, 100, 100)),
    )
    reach = shapely.union_all([point(*one).buffer(radius, quad_segs=64) for one in sites])
    points = dense(demand, 1.0) if demand.area else np.empty(0, object)
    assert found.denominator[0] == pytest.approx(len(points), abs=1e-2)  # corners are whole metres
    inside = int(shapely.intersects(reach, points).sum())
    around = demand.intersection(reach.boundary).length
    assert found.numerator[0] == pytest.approx(inside, abs=2 + around)
    exact = demand.intersection(reach).area
    # Between its corners a circle of 128 lacks r (1 − cos 1.4°) at most.
    lacking = around * radius * (1 - math.cos(math.pi / 128))
    assert found.numerator[0] == pytest.approx(exact, abs=1e-2 + 1.1 * lacking)
    if demand.area:
        assert found.unserved is not None
        left = float(shapely.area(found.unserved[0]))
        assert left == pytest.approx(found.denominator[0] - found.numerator[0], abs=1e-2)
    else:
        assert found.reason == ("nothing-to-divide-by",)
