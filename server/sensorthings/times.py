"""Instants and intervals as SensorThings writes them, ISO 8601, and in milliseconds since 1970."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cim_core.errors import InvalidInput
from cim_core.observations import LAST_TIME

_START = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"\.(\d{6})\d+")
"""What is finer than a microsecond, which Python does not read."""


@dataclass(frozen=True, slots=True)
class Span:
    """An instant, or an interval from its start to its end, milliseconds since 1970.

    An interval is before another one when it ends where that begins, or earlier.
    """

    start: int
    end: int

    @property
    def text(self) -> str:
        """It in ISO 8601, UTC, to the millisecond.

        >>> Span(0, 0).text, Span(0, 1500).text
        ('1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z/1970-01-01T00:00:01.500Z')
        """
        if self.start == self.end:
            return _text(self.start)
        return f"{_text(self.start)}/{_text(self.end)}"

    def __lt__(self, other: "Span") -> bool:
        if self.start == self.end or other.start == other.end:
            return self.end < other.start
        return self.end <= other.start

    def __gt__(self, other: "Span") -> bool:
        return other < self

    def __le__(self, other: "Span") -> bool:
        return self < other or self.end <= other.start or self == other

    def __ge__(self, other: "Span") -> bool:
        return other <= self


def _text(milliseconds: int) -> str:
    when = _START + timedelta(milliseconds=milliseconds)
    return when.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def instant(text: object) -> int:
    """An instant in milliseconds since 1970; raises `InvalidInput`.

    >>> instant("2026-05-01T08:00:00+08:00") == instant("2026-05-01T00:00:00Z")
    True
    """
    try:
        # A plus that stands as it is in a query arrives as a blank.
        when = datetime.fromisoformat(_FRACTION.sub(r".\1", str(text)).strip().replace(" ", "+"))
    except ValueError:
        raise InvalidInput(
            f"{str(text)[:60]!r} is no time; write it as in 2026-05-01T08:00:00+08:00"
        ) from None
    if when.tzinfo is None:
        raise InvalidInput(
            f"the time {str(text)[:60]!r} does not say its zone; end it with Z or an offset such as +08:00"
        )
    milliseconds = (when - _START) // timedelta(milliseconds=1)
    if not 0 <= milliseconds <= LAST_TIME:
        raise InvalidInput(
            f"the time {str(text)[:60]!r} cannot be kept; times from 1970 to 2109 can"
        )
    return milliseconds


def span(text: object) -> Span:
    """An instant or an interval; raises `InvalidInput`.

    >>> span("2026-05-01T00:00:00Z/2026-05-01T01:00:00Z").end - span("2026-05-01T00:00:00Z").start
    3600000
    """
    start, slash, end = str(text).partition("/")
    begun = instant(start)
    ended = instant(end) if slash else begun
    if ended < begun:
        raise InvalidInput(f"the interval {str(text)[:80]!r} ends before it begins; turn it round")
    return Span(begun, ended)
