"""Green, yellow, red: the rules of `lights.toml`, which a city changes in its `renewal.toml`.

[lights]
behind_yellow = 5
behind_red = 20
source = "District office, 2026 No. 3"

[signing]
gate = 0.9
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from cim_core.errors import InvalidInput
from cim_core.renewal.words import Light, Title

FILE_NAME = "renewal.toml"

RuleId = Literal[
    "started", "start-missed", "start-missed-long",
    "schedule-kept", "schedule-slightly-behind", "schedule-behind", "schedule-far-behind",
]  # fmt: skip

POINT_DECIMALS = 9
"""Percentage points are rounded to so many decimals: 0.4 - 0.5 is no tenth in floating point, and
whether ten points behind is yellow must not hang on that."""

_OWN: Mapping[str, Mapping[str, tuple[float, float, bool]]] = {
    "lights": {
        "start_yellow_months": (1, 120, True),
        "start_red_months": (1, 120, True),
        "behind_yellow": (0, 100, False),
        "behind_red": (0, 100, False),
    },
    "signing": {"gate": (0.01, 1, False)},
}
"""What a city may change: the least and the most of each number, and whether it is a whole one."""
_TABLES = (*_OWN, "holidays", "workdays")
"""What that file can have; the last two are read by `cim_core.renewal.working_days`."""
_FAMILIES: Mapping[str, str] = {"start": "start", "behind": "schedule"}
"""Which family of rules the numbers are of whose names begin so."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the rules go by.

    start_yellow_months, start_red_months
        Months that are over, the planned one the first, in which a stage was not started.
    behind_yellow, behind_red
        Percentage points behind the plan: yellow from the first on, red beyond the second.
    signing_gate
        The share of households that must have signed.
    """

    start_yellow_months: int
    start_red_months: int
    behind_yellow: float
    behind_red: float
    signing_gate: float


@dataclass(frozen=True, slots=True)
class LightRule:
    """One rule as it is told.

    text, reason
        By language; a reason has {placeholders} for what it is said of.
    confidence
        "read", "known" or "own": the source says so, it is practice, or it is a choice.
    """

    id: RuleId
    light: Light
    title: Title
    text: Title
    reason: Title
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Stated:
    """Where something is from that is no rule of lights."""

    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class LightRules:
    """The rules by id, with their numbers, and where the gate of signing and the rank are from."""

    numbers: Numbers
    rules: Mapping[RuleId, LightRule]
    signing: Stated
    rank: Stated


def start_rule(planned: date, started: date | None, at: date, numbers: Numbers) -> RuleId:
    """What holds on a day of a stage that was to be started on another.

    A month counts once it is over: until the last day of the planned month nothing is missed.

    >>> numbers = default_rules().numbers
    >>> [start_rule(date(2025, 1, 20), None, date(2025, *day), numbers) for day in ((1, 31), (2, 1), (4, 1))]
    ['started', 'start-missed', 'start-missed-long']
    """
    months = months_over(planned, at)
    if (started is not None and started <= at) or months < numbers.start_yellow_months:
        return "started"
    return "start-missed-long" if months >= numbers.start_red_months else "start-missed"


def months_over(planned: date, at: date) -> int:
    """How many months are over since a day's month began, that month included."""
    return (at.year - planned.year) * 12 + at.month - planned.month


def schedule_rule(points: float, numbers: Numbers) -> RuleId:
    """What holds of a metric that is so many percentage points ahead of (+) or behind (-) its plan.

    >>> numbers = default_rules().numbers
    >>> [schedule_rule(points, numbers) for points in (0, -9.99, -10, -30, -30.01)]
    ['schedule-kept', 'schedule-slightly-behind', 'schedule-behind', 'schedule-behind', 'schedule-far-behind']
    """
    behind = -points
    if behind <= 0:
        return "schedule-kept"
    if behind > numbers.behind_red:
        return "schedule-far-behind"
    return "schedule-behind" if behind >= numbers.behind_yellow else "schedule-slightly-behind"


