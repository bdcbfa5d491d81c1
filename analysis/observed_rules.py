"""The numbers that observations are judged by, as `observed_rules.toml` has them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class AvailabilityRules:
    """When a datastream counts as stale or silent: in its intervals, and seconds."""

    stale_intervals: float
    silent_intervals: float
    stale_least: float
    silent_least: float
    stale_without: float
    silent_without: float


@dataclass(frozen=True, slots=True)
class AnomalyRules:
    """From which modified z-score a value is odd, and how much has to be known for that."""

    score: float
    least_weeks: int
    least_scale: float


@cache
def availability_rules() -> AvailabilityRules:
    """When something counts as stale or silent."""
    return AvailabilityRules(**_numbers("availability"))


@cache
def anomaly_rules() -> AnomalyRules:
    """What counts as odd."""
    return AnomalyRules(**_numbers("anomaly"))


def gap_intervals() -> float:
    """After how many intervals there is a gap in a series."""
    return float(_numbers("gap")["intervals"])


@cache
def _numbers(name: str) -> dict[str, Any]:
    table = tomllib.loads(files("analysis").joinpath("observed_rules.toml").read_text("utf-8"))
    return {key: value for key, value in table[name].items() if key not in ("source", "confidence")}
