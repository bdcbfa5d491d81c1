"""The check-up as a question: values, places, inputs and cells."""

from pathlib import Path
from typing import Any

import pytest

from analysis.analysis import Answer, asked
from analysis.checkup_question import CheckUp
from cim_core.cell_grid import CellGrid
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.table import Table
from tests.support.checkup import box, drawn, line


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Residential land of which half is within 1 km of a greenway, and estates that lack spaces."""
    return drawn(
        tmp_path_factory.mktemp("question") / "city", towns=[("t", box(0, 0, 4000, 1000), {})],
        communities=[("w", box(0, 0, 2000, 1000), {"name_zh": "西社区"}), ("e", box(2000, 0, 2000, 1000), {})],
        parcels=[("l", box(1000, 0, 2000, 1000), {"land_use": "R2"})],
        greenways=[("g", line((1000, 0), (1000, 1000)), {})],
        estates=[("a", box(0, 0, 9, 9), {"parking": 80, "parking_required": 100})],
    )  # fmt: skip


def rows(answer: Answer, name: str) -> list[dict[str, Any]]:
    """The rows of a table, by the names of its columns."""
    table = answer.outputs[name]
    assert isinstance(table, Table)
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_the_indicators_that_are_asked_for(city: City) -> None:
    answer = asked(CheckUp, {"codes": ["07", "28"], "by": "community"})(city, Progress())
    greenways, gap = rows(answer, "values")
    assert (greenways["code"], greenways["value"]) == ("07", pytest.approx(50.0, abs=1e-4))
    assert greenways["numerator"] == pytest.approx(1e6, rel=1e-6)
    assert (greenways["status"], greenways["reason"], greenways["method"]) == (
        "ready",
        None,
        "euclidean",
    )
    assert (greenways["target"], greenways["confidence"], greenways["met"]) == (
        70.0,
        "recalled",
        "no",
    )
    assert (gap["value"], gap["met"], gap["surveyed"]) == (20.0, "no", 1.0)
    values = {(row["code"], row["name"]): row["value"] for row in rows(answer, "units")}
    assert values == {
        ("07", "e"): pytest.approx(0.0, abs=1e-6), ("07", "西社区"): pytest.approx(100.0),
        ("28", "e"): 0.0, ("28", "西社区"): 20.0,
    }  # fmt: skip
    used = {row["role"]: row for row in rows(answer, "inputs")}
    assert set(used) == {"towns", "communities", "residential-land", "greenways", "estates"}
    assert used["estates"]["features"] == 1
    assert {version.layer for version in answer.versions} == {
        "towns", "communities", "parcels", "greenways", "estates"
    }  # fmt: skip
    cells = answer.outputs["cells"]
    assert isinstance(cells, CellGrid) and not len(cells.cells)


def test_cells_and_levels(city: City) -> None:
    answer = asked(CheckUp, {"codes": ["07"], "by": "cell"})(city, Progress())
    cells = answer.outputs["cells"]
    assert isinstance(cells, CellGrid)
    assert (cells.resolution, cells.unit) == (9, "%")
    named = {row["id"]: row["value"] for row in rows(answer, "units") if row["value"] is not None}
    assert dict(
        zip(map("{:x}".format, cells.cells.tolist()), cells.values.tolist(), strict=True)
    ) == (pytest.approx(named, abs=1e-6))
    assert (cells.values > 99.99).any() and (cells.values < 0.01).any()
    housing = asked(CheckUp, {"level": "housing"})(city, Progress())
    levels = {(row["level"], row["status"], row["reason"]) for row in rows(housing, "values")}
    assert {(level, status) for level, status, _ in levels} == {("housing", "unavailable")}
    assert all(row["reason_zh"] for row in rows(housing, "values"))


def test_what_is_not_there_is_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="mohurd-1900"):
        asked(CheckUp, {"set": "mohurd-1900"})(city, Progress())
    with pytest.raises(
        InvalidInput, match="the set 'mohurd-2025' has no indicator '99'; it has 01"
    ):
        asked(CheckUp, {"codes": ["99"]})(city, Progress())
    placeless = City.open_or_create(tmp_path / "placeless")
    with pytest.raises(InvalidInput, match="has no place yet; import a layer"):
        asked(CheckUp, {})(placeless, Progress())
