"""The metrics of a project week by week: how much was to be done, and was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analysis.renewal.counted import METRICS, STOCKS, Counted, Described, Ints, counted, days_of
from analysis.renewal.replay import steps
from analysis.renewal.schedule import in_force, planned_share
from cim_core.renewal.ledger import Ledger

_LONGEST = timedelta(weeks=520)
"""Nothing older is told of."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric at the end of some days, in its unit: how much was to be done by then, and was.

    plan
        By the target in force on each day; None where the metric has none.
    """

    ends: Sequence[date]
    plan: Sequence[float | None]
    actual: Sequence[float]


def series(ledger: Ledger, project: str, at: date, known: int | None = None) -> dict[str, Series]:
    """The metrics of a project at the end of each week up to a day, and on that day.

    From the first day of a target or of anything recorded; empty for a project that is not there.
    What was done counts as in `MetricStanding`: of a flow since the first day of the target that is in
    force on each day, of a stock all there is.
    """
    table = counted(ledger, known)
    for place, described in table.described(ledger, days_of(at)):
        if described.id == project:
            return _of_project(table, place, described, at)
    return {}


def _of_project(table: Counted, place: int, described: Described, at: date) -> dict[str, Series]:
    first = table.first_day(place)
    starts = [target.start for targets in described.targets.values() for target in targets]
    begin = min([at if first is None else first, *starts])
    ends = steps(max(begin, at - _LONGEST), at, "week")
    days = np.array([days_of(end) for end in ends], np.int64)
    found = {}
    for metric in METRICS:
        targets = described.targets.get(metric)
        actual = table.to_date(place, metric, days)
        if not targets:
            if actual.any():
                found[metric] = Series(ends, [None] * len(ends), actual.tolist())
            continue
        plans = [in_force(targets, end) for end in ends]
        plan = [
            target.total * planned_share(target, end)
            for target, end in zip(plans, ends, strict=True)
        ]
        before: Ints = np.array([days_of(target.start) - 1 for target in plans], np.int64)
        if metric not in STOCKS:
            actual = np.where(before < days, actual - table.to_date(place, metric, before), 0.0)
        found[metric] = Series(ends, plan, actual.tolist())
    return found
