"""The rule file is whole; a city's changes are taken or refused in one sentence."""

import re
import string
from pathlib import Path

import pytest

from cim_core.checkin import (
    Finding,
    Rule,
    city_rules,
    counts,
    default_rules,
    refusing,
    tightened,
)
from cim_core.errors import InvalidInput

RULES = list(default_rules().values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert set(rule.title) == set(rule.sentence) == {"en", "zh"}
    assert rule.severity in ("error", "warning", "note", "off")
    assert rule.refuse is False, "the program's own rules let everything in"
    assert rule.confidence in ("read", "known", "own")
    assert len(rule.source) > 10
    for texts in (rule.title, rule.sentence, *(limit.title for limit in rule.thresholds.values())):
        assert re.search("[\u4e00-\u9fff]", texts["zh"])
        assert not re.search("[\u4e00-\u9fff]", texts["en"])
        assert not re.search("[\u4e00-\u9fff][;:()?!,]|[;:()?!,][\u4e00-\u9fff]", texts["zh"])
    en, zh = (placeholders(rule.sentence[language]) for language in ("en", "zh"))
    assert en == zh
    assert ("limit" in en) <= bool(rule.thresholds)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_no_rule_claims_a_clause() -> None:
    for rule in RULES:
        assert not re.search(r"CJJ|GB/T|clause|第\s*\d+(\.\d+)*\s*条", rule.source)


CITY = 'name = "C"\n'


def write(folder: Path, own: str | None, section: str = "") -> None:
    (folder / "city.toml").write_text(CITY + section)
    if own is not None:
        (folder / "checkin.toml").write_text(own)


@pytest.mark.parametrize("where", ["checkin.toml", "city.toml"])
def test_a_city_tightens_a_rule_in_either_file(where: str, tmp_path: Path) -> None:
    entries = "[{}element-too-large]\nmax = 50\nseverity = 'error'\nrefuse = true\nexcept = []\n"
    if where == "checkin.toml":
        write(tmp_path, entries.format(""))
    else:
        write(tmp_path, None, entries.format("checkin."))
    rules = city_rules(tmp_path, tmp_path / "city.toml")
    rule = rules["element-too-large"]
    assert (rule.number("max"), rule.names("except")) == (50.0, ())
    assert (rule.severity, rule.refuse) == ("error", True)
    unchanged = dict(default_rules()) | {"element-too-large": rule}
    assert rules == unchanged, "all else is as it was"
    assert list(rules) == list(default_rules())


def test_a_city_without_rules_of_its_own_has_the_programs(tmp_path: Path) -> None:
    write(tmp_path, None)
    assert city_rules(tmp_path, tmp_path / "city.toml") == default_rules()


WRONG = {
    "[no-such-rule]\nrefuse = true": "names the check-in rule 'no-such-rule', which does not exist",
    "[no-name]\nseverty = 'error'": "no-name has no entry 'severty'; it takes severity, refuse",
    "[shell-open]\nmax = '1 mm'": "max of the check-in rule shell-open cannot be '1 mm'",
    "[shell-open]\nmax = true": "max of the check-in rule shell-open cannot be True",
    "[shell-open]\nmax = inf": "max of the check-in rule shell-open cannot be inf",
    "[no-name]\nseverity = 'fatal'": "cannot be 'fatal'; error, warning, note, off is needed",
    "[no-name]\nrefuse = 1": "refuse of the check-in rule no-name cannot be 1; true, false",
    "[schema-not-accepted]\naccepted = 'IFC4'": "accepted of the check-in rule schema-not-accepted",
    "[proxy]\nrefuse = true": "the check-in rule proxy is off, so it cannot refuse a file",
    "no-name = 3": "the check-in rule no-name has no entry 3",
    "[no-name": "checkin.toml cannot be read",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_in_a_citys_rules_is_named(text: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    with pytest.raises(InvalidInput, match=re.escape(WRONG[text])) as caught:
        city_rules(tmp_path, tmp_path / "city.toml")
    assert str(tmp_path / "checkin.toml") in caught.value.sentence


def test_rules_in_both_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "[no-name]\nrefuse = true", "[checkin.no-name]\nrefuse = true\n")
    with pytest.raises(InvalidInput, match=r"in city\.toml and in checkin\.toml; keep one"):
        city_rules(tmp_path, tmp_path / "city.toml")


def test_rules_that_are_no_table_are_refused(tmp_path: Path) -> None:
    write(tmp_path, None, "checkin = 3\n")
    with pytest.raises(InvalidInput, match="must be a table of check-in rules"):
        city_rules(tmp_path, tmp_path / "city.toml")


def test_findings_are_counted_by_severity_and_those_that_refuse_by_rule() -> None:
    rules = tightened(
        default_rules(), {"no-name": {"refuse": True}, "shell-open": {"severity": "error"}}, "test"
    )
    findings = [Finding("no-name"), Finding("shell-open"), Finding("no-name")]
    assert counts(findings, rules) == {"error": 1, "warning": 0, "note": 2}
    assert refusing(findings, rules) == {"no-name": 2}
    assert refusing(findings, default_rules()) == {}
