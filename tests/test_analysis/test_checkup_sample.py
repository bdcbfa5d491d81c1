"""The check-up of the sample district in two years: the values of the answer key, and what became of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely

from analysis.checkup.comparison import compare
from analysis.checkup.examine import Examined, examine
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.problems import Problem, met, problems
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from analysis.checkup.sets import shipped_sets
from cim_core.city import City
from cim_core.feature import Feature
from cim_core.frame import Projection
from cim_core.layer import Features, Georeference, Layer
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from sample_data.district.checkup import checkup_manifest
from tests.support.checkup_files import LAYERS
from tests.support.layers import GUANGZHOU

NETWORK = {"14", "20", "21a", "21b", "22", "23a", "23b", "23c", "23d", "23e", "25"}
AREAS = {"07", "08", "09", "15", "16", "18a", "18b", "18c", "19", "24"}
"""Where circles are drawn with more corners in the key than in the product."""
UNKEYED = {"44"}
"""Which layers of a city have three dimensions the district does not decide."""
BETTER = {"05", "07", "15", "22", "25", "26", "27a", "27b", "28", "29", "30", "31", "33a", "33b", "34a",
          "35", "36", "37", "40a", "40b", "41a", "42", "43", "45a", "c03", "c07", "h01", "h09"}  # fmt: skip
WORSE = {"10", "32", "38", "45b", "h04"}
SAME = {"06", "13", "16", "20", "24"}


@dataclass(frozen=True)
class Year:
    examined: Examined
    key: Mapping[str, Any]
    problems: list[Problem]


def bring(city: City, path: Path, layer: str, plane: Projection) -> None:
    """Make a file of the district a layer's new version, as its importer does, without tiles."""
    info, _, shapes, columns = pyogrio.raw.read(path)
    degrees = shapely.transform(
        shapely.from_wkb(shapes),
        lambda xy: plane.to_geographic(np.column_stack([xy, np.zeros(len(xy))]))[:, :2],
    )
    rows = [
        dict(zip(info["fields"], row, strict=True))
        for row in zip(*(c.tolist() for c in columns), strict=True)
    ]
    features = tuple(
        Feature(
            row["id"], row.get("class", "Building"), row.get("name") or row["id"],
            attributes={k: v for k, v in row.items() if k not in ("id", "class") and v is not None and not (isinstance(v, float) and isnan(v))},
            shape=shape,
        )
        for row, shape in zip(rows, degrees, strict=True)
    )  # fmt: skip
    made = Layer(
        layer, layer, GUANGZHOU, Features(features, {}), Georeference("file", None, {"en": "", "zh": ""})
    )  # fmt: skip
    kind = "model" if layer == "buildings" else "vector"
    with city.draft(layer, layer, Progress()) as draft:
        draft.save(made, city.settings.geoid_separation, Progress())
        receipt = write_receipt("import", (), {"layer": layer}, {"version": draft.version})
        summary = {"bytes": 0, "tiles": 0, "triangles": 0, "kind": kind}
        draft.publish(made, summary, receipt)


def both() -> IndicatorSet:
    """Both systems at once, so that the layers are read once."""
    sets = shipped_sets().values()
    first = next(iter(sets))
    update = {
        "indicators": tuple(i for which in sets for i in which.indicators),
        "dimensions": {name: text for which in sets for name, text in which.dimensions.items()},
    }
    return first.model_copy(update=update)


@pytest.fixture(scope="module")
def years(checkup_files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Year]:
    key = json.loads((checkup_files / "checkup_truth.json").read_text("utf-8"))
    city = City.open_or_create(tmp_path_factory.mktemp("checkup") / "city")
    city.settle(GUANGZHOU, "EPSG:4547")
    plane = city.projection("EPSG:4547")
    for name in LAYERS:
        bring(city, checkup_files / f"{name}.gpkg", name.replace("_", "-"), plane)
    found = {}
    for told in checkup_manifest({}):
        for layer in told["layers"]:
            bring(city, checkup_files / layer["file"], layer["id"], plane)
        scene = Scene(city, city_roles(city))
        examined = examine(scene, both(), lambda digest: None)
        found[told["year"]] = Year(examined, key[str(told["year"])], problems(examined, scene))
    return found


def _close(code: str) -> dict[str, float]:
    # Files are written to the millimetre, which shows in sums of many short lines.
    return {"rel": 5e-3 if code in NETWORK else 1e-3 if code in AREAS else 1e-5, "abs": 1e-6}


def _same(
    code: str, i: int, measured: Any, expected: Mapping[str, float | None], close: dict[str, float]
) -> None:
    assert measured.denominator[i] == pytest.approx(expected["denominator"], **close), code
    assert measured.numerator[i] == pytest.approx(expected["numerator"], **close), code
    if "surveyed" in expected:
        assert measured.surveyed[i] == pytest.approx(expected["surveyed"]), code
    value = expected["value"]
    if value is None:
        assert isnan(measured.value[i]) and measured.status[i] == "unavailable", code
    else:
        assert measured.value[i] == pytest.approx(value, **close), code


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_district_has_the_values_of_the_key(years: dict[int, Year], year: int) -> None:
    found, key = years[year].examined, years[year].key["district"]
    assert set(found.values) == set(key) | UNKEYED
    for code, expected in key.items():
        _same(code, 0, found.values[code]["district"], expected, _close(code))


