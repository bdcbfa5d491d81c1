"""The paces, speeds and words of `reach.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Mode = Literal["walk", "drive"]


@dataclass(frozen=True, slots=True)
class ModeRules:
    """How one gets along.

    pace
        Metres a minute on any open road; 0 where `speeds` say it.
    speeds
        Class of road → km/h.
    off_road
        Metres a minute between a site and the road.
    closed
        Classes of roads that are not used.
    spread
        How far beside the roads the area served reaches, metres.
    farthest
        A site further from every road is not on the network, metres.
    source, confidence
        Of the paces.
    """

    pace: float
    speeds: Mapping[str, float]
    off_road: float
    closed: frozenset[str]
    spread: float
    farthest: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Words:
    """What layers call classes of roads and ways of driving, in small letters."""

    classes: Mapping[str, str]
    with_line: frozenset[str]
    against_line: frozenset[str]
    always_with: frozenset[str]


@cache
def mode_rules(mode: Mode) -> ModeRules:
    """How one gets along on foot or in a vehicle."""
    table = reach_table()[mode]
    pace = float(table.get("pace", 0.0))
    return ModeRules(
        pace, table.get("speeds", {}), pace or table["off_road"] * 1000 / 60,
        frozenset(table["closed"]), table["spread"], table["farthest"], table["source"],
        table["confidence"],
    )  # fmt: skip


@cache
def words() -> Words:
    """What layers call roads."""
    table = reach_table()
    classes = {word.lower(): kind for kind, given in table["words"].items() for word in given}
    ways = table["oneway"]
    return Words(classes, *(frozenset(ways[key]) for key in ("with", "against", "always")))


@cache
def reach_table() -> Mapping[str, Any]:
    """All of `reach.toml`."""
    return tomllib.loads(files("analysis.reach").joinpath("reach.toml").read_text("utf-8"))
