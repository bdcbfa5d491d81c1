"""Levels of service by the rules of `los.toml`."""

import math
import tomllib
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class LevelRules:
    """The levels, the best first; the greatest delay of each but the last, in s for each vehicle."""

    levels: tuple[str, ...]
    delays: tuple[float, ...]
    saturated: float
    source: str
    confidence: str


@cache
def level_rules() -> LevelRules:
    """The rules for intersections with signals."""
    text = files("analysis.traffic").joinpath("los.toml").read_text("utf-8")
    found = tomllib.loads(text)["signalised"]
    return LevelRules(
        tuple(found["levels"]), tuple(map(float, found["delays"])), float(found["saturated"]),
        found["source"], found["confidence"],
    )  # fmt: skip


def los_of(delay_s: float, x: float | None = None) -> str:
    """The level of service A … F of a mean control delay in s for each vehicle; "" where it is NaN.

    x
        The degree of saturation by demand. Above 1 it is F whatever the delay; None or NaN if not known.
    """
    rules = level_rules()
    if x is not None and x > rules.saturated:
        return rules.levels[-1]
    if math.isnan(delay_s):
        return ""
    return rules.levels[bisect_left(rules.delays, delay_s)]
