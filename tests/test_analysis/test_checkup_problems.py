"""Problems: which units fail, where, what speaks for it, and the renewal projects on their ground."""

from typing import Any

import pytest

from analysis.checkup.examine import examine
from analysis.checkup.indicator import Indicator, Target
from analysis.checkup.problems import Problem, met, problems
from tests.support.checkup import a_set, box, drawn, indicator, line, point, scene_of
from tests.support.renewal_twin import right

NONE_LEFT = Target(value=0.0, source="a", confidence="recalled")


def wanted(code: str, by: tuple[str, ...], **told: Any) -> Indicator:
    update = {"target": NONE_LEFT, "direction": "lower", "level": "block"}
    return indicator(code, by, **told).model_copy(update=update)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """The renewal project q1 lies on the first 400 m × 200 m."""
    city = drawn(
        tmp_path_factory.mktemp("problems") / "city",
        communities=[("w", box(0, 0, 500, 1000), {}), ("e", box(500, 0, 500, 1000), {})],
        estates=[
            ("near", box(300, 100, 150, 100), {"parking_required": 50, "parking": 30}),
            ("far", box(600, 600, 100, 100), {"parking_required": 50, "parking": 40}),
            ("good", box(600, 800, 100, 100), {"parking_required": 50, "parking": 60}),
            ("dark", box(800, 800, 100, 100), {}),
        ],
        ponding=[("p", point(700, 700), {"state": "open"})],
        walkways=[("f", line((100, 500), (200, 500)), {"problem": "broken"})],
    )
    right(city)
    scene = scene_of(city)
    asked = (
        wanted("gap", ("community", "estate"), operator="gap", what={"input": "estates"},
               required="parking_required", existing="parking"),
        wanted("ponding", ("town", "community"), operator="total", what={"input": "ponding"}),
        wanted("paths", (), operator="total", what={"input": "walkways"}, measure="length"),
        wanted("proxy", (), operator="total", what={"input": "ponding"}).model_copy(update={"proxy": True}),
        wanted("plain", (), operator="total", what={"input": "ponding"}).model_copy(update={"target": None}),
        wanted("dark", ("community",), operator="total", what={"input": "corridors"}),
    )  # fmt: skip
    return problems(examine(scene, a_set(*asked), lambda digest: None), scene)


def test_the_smallest_units_that_fail_are_named(found: list[Problem]) -> None:
    named = [(p.code, p.by, p.unit, round(p.value, 6)) for p in found]
    assert sorted(named) == [
        ("gap", "estate", "far", 10.0), ("gap", "estate", "near", 20.0),
        ("paths", "district", "district", 100.0), ("ponding", "community", "e", 1.0),
    ]  # fmt: skip


def test_each_leads_to_its_place_its_evidence_and_the_projects_there(found: list[Problem]) -> None:
    by_unit = {(p.code, p.unit): p for p in found}
    near, far = by_unit["gap", "near"], by_unit["gap", "far"]
    assert near.features == (("estates", "near"),) and far.features == (("estates", "far"),)
    assert near.projects == ("q1",) and far.projects == ()
    assert near.place[0] < far.place[0] and near.place[1] < far.place[1]
    assert by_unit["ponding", "e"].features == (("ponding", "p"),)
    # The whole district meets every project in it.
    assert by_unit["paths", "district"].projects == ("q1",)
    assert near.document()["features"] == [{"layer": "estates", "id": "near"}]


@pytest.mark.parametrize(
    ("direction", "target", "value", "expected"),
    [
        ("higher", 10.0, 10.0, True), ("higher", 10.0, 9.9, False), ("lower", 10.0, 10.0, True),
        ("lower", 10.0, 10.1, False), ("none", 10.0, 3.0, None), ("higher", None, 3.0, None),
        ("higher", 10.0, float("nan"), None),
        # As it is shown, with two decimals.
        ("higher", 10.0, 9.9999, True), ("higher", 10.0, 9.99, False), ("lower", 10.0, 10.004, True),
    ],
)  # fmt: skip
def test_a_target_is_met_at_itself(
    direction: str, target: float | None, value: float, expected: bool | None
) -> None:
    held = None if target is None else Target(value=target, source="a", confidence="confirmed")
    told = indicator("x", (), operator="total", what={"input": "ponding"})
    asked = told.model_copy(update={"direction": direction, "target": held})
    assert met(asked, value) is expected
    assert met(asked.model_copy(update={"proxy": True}), value) is None


@pytest.mark.parametrize(
    ("direction", "value", "expected"),
    [("lower", 0.0, None), ("lower", 3.0, False), ("higher", 3.0, True), ("higher", 0.0, None)],
)
def test_a_part_is_judged_only_where_the_rest_can_change_nothing(
    direction: str, value: float, expected: bool | None
) -> None:
    held = Target(value=2.0, source="a", confidence="confirmed")
    update = {"direction": direction, "target": held}
    count = indicator("x", (), operator="total", what={"input": "ponding"})
    assert met(count.model_copy(update=update), value, "partial") is expected
    land = {"input": "residential-land"}
    share = indicator("y", (), operator="share", part=land, whole=land, measure="area")
    assert met(share.model_copy(update=update), value, "partial") is None
    assert met(share.model_copy(update=update), value) is not None


def test_a_target_of_the_city_is_for_no_community() -> None:
    city = wanted("x", ("community",), operator="total", what={"input": "ponding"})
    assert met(city, 3.0, by="community") is False
    city = city.model_copy(update={"level": "city"})
    assert met(city, 3.0, by="community") is None and met(city, 3.0) is False
