"""The reference page says of every rule what the rule file says."""

from pathlib import Path

import pytest

from cim_core.checkin import Subject, Threshold, default_rules, rules_for

PAGE = Path(__file__).parents[2] / "docs/reference/checkin.md"
SAID = {"read": "source read", "known": "known in the trade", "own": "our own choice"}


def table(subject: Subject) -> str:
    """The page's table of the rules for one subject as it should be."""
    rows = ["| Rule | Finds | Severity | Thresholds | Source |", "|---|---|---|---|---|"]
    for rule in rules_for(subject, default_rules()).values():
        limits = "<br>".join(f"`{name}` {said(limit)}" for name, limit in rule.thresholds.items())
        rows.append(
            f"| `{rule.id}` | {rule.title['en']}<br>{rule.title['zh']} | {rule.severity} "
            f"| {limits} | {rule.source} ({SAID[rule.confidence]}) |"
        )
    return "\n".join(rows)


def said(limit: Threshold) -> str:
    value = ", ".join(limit.value) if isinstance(limit.value, tuple) else f"{limit.value:g}"
    return f"{value} {limit.unit}".strip() + f" ({limit.title['en']})"


@pytest.mark.parametrize("subject", ["models", "pipes", "roads"])
def test_the_reference_lists_every_rule_as_the_file_has_it(subject: Subject) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table(subject) in page, f"put this table into {PAGE}:\n{table(subject)}"
