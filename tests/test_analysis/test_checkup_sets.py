"""The sets of indicators that ship, and those that a city writes over them."""

import re
from pathlib import Path

import pytest

from analysis.checkup.formulas import Total
from analysis.checkup.indicator import IndicatorSet
from analysis.checkup.measured import Reason, Status
from analysis.checkup.roles import roles
from analysis.checkup.sets import (
    DERIVED,
    columns_of,
    inputs_of,
    merged,
    own_sets,
    read_set,
    set_named,
    shipped_sets,
    whole,
)
from analysis.checkup.words import words
from cim_core.errors import InvalidInput, NotFound

ROWS = {f"{row:02d}" for row in range(1, 46)}
"""The rows of the reference's table of computable indicators."""
MNR_ROWS = {"12", "14", "18", "20", "21", "22", "23", "24", "25", "34", "36", "39", "41"}
CONFIRMED = {"02": 50, "06": 100, "37": 70}
"""The only targets that were read in a source; every other one is recalled."""
RECALLED = {
    "03", "04", "07", "08", "09", "10", "11", "15", "16", "17", "19", "26", "27a", "27b", "27c", "34a",
    "35", "36", "38", "39a", "39c", "40a", "40b", "45a", "45b",
}  # fmt: skip
NO_TARGET = {
    "01", "05", "12", "13", "14", "18a", "18b", "18c", "20", "21a", "21b", "22", "23a", "23b", "23c",
    "23d", "23e", "24", "25", "33b", "34b", "39b", "41a", "41b", "43",
}  # fmt: skip


@pytest.fixture
def sets() -> list[IndicatorSet]:
    return list(shipped_sets().values())


def test_every_row_is_there_in_the_system_it_belongs_to(sets: list[IndicatorSet]) -> None:
    rows = {
        which.id: {i.code[:2] for i in which.indicators if i.code[0].isdigit()} for which in sets
    }
    assert rows["mohurd-2025"] | rows["mnr-2025"] == ROWS
    assert rows["mnr-2025"] == MNR_ROWS
    assert rows["mohurd-2025"] & rows["mnr-2025"] == {"34"}  # both systems have it


def test_the_lists_of_housing_estates_and_blocks_are_there(sets: list[IndicatorSet]) -> None:
    [mohurd] = [which for which in sets if which.id == "mohurd-2025"]
    letters = [i.code for i in mohurd.indicators if not i.code[0].isdigit()]
    assert len(letters) == 19
    assert {i.level for i in mohurd.indicators} == {"housing", "community", "block", "city"}


def test_every_input_and_column_is_one_of_the_roles(sets: list[IndicatorSet]) -> None:
    known = roles()
    for indicator in (indicator for which in sets for indicator in which.indicators):
        assert list(inputs_of(indicator.formula)), indicator.code
        for one in inputs_of(indicator.formula):
            assert one.input in known, indicator.code
            assert set(one.where) <= {*known[one.input].columns, *DERIVED}, indicator.code
        for role, column in columns_of(indicator.formula):
            assert column in known[role].columns, (indicator.code, role, column)


def test_targets_are_confirmed_only_where_a_source_was_read(sets: list[IndicatorSet]) -> None:
    for indicator in (indicator for which in sets for indicator in which.indicators):
        target = indicator.target
        if indicator.code in NO_TARGET:
            assert target is None, indicator.code
            continue
        assert target is not None, indicator.code
        assert (target.confidence == "confirmed") == (indicator.code in CONFIRMED), indicator.code
        assert indicator.direction != "none" and target.source, indicator.code
        if indicator.code in CONFIRMED:
            assert target.value == CONFIRMED[indicator.code]
        if indicator.code in RECALLED:
            assert "recalled" in target.source, indicator.code
    assert RECALLED | set(CONFIRMED) <= {i.code for which in sets for i in which.indicators}


def test_no_text_names_a_clause_and_every_text_is_said_twice(sets: list[IndicatorSet]) -> None:
    for which in sets:
        for i in which.indicators:
            for text in (i.name, i.department, i.explanation):
                assert text.en and any("一" <= sign <= "鿿" for sign in text.zh), i.code
            assert not re.search(r"第.+条", i.explanation.zh), i.code
            assert "clause" not in i.explanation.en, i.code


