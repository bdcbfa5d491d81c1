"""Each rule finds the one thing that was broken, where it is, and nothing else is found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cim_core.checkin import default_rules, rules_for, tightened
from cim_core.frame import Frame
from pipelines.quality import CHECKS, OF_LAYERS
from pipelines.quality_joints import Ends
from tests.support.survey_faults import (
    GAS,
    SEWER,
    WATER,
    Edit,
    Tables,
    cell,
    checked,
    header,
    row,
    tables,
    to_earth,
    without,
)

P, L = "JSPoint.csv", "JSLine.csv"
WP, WL = "WSPoint.csv", "WSLine.csv"
GL = "RQLine.csv"


@dataclass(frozen=True)
class Case:
    """What is broken, and where the finding must be: table and line, name, feature, points.

    at
        The points in whose middle the finding lies, () for none.
    also
        Rules that find the consequences.
    """

    rule: str
    survey: Mapping[str, str]
    edits: tuple[Edit, ...]
    table: str
    line: int
    name: str
    at: tuple[str, ...]
    id: str | None = None
    value: object = None
    height: float | None = None
    limit: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    also: frozenset[str] = frozenset()


def new_line(start: str, end: str) -> str:
    return f"{start},{end},1.20,1.20,9.00,8.90,DN300,球墨铸铁,直埋,2010,在用"


CASES = [
    Case("table-header-empty", WATER, (header(P, "建设日期", ""),), P, 1, "", (), value=10),
    Case("table-header-twice", WATER, (header(P, "建设日期", "要素代码"),), P, 1, "", (), value="要素代码"),
    Case("table-column-missing", WATER, (without(P, "地面高程"),), P, 1, "", (), value="地面高程"),
    Case("cell-empty", WATER, (cell(L, 5, "材质", ""),), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", "材质", 8.9),
    Case("not-a-number", SEWER, (cell(WP, 2, "井底深", "深"),), WP, 2, "WS1", ("WS1",), "WS1", "深", 10.0, words={"field": "井底深"}),
    Case("size-unreadable", WATER, (cell(L, 5, "管径", "大"),), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", "大", 8.9),
    Case("not-in-dictionary", WATER, (cell(L, 5, "使用状态", "在建中"),), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", "在建中", 8.9, words={"field": "使用状态"}),
    Case("year-implausible", WATER, (cell(L, 2, "建设年代", "2910"),), L, 2, "JS1–JS2", ("JS1", "JS2"), "JS1-JS2", "2910", 8.85, "min", {"field": "建设年代"}),
    Case("code-malformed", WATER, (cell(P, 2, "要素代码", "5104210"),), P, 2, "JS1", ("JS1",), "JS1", "5104210", 10.0),
    Case("code-disagrees", WATER, (cell(P, 4, "要素代码", "51042202"),), P, 4, "JS3", ("JS3",), "JS3", "51042202", 10.2, words={"text": "阀门"}),
    Case("map-number-differs", WATER, (cell(P, 6, "图上点号", "J9"),), P, 6, "JS5", ("JS5",), "JS5", "J9", 10.1),
    Case("point-repeated", WATER, (row(P, "JS5,JS5,2560040.000,500080.000,10.10,起止点,,,51042100,2010"),), P, 7, "JS5", ("JS5",), None, None, 10.1, words={"text": "JSPoint.csv:6"}),
    Case("point-number-twice", WATER, (row(P, "JS5,JS5,2560040.000,500080.000,10.50,起止点,,,51042100,2011"),), P, 7, "JS5", ("JS5",), None, "地面高程, 建设日期", 10.5, words={"text": "JSPoint.csv:6"}),
    Case("points-at-one-place", WATER, (row(P, "JS6,JS6,2560040.000,500080.000,10.10,起止点,,,51042100,2010"), row(L, new_line("JS3", "JS6"))), P, 7, "JS6", ("JS6",), "JS6", "JS5", 10.1, "max"),
    Case("feature-and-appurtenance", WATER, (cell(P, 5, "附属物", "排气阀"),), P, 5, "JS4", ("JS4",), "JS4", "排气阀", 10.1, words={"text": "弯头"}),
    Case("feature-missing", WATER, (cell(P, 5, "特征", ""),), P, 5, "JS4", ("JS4",), "JS4", None, 10.1),
    Case("point-orphan", WATER, (row(P, "JS6,JS6,2560020.000,500020.000,10.00,直线点,,,51042100,2010"),), P, 7, "JS6", ("JS6",), "JS6", None, 10.0),
    Case("point-elsewhere", WATER, (cell(P, 6, "X", "2660040.000"),), P, 6, "JS5", ("JS5",), "JS5", 100040.0, 10.1, words={"text": "5,000"}, also=frozenset({"length-implausible"})),
    Case("line-end-missing", WATER, (row(L, new_line("JS3", "")),), L, 6, "JS3–?", ("JS3",), None, "终点点号", 9.0),
    Case("line-to-itself", WATER, (row(L, new_line("JS3", "JS3").replace("8.90", "9.00")),), L, 6, "JS3–JS3", ("JS3",), None, "JS3", 9.0),
    Case("line-twice", WATER, (row(L, "JS5,JS4,1.20,1.20,8.90,8.90,DN150,球墨铸铁,直埋,2010,在用"),), L, 6, "JS5–JS4", ("JS4", "JS5"), "JS5-JS4", "JSLine.csv:5", 8.9),
    Case("line-point-missing", WATER, (row(L, new_line("JS3", "JS99")),), L, 6, "JS3–JS99", ("JS3",), None, "JS99", 9.0),
    Case("depth-over-limit", WATER, (cell(L, 5, "终点埋深", "10.60"), cell(L, 5, "终点高程", "-0.50")), L, 5, "JS4–JS5", ("JS5",), "JS4-JS5", 10.6, -0.5, "other", {"text": "JS5"}),
    Case("depth-negative", WATER, (cell(L, 5, "终点埋深", "-0.30"), cell(L, 5, "终点高程", "10.40")), L, 5, "JS4–JS5", ("JS5",), "JS4-JS5", -0.3, 10.4, words={"text": "JS5"}),
    Case("ground-disagrees", WATER, (cell(L, 5, "终点埋深", "1.30"),), L, 5, "JS4–JS5", ("JS5",), "JS4-JS5", 0.1, 8.9, "max", {"text": "JS5"}),
    Case("length-implausible", WATER, (cell(P, 6, "Y", "500130.000"),), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", 80.0, 8.9, "max"),
    Case("length-implausible", WATER, (cell(P, 6, "Y", "500050.030"),), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", 0.03, 8.9, "min"),
    Case("slope-too-steep", WATER, (cell(P, 6, "Y", "500053.000"), cell(L, 5, "终点埋深", "3.20"), cell(L, 5, "终点高程", "6.90")), L, 5, "JS4–JS5", ("JS4", "JS5"), "JS4-JS5", 33.69, 7.9, "other"),
    Case("pressure-missing", GAS, (cell(GL, 2, "压力", ""),), GL, 2, "RQ1–RQ2", ("RQ1", "RQ2"), "RQ1-RQ2", "RQ", 9.0),
    Case("pressure-unreadable", GAS, (cell(GL, 2, "压力", "不详"),), GL, 2, "RQ1–RQ2", ("RQ1", "RQ2"), "RQ1-RQ2", "不详", 9.0),
    Case("material-against-class", GAS, (cell(GL, 2, "材质", "PVC"),), GL, 2, "RQ1–RQ2", ("RQ1", "RQ2"), "RQ1-RQ2", "PVC", 9.0, "RQ", {"system": "RQ"}),
    Case("section-against-class", GAS, (cell(GL, 2, "管径", "300×200"),), GL, 2, "RQ1–RQ2", ("RQ1", "RQ2"), "RQ1-RQ2", "300×200", 9.0, words={"system": "RQ"}),
    Case("heights-differ", WATER, (cell(L, 5, "起点埋深", "1.60"), cell(L, 5, "起点高程", "8.50")), L, 5, "JS4–JS5", ("JS4",), "JS4-JS5", 0.4, 8.5, "max", {"text": "JS2–JS4"}),
    Case("material-changes", WATER, (cell(L, 5, "材质", "PE"),), L, 5, "JS4–JS5", ("JS4",), "JS4-JS5", "PE", 8.9, "features", {"text": "JS2–JS4"}),
    Case("section-changes", WATER, (cell(L, 5, "管径", "DN200"),), L, 5, "JS4–JS5", ("JS4",), "JS4-JS5", "DN200", 8.9, "features", {"text": "JS2–JS4"}),
    Case("flows-uphill", SEWER, (cell(WL, 4, "终点埋深", "0.80"), cell(WL, 4, "终点高程", "8.20")), WL, 4, "WS3–WS4", ("WS3", "WS4"), "WS3-WS4", 0.1, 8.15, "max"),
    Case("steps-up-in-well", SEWER, (cell(WL, 4, "起点埋深", "1.60"), cell(WL, 4, "起点高程", "8.40")), WL, 4, "WS3–WS4", ("WS3",), "WS3-WS4", 0.3, 8.4, "max", {"text": "WS2–WS3"}),
    Case("drops-in-well", SEWER, (cell(WL, 4, "起点埋深", "2.15"), cell(WL, 4, "起点高程", "7.85"), cell(WL, 4, "终点埋深", "1.20"), cell(WL, 4, "终点高程", "7.80")), WL, 3, "WS2–WS3", ("WS3",), "WS2-WS3", 0.25, 8.1, "max", {"text": "WS3–WS4"}),
    Case("narrows-downstream", SEWER, (cell(WL, 4, "管径", "DN300"),), WL, 4, "WS3–WS4", ("WS3",), "WS3-WS4", 300.0, 8.1, words={"text": "WS2–WS3"}),
    Case("isolated-network", WATER, (row(P, "JS6,JS6,2560080.000,500050.000,10.10,起止点,,,51042100,2010"), row(P, "JS7,JS7,2560080.000,500080.000,10.10,起止点,,,51042100,2010"), row(L, "JS6,JS7,1.20,1.20,8.90,8.90,DN150,球墨铸铁,直埋,2010,在用")), L, 6, "JS6–JS7", ("JS6", "JS7"), "JS6-JS7", 1, 8.9, "lines", {"system": "JS"}),
]  # fmt: skip


def broken(case: Case) -> Tables:
    survey = tables(case.survey)
    for edit in case.edits:
        edit(survey)
    return survey


def place_of(survey: Tables, numbers: tuple[str, ...]) -> tuple[float, float]:
    """The middle of some points, by their X (northing) and Y (easting)."""
    points = next(rows for name, rows in survey.items() if "Point" in name)
    written = {cells[1]: (float(cells[2]), float(cells[3])) for cells in points[1:]}
    places = to_earth(np.array([written[number] for number in numbers]))
    lon, lat = places.mean(axis=0).tolist()
    return lon, lat


@pytest.mark.parametrize("survey", [WATER, SEWER, GAS], ids=["water", "sewer", "gas"])
def test_a_sound_survey_has_no_finding(survey: Mapping[str, str], tmp_path: Path) -> None:
    done = checked(tables(survey), tmp_path / "sound")
    assert done.findings == ()
    assert done.dropped == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_broken_cell_is_found_by_its_rule_alone(case: Case, tmp_path: Path) -> None:
    survey = broken(case)
    done = checked(survey, tmp_path / "broken")
    found = [finding for finding in done.findings if finding.rule not in case.also]
    assert {finding.rule for finding in done.findings} == {case.rule} | case.also
    [finding] = found
    assert (finding.table, finding.line, finding.name) == (case.table, case.line, case.name)
    assert finding.id == case.id
    assert finding.id is None or finding.id in done.ids
    assert finding.limit == case.limit
    assert finding.words == case.words
    if isinstance(case.value, float):
        assert finding.value == pytest.approx(case.value, rel=1e-3)
    else:
        assert finding.value == case.value
    if not case.at:
        assert finding.place is None
        return
    assert finding.place is not None
    lon, lat, height = finding.place
    assert (lon, lat) == pytest.approx(place_of(survey, case.at), abs=1e-8)
    assert height == pytest.approx(case.height)


def test_every_rule_is_tested_and_every_rule_measured() -> None:
    assert [*CHECKS, *OF_LAYERS] == [*rules_for("pipes", default_rules())]
    assert {case.rule for case in CASES} == {*CHECKS} - {"survey-far-from-city"}


def test_a_survey_in_another_zone_is_far_from_its_city(tmp_path: Path) -> None:
    east_of_it, in_it = Frame(117.0, 23.14, 0.0), Frame(114.1, 23.14, 0.0)
    assert checked(tables(WATER), tmp_path / "near", city=in_it).findings == ()
    [finding] = checked(tables(WATER), tmp_path / "far", city=east_of_it).findings
    assert (finding.rule, finding.limit) == ("survey-far-from-city", "max")
    assert finding.value == pytest.approx(307_000, rel=0.01)  # 3° at this latitude
    assert finding.place is not None
    assert finding.place[2] is None


def test_a_city_asks_for_more_or_for_less(tmp_path: Path) -> None:
    sound, changes = tables(WATER), {"length-implausible": {"max": 45.0}}
    found = checked(sound, tmp_path / "more", tightened(default_rules(), changes, "test"))
    assert [(f.rule, f.name) for f in found.findings] == [
        ("length-implausible", "JS1–JS2"), ("length-implausible", "JS2–JS3"),
    ]  # fmt: skip
    cell("JSLine.csv", 5, "材质", "PE")(sound)
    off = tightened(default_rules(), {"material-changes": {"severity": "off"}}, "test")
    assert checked(sound, tmp_path / "less", off).findings == ()


def test_numbers_are_looked_up_in_the_tables_of_the_same_class(tmp_path: Path) -> None:
    gas = {name: text.replace("RQ", "") for name, text in GAS.items()}
    other = {
        name.replace("RQ", "RL"): text.replace("RQ", "").replace("2560020", "2560060").replace("PE", "钢")
        for name, text in GAS.items()
    }  # fmt: skip
    done = checked(tables(gas | other), tmp_path / "both")
    assert done.findings == ()
    assert done.ids >= {"RQ.1", "RL.1"}


def test_depths_to_the_bottom_of_drains_and_at_points_are_compared_with_the_ground(
    tmp_path: Path,
) -> None:
    sewer = tables(SEWER)
    for number, (old, new) in enumerate(
        [("起点埋深", "起点管底埋深"), ("起点高程", "起点管底高程"), ("终点高程", "终点管底高程")]
    ):
        header("WSLine.csv", old, new)(sewer)
        assert checked(sewer, tmp_path / str(number)).findings == ()
    cell("WSLine.csv", 2, "起点管底埋深", "1.50")(sewer)
    [finding] = checked(sewer, tmp_path / "bottom").findings
    assert (finding.rule, finding.line, finding.words) == ("ground-disagrees", 2, {"text": "WS1"})

    points = tables(WATER)
    for cells, depth in zip(points["JSPoint.csv"], ["埋深", "1.20", "1.20", "1.20", "1.20", "1.50"], strict=True):  # fmt: skip
        cells.append(depth)
    for cells, level in zip(points["JSPoint.csv"], ["管线高程", "8.80", "8.90", "9.00", "8.90", "8.90"], strict=True):  # fmt: skip
        cells.append(level)
    [finding] = checked(points, tmp_path / "points").findings
    assert (finding.rule, finding.table, finding.name) == ("ground-disagrees", "JSPoint.csv", "JS5")
    assert finding.value == pytest.approx(0.3)


def test_where_three_mains_meet_those_of_one_size_are_of_one_material(tmp_path: Path) -> None:
    survey = tables(WATER)
    cell("JSLine.csv", 3, "材质", "钢")(survey)  # at a tee: JS1–JS2 has its size, JS2–JS4 has not
    [finding] = checked(survey, tmp_path / "tee").findings
    assert (finding.rule, finding.name, finding.words["text"]) == ("material-changes", "JS2–JS3", "JS1–JS2")  # fmt: skip


def test_an_end_at_another_size_may_lie_half_the_difference_higher(tmp_path: Path) -> None:
    survey = tables(WATER)
    cell("JSLine.csv", 4, "起点埋深", "1.37")(survey)  # DN150 at a tee of DN300: 0.075 m, and 0.1 m
    cell("JSLine.csv", 4, "起点高程", "8.73")(survey)
    assert checked(survey, tmp_path / "within").findings == ()
    cell("JSLine.csv", 4, "起点埋深", "1.40")(survey)
    cell("JSLine.csv", 4, "起点高程", "8.70")(survey)
    [finding] = checked(survey, tmp_path / "beyond").findings
    assert (finding.rule, finding.name) == ("heights-differ", "JS2–JS4")


def test_the_ends_at_a_node_are_those_a_search_of_all_finds() -> None:
    random = np.random.default_rng(5)
    nodes = np.sort(random.integers(0, 40, 60))
    ends = Ends(nodes, np.arange(60), random.integers(0, 2, 60), random.uniform(0, 9, 60))
    for node in range(-1, 42):
        assert np.arange(60)[ends.at(node)].tolist() == np.flatnonzero(nodes == node).tolist()
