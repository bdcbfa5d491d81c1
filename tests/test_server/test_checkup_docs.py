"""The page of indicators names every operator with what it is told, and every role with its columns."""

import re
from typing import get_args

import pytest

from analysis.checkup.formulas import Formula
from analysis.checkup.roles import roles
from analysis.checkup.words import words
from server.checkup.formula_text import formula_text
from server.checkup.sets import shipped_sets
from tests.support.serving import ROOT

PAGE = (ROOT / "docs/reference/indicators.md").read_text("utf-8")
ROWS = {
    found[1]: line for line in PAGE.splitlines() if (found := re.match(r"\| `([\w-]+)` \|", line))
}
OPERATORS = {get_args(one.model_fields["operator"].annotation)[0]: one for one in get_args(Formula)}


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_described(operator: str) -> None:
    told = set(OPERATORS[operator].model_fields) - {"operator"}
    assert [name for name in told if f"`{name}`" not in ROWS[operator]] == []


def test_every_role_is_described_with_its_columns() -> None:
    for name, role in roles().items():
        assert role.title.zh in ROWS[name] and f"`{role.layer}`" in ROWS[name], name
        assert [one for one in role.columns if f"`{one}`" not in ROWS[name]] == [], name


def test_every_formula_that_ships_is_said_in_both_languages() -> None:
    known = roles()
    said = {
        (which.id, one.code): formula_text(one.formula, known)
        for which in shipped_sets().values()
        for one in which.indicators
    }
    assert len(said) > 60
    for place, text in said.items():
        assert not re.search(r"[{}]", text["en"] + text["zh"]), place
        assert re.search("[\u4e00-\u9fff]", text["zh"]), place
        spoken = re.sub(r"\([^)]*\)", "", text["en"])  # conditions have the words of layers
        assert not re.search("[\u4e00-\u9fff]", spoken), place
    assert said["mohurd-2025", "08"]["en"] == (
        "area of Residential land inside Built-up area within 500 m of Parks and activity sites "
        "(shape_area ≥ 5000) or 300 m of Parks and activity sites (2000 ≤ shape_area < 5000) ÷ area of "
        "Residential land inside Built-up area"
    )
    assert words()["methods"]


def test_where_targets_are_from_is_said_in_both_languages() -> None:
    sources = {
        one.target.source for which in shipped_sets().values() for one in which.indicators if one.target
    }  # fmt: skip
    said = words()["sources"]
    assert sources == set(said)
    for source, text in said.items():
        assert text["en"] == source
        assert re.search("[\u4e00-\u9fff]", text["zh"]), source
