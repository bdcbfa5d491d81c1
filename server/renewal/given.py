"""Tables as somebody brought them: sheets, lines and values, before anything is believed."""

import math
from datetime import date, datetime

import msgspec

from cim_core.errors import InvalidInput

GivenValue = str | int | float | bool | None


class GivenLine(msgspec.Struct, frozen=True):
    """A row of a sheet by its number in the file, from 1.

    shape
        Its own shape as hexadecimal WKB, in the coordinates of the file; None without one.
    """

    number: int
    cells: list[GivenValue]
    shape: str | None = None


class GivenSheet(msgspec.Struct, frozen=True):
    """A table of a file.

    lines
        Those that are not empty; headers among them.
    crs
        The reference system of the shapes as the file has it.
    """

    name: str
    lines: list[GivenLine]
    crs: str | None = None


def as_text(value: GivenValue) -> str:
    """A value as people would write it.

    >>> as_text(3.0), as_text(" a "), as_text(None)
    ('3', 'a', '')
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def as_number(value: GivenValue) -> float | None:
    """A value as a number, None for an empty one; raises `InvalidInput`.

    >>> as_number("1,234.5"), as_number("  ")
    (1234.5, None)
    """
    number: GivenValue = value
    if isinstance(value, str):
        text = value.strip().replace(",", "").replace("，", "").replace("\N{NO-BREAK SPACE}", "")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
    if number is None:
        return None
    if isinstance(number, bool | str) or not math.isfinite(number):
        raise InvalidInput(
            f"{as_text(value)[:40]!r} is no number; write digits, with a point for decimals"
        )
    return float(number)


_WRITTEN = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%Y-%m-%dT%H:%M:%S")


def as_day(value: GivenValue) -> date | None:
    """A value as a day, None for an empty one; raises `InvalidInput`.

    >>> as_day("2026年3月1日").isoformat(), as_day("20260301").isoformat()
    ('2026-03-01', '2026-03-01')
    """
    text = as_text(value)
    if not text:
        return None
    for way in _WRITTEN:
        try:
            found = datetime.strptime(text, way).date()
        except ValueError:
            continue
        if 1900 <= found.year <= 2200:
            return found
    raise InvalidInput(f"{text[:40]!r} is no day; write it as 2026-03-31")
