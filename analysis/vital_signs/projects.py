"""Signs of renewal, by town; any day can be asked for."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from analysis.renewal.projects import ProjectStanding
from analysis.renewal.standing import campaign
from analysis.vital_signs.moments import Asked
from analysis.vital_signs.reading import (
    Part,
    Reading,
    Total,
    count,
    of_a_part,
    ready,
    titled,
    unavailable,
)
from cim_core.renewal.lights import city_lights

_EAST = timedelta(hours=8)
"""Days are counted in China's time."""

Share = Callable[[ProjectStanding], float | None]


def progress(asked: Asked, at: int) -> Reading:
    """The mean of the shares of their targets that projects have done, in percent."""
    return _mean(asked, at, lambda one: _hundred(one.share_actual))


def points(asked: Asked, at: int) -> Reading:
    """The mean of the percentage points that projects are before their plan, or behind: negative."""
    return _mean(asked, at, lambda one: one.points)


def overdue(asked: Asked, at: int) -> Reading:
    """How many orders are overdue."""
    projects = _projects(asked, at)
    if not projects:
        return unavailable("no-renewal")
    return _told(asked, _by_town(asked, projects, lambda one: float(one.orders.overdue)), count)


def _mean(asked: Asked, at: int, share: Share) -> Reading:
    parts = _by_town(asked, _projects(asked, at), share)
    if not parts:
        return unavailable("no-renewal")
    mean: Total = lambda total, number: total / number if number else float("nan")  # noqa: E731
    return _told(asked, parts, mean)


def _told(asked: Asked, parts: dict[str, Part], total: Total) -> Reading:
    """A value of all projects, or only of those that who asks is shown."""
    if asked.city.sight.towns is None:
        return ready(parts, total)
    return of_a_part(parts, total, (), "some-towns")


def _projects(asked: Asked, at: int) -> tuple[ProjectStanding, ...]:
    city = asked.city
    if not city.renewal.exists:
        return ()
    day = (datetime.fromtimestamp(at / 1000, UTC) + _EAST).date()
    return campaign(city.renewal.ledger(), day, rules=city_lights(city.folder)).projects


def _by_town(asked: Asked, projects: tuple[ProjectStanding, ...], share: Share) -> dict[str, Part]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for project in projects:
        value = share(project)
        if value is not None:
            found[project.town].append(value)
    names = {town.id: town.title for town in asked.city.office.people.towns()}
    return {
        town: Part(names.get(town) or titled(town), sum(values), float(len(values)))
        for town, values in found.items()
    }


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100.0 * share
