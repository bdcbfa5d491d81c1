"""The check report of renewal: what was recorded and cannot all be true, with what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analysis.renewal import checks_buildings, checks_dates, checks_land, checks_progress
from analysis.renewal.examined import Check, CheckRule, Examined, Found, Severity, check_rules
from analysis.renewal.remembered import remembered
from cim_core.city import City
from cim_core.renewal.documents import Kind
from cim_core.renewal.words import Title

CHECKS: Mapping[str, Check] = {
    **checks_buildings.CHECKS,
    **checks_progress.CHECKS,
    **checks_land.CHECKS,
    **checks_dates.CHECKS,
}
"""How each rule of `checks.toml` looks, by its id."""


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One thing that was found.

    kind, subject
        What it is about: the project itself, or a building, a household, a record, a task, an order.
    text
        By language, the remedy included.
    """

    rule: str
    severity: Severity
    project: str
    kind: Kind
    subject: str
    text: Title
    values: Mapping[str, Any]


def checks(city: City, at: date) -> list[CheckFinding]:
    """What is wrong with a city's renewal as it stood on a day, as far as it is seen.

    In the order of the rules, which is that of `checks.toml`, then of projects and subjects. Kept as long
    as nothing of what it was made of changes. Which household it is, only those are told who may see
    the households of its town.
    """
    examined = Examined(city, at)
    key = ("checks", at, city.layers.state(), examined.gate, examined.units, examined.towns)
    found = remembered(examined.ledger, key, lambda: _found(examined))
    entitled = city.sight.households
    if entitled is None:
        return list(found)
    # Whose a project is today: with it, the town it was of before gave its households away.
    towns = {one.id: one.document["town"] for one in city.renewal.find("project")}
    return [one for one in found if one.kind != "household" or towns.get(one.project) in entitled]


def _found(examined: Examined) -> tuple[CheckFinding, ...]:
    found = []
    for rule in check_rules().values():
        told = [one for one in CHECKS[rule.id](examined, rule) if one.project in examined.projects]
        told.sort(key=lambda one: (one.project, one.subject))
        found += [_finding(rule, one) for one in told]
    return tuple(found)


def _finding(rule: CheckRule, found: Found) -> CheckFinding:
    text = {
        language: template.format_map(
            {
                name: value[language] if isinstance(value, Mapping) else value
                for name, value in found.values.items()
            }
        )
        for language, template in rule.text.items()
    }
    return CheckFinding(
        rule.id, rule.severity, found.project, found.kind, found.subject, text, found.values
    )
