"""A campaign over time: every week or month of it."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from analysis.renewal.projects import standings
from analysis.renewal.remembered import remembered
from analysis.renewal.towns import progress_of
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import LightRules
from cim_core.renewal.words import Light, Period

T = TypeVar("T")

MOST_DAYS = 1200
"""More days than that are not replayed at once: 23 years by week."""


@dataclass(frozen=True, slots=True)
class ProjectTrack:
    """A project day by day; None on days on which there was none, or nothing to tell."""

    lights: Sequence[Light | None]
    shares: Sequence[float | None]
    stages: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class TownTrack:
    """A town day by day: points and the done share as in `TownStanding`, and how many are red."""

    points: Sequence[float | None]
    shares: Sequence[float | None]
    red: Sequence[int]


@dataclass(frozen=True, slots=True)
class Replay:
    """Some days of a campaign, and every project and town on each of them."""

    days: Sequence[date]
    projects: Mapping[str, ProjectTrack]
    towns: Mapping[str, TownTrack]


def steps(start: date, end: date, step: Period) -> list[date]:
    """The last day of each week (Sunday) or month from one day to another, and that other.

    >>> [str(day) for day in steps(date(2025, 1, 6), date(2025, 1, 22), "week")]
    ['2025-01-12', '2025-01-19', '2025-01-22']
    """
    found = []
    day = _last_of(start, step)
    while day < end:
        found.append(day)
        day = _last_of(day + timedelta(days=1), step)
    return [*found, end] if start <= end else []


def replay(
    ledger: Ledger, days: Sequence[date], known: int | None = None, *, rules: LightRules
) -> Replay:
    """How all projects and towns stood on some days; kept as long as the ledger is."""

    def make() -> Replay:
        projects: _Days[_OfProject] = defaultdict(dict)
        towns: _Days[_OfTown] = defaultdict(dict)
        for place, day in enumerate(days):  # a day at a time: all standings of all days are much
            by_town = defaultdict(list)
            for one in standings(ledger, day, known, rules, day, {}):
                projects[one.id][place] = one.light, one.share_actual, one.stage
                by_town[one.town].append(one)
            for town, several in by_town.items():
                _, share, points = progress_of(several)
                towns[town][place] = points, share, sum(one.light == "red" for one in several)
        return Replay(
            tuple(days),
            {
                key: ProjectTrack(*_columns(projects[key], len(days), _NONE))
                for key in sorted(projects)
            },
            {key: TownTrack(*_columns(towns[key], len(days), _NOTHING)) for key in sorted(towns)},
        )

    return remembered(ledger, ("replay", tuple(days), known, rules.numbers), make)


_OfProject = tuple[Light | None, float | None, str | None]
_OfTown = tuple[float | None, float | None, int]
_Days = defaultdict[str, dict[int, T]]
_NONE: _OfProject = (None, None, None)
_NOTHING: _OfTown = (None, None, 0)


def _columns(days: Mapping[int, T], count: int, missing: T) -> Iterable[Any]:
    """What was on each day, by what it is."""
    rows: list[Any] = [days.get(place, missing) for place in range(count)]
    return zip(*rows, strict=True)


def _last_of(day: date, step: Period) -> date:
    if step == "week":
        return day + timedelta(days=6 - day.weekday())
    return day.replace(day=monthrange(day.year, day.month)[1])
