"""How the towns of a campaign stand on a day, and which is ahead of which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.renewal.counted import METRICS
from analysis.renewal.projects import ProjectStanding, Signing, signing
from cim_core.renewal.lights import points_between
from cim_core.renewal.words import Light


@dataclass(frozen=True, slots=True)
class SummedMetric:
    """A metric over projects, in its unit.

    target, planned, share_planned, share_actual, points
        Of the projects that have a target; None where none has.
    actual
        Of all of them.
    """

    target: float | None
    planned: float | None
    actual: float
    share_planned: float | None
    share_actual: float | None
    points: float | None
    period_plan: float | None
    period_actual: float


@dataclass(frozen=True, slots=True)
class TownStanding:
    """Some projects together: those of a town, or others, which have no rank.

    town
        Its id; empty for what is no town.
    lights
        How many projects have each.
    share_planned, share_actual, points
        The means over its projects that have any; the rank is by points, 1 the furthest ahead.
    """

    town: str
    projects: int
    lights: Mapping[Light, int]
    metrics: Mapping[str, SummedMetric]
    signing: Signing
    buildings: Mapping[str, int]
    households: Mapping[str, int]
    floor_area_demolished_reported: float
    orders_open: int
    orders_overdue: int
    share_planned: float | None
    share_actual: float | None
    points: float | None
    rank: int | None


def ranked(projects: Iterable[ProjectStanding], gate: float) -> tuple[TownStanding, ...]:
    """The towns of some projects, the furthest ahead first; equals share a rank and go by their ids.

    A town without a plan has no rank and comes last.
    """
    towns: dict[str, list[ProjectStanding]] = {}
    for project in projects:
        towns.setdefault(project.town, []).append(project)
    found = [together(several, gate, town) for town, several in towns.items()]
    found.sort(key=lambda one: (one.points is None, -(one.points or 0.0), one.town))
    points = [one.points for one in found]
    return tuple(
        one if one.points is None else replace(one, rank=points.index(one.points) + 1)
        for one in found
    )


def together(projects: Sequence[ProjectStanding], gate: float, town: str = "") -> TownStanding:
    """Some projects summed up; `gate` is the share of households that must sign."""
    lights: dict[Light, int] = {"green": 0, "yellow": 0, "red": 0}
    for project in projects:
        lights[project.light] += 1
    planned, actual, points = progress_of(projects)
    due = sum(project.signing.due for project in projects)
    signed = sum(project.signing.signed for project in projects)
    return TownStanding(
        town, len(projects), lights,
        {metric: summed for metric in METRICS if (summed := _summed(metric, projects)) is not None},
        signing(due, signed, gate),
        _counts(project.buildings for project in projects),
        _counts(project.households for project in projects),
        sum((project.floor_area_demolished_reported for project in projects), 0.0),
        sum(project.orders.open for project in projects),
        sum(project.orders.overdue for project in projects),
        planned, actual, points, None,
    )  # fmt: skip


def progress_of(
    projects: Sequence[ProjectStanding],
) -> tuple[float | None, float | None, float | None]:
    """The means of the planned and the done shares of projects that have any, and the points between."""
    planned = _mean(project.share_planned for project in projects)
    actual = _mean(project.share_actual for project in projects)
    if planned is None or actual is None:
        return None, None, None
    return planned, actual, points_between(actual, planned)


def _summed(metric: str, projects: Iterable[ProjectStanding]) -> SummedMetric | None:
    found = [project.metrics[metric] for project in projects if metric in project.metrics]
    if not found:
        return None
    aimed = [one for one in found if one.target is not None]
    target = sum(one.target or 0.0 for one in aimed)
    planned = sum(one.planned or 0.0 for one in aimed)
    plans = [one.period_plan for one in found if one.period_plan is not None]
    shares = (planned / target, sum(one.actual for one in aimed) / target) if target else None
    return SummedMetric(
        target if aimed else None,
        planned if aimed else None,
        sum((one.actual for one in found), 0.0),
        shares[0] if shares else None,
        shares[1] if shares else None,
        points_between(shares[1], shares[0]) if shares else None,
        sum(plans) if plans else None,
        sum((one.period_actual for one in found), 0.0),
    )


def _counts(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for counts in several:
        for state, count in counts.items():
            found[state] = found.get(state, 0) + count
    return found


def _mean(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None
