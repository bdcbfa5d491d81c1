"""How every project of a campaign stands on a day: what was planned, what was done, what light it has.

All of it follows from the ledger and the rules, for any day and as it was known at any moment; nothing
is typed in. docs/explanation/renewal.md says what each figure is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan
from typing import Any

import numpy as np

from analysis.renewal.counted import (
    METRICS,
    STOCKS,
    Counted,
    Described,
    counted,
    days_of,
)
from analysis.renewal.schedule import StageStanding, current, in_force, planned_share, stages_of
from cim_core.renewal.documents import Target
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import (
    LightRules,
    RuleId,
    months_over,
    points_between,
    schedule_rule,
    start_rule,
)
from cim_core.renewal.orders import overdue_days, runs
from cim_core.renewal.words import Light, titles

DEMOLISHED = "floor-area-demolished"
SIGNED = list(titles("household_states")).index("signed")
_WORST: Mapping[Light, int] = {"green": 0, "yellow": 1, "red": 2}
_FROM_THE_FIRST = -(2**62)


@dataclass(frozen=True, slots=True)
class MetricStanding:
    """A metric of a project on a day, in its unit; None where nothing says.

    target, planned, share_planned
        How much is to be done, and how much of it was to be by then. `planned` of a metric without a
        target is what the records planned.
    actual
        What was done: of a flow since the target's first day, of a stock all there is.
    points
        By how many percentage points the done share is ahead of (+) or behind (-) the planned one.
    period_plan, period_actual
        The same from the campaign's `since` on; planned as the records say, else by the target.
    """

    target: float | None
    planned: float | None
    actual: float
    share_planned: float | None
    share_actual: float | None
    points: float | None
    period_plan: float | None
    period_actual: float
    light: Light | None


@dataclass(frozen=True, slots=True)
class Signing:
    """Households that must sign and have, and whether those are enough; `rate` None without any."""

    due: int
    signed: int
    rate: float | None
    gate: float
    met: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a project has its light: a rule, and of what stage or metric it holds.

    values
        For the placeholders of the rule's reason: "stage" or "metric" an id, else numbers and days.
    """

    rule: RuleId
    light: Light
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Orders:
    """How many orders run, and of those how many are overdue."""

    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class ProjectStanding:
    """A project on a day.

    stage
        The id of the stage it is in; None once all are done.
    buildings, households
        How many are in each state.
    floor_area_demolished_reported
        All that was ever reported by then, m².
    share_planned, share_actual, points
        The means over its metrics that have a target, of which no more than all counts as done.
    """

    id: str
    version: int
    town: str
    document: Mapping[str, Any]
    stage: str | None
    stages: Sequence[StageStanding]
    metrics: Mapping[str, MetricStanding]
    signing: Signing
    buildings: Mapping[str, int]
    households: Mapping[str, int]
    floor_area_demolished_reported: float
    share_planned: float | None
    share_actual: float | None
    points: float | None
    light: Light
    reasons: Sequence[Reason]
    orders: Orders


@dataclass(frozen=True, slots=True)
class _Day:
    """What is asked, of whatever project."""

    at: date
    since: date
    rules: LightRules


@dataclass(frozen=True, slots=True)
class _Row:
    """A project on that day: a value for each of `METRICS`, or for each state.

    actual
        Of flows since the first day of the target in force.
    plan, actual_ever
        From the first record on.
    """

    targets: Sequence[Target | None]
    actual: Sequence[float]
    actual_ever: Sequence[float]
    plan: Sequence[float]
    period_actual: Sequence[float]
    period_plan: Sequence[float]
    records: Sequence[int]
    buildings: Sequence[int]
    households: Sequence[int]


def standings(
    ledger: Ledger,
    at: date,
    known: int | None,
    rules: LightRules,
    since: date,
    orders: Mapping[str, Orders],
) -> list[ProjectStanding]:
    """The projects that there are on a day, by id; `orders` are counted by whoever wants them."""
    table = counted(ledger, known)
    projects = table.described(ledger, days_of(at))
    day, rows = _Day(at, since, rules), _rows(table, projects, at, since)
    return [
        _project(one, row, day, orders.get(one.id, _NO_ORDERS))
        for (_, one), row in zip(projects, rows, strict=True)
    ]


def orders_of(ledger: Ledger, at: date, known: int | None) -> dict[str, Orders]:
    """The orders of each project that has any that run."""
    found: dict[str, Orders] = {}
    for order in ledger.documents("order", at, known).values():
        if runs(order.document):
            before = found.get(order.project, _NO_ORDERS)
            late = overdue_days(order.document, at) > 0
            found[order.project] = Orders(before.open + 1, before.overdue + late)
    return found


_NO_ORDERS = Orders(0, 0)


