"""The check before publishing: rules, findings, and whether a file is let in.

The rules stand beside this file: those for models of buildings in `checkin.toml`, those for pipes in
`checkin_pipes.toml`, those for road maps in `checkin_roads.toml`. A city tightens them in a `checkin.toml` of its own or in the section
`[checkin]` of its `city.toml`. An importer measures and puts what it found on its layer; whoever
publishes asks `refusing`.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from cim_core.errors import InvalidInput

Severity = Literal["error", "warning", "note", "off"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""What a finding can be, the worst first."""

Subject = Literal["models", "pipes", "roads"]
"""What a rule is for: models of buildings, surveys and models of pipes, or road maps."""

FILE_NAME = "checkin.toml"

_RULE_FILES: Mapping[Subject, str] = {
    "models": FILE_NAME,
    "pipes": "checkin_pipes.toml",
    "roads": "checkin_roads.toml",
}

_OWN_KEYS = ("severity", "refuse")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of a rule: a number in `unit`, or names; `title` says in "en" and "zh" of what."""

    value: float | tuple[str, ...]
    unit: str
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for, how bad it is, and what it is measured against.

    title, sentence
        By language; a sentence has {placeholders} for what a finding says.
    confidence
        "read", "known" or "own": whether the source was read, is common in the trade, or a choice.
    """

    id: str
    subject: Subject
    title: Mapping[str, str]
    sentence: Mapping[str, str]
    severity: Severity
    refuse: bool
    thresholds: Mapping[str, Threshold]
    source: str
    confidence: Literal["read", "known", "own"]

    def number(self, name: str) -> float:
        """A threshold that is a number, in its unit."""
        value = self.thresholds[name].value
        assert isinstance(value, float)
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A threshold that is a list of names."""
        value = self.thresholds[name].value
        assert isinstance(value, tuple)
        return value


Rules = Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found.

    id, feature_class, name, storey
        The object and the name of its storey; `id` is None for the model as a whole, and for what
        did not become a feature.
    table, line
        Where the object stands in a file of tables: the table's name and the line, from 1.
    place
        longitude, latitude, height in the city's vertical datum; None where it has no geometry, and
        without a height where that is not known.
    value, limit
        What was measured and the name of the threshold it breaks, in that threshold's unit.
    words
        What else the rule's sentence says.
    """

    rule: str
    value: float | int | str | None = None
    limit: str | None = None
    id: str | None = None
    feature_class: str = ""
    name: str = ""
    storey: str | None = None
    place: tuple[float, float, float | None] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    table: str = ""
    line: int | None = None


def counts(findings: Iterable[Finding], rules: Rules) -> dict[str, int]:
    """How many findings there are of each severity, all severities named."""
    found = Counter(rules[finding.rule].severity for finding in findings)
    return {severity: found[severity] for severity in SEVERITIES}


def refusing(findings: Iterable[Finding], rules: Rules) -> dict[str, int]:
    """How many findings each rule has for which a file is refused; empty when it is let in."""
    return dict(Counter(f.rule for f in findings if rules[f.rule].refuse))


@lru_cache
def default_rules() -> Rules:
    """The rules as this program brings them, in the order of the files."""
    return {
        name: _rule(name, subject, entry)
        for subject, file in _RULE_FILES.items()
        for name, entry in tomllib.loads(
            files("cim_core").joinpath(file).read_text(encoding="utf-8")
        ).items()
    }


def rules_for(subject: Subject, rules: Rules) -> Rules:
    """The rules for what was imported."""
    return {name: rule for name, rule in rules.items() if rule.subject == subject}


def _rule(name: str, subject: Subject, entry: Mapping[str, Any]) -> Rule:
    return Rule(
        name, subject, entry["title"], entry["sentence"], entry["severity"], entry["refuse"],
        {
            key: Threshold(
                tuple(item["value"]) if isinstance(item["value"], list) else float(item["value"]),
                item.get("unit", ""), {"en": item["en"], "zh": item["zh"]},
            )
            for key, item in entry.get("thresholds", {}).items()
        },
        entry["source"], entry["confidence"],
    )  # fmt: skip


def city_rules(folder: Path, settings: Path) -> Rules:
    """The rules as a city tightens them; `settings` is its `city.toml`.

    Raises `InvalidInput` naming the entry that is wrong.
    """
    own = folder / FILE_NAME
    section = _read(settings).get("checkin")
    if not own.is_file():
        return tightened(default_rules(), section or {}, f"{settings} [checkin]")
    if section is not None:
        raise InvalidInput(
            f"{folder} has check-in rules in {settings.name} and in {FILE_NAME}; keep one of them"
        )
    return tightened(default_rules(), _read(own), str(own))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error


def tightened(rules: Rules, changes: object, where: str) -> Rules:
    """Rules with other severities, refusals and thresholds; `where` names the source in errors.

    Raises `InvalidInput` for a rule or an entry that does not exist and for a value that does not
    fit.
    """
    if not isinstance(changes, dict):
        raise InvalidInput(
            f"{where} must be a table of check-in rules; write [rule] and below it severity, "
            "refuse or a threshold"
        )
    result = dict(rules)
    for name, entries in changes.items():
        if name not in rules:
            raise InvalidInput(
                f"{where} names the check-in rule {name!r}, which does not exist; "
                "`cim rules` lists them"
            )
        result[name] = _changed(rules[name], entries, where)
    return result


def _changed(rule: Rule, entries: object, where: str) -> Rule:
    known = (*_OWN_KEYS, *rule.thresholds)
    if not isinstance(entries, dict) or not entries.keys() <= set(known):
        wrong = next((key for key in entries if key not in known), "") if isinstance(entries, dict) else entries  # fmt: skip
        raise InvalidInput(
            f"{where}: the check-in rule {rule.id} has no entry {wrong!r}; it takes {', '.join(known)}"
        )
    for key, value in entries.items():
        if not _fits(rule, key, value):
            raise InvalidInput(
                f"{where}: {key} of the check-in rule {rule.id} cannot be {value!r}; "
                f"{_kind(rule, key)} is needed"
            )
    changed = replace(
        rule,
        severity=entries.get("severity", rule.severity),
        refuse=entries.get("refuse", rule.refuse),
        thresholds={
            key: replace(limit, value=_value(entries[key])) if key in entries else limit
            for key, limit in rule.thresholds.items()
        },
    )
    if changed.refuse and changed.severity == "off":
        raise InvalidInput(
            f"{where}: the check-in rule {rule.id} is off, so it cannot refuse a file; "
            "give it a severity"
        )
    return changed


def _fits(rule: Rule, key: str, value: object) -> bool:
    if key == "severity":
        return value in get_args(Severity)
    if key == "refuse":
        return isinstance(value, bool)
    if isinstance(rule.thresholds[key].value, tuple):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _kind(rule: Rule, key: str) -> str:
    if key == "severity":
        return ", ".join(get_args(Severity))
    if key == "refuse":
        return "true, false"
    limit = rule.thresholds[key]
    return '["…", "…"]' if isinstance(limit.value, tuple) else f"1.0 ({limit.unit or '–'})"


def _value(value: Any) -> float | tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else float(value)
