"""Statistics of a small network whose every pipe is known."""

import datetime
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from analysis.analysis import asked
from analysis.pipe_statistics import PipeStatistics
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Feature
from cim_core.layer import ClassStyle, Features, Georeference, Layer
from cim_core.network import Labels
from cim_core.progress import Progress
from pipelines.service_lives import FILE_NAME
from server.processes import execute
from tests.support.layers import publish
from tests.support.streets import CORNER, lon_lat, pipes, publish_pipes

POINTS = {"a": (0.0, 0.0), "b": (100.0, 0.0), "c": (100.0, 60.0), "d": (300.0, 60.0)}
LINES = {"gas": ("a", "b"), "old": ("b", "c"), "water": ("c", "d")}


@pytest.fixture(scope="module")
def mains(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("pipe-statistics") / "city")
    known = pipes(POINTS, LINES, size=[0.1, 0.1, 0.4])
    segments = replace(
        known.segments, classes=Labels.of(["TR", "TR", "JP"]),
        materials=Labels.of(["PE", "铸铁", "PE"]), years=np.array([2020, 0, 1970], np.int16),
        owners=Labels.of(["区燃气公司", "区燃气公司", "区供水公司"]),
    )  # fmt: skip
    publish_pipes(city, "mains", replace(known, segments=segments))
    return city


def ask(city: City, **values: Any) -> dict[str, list[dict[str, Any]]]:
    answer = asked(PipeStatistics, {"date": "2026-06-30", **values})(city, Progress())
    return {
        name: [dict(zip([c.name for c in table.columns], row, strict=True)) for row in table.rows]
        for name, table in answer.outputs.items()
    }


def test_groups_are_by_what_was_asked_in_that_order_the_longest_first(mains: City) -> None:
    groups = ask(mains, by=["system", "material", "age"])["groups"]
    assert [tuple(row.values())[:5] for row in groups] == [
        ("JS", "PE", "50+", 200.0, 1), ("RQ", "PE", "0–9", 100.0, 1), ("RQ", "铸铁", None, 60.0, 1),
    ]  # fmt: skip
    assert [row["mean_age"] for row in groups] == [56, 6, None]
    assert [row["undated"] for row in groups] == [0, 0, 60.0]
    assert groups[0]["volume"] == round(np.pi * 0.2**2 * 200, 3)
    [by_owner, _] = ask(mains, by=["owner", "diameter"], diameter_limits=[200, 500])["groups"]
    assert (by_owner["owner"], by_owner["diameter"]) == ("区供水公司", "200–500")


def test_what_is_due_says_by_whose_rule_and_for_how_long(mains: City) -> None:
    due = ask(mains)["due"]
    assert [row["id"] for row in due] == ["water", "old"]
    assert (due[0]["age"], due[0]["life"], due[0]["overdue"], due[0]["year"]) == (56, 50, 6, 1970)
    assert (due[1]["age"], due[1]["life"], due[1]["overdue"]) == (None, 0, None)
    assert [row["confidence"] for row in due] == ["own", "recalled"]
    assert [row["id"] for row in ask(mains, date="2019-12-31")["due"]] == ["old"]


def test_a_citys_own_table_of_lives_counts(mains: City) -> None:
    (mains.folder / FILE_NAME).write_text(
        '[[life]]\nclasses = ["TR"]\nmaterials = ["PE"]\nyears = 6\nsource = "区文件"\nconfidence = "read"\n',
        encoding="utf-8",
    )
    assert ask(mains)["due"][1]["source"] == "区文件"


def test_without_a_date_ages_are_those_of_today(mains: City) -> None:
    answer = PipeStatistics(by=("age",), age_limits=(1,))(mains, Progress())
    ages = {row[0]: row[4] for row in answer.outputs["groups"].rows}
    year = datetime.datetime.now(datetime.UTC).date().year
    assert ages["1+"] == pytest.approx(((year - 2020) * 100 + (year - 1970) * 200) / 300, abs=1e-3)


def towns(city: City, **areas: tuple[float, float, float, float]) -> None:
    """A layer of boxes, metres east and north of the corner."""
    features = []
    for number, (name, (west, south, east, north)) in enumerate(areas.items()):
        corners = lon_lat([(west, south), (east, south), (east, north), (west, north)])
        shape = shapely.Polygon(corners)
        features.append(Feature(f"T{number}", "Town", name, None, {}, shape=shape))
    layer = Layer(
        "towns", "镇街", CORNER, Features(tuple(features), {}),
        Georeference("anchor", None, {"en": "", "zh": ""}),
        class_styles={"Town": ClassStyle({"en": "town", "zh": "镇街"}, "#888888", True)},
    )  # fmt: skip
    publish(city, layer)


def test_a_pipe_across_a_border_is_shared_by_the_towns_it_lies_in(mains: City) -> None:
    towns(mains, 东镇=(150, -50, 350, 100), 西街=(-50, -50, 150, 30))
    groups = ask(mains, by=["town"], areas="towns")["groups"]
    found = {row["town"]: (row["length"], row["count"]) for row in groups}
    assert found["东镇"] == (pytest.approx(150, abs=0.01), 1)
    assert found["西街"] == (pytest.approx(130, abs=0.01), 2)
    assert found[None] == (pytest.approx(80, abs=0.01), 2)
    answer = asked(PipeStatistics, {"by": ["town"], "areas": "towns"})(mains, Progress())
    assert [version.layer for version in answer.versions] == ["mains", "towns"]


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"by": ["town"]}, InvalidInput, "grouping by town needs areas"),
        ({"by": ["town"], "areas": "mains"}, InvalidInput, "the layer 'mains' has no areas"),
        ({"by": ["town"], "areas": "nowhere"}, NotFound, "nowhere"),
        ({"by": []}, InvalidInput, "by"),
        ({"age_limits": [20, 10]}, InvalidInput, "do not rise"),
        ({"date": "someday"}, InvalidInput, "date"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(
    mains: City, values: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ask(mains, **values)


def test_the_answer_can_be_served_and_kept_with_a_receipt(mains: City) -> None:
    done = execute(mains, "pipe-statistics", {"date": "2026-01-01"}, Progress())
    served = {name: output.as_dict() for name, output in done.outputs.items()}
    assert list(json.loads(json.dumps(served))) == list(PipeStatistics.outputs)
