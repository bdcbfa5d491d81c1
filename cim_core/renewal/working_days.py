"""Which days are worked: weekends, China's holidays with the days made up for them, a city's own.

Deadlines of orders are counted in working days. What the State Council announces for a year (some
weekdays free, some weekend days worked instead) is known once it is published; the library that has
it names its years. Of other years only weekends are known, and `WorkingDays.unknown` says so. A city
tells its own days, and years not yet published, in `renewal.toml` beside `city.toml`:

    [holidays]
    2027-02-08 = "Spring Festival"

    [workdays]
    2027-02-20 = "worked for Spring Festival"
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import chinese_calendar

from cim_core.errors import InvalidInput

FILE_NAME = "renewal.toml"
_SATURDAY = 5
_DAY = timedelta(days=1)
_HOLIDAYS_OF_A_YEAR = 11
"""A city that told fewer of a year has not told that year, only days of its own."""


@dataclass(frozen=True)
class WorkingDays:
    """A calendar of working days.

    holidays, workdays
        A city's own days, over what holds for all of China.
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def worked(self, day: date) -> bool:
        """Whether a day is worked.

        >>> NATIONAL.worked(date(2026, 10, 1)), NATIONAL.worked(date(2026, 10, 10))
        (False, True)
        """
        if day in self.workdays or day in self.holidays:
            return day in self.workdays
        return _worked_in_china(day)

    def deadline(self, issued: date, days: int) -> date:
        """The last of so many working days after the day something was issued.

        >>> NATIONAL.deadline(date(2026, 9, 30), 2)
        datetime.date(2026, 10, 9)
        """
        day = issued
        while days > 0:
            day += _DAY
            days -= self.worked(day)
        return day

    def between(self, start: date, end: date) -> int:
        """How many days are worked after one day up to another, that one included.

        >>> NATIONAL.between(date(2026, 9, 30), date(2026, 10, 10))
        3
        """
        return sum(
            self.worked(start + number * _DAY) for number in range(1, (end - start).days + 1)
        )

    def unknown(self, start: date, end: date) -> tuple[int, ...]:
        """The years from one day to another whose holidays nobody told: weekends count alone.

        >>> NATIONAL.unknown(date(2025, 12, 1), date(2026, 1, 5)), NATIONAL.unknown(date(1999, 1, 1), date(1999, 1, 2))
        ((), (1999,))
        """
        told = Counter(day.year for day in self.holidays)
        years = range(start.year, end.year + 1)
        return tuple(
            year for year in years if told[year] < _HOLIDAYS_OF_A_YEAR and not _published(year)
        )


NATIONAL = WorkingDays()
"""What holds for all of China."""


@lru_cache(maxsize=10_000)  # the library looks through all its years each time
def _worked_in_china(day: date) -> bool:
    if _published(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


@cache
def _published(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def city_days(folder: Path) -> WorkingDays:
    """The calendar of a city; raises `InvalidInput` naming the file and the entry."""
    path = folder / FILE_NAME
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return NATIONAL
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error
    holidays, workdays = (_days(own, name, path) for name in ("holidays", "workdays"))
    if both := holidays & workdays:
        raise InvalidInput(f"{path}: {min(both)} is a holiday and a workday; keep one of the two")
    return WorkingDays(holidays, workdays)


def _days(own: Mapping[str, Any], name: str, path: Path) -> frozenset[date]:
    table = own.get(name, {})
    if not isinstance(table, dict):
        raise InvalidInput(
            f'{path}: {name} is no table; write [{name}] and below it 2027-02-08 = "…"'
        )
    days = set()
    for text in table:
        try:
            days.add(date.fromisoformat(text))
        except ValueError:
            raise InvalidInput(
                f'{path}: [{name}] has {text!r}, which is no day; write it as in 2027-02-08 = "…"'
            ) from None
    return frozenset(days)
