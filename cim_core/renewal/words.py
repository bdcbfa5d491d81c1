"""The words of renewal, as `words.toml` has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

ProjectType = Literal["old-village", "old-factory", "old-town"]
Mode = Literal["comprehensive", "micro", "mixed"]
ParcelUse = Literal[
    "resettlement", "financing", "public-service", "reserved", "land-bank", "kept"
]  # fmt: skip
BuildingState = Literal[
    "unsigned", "signed", "handed-over", "demolished", "rebuilding", "rebuilt"
]  # fmt: skip
HouseholdState = Literal["unsigned", "signed", "handed-over", "resettled"]
OrderState = Literal[
    "draft", "issued", "received", "handling", "answered", "returned", "closed", "withdrawn"
]  # fmt: skip
Period = Literal["week", "month"]
Light = Literal["green", "yellow", "red"]

Title = Mapping[str, str]
"""A text by language, {"en": …, "zh": …}."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How people see a metric: so many of its unit, so many decimals, the name of that by language."""

    factor: float
    decimals: int
    unit: Title


@dataclass(frozen=True, slots=True)
class Metric:
    """What progress is measured by.

    unit
        What values are stored in: "household", "building", "m2" or "CNY".
    source
        "records" where what was reported counts, "households" or "buildings" where their states do.
    """

    id: str
    title: Title
    unit: str
    shown: Shown
    source: Literal["records", "households", "buildings"]


@cache
def metrics() -> Mapping[str, Metric]:
    """The metrics by id, in their order."""
    found = {}
    for row in _table()["metric"]:
        shown = dict(row["shown"])
        how = Shown(float(shown.pop("factor")), int(shown.pop("decimals")), shown)
        found[row["id"]] = Metric(row["id"], row["title"], row["unit"], how, row["source"])
    return found


@cache
def titles(group: str) -> Mapping[str, Mapping[str, str]]:
    """The words of a group, as "building_states", by id and in their order.

    Each has its title by language, and its colour ("#rrggbb") where it has one.
    """
    words: Mapping[str, Mapping[str, str]] = _table()[group]
    return words


@cache
def _table() -> dict[str, Any]:
    text = files("cim_core.renewal").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
