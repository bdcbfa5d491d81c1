"""What an alarm rule says: of which datastreams it speaks, what it waits for, and how bad that is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from cim_core.observations import Stream

Kind = Literal["threshold", "rate", "silence", "neighbourhood"]
Direction = Literal["above", "below"]
Level = Literal[1, 2, 3, 4]

LEVELS: Mapping[int, Mapping[str, str]] = {
    1: {"en": "minor", "zh": "一般"}, 2: {"en": "major", "zh": "较大"},
    3: {"en": "severe", "zh": "重大"}, 4: {"en": "extremely severe", "zh": "特别重大"},
}  # fmt: skip
"""What the levels of alarms are called; 4 is the worst."""

_PER = {1.0: "s", 60.0: "min", 3600.0: "h", 86_400.0: "d"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; which fields mean anything depends on its kind.

    name
        Rules of one name raise one alarm of a thing, at the worst of their levels; without a name
        of its own a rule's is its id.
    title, message
        By language; a message has {placeholders}.
    classes, properties, layers, keys
        Of which datastreams it speaks: each is empty or holds patterns as `fnmatch` has them, one of
        which fits the class of the thing, the property, the layer and the key.
    direction, limit, clear
        `above` holds from the limit on and until the value is below `clear`; `below` holds below
        the limit and until the value has reached `clear`. Of a rate in units for each `per` seconds.
    hold
        So long, milliseconds, it must have held before an alarm is raised.
    window
        Over which time, milliseconds, a rate is taken; how old what neighbours observed may be.
    per
        Seconds of a rate; 0 for values.
    intervals
        Of silence: so many expected intervals nothing came.
    at_least, of, rings, resolution
        Of a neighbourhood: so many of the `of` nearest things in the H3 cells up to `rings` around.
    confidence
        "read", "known" or "own": whether the source was read, is common in the trade, or a choice.
    origin
        Whether the program brings it, the city wrote it, or the city changed what the program brings.
    """

    id: str
    name: str
    kind: Kind
    level: Level
    title: Mapping[str, str]
    message: Mapping[str, str]
    source: str
    confidence: Literal["read", "known", "own"]
    origin: Literal["program", "city", "changed"] = "program"
    classes: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    direction: Direction = "above"
    limit: float = math.nan
    clear: float = math.nan
    hold: int = 0
    window: int = 0
    per: float = 0.0
    intervals: float = 0.0
    at_least: int = 0
    of: int = 0
    rings: int = 0
    resolution: int = 0

    def speaks_of(self, stream: Stream) -> bool:
        """Whether a datastream is among those it is for."""
        return self.speaks_of_kind(stream) and self.speaks_of_one(stream)

    def speaks_of_kind(self, stream: Stream) -> bool:
        """Whether the class, the property and the layer of a datastream are among those it is for."""
        return (
            _fits(self.classes, stream.thing_class)
            and _fits(self.properties, stream.property)
            and _fits(self.layers, stream.layer)
        )

    def speaks_of_one(self, stream: Stream) -> bool:
        """Whether a datastream of the right kind is one that it is for."""
        if self.kind == "silence" and stream.every is None:
            return False
        return _fits(self.keys, stream.key)

    def begins(self, value: float) -> bool:
        """Whether a value is past the limit; nothing follows from one that is not known."""
        return value >= self.limit if self.direction == "above" else value < self.limit

    def ends(self, value: float) -> bool:
        """Whether a value is so far back that what held is over."""
        return value < self.clear if self.direction == "above" else value >= self.clear

    def unit_of(self, stream: Stream) -> str:
        """The unit of what is held against the limit."""
        if self.kind == "silence":
            return "min"
        if self.kind == "neighbourhood":
            return ""
        return stream.unit if not self.per else f"{stream.unit}/{self.per_text}"

    @property
    def per_text(self) -> str:
        """The time of a rate, as it stands behind a unit's stroke."""
        return _PER.get(self.per, f"{self.per:g} s")

    def message_of(
        self, stream: Stream, value: float, threshold: float, count: int = 0
    ) -> dict[str, str]:
        """What is said of a thing, by language."""
        words = {
            "thing": stream.thing_name, "property": stream.property, "unit": self.unit_of(stream),
            "value": number_text(value), "threshold": number_text(threshold),
            "count": str(count), "of": str(self.of), "limit": number_text(self.limit),
            "minutes": number_text(max(self.window, self.hold) / 60_000.0),
        }  # fmt: skip
        return {language: text.format_map(words) for language, text in self.message.items()}


PLACEHOLDERS = frozenset(
    ("thing", "property", "unit", "value", "threshold", "count", "of", "limit", "minutes")
)
"""What the message of a rule may hold between braces."""


def number_text(value: float) -> str:
    """A number as a sentence has it, four digits at most.

    >>> number_text(20.0), number_text(0.123456), number_text(12345.6)
    ('20', '0.1235', '12346')
    """
    return f"{value:.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _fits(patterns: tuple[str, ...], value: str) -> bool:
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns)