def _rows(
    table: Counted, projects: Sequence[tuple[int, Described]], at: date, since: date
) -> Iterator[_Row]:
    """The rows of some projects, each with its place in the table."""
    day, first = days_of(at), days_of(since)
    targets = [
        [
            in_force(several, at) if (several := one.targets.get(metric)) else None
            for metric in METRICS
        ]
        for _, one in projects
    ]
    starts = np.full((len(table.projects), len(METRICS)), _FROM_THE_FIRST, np.int64)
    for (place, _), row in zip(projects, targets, strict=True):
        starts[place] = [days_of(one.start) if one else _FROM_THE_FIRST for one in row]
    ever, period = table.flows(day), table.flows(day, first)
    stocks, before = table.stocks(day), table.stocks(first - 1)
    matrices = (
        table.flows(day, starts).actuals + stocks, ever.actuals + stocks, ever.plans,
        period.actuals + stocks - before, period.plans, ever.records,
        table.states("buildings", day), table.states("households", day),
    )  # fmt: skip
    places = [place for place, _ in projects]
    # Plain lists: values are looked at one by one, which takes long in arrays.
    columns = [matrix[places].tolist() for matrix in matrices]
    return (_Row(*row) for row in zip(targets, *columns, strict=True))


def _project(one: Described, row: _Row, day: _Day, orders: Orders) -> ProjectStanding:
    there = {"buildings": sum(row.buildings), "households": sum(row.households)}
    metrics: dict[str, MetricStanding] = {}
    reasons: list[Reason] = []
    for column, metric in enumerate(METRICS):
        what = STOCKS.get(metric)
        if row.targets[column] or (there[what[0]] if what else row.records[column]):
            metrics[metric] = standing = _metric(column, row, day)
            reasons += _behind(metric, standing, day.rules)
    stages = stages_of(one.document.get("template", ""), one.stages, day.at)
    reasons += _not_started(stages, day)
    reasons.sort(key=lambda reason: -_WORST[reason.light])  # and as before where that is the same
    planned, actual = _means(metrics.values())
    return ProjectStanding(
        one.id, one.version, one.town, one.document, current(stages), stages, metrics,
        signing(there["households"], sum(row.households[SIGNED:]), day.rules.numbers.signing_gate),
        dict(zip(titles("building_states"), row.buildings, strict=True)),
        dict(zip(titles("household_states"), row.households, strict=True)),
        row.actual_ever[METRICS.index(DEMOLISHED)],
        planned, actual,
        None if planned is None or actual is None else points_between(actual, planned),
        reasons[0].light if reasons else "green", tuple(reasons), orders,
    )  # fmt: skip


def _metric(column: int, row: _Row, day: _Day) -> MetricStanding:
    target, period = row.targets[column], _or_none(row.period_plan[column])
    done, ever = row.period_actual[column], row.actual_ever[column]
    if target is None:
        plan = _or_none(row.plan[column])
        return MetricStanding(None, plan, ever, None, None, None, period, done, None)
    share_planned, actual = planned_share(target, day.at), row.actual[column]
    if period is None:
        before = planned_share(target, day.since - timedelta(days=1))
        period = (share_planned - before) * target.total
    if target.total == 0:
        return MetricStanding(0.0, 0.0, actual, None, None, None, period, done, None)
    share_actual = actual / target.total
    points = points_between(share_actual, share_planned)
    light = day.rules.rules[schedule_rule(points, day.rules.numbers)].light
    return MetricStanding(
        target.total, share_planned * target.total, actual, share_planned, share_actual, points,
        period, done, light,
    )  # fmt: skip


def _behind(metric: str, standing: MetricStanding, rules: LightRules) -> list[Reason]:
    """What is to be said of a metric that is behind its plan."""
    if standing.points is None or standing.points >= 0:
        return []
    rule = schedule_rule(standing.points, rules.numbers)
    values = {
        "metric": metric, "points": -standing.points, "planned": standing.share_planned,
        "actual": standing.share_actual,
    }  # fmt: skip
    return [Reason(rule, rules.rules[rule].light, values)]


def _not_started(stages: Iterable[StageStanding], day: _Day) -> list[Reason]:
    """What is to be said of stages that were to be started."""
    found = []
    for stage in stages:
        if stage.planned_start is not None and stage.state != "done":
            rule = start_rule(stage.planned_start, stage.started, day.at, day.rules.numbers)
            light = day.rules.rules[rule].light
            if light != "green":
                months = months_over(stage.planned_start, day.at)
                month = stage.planned_start.isoformat()[:7]
                found.append(
                    Reason(rule, light, {"stage": stage.id, "month": month, "months": months})
                )
    return found


def signing(due: int, signed: int, gate: float) -> Signing:
    """How many of the households that must sign have, and whether that is enough.

    >>> signing(10, 8, 0.8).met, signing(0, 0, 0.8).rate
    (True, None)
    """
    rate = signed / due if due else None
    return Signing(due, signed, rate, gate, rate is not None and rate >= gate)


def _means(metrics: Iterable[MetricStanding]) -> tuple[float | None, float | None]:
    """The mean planned and done share of the metrics that have both."""
    shares = [
        (one.share_planned, min(1.0, one.share_actual))
        for one in metrics
        if one.share_planned is not None and one.share_actual is not None
    ]
    if not shares:
        return None, None
    planned, actual = (sum(column) / len(shares) for column in zip(*shares, strict=True))
    return planned, actual


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value
