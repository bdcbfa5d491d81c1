"""Before and after: figures of parcels against the same computed by hand, and what exceeds the approved."""

from datetime import date
from typing import Any

import pytest
import shapely

from analysis.renewal.plan_comparison import Comparison, State, comparison, exceeded
from cim_core.city import City
from cim_core.renewal.documents import Limits, read_document
from cim_core.renewal.events import Change
from cim_core.sight import Part, Sight
from tests.support.renewal_twin import (
    AT,
    EAST,
    HOUSES,
    TOWER,
    WEST,
    box,
    geodesic,
    publish_shapes,
    right,
)


def compared(city: City, at: date = AT) -> Comparison:
    ledger = city.renewal.ledger()
    document = ledger.documents("project", at)["q1"].document
    return comparison(city, ledger, "q1", read_document("project", document), at)


def parcels(city: City, *patches: dict[str, Any]) -> None:
    known = city.renewal.get("project", "q1")
    given = zip(known.document["parcels"], patches, strict=True)
    change = {"parcels": [{**old, **patch} for old, patch in given]}
    city.renewal.apply([Change("project", "q1", change, AT, known.version)], None)


def test_figures_of_a_parcel_are_those_computed_from_its_shapes(city: City) -> None:
    right(city)
    houses = [geodesic(HOUSES[f"h{number}"]) for number in range(4)]
    west, east = geodesic(WEST), geodesic(EAST)
    found = compared(city)
    before, after = found.parcels[0].existing, found.parcels[0].planned
    assert before and after
    assert before.buildings == 4
    assert before.footprint == pytest.approx(sum(houses), rel=1e-6)
    assert before.floor_area == pytest.approx(3 * sum(houses), rel=1e-6)
    assert before.far == pytest.approx(3 * sum(houses) / west, rel=1e-5)
    assert before.density == pytest.approx(sum(houses) / west, rel=1e-5)
    assert (before.height, before.green_ratio) == (None, None), "nothing says so"
    assert after.floor_area == pytest.approx(10 * geodesic(TOWER), rel=1e-6)
    assert after.far == pytest.approx(10 * geodesic(TOWER) / west, rel=1e-5)
    assert after.green_ratio == pytest.approx(0.25, rel=1e-3)
    assert after.height == 33.0
    assert found.parcels[1].existing == State(
        found.parcels[1].existing.land_area, 0, 0, 0, None, 0, None, 0, 0
    )
    assert found.existing and found.planned
    assert found.existing.far == pytest.approx(3 * sum(houses) / (west + east), rel=1e-5)
    assert found.planned.buildings == 2
    assert [parcel.exceeds for parcel in found.parcels] == [(), ()]
    assert (found.exceeds, found.outside) == ((), 0)


def test_green_land_is_found_by_class_and_attribute_and_not_under_what_is_built(city: City) -> None:
    right(city)
    publish_shapes(
        city, "plan",
        [
            ("t1", "Building", box(20, 140, 40, 40), {"floors": 10}),
            ("g1", "Greenery", box(-50, 150, 200, 100), {}),
            ("g2", "LandUse", box(100, 150, 100, 50), {"类别": "公园绿地"}),
            ("g3", "LandUse", box(0, 0, 200, 100), {"land_use": "R2"}),
        ],
        "planned",
    )  # fmt: skip
    publish_shapes(city, "parks", [("g", "Greenery", box(0, 0, 100, 40), {})])
    first, second = compared(city).parcels
    green = shapely.union(box(0, 150, 150, 50), box(100, 150, 100, 50)) - box(20, 150, 40, 30)
    assert first.planned and first.existing and second.planned and second.existing
    assert first.planned.green_ratio == pytest.approx(geodesic(green) / geodesic(WEST), rel=1e-4)
    bare = box(0, 0, 100, 40) - shapely.union_all(list(HOUSES.values()))
    assert first.existing.green_ratio == pytest.approx(geodesic(bare) / geodesic(WEST), rel=1e-3)
    assert second.planned.green_ratio == pytest.approx(0, abs=1e-6)
    assert second.existing.green_ratio == 0.0


def test_parcels_whose_plan_exceeds_what_was_approved_are_named_with_what(city: City) -> None:
    right(city)
    parcels(
        city, {}, {"approved": {"height": 30.0, "far": 0.39, "green_ratio": 0.3, "density": 0.05}}
    )
    found = compared(city)
    assert [parcel.exceeds for parcel in found.parcels] == [(), ("far", "height", "green_ratio")]
    known = city.renewal.get("project", "q1")
    city.renewal.apply([Change("project", "q1", {"far": 0.3}, AT, known.version)], None)
    assert compared(city).exceeds == ("far",)


def test_a_limit_is_exceeded_beyond_what_measuring_differs_by_only() -> None:
    plan = State(1000, 300, 2500, 2.5, 60, 0.3, 0.35, 3, 0)
    at_the_border = Limits(floor_area=2500, far=2.5, height=60, density=0.3, green_ratio=0.35)
    assert exceeded(plan, at_the_border) == ()
    assert exceeded(plan, Limits(far=2.4976, green_ratio=0.35034)) == ()
    assert exceeded(plan, Limits(far=2.4974, green_ratio=0.35036)) == ("far", "green_ratio")
    unknown = State(1000, 300, 2500, 2.5, None, 0.3, None, 3, 0)
    assert exceeded(unknown, Limits(height=10, green_ratio=0.9)) == ()


def test_a_plan_is_what_is_planned_and_seen(city: City) -> None:
    right(city)
    parcels(city, {"planned": "stock"}, {"planned": "nothing"})
    assert [parcel.planned for parcel in compared(city).parcels] == [None, None]
    parcels(city, {"planned": "plan"}, {"planned": "plan", "geometry": None})
    first, second = compared(city).parcels
    assert first.planned and not second.planned and not second.existing
    assert compared(city).exceeds == (), (
        "of a project some of whose parcels have no plan nothing is said"
    )
    stock = {"stock": Part()}
    [unseen, _] = compared(city.seen_by(Sight(stock, towns=None), None)).parcels
    assert unseen.planned is None and unseen.existing == first.existing
    flat = {**stock, "plan": Part(("floors", "height"), heights=False)}
    [hidden, _] = compared(city.seen_by(Sight(flat, towns=None), None)).parcels
    assert hidden.planned and (hidden.planned.floor_area, hidden.planned.unknown) == (0.0, 1)


def test_what_stands_on_no_parcel_is_counted_apart_and_a_day_is_asked_as_it_was(city: City) -> None:
    right(city)
    document = {"project": "q1", "layer": "stock", "feature": "h7"}
    city.renewal.apply([Change("building", "far-off", document, AT)], None)
    assert compared(city).outside == 0
    known = city.renewal.get("project", "q1")
    only = {"parcels": known.document["parcels"][:1]}
    city.renewal.apply([Change("project", "q1", only, AT, known.version)], None)
    assert compared(city).outside == 1
    assert len(compared(city, date(2025, 6, 1)).parcels) == 2
