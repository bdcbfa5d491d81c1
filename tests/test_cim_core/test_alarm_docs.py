"""The reference page says of every alarm rule what the rule file says."""

from pathlib import Path

from cim_core.alarms.rule import Rule
from cim_core.alarms.rules import default_rules

PAGE = Path(__file__).parents[2] / "docs/reference/alarms.md"
SAID = {"read": "source read", "known": "known in the trade", "own": "our own choice"}


def table() -> str:
    """The page's table of rules as it should be, without its head."""
    return "\n".join(
        f"| `{rule.id}` | {rule.title['en']}<br>{rule.title['zh']} | {rule.level} | {spoken_of(rule)} "
        f"| {held(rule)} | {rule.source} ({SAID[rule.confidence]}) |"
        for rule in default_rules().values()
    )


def spoken_of(rule: Rule) -> str:
    some = " ".join(
        ", ".join(f"`{one}`" for one in kind) for kind in (rule.classes, rule.properties)
    )
    alarm = f"<br>alarm `{rule.name}`" if rule.name != rule.id else ""
    return (some.strip() or "all") + alarm


def held(rule: Rule) -> str:
    if rule.kind == "silence":
        return f"nothing for {rule.intervals:g} intervals"
    said = f"{rule.direction} {rule.limit:g}"
    if rule.per:
        said += f" per {rule.per_text}"
    said += f", clear {rule.clear:g}"
    if rule.hold:
        said += f", for {rule.hold / 1000:g} s"
    if rule.window:
        said += f", window {rule.window / 1000:g} s"
    if rule.kind == "neighbourhood":
        said += f", {rule.at_least} of {rule.of} within {rule.rings} ring of resolution {rule.resolution}"
    return said


def test_the_reference_lists_every_rule_as_the_file_has_it() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), f"put this into {PAGE}:\n{table()}"
