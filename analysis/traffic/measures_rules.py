"""The numbers that traffic is matched and measured by, as `measures.toml` has them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from cim_core.mesh import Floats
from cim_core.traffic.moving import ROAD_USERS


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """How places are matched to lanes: metres, degrees, seconds, m/s."""

    slack_m: float
    turned_weight: float
    turned_deg: float
    past_weight: float
    over_s: float
    heading_least_m: float
    gap_s: float
    fastest_mps: float
    flicker_s: float


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Who stands in a queue: m/s, seconds, metres."""

    slower_mps: float
    for_s: float
    gap_m: float
    full_m: float


@dataclass(frozen=True, slots=True)
class PassageRules:
    """Stops, control delay, and running a red: m/s, metres, seconds; speeds by turn."""

    begin_mps: float
    end_mps: float
    after_m: float
    gaining_mps2: float
    left: float
    right: float
    uturn: float
    grace_s: float
    early_s: float
    faster_mps: float


@dataclass(frozen=True, slots=True)
class SignalRules:
    """Saturation flow and the use of green: numbers of vehicles, seconds."""

    first: int
    least: int
    used_s: float


@cache
def matching_rules() -> MatchingRules:
    """How places are matched to lanes."""
    return MatchingRules(**_numbers("matching"))


@cache
def queue_rules() -> QueueRules:
    """Who stands in a queue."""
    return QueueRules(**_numbers("queue"))


@cache
def passage_rules() -> PassageRules:
    """What is a stop, how far control delay reaches, who runs a red."""
    return PassageRules(**_numbers("stops"), **_numbers("delay"), **_numbers("red"))


@cache
def signal_rules() -> SignalRules:
    """How saturation flow and the use of green are measured."""
    return SignalRules(**_numbers("saturation"), **_numbers("green"))


@cache
def usual_lengths() -> Floats:
    """(10,) metres of vehicles whose length is not told, in the order of `ROAD_USERS`."""
    known = _numbers("lengths")
    return np.array([known[kind] for kind in ROAD_USERS], np.float64)


def _numbers(name: str) -> dict[str, Any]:
    text = files("analysis.traffic").joinpath("measures.toml").read_text("utf-8")
    return {
        key: value
        for key, value in tomllib.loads(text)[name].items()
        if key not in ("source", "confidence")
    }
