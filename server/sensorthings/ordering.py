"""The order that `$orderby` asks for."""

from dataclasses import dataclass
from functools import total_ordering
from typing import Any

import shapely

from server.sensorthings.expression import Expression
from server.sensorthings.times import Span


@dataclass(frozen=True, slots=True)
class Ordering:
    """By what, and whether the largest comes first."""

    key: Expression
    falling: bool


@total_ordering
class _Falling:
    """A value that comes the earlier the larger it is."""

    def __init__(self, value: tuple[int, Any]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and self.value == other.value

    def __lt__(self, other: "_Falling") -> bool:
        return other.value < self.value

    def __hash__(self) -> int:
        return hash(self.value)


def rank(value: object, falling: bool) -> object:
    """Where a value stands among others of any sort: nothing comes last, then sort by sort."""
    match value:
        case None:
            return (1, 0)
        case bool():
            ranked: tuple[int, Any] = (0, value)
        case int() | float():
            ranked = (1, value)
        case Span():
            ranked = (2, (value.start, value.end))
        case shapely.Geometry():
            ranked = (4, shapely.to_wkt(value))
        case _:
            ranked = (3, str(value))
    return (0, _Falling(ranked) if falling else ranked)