@pytest.mark.parametrize("year", [2025, 2026])
def test_communities_have_the_values_of_the_key(years: dict[int, Year], year: int) -> None:
    found, key = years[year].examined, years[year].key["communities"]
    assert len(key) >= 12
    for code, areas in key.items():
        ids = found.units["community"].ids
        assert set(ids) == set(areas)
        for i, community in enumerate(ids):
            # The rim of a circle is more of the little that it serves of a community.
            close = {"rel": 1e-2, "abs": 1.0} if code in AREAS else {"rel": 1e-5, "abs": 1e-3}
            _same(code, i, found.values[code]["community"], areas[community], close)


@pytest.mark.parametrize("year", [2025, 2026])
def test_most_rows_are_ready_and_the_others_say_why(years: dict[int, Year], year: int) -> None:
    states: dict[str, set[str]] = {}
    for code, values in years[year].examined.values.items():
        measured = values["district"]
        assert (measured.status[0] == "ready") == (measured.reason[0] == ""), code
        if code[0].isdigit():
            states.setdefault(code[:2], set()).add(measured.status[0])
    assert len(states) == 45
    assert sum(told == {"ready"} for told in states.values()) >= 40
    # Nobody saw one of the estates.
    parking = years[year].examined.values["28"]["district"]
    assert (parking.status[0], parking.reason[0]) == ("partial", "in-part")
    assert parking.surveyed[0] == pytest.approx(25 / 26)
    # Nor were all houses looked at: there are more of them than the survey has points.
    hazards = years[year].examined.values["h01"]["building"]
    assert "not-surveyed" in hazards.reason
    assert 0.1 < years[year].examined.values["h01"]["district"].surveyed[0] < 0.99


def entries(examined: Examined) -> Iterator[dict[str, Any]]:
    """The indicators as a stored run has them, as far as a comparison asks."""
    for indicator in examined.set.indicators:
        measured = examined.values[indicator.code]["district"]
        value = float(measured.value[0])
        yield {
            **indicator.model_dump(mode="json"), "method": "measured",
            "value": {
                "value": None if isnan(value) else value, "status": measured.status[0],
                "reason": measured.reason[0], "surveyed": float(measured.surveyed[0]),
            },
        }  # fmt: skip


def test_what_the_district_did_shows_between_the_years(years: dict[int, Year]) -> None:
    changes = compare(list(entries(years[2025].examined)), list(entries(years[2026].examined)))
    found = {change.code: change.better for change in changes}
    assert {code for code in BETTER if found[code] is not True} == set()
    assert {code for code in WORSE if found[code] is not False} == set()
    assert {code for code in SAME if found[code] is not None} == set()
    assert not any(change.method_changed for change in changes)


def test_problems_are_the_units_that_fail(years: dict[int, Year]) -> None:
    year = years[2025]
    units = year.examined.units
    named: dict[str, set[str]] = {}
    for problem in year.problems:
        named.setdefault(problem.code, set()).add(problem.unit)
    for indicator in year.examined.set.indicators:
        by = _smallest(indicator)
        measured = year.examined.values[indicator.code][by]
        failing = {
            units[by].ids[i]
            for i, value in enumerate(measured.value.tolist())
            if met(indicator, value, measured.status[i], by) is False
        }
        assert named.get(indicator.code, set()) == failing, indicator.code
    assert "26" not in named  # a proxy says nothing of a standard
    assert len(named) > 20


def _smallest(indicator: Indicator) -> Any:
    return next(
        by
        for by in ("estate", "community", "town", "district")
        if by == "district" or (by in indicator.by and indicator.level != "city")
    )


def test_a_problem_lies_in_its_unit_and_names_what_is_wrong(years: dict[int, Year]) -> None:
    found = [p for p in years[2025].problems if p.code == "c03"]
    assert found and all(p.by == "estate" and p.value == 1 for p in found)
    for problem in found:
        assert problem.features == (("estates", problem.unit),)
        assert problem.department == {"en": "Education", "zh": "教育"}
        assert 113.44 < problem.place[0] < 113.48 and 23.08 < problem.place[1] < 23.12
        assert problem.projects == ()  # this city has no renewal
    assert json.loads(json.dumps([p.document() for p in found]))[0]["target"] == 0.0


def test_two_parks_that_overlap_count_once(checkup_files: Path) -> None:
    """The key is not right by chance: the overlap is there."""
    shapes = shapely.from_wkb(pyogrio.raw.read(checkup_files / "checkup-2025" / "parks.gpkg")[2])
    assert shapely.area(shapes).sum() > shapely.union_all(shapes).area + 1000