def test_what_is_wrong_with_houses_is_told_house_by_house_and_of_those_looked_at() -> None:
    found = [one for one in shipped_sets()["mohurd-2025"].indicators if one.level == "housing"]
    assert len(found) == 10
    for one in found:
        assert "building" in one.by, one.code
        assert isinstance(one.formula, Total) and one.formula.about is not None, one.code
        assert dict(one.formula.about.where) == {"use": "residential"}, one.code


def test_words_name_all_there_is() -> None:
    named = words()
    assert set(named["statuses"]) == set(Status.__args__)
    assert {*named["reasons"], ""} == set(Reason.__args__)
    for kind in named.values():
        assert all(set(text) == {"en", "zh"} and all(text.values()) for text in kind.values())


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


HEAD = """id = "huanan-2026"
system = "own"
year = 2026
name = { en = "Huanan 2026", zh = "华南 2026" }
source = "the district's own"
base = "mohurd-2025"
without = ["02", "05"]
dimensions = { night = { en = "Night", zh = "夜间" } }
"""
LAMPS = """name = { en = "Stops", zh = "站点数" }
level = "city"
dimension = "night"
unit = "stops"
unit_zh = "个"
direction = "none"
department = { en = "Transport", zh = "交通" }
explanation = { en = "Bus stops.", zh = "公交站点。" }
[formula]
operator = "total"
what = { input = "bus-stops" }
"""


def _own(city: Path, head: str = HEAD, name: str = "n1.toml", indicator: str = LAMPS) -> Path:
    folder = _write(city / "checkup" / "sets" / "huanan-2026", "set.toml", head)
    return _write(folder, name, indicator)


def test_a_city_says_its_own_over_a_base(tmp_path: Path) -> None:
    _own(tmp_path)
    # The same code again is the city's own word on it.
    _own(tmp_path, name="28.toml", indicator=LAMPS)
    found = set_named("huanan-2026", tmp_path)
    base = set_named("mohurd-2025")
    codes = [i.code for i in found.indicators]
    assert set(codes) == {i.code for i in base.indicators} - {"02", "05"} | {"n1"}
    assert codes == sorted(codes)
    assert {i.code: i for i in found.indicators}["28"].name.en == "Stops"
    assert set(found.dimensions) == {*base.dimensions, "night"}
    assert (found.id, found.system, found.year, found.base) == ("huanan-2026", "own", 2026, None)
    assert set(own_sets(tmp_path)) == {"huanan-2026"}
    assert whole(base) is base


def test_a_city_may_change_the_shipped_set_under_its_name(tmp_path: Path) -> None:
    head = HEAD.replace("huanan-2026", "mnr-2025").replace('"mohurd-2025"', '"mnr-2025"')
    folder = tmp_path / "checkup" / "sets" / "mnr-2025"
    _write(folder, "set.toml", head.replace('["02", "05"]', '["12"]'))
    codes = {i.code for i in set_named("mnr-2025", tmp_path).indicators}
    assert codes == {i.code for i in shipped_sets()["mnr-2025"].indicators} - {"12"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head": HEAD.replace('id = "huanan-2026"', 'id = "other"')}, "set.toml: id is 'other'"),
        ({"head": HEAD.replace('"05"', '"99"')}, "`without` names 99"),
        ({"head": HEAD.replace('base = "mohurd-2025"', 'base = "huanan-2026"')}, "based on itself"),
        ({"head": HEAD.replace("year = 2026", "year = []")}, "set.toml: year: "),
        ({"head": HEAD + "= 3"}, "set.toml cannot be read as TOML"),
        ({"indicator": LAMPS.replace('"total"', '"sum"')}, "n1.toml: formula: "),
        ({"indicator": LAMPS.replace('unit_zh = "个"\n', "")}, "n1.toml: unit_zh: "),
        ({"indicator": 'code = "n2"\n' + LAMPS}, "call it n2.toml"),
        ({"indicator": LAMPS.replace('"night"', '"day"')}, "indicator n1: dimension 'day'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    _own(tmp_path, **change)
    with pytest.raises(InvalidInput) as error:
        set_named("huanan-2026", tmp_path)
    assert said in error.value.sentence
    assert "\n" not in error.value.sentence


def test_a_set_nobody_knows_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no set of indicators 'x'"):
        set_named("x", tmp_path)
    with pytest.raises(NotFound, match=r"no .*set\.toml"):
        read_set(tmp_path)


def test_a_base_that_lacks_the_named_code_is_said() -> None:
    base = shipped_sets()["mnr-2025"]
    with pytest.raises(InvalidInput, match="`without` names 99"):
        merged(base.model_copy(update={"without": ("99",)}), base)
