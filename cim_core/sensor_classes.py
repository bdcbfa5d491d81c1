"""The classes of things that observe and what they observe, as `sensor_classes.toml` names them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """What is observed: its code, its name ({"en": …, "zh": …}) and its unit.

    range
        What a colour ramp covers, in that unit.
    """

    id: str
    title: Mapping[str, str]
    unit: str
    range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SensorClass:
    """A class of things: its name, the sign and colour ("#rrggbb") it is drawn with."""

    id: str
    title: Mapping[str, str]
    icon: str
    color: str
    properties: tuple[ObservedProperty, ...]


@cache
def sensor_classes() -> Mapping[str, SensorClass]:
    """The classes by their ids."""
    table = _table()
    known = observed_properties()
    return {
        row["id"]: SensorClass(
            row["id"], row["title"], row["icon"], row["color"],
            tuple(known[name] for name in row["properties"]),
        )
        for row in table["class"]
    }  # fmt: skip


@cache
def observed_properties() -> Mapping[str, ObservedProperty]:
    """The observed properties by their codes."""
    return {
        row["id"]: ObservedProperty(row["id"], row["title"], row["unit"], tuple(row["range"]))
        for row in _table()["property"]
    }


@cache
def _table() -> dict[str, Any]:
    text = files("cim_core").joinpath("sensor_classes.toml").read_text("utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    return table
