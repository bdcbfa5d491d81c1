"""How much of a metric a project is to do in a year: the year's task, of targets of any length."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from analysis.renewal.schedule import planned_share
from cim_core.renewal.documents import Target

_DAY = timedelta(days=1)


def year_task(project: Mapping[str, Any], metric: str, year: int) -> float | None:
    """What the targets of a project's document plan for a year, in the metric's unit.

    A target counts from its first day until the one after it begins, as schedules count. None for a
    project without a target that touches the year.

    >>> target = {"metric": "investment", "start": "2025-07-01", "end": "2026-06-30", "total": 365.0}
    >>> [year_task({"targets": [target]}, "investment", year) for year in (2025, 2026, 2027)]
    [184.0, 181.0, None]
    """
    targets = msgspec.convert(project.get("targets", ()), tuple[Target, ...])
    first, last = date(year, 1, 1), date(year, 12, 31)
    parts = [
        target.total
        * (planned_share(target, min(until, last)) - planned_share(target, first - _DAY))
        for target, until in _in_force(one for one in targets if one.metric == metric)
        if target.start <= min(until, last) and min(until, target.end) >= first
    ]
    return sum(parts) if parts else None


def _in_force(targets: Iterable[Target]) -> Sequence[tuple[Target, date]]:
    """Targets by their first day, each with the last day on which it counts."""
    ordered = sorted(targets, key=lambda one: one.start)
    ends = [one.start - _DAY for one in ordered[1:]] + [date.max]
    return list(zip(ordered, ends, strict=False))
