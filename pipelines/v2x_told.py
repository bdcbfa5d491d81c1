"""What map messages say of intersections, the same for those of T/CSAE 53 and of SAE J2735."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType, Turn
from pipelines.v2x_element import Element, intersection_id

Key = tuple[int, int]
"""Region and number of a node."""

NO_SPEED = 8_191
SPEED_UNIT = 0.02
"""Metres per second of a raw speed, in both standards."""

TURNS: tuple[Turn, ...] = ("straight", "left", "right", "uturn")
"""The first four bits of `AllowedManeuvers` in both standards."""


@dataclass(frozen=True, slots=True)
class ToldConnection:
    """Where a lane leads: to a lane of the road towards `remote`, or of this intersection (None)."""

    remote: Key | None
    lane: int | None
    turn: Turn | None
    group: int | None


@dataclass(slots=True)
class ToldLane:
    """A lane; `line` (n, 2) degrees in the direction of travel."""

    number: int
    type: LaneType
    line: Floats
    width: float
    speed: float
    turns: tuple[Turn, ...] = ()
    connections: list[ToldConnection] = field(default_factory=list)


@dataclass(slots=True)
class ToldLink:
    """A road into, or out of, a node.

    far
        The node at its other end, None where the message does not say.
    label
        What it is called in the message: a name, or the number of an approach.
    """

    id: str
    far: Key | None
    label: str
    lanes: list[ToldLane]


@dataclass(slots=True)
class ToldCrosswalk:
    """A crossing for pedestrians; `line` (n, 2) degrees."""

    number: int
    link: str | None
    line: Floats
    width: float
    group: int | None


@dataclass(slots=True)
class ToldNode:
    """An intersection as a message has it."""

    key: Key
    name: str
    place: tuple[float, float]
    into: list[ToldLink] = field(default_factory=list)
    out: list[ToldLink] = field(default_factory=list)
    crosswalks: list[ToldCrosswalk] = field(default_factory=list)

    @property
    def id(self) -> str:
        """How it is called in a road map."""
        return intersection_id(*self.key)


def key_of(reference: Element) -> Key:
    """The region, 0 without one, and the number of a `NodeReferenceID`."""
    region = reference.find("region")
    return (region.whole(0, 65_535) if region else 0), reference["id"].whole(0, 65_535)


def bits(element: Element | None, size: int, names: tuple[str, ...]) -> frozenset[int]:
    """The bits that are set in a BIT STRING, the first is 0.

    It may be an object of yes and no by name, a list of names, zeros and ones ("1100…"),
    hexadecimal octets, as JER has them, perhaps as {"value": …}, or a number whose lowest bit is
    the first. `names` are those of the bits, as both standards begin them.
    """
    value = None if element is None else element.value
    said: frozenset[int] = frozenset()
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if isinstance(value, dict):
        words = {_word(key) for key, told in value.items() if told is True}
        said = frozenset(n for n, name in enumerate(names) if _word(name) in words)
    elif isinstance(value, list | tuple):
        words = {_word(str(one)) for one in value}
        said = frozenset(n for n, name in enumerate(names) if _word(name) in words)
    elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << size:
        said = frozenset(n for n in range(size) if value >> n & 1)
    elif element is not None:
        said = _of_text(element, value, size)
    return said


def _of_text(element: Element, value: Any, size: int) -> frozenset[int]:
    if not isinstance(value, str):
        raise element.wrong(f"a string of {size} bits")
    if value and set(value) <= {"0", "1"} and len(value) >= size - 4:
        return frozenset(n for n, letter in enumerate(value) if letter == "1")
    try:
        octets = bytes.fromhex(value)
    except ValueError:
        raise element.wrong(f"a string of {size} bits") from None
    return frozenset(n for n in range(8 * len(octets)) if octets[n // 8] >> (7 - n % 8) & 1)


def _word(text: str) -> str:
    """A name of a bit without what one standard puts around it: "maneuverLeftAllowed" is "left"."""
    return text.lower().removeprefix("maneuver").removesuffix("allowed")


def turns_of(maneuvers: Element | None) -> tuple[Turn, ...]:
    """The turns of an `AllowedManeuvers`."""
    found = bits(maneuvers, 12, ("straight", "left", "right", "uTurn"))
    return tuple(turn for number, turn in enumerate(TURNS) if number in found)


def speed_of(limits: Element | None) -> float | None:
    """The speed limit for cars in a list of limits, metres per second; None without one."""
    if limits is None:
        return None
    if isinstance(limits.value, dict):
        limits = limits["speedLimits"]
    found: dict[str, float] = {}
    for one in limits.each(0, 10):
        raw = one["speed"].whole(0, NO_SPEED)
        kind = str(one["type"].value)
        if raw != NO_SPEED:
            found[kind] = raw * SPEED_UNIT
    return found.get("vehicleMaxSpeed", found.get("5"))


@lru_cache
def usual() -> Mapping[str, Any]:
    """What is taken where messages say nothing."""
    text = files("pipelines").joinpath("v2x_map.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
