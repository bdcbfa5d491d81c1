"""The times of messages, which say only a part of a moment, as milliseconds since 1970, UTC.

A message says the millisecond of a minute, perhaps the minute of the year; ends of lights are tenths
of a second of the hour. The rest is that of the moment nearest to when it came. (T/CSAE 53 and
SAE J2735: DSecond, MinuteOfTheYear, TimeMark)
"""

from datetime import UTC, datetime
from functools import lru_cache

MINUTE, HOUR = 60_000, 3_600_000

LAST = 1 << 42
"""Times are before the year 2109."""

NO_SECOND = 65_535
NO_MINUTE = 527_040
OVER_AN_HOUR = 36_000
"""From this on a TimeMark is no time: more than an hour ahead, or unknown."""

_BEHIND = 10 * MINUTE
"""An end of a light that is not later than so long ago is past; else it is that of the next hour."""


def moment(second: int | None, minute: int | None, arrived: int) -> int:
    """When something was.

    second
        The millisecond of its minute, up to 60,999 with a leap second; None or 65535 is unknown.
    minute
        The minute of the year, None or 527040 is unknown.
    arrived
        When the message came, milliseconds since 1970.

    >>> moment(59_900, None, 120_100)  # came just after the full minute
    119900
    """
    if second is None or second == NO_SECOND:
        return arrived
    if minute is not None and minute < NO_MINUTE:
        return _nearest_year(minute, second, arrived)
    begin = arrived // MINUTE * MINUTE + second
    return min((begin - MINUTE, begin, begin + MINUTE), key=lambda at: abs(at - arrived))


def minute_of_year(minute: int | None, near: int) -> int | None:
    """The beginning of a minute of the year, None where it is unknown."""
    if minute is None or minute >= NO_MINUTE:
        return None
    return _nearest_year(minute, 0, near)


def end_of(mark: int | None, at: int) -> int | None:
    """The moment that a TimeMark of a message of `at` means; None where it means none.

    It is one from ten minutes before the message to fifty after it.
    """
    if mark is None or mark >= OVER_AN_HOUR:
        return None
    end = at // HOUR * HOUR + 100 * mark
    earliest = at - _BEHIND
    return earliest + (end - earliest) % HOUR


def of_text(text: str | None) -> int | None:
    """A time in ISO 8601 from 1970 to 2109, else None; without a zone it is UTC."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    at = round(zoned.timestamp() * 1000)
    return at if 0 <= at < LAST else None


def _nearest_year(minute: int, second: int, arrived: int) -> int:
    year = datetime.fromtimestamp(arrived / 1000, UTC).year
    around = (_begin_of(one) + minute * MINUTE + second for one in (year - 1, year, year + 1))
    return min(around, key=lambda at: abs(at - arrived))


@lru_cache(16)
def _begin_of(year: int) -> int:
    return round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
