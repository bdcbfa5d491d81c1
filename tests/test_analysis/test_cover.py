"""Cover depths, asked as people ask them."""

from typing import get_args

import pytest
import shapely

from analysis.analysis import asked
from analysis.cover import Cover, CoverRules, SurfaceName
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Feature
from cim_core.layer import Features, Georeference, Layer
from cim_core.network import Reference
from cim_core.progress import Progress
from pipelines.cover import cover_sources, surfaces
from tests.support.layers import GUANGZHOU, publish
from tests.support.streets import lon_lat, pipes, publish_pipes


@pytest.fixture
def streets(city: City) -> City:
    """A gas pipe with 0.7 m of cover, and another with 0.5 m."""
    publish_pipes(
        city, "gas",
        pipes(
            {"a": (0, 0), "b": (40, 0), "c": (0, 9), "d": (40, 9)},
            {"deep": ("a", "b"), "shallow": ("c", "d")}, elevations=[[9.3, 9.3], [9.5, 9.5]],
            classes="TR", reference=Reference.TOP,
        ),
    )  # fmt: skip
    return city


def roads(city: City, shape: shapely.Geometry, **attributes: object) -> None:
    feature = Feature("r1", "Road", "路", attributes=attributes, shape=shape)
    publish(
        city,
        Layer("roads", "Roads", GUANGZHOU, Features((feature,), {}), Georeference("crs", None, {"en": "", "zh": ""})),
    )  # fmt: skip


def rows(city: City, **values: object) -> list[dict[str, object]]:
    table = asked(Cover, values)(city, Progress()).outputs["findings"]
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_findings_say_by_which_rule_a_pipe_is_too_shallow(streets: City) -> None:
    [found] = rows(streets)
    assert (found["layer"], found["id"], found["class"]) == ("gas", "shallow", "TR")
    assert found["cover"] == pytest.approx(0.5, abs=1e-3)
    assert found["required_gas-pages"] == 0.6
    assert found["required_gb50289-recalled"] == 0.5
    assert found["broken"] == "gas-pages, gis-product"
    assert found["length"] == pytest.approx(40, abs=0.01)
    assert found["ground"] == "nodes"
    assert rows(streets, rules="gb50289-recalled") == []
    assert [row["id"] for row in rows(streets, surface="carriageway")] == ["shallow", "deep"]


def test_below_an_area_of_the_roads_a_pipe_must_lie_deeper(streets: City) -> None:
    roads(streets, shapely.Polygon(lon_lat([(9.9, -2), (20.1, -2), (20.1, 2), (9.9, 2)])))
    found = rows(streets, rules="gas-pages", roads="roads", step=1.0)
    assert [(row["id"], row["surface"]) for row in found] == [("shallow", "footway"), ("deep", "carriageway")]  # fmt: skip
    assert found[1]["length"] == pytest.approx(11.0, abs=0.1)


def test_a_line_of_the_roads_is_as_wide_as_it_says(streets: City) -> None:
    line = shapely.LineString(lon_lat([(20, -5), (20, 5)]))
    for said, width in (({"width": 4}, 4.0), ({"width": "?"}, 10.0), ({}, 10.0)):
        roads(streets, line, **said)
        found = rows(streets, rules="gas-pages", roads="roads", step=0.5, road_width=10.0)
        lengths = {row["id"]: row["length"] for row in found}
        assert lengths["deep"] == pytest.approx(width, abs=0.6)


def test_an_area_limits_the_check(streets: City) -> None:
    area = shapely.Polygon(lon_lat([(0, 5), (9, 5), (9, 12), (0, 12)]))
    kept = rows(streets, surface="carriageway", area=shapely.geometry.mapping(area))
    assert [row["id"] for row in kept] == ["shallow"]


def test_roads_must_be_there_and_have_outlines(streets: City) -> None:
    with pytest.raises(NotFound):
        rows(streets, roads="roads")
    roads(streets, shapely.Point(113.46, 23.1))
    with pytest.raises(InvalidInput, match="neither areas nor lines"):
        rows(streets, roads="roads")


def test_totals_and_sources_are_told(streets: City) -> None:
    answer = asked(Cover, {})(streets, Progress())
    totals = {row[0]: row[2] for row in answer.outputs["totals"].rows}
    assert totals["segments whose cover was measured"] == 2
    assert totals["findings"] == 1
    assert [row[0] for row in answer.outputs["sources"].rows] == list(cover_sources())


def test_the_choices_are_those_of_the_tables() -> None:
    assert get_args(CoverRules) == ("all", *cover_sources())
    assert get_args(SurfaceName) == tuple(surfaces())
