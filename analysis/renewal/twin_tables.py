"""What of the twin counts as what, as `twin.toml` has it; and storeys and heights by their names."""

import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cim_core.feature import Feature, Value
from cim_core.importers.styles import table

MOST_STOREYS = 200
_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:层|storeys|floors|m|米)?\s*$", re.IGNORECASE)


@cache
def twin_table() -> Mapping[str, Any]:
    """`twin.toml` as it stands."""
    text = files("analysis.renewal").joinpath("twin.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _names(role: str) -> tuple[str, ...]:
    return tuple(_heights()[role]["names"])


@cache
def _heights() -> Mapping[str, Any]:
    return table("heights.toml")


def floor_height() -> float:
    """Metres of one storey where only the height of a building is known, see `heights.toml`."""
    return float(_heights()["limits"]["floor_height"])


def storeys_of(attributes: Mapping[str, Value]) -> float | None:
    """How many storeys a feature says it has; None where it says none, or none that can be.

    >>> storeys_of({"use": "flats", "Floors": "6层"}), storeys_of({"floors": 0})
    (6.0, None)
    """
    return _number(attributes, "floors", MOST_STOREYS)


def height_of(attributes: Mapping[str, Value]) -> float | None:
    """How high a feature says it is, metres; None where it does not."""
    return _number(attributes, "height", float(_heights()["limits"]["highest"]))


def is_green(feature: Feature) -> bool:
    """Whether a feature is green land, by its class or by an attribute."""
    green = twin_table()["green"]
    if feature.feature_class in green["classes"]:
        return True
    names, values = green["attributes"], green["values"]
    return any(
        name.lower() in names and str(value).lower() in values
        for name, value in feature.attributes.items()
    )


def _number(attributes: Mapping[str, Value], role: str, most: float) -> float | None:
    by_lower = {name.lower(): value for name, value in attributes.items()}
    for name in _names(role):
        value = by_lower.get(name)
        if isinstance(value, bool):
            continue
        if isinstance(value, str) and (match := _NUMBER.match(value)):
            value = float(match[1].replace(",", "."))
        if isinstance(value, int | float) and math.isfinite(value) and 0 < value <= most:
            return float(value)
    return None