def points_between(share: float, planned: float) -> float:
    """By how many percentage points a share is ahead of (+) or behind (-) what was planned.

    >>> points_between(0.4, 0.5)
    -10.0
    """
    return round(100 * (share - planned), POINT_DECIMALS) + 0.0


@cache
def default_rules() -> LightRules:
    """The rules as this program brings them."""
    table = _table()
    return _rules(Numbers(**table["numbers"]), {}, Stated(**table["signing"]))


def city_lights(folder: Path) -> LightRules:
    """The rules of a city: the program's with what its `renewal.toml` changes; raises `InvalidInput`."""
    path = folder / FILE_NAME
    try:
        return _changed(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default_rules()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error


@lru_cache(maxsize=8)
def _changed(path: Path, text: str) -> LightRules:
    """The rules with what a city's file says."""
    own = tomllib.loads(text)
    for name in own:
        if name not in _TABLES:
            raise InvalidInput(
                f"{path} has {name!r}, which nothing knows; it can have {', '.join(_TABLES)}"
            )
    rules = default_rules()
    lights, signing = (_own_table(path, own, name) for name in _OWN)
    changes = {**lights, **({"signing_gate": signing["gate"]} if "gate" in signing else {})}
    changes.pop("source", None)
    numbers = replace(rules.numbers, **changes)
    for low, high in (("start_yellow_months", "start_red_months"), ("behind_yellow", "behind_red")):
        if getattr(numbers, low) > getattr(numbers, high):
            raise InvalidInput(
                f"{path}: {low} is larger than {high}; what is red is worse than what is yellow"
            )
    told = {
        family: Stated(str(lights.get("source") or path.name), "own")
        for start, family in _FAMILIES.items()
        if any(name.startswith(start) for name in changes)
    }
    gate = Stated(str(signing.get("source") or path.name), "own") if signing else rules.signing
    return _rules(numbers, told, gate)


def _own_table(path: Path, own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One table of a city's file, its numbers as they must be."""
    table, known = own.get(name, {}), _OWN[name]
    if not isinstance(table, dict):
        raise InvalidInput(f"{path}: {name} is no table; write [{name}] and below it its entries")
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key == "source":
            checked[key] = str(value)
            continue
        if key not in known:
            raise InvalidInput(
                f"{path}: [{name}] has {key!r}, which nothing knows; it can have "
                f"{', '.join([*known, 'source'])}"
            )
        least, most, whole = known[key]
        number = type(value) is int or (type(value) is float and not whole)
        if not number or not least <= value <= most:
            wanted = "a whole number" if whole else "a number"
            raise InvalidInput(
                f"{path}: [{name}] {key} is {value!r}; write {wanted} from {least} to {most}"
            )
        checked[key] = value if whole else float(value)
    return checked


def _rules(numbers: Numbers, told: Mapping[str, Stated], signing: Stated) -> LightRules:
    """All rules with their numbers in their texts, those of families that are told with their source.

    What is our own choice stays that.
    """
    spoken = {name: f"{value:g}" for name, value in asdict(numbers).items()}
    rules: dict[RuleId, LightRule] = {}
    for row in _table()["rule"]:
        rule = LightRule(**row)
        family = rule.id.partition("-")[0].removesuffix("ed")
        stated = told.get(family) if rule.confidence != "own" else None
        texts: dict[str, Any] = {
            name: {language: _fill(text, spoken) for language, text in row[name].items()}
            for name in ("text", "reason")
        }
        rules[rule.id] = replace(rule, **texts, **(asdict(stated) if stated else {}))
    return LightRules(numbers, rules, signing, Stated(**_table()["rank"]))


def _fill(text: str, numbers: Mapping[str, str]) -> str:
    """A text with the numbers of the rules in it; what a reason is said of stays open."""
    for name, value in numbers.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@cache
def _table() -> dict[str, Any]:
    text = files("cim_core.renewal").joinpath("lights.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
