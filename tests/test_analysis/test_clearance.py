"""Clearance, asked as people ask it."""

from typing import get_args

import numpy as np
import pytest
import shapely

from analysis.analysis import asked
from analysis.clearance import Clearance, Rules
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.network import Labels
from cim_core.progress import Progress
from pipelines.clearance_rules import sources
from tests.support.streets import lon_lat, pipes, publish_pipes


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A water main, a gas main 0.7 m beside it, and a sewer that crosses both."""
    city = City.open_or_create(tmp_path_factory.mktemp("street") / "city")
    publish_pipes(
        city,
        "water",
        pipes({"a": (0, 0), "b": (40, 0)}, {"W1": ("a", "b")}, elevations=8.5, size=0.3),
    )
    publish_pipes(
        city,
        "gas",
        pipes(
            {"a": (0, 1), "b": (40, 1)},
            {"G1": ("a", "b")},
            elevations=9,
            size=0.3,
            classes="TR",
            pressures=Labels.of(["中压A"]),
        ),
    )
    publish_pipes(
        city, "sewer",
        pipes({"a": (20, -9), "b": (20, 9)}, {"S1": ("a", "b")}, elevations=8.0, size=0.3, classes="WS"),
    )  # fmt: skip
    return city


def rows(city: City, **values: object) -> list[dict[str, object]]:
    table = asked(Clearance, values)(city, Progress()).outputs["findings"]
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_findings_say_what_where_and_by_which_rule(street: City) -> None:
    found = rows(street)
    assert [(row["layer"], row["id"], row["other_layer"], row["other_id"], row["kind"]) for row in found] == [
        ("gas", "G1", "water", "W1", "horizontal"),
        ("sewer", "S1", "water", "W1", "vertical"),
    ]  # fmt: skip
    beside, crossing = found
    assert beside["measured"] == pytest.approx(0.7, abs=1e-3)
    assert beside["required_legacy"] == 1.0
    assert beside["required_gb50289-2016"] is None
    assert beside["broken"] == "legacy"
    # The gas row of the source says 0.5: broken in its stricter reading only.
    assert beside["doubtful"] == "legacy"
    assert beside["distance"] == pytest.approx(np.hypot(1, 0.5) - 0.3, abs=1e-3)
    assert crossing["kind"] == "vertical"
    assert crossing["measured"] == pytest.approx(0.2, abs=1e-3)
    assert crossing["required_legacy"] == 0.4
    assert crossing["doubtful"] == ""
    assert [crossing["lon"], crossing["lat"]] == pytest.approx(
        lon_lat((20, 0))[0].tolist(), abs=1e-7
    )


def test_rules_layers_and_an_area_limit_the_check(street: City) -> None:
    assert rows(street, rules="gb50289-2016") == []
    assert [row["kind"] for row in rows(street, layers=["water", "gas"])] == ["horizontal"]
    far = shapely.Polygon(lon_lat([(30, 0.9), (35, 0.9), (35, 4), (30, 4)]))
    assert [row["kind"] for row in rows(street, area=shapely.geometry.mapping(far))] == [
        "horizontal"
    ]
    nothing = shapely.Polygon(lon_lat([(30, 10), (35, 10), (35, 14), (30, 14)]))
    assert rows(street, area=shapely.geometry.mapping(nothing)) == []


def test_totals_say_what_was_not_known(street: City) -> None:
    answer = asked(Clearance, {})(street, Progress())
    totals = {row[0]: row[2] for row in answer.outputs["totals"].rows}
    assert totals["segments"] == 3
    assert totals["findings"] == 2
    assert totals["gas pipes of unknown pressure, counted as low"] == 0
    kinds = [row[:3] + row[4:] for row in answer.outputs["pairs"].rows]
    assert sorted(kinds) == [
        ("horizontal", "water", "gas-medium", 1), ("vertical", "water", "drainage", 1),
    ]  # fmt: skip
    assert [row[0] for row in answer.outputs["sources"].rows] == list(sources())
    assert [version.layer for version in answer.versions] == ["gas", "sewer", "water"]


def test_the_choice_of_rules_is_the_sources_of_the_tables() -> None:
    assert get_args(Rules) == ("all", *sources())


@pytest.mark.parametrize(
    "area",
    [
        {"type": "Point", "coordinates": [113.4, 23.1]},
        {"type": "Polygon", "coordinates": [[[200, 0], [201, 0], [201, 1], [200, 0]]]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
    ],
)
def test_an_area_that_is_none_is_told(street: City, area: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"^area "):
        rows(street, area=area)


def test_a_city_without_pipes_has_nothing_to_check(city: City) -> None:
    with pytest.raises(NotFound):
        rows(city)


def test_pages_follow_one_another(street: City) -> None:
    first = asked(Clearance, {"limit": 1})(street, Progress()).outputs["findings"]
    second = asked(Clearance, {"limit": 1, "after": 1})(street, Progress()).outputs["findings"]
    assert (first.next, second.next) == ("1", None)
    assert (
        first.rows + second.rows
        == asked(Clearance, {})(street, Progress()).outputs["findings"].rows
    )
