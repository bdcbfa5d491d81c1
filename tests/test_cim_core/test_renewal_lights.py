"""The rules of lights at their borders, a city's own numbers, and the templates of stages."""

from datetime import date
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from cim_core.errors import InvalidInput
from cim_core.renewal.lights import (
    city_lights,
    default_rules,
    points_between,
    schedule_rule,
    start_rule,
)
from cim_core.renewal.stages import templates
from cim_core.renewal.words import Mode, ProjectType

NUMBERS = default_rules().numbers


@pytest.mark.parametrize(
    ("behind", "rule", "light"),
    [
        (-5.0, "schedule-kept", "green"),
        (0.0, "schedule-kept", "green"),
        (1e-8, "schedule-slightly-behind", "green"),
        (9.999999, "schedule-slightly-behind", "green"),
        (10.0, "schedule-behind", "yellow"),
        (10.000001, "schedule-behind", "yellow"),
        (29.999999, "schedule-behind", "yellow"),
        (30.0, "schedule-behind", "yellow"),
        (30.000001, "schedule-far-behind", "red"),
        (100.0, "schedule-far-behind", "red"),
    ],
)
def test_who_is_behind_is_judged_by_the_points(behind: float, rule: str, light: str) -> None:
    found = schedule_rule(-behind, NUMBERS)
    assert (found, default_rules().rules[found].light) == (rule, light)


@pytest.mark.parametrize("points", [10, 30])
def test_at_a_border_it_makes_no_difference_how_shares_are_written_in_binary(points: int) -> None:
    for thousandths in range(10 * points, 1001):
        planned, done = thousandths / 1000, (thousandths - 10 * points) / 1000
        assert points_between(done, planned) == -points
        assert schedule_rule(points_between(done, planned), NUMBERS) == "schedule-behind"


def test_what_is_unpublished_says_that_it_is_our_default() -> None:
    rule = default_rules().rules["schedule-slightly-behind"]
    assert (rule.light, rule.confidence, rule.source) == (
        "green",
        "own",
        "unpublished; our default",
    )
    assert "our default" in rule.text["en"]
    assert "默认" in rule.text["zh"]
    others = [one for one in default_rules().rules.values() if one is not rule]
    assert {(one.source, one.confidence) for one in others} == {
        ("Yinchuan 2025, as reported", "read")
    }


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        (date(2024, 12, 31), "started"),
        (date(2025, 1, 20), "started"),
        (date(2025, 1, 31), "started"),
        (date(2025, 2, 1), "start-missed"),
        (date(2025, 3, 31), "start-missed"),
        (date(2025, 4, 1), "start-missed-long"),
    ],
    ids=str,
)
def test_a_stage_is_missed_once_its_month_is_over_and_red_after_three(at: date, rule: str) -> None:
    assert start_rule(date(2025, 1, 20), None, at, NUMBERS) == rule
    assert start_rule(date(2025, 1, 20), at, at, NUMBERS) == "started"


def test_the_page_of_rules_has_them_all_with_their_sources() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/renewal-rules.md").read_text("utf-8")
    for rule in default_rules().rules.values():
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{rule.id}` | ")]
        assert line.split(" | ")[1] == rule.light
        assert rule.source in line


def test_a_stage_that_was_started_later_was_not_started_yet() -> None:
    assert (
        start_rule(date(2025, 1, 1), date(2025, 3, 2), date(2025, 3, 1), NUMBERS) == "start-missed"
    )


def test_a_city_has_its_own_numbers_and_says_so(tmp_path: Path) -> None:
    assert city_lights(tmp_path) is default_rules()
    (tmp_path / "renewal.toml").write_text(
        '[lights]\nbehind_yellow = 5\nbehind_red = 20.5\nsource = "Office, No. 3"\n'
        "[signing]\ngate = 0.9\n"
        '[holidays]\n2027-02-08 = "Spring Festival"\n'
    )
    rules = city_lights(tmp_path)
    assert [schedule_rule(-points, rules.numbers) for points in (4.9, 5, 20.5, 20.6)] == [
        "schedule-slightly-behind", "schedule-behind", "schedule-behind", "schedule-far-behind",
    ]  # fmt: skip
    behind = rules.rules["schedule-behind"]
    assert (behind.source, behind.confidence) == ("Office, No. 3", "own")
    assert behind.text["en"] == "From 5 to 20.5 points behind, both included."
    assert rules.rules["start-missed"] == default_rules().rules["start-missed"]
    assert (rules.numbers.signing_gate, rules.signing.source) == (0.9, "renewal.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lights", "cannot be read"),
        ("[light]\nbehind_red = 3", "'light', which nothing knows; it can have lights, signing"),
        ("lights = 3", "lights is no table"),
        ("[lights]\nbehind = 3", "'behind', which nothing knows"),
        ("[lights]\nbehind_red = 101", "behind_red is 101; write a number from 0 to 100"),
        ("[lights]\nbehind_red = true", "behind_red is True"),
        ("[lights]\nstart_red_months = 2.5", "write a whole number from 1 to 120"),
        ("[lights]\nbehind_red = 5", "behind_yellow is larger than behind_red"),
        ("[signing]\ngate = nan", "gate is nan"),
    ],
)
def test_what_is_wrong_in_a_citys_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "renewal.toml").write_text(text)
    with pytest.raises(InvalidInput, match=r"renewal\.toml") as raised:
        city_lights(tmp_path)
    assert said in str(raised.value)


def test_there_is_a_template_for_projects_of_every_type_and_mode() -> None:
    for project_type, mode in product(get_args(ProjectType), get_args(Mode)):
        fitting = [
            t.id for t in templates().values() if project_type in t.types and mode in t.modes
        ]
        assert fitting, (project_type, mode)
    for template in templates().values():
        ids = [stage.id for stage in template.stages]
        assert len(ids) == len(set(ids))
        assert template.source
        assert {stage.confidence for stage in template.stages} <= {"read", "known"}
    assert len(templates()["old-village"].stages) == 16
    assert {"old-factory-self", "old-factory-purchase"} <= set(templates())
