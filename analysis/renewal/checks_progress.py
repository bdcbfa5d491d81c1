"""Rules of the check report about reported progress and targets."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import numpy as np

from analysis.renewal.counted import STOCKS
from analysis.renewal.examined import Check, CheckRule, Examined, Found
from cim_core.renewal.words import metrics

_EPOCH = date(1970, 1, 1)


def demolished_area_differs(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects whose reported demolished area is not that of the twin's demolished buildings."""
    for project, areas in examined.areas.items():
        reported = examined.reported.get((project, "floor-area-demolished"))
        if reported is None:
            continue
        # Where the twin does not know all of them, only what it knows for sure can be held against it.
        if reported > areas.demolished and not areas.whole:
            continue
        if _differ(reported, areas.demolished, rule):
            share = reported / areas.demolished - 1 if areas.demolished else 1.0
            values = {
                "reported": round(reported, 1), "twin": round(areas.demolished, 1),
                "share": round(share, 4),
            }  # fmt: skip
            yield Found(project, "project", project, values)


def reported_count_differs(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Metrics that are counted from states, of which something else was reported."""
    for (project, name), reported in examined.reported.items():
        if name not in STOCKS:
            continue
        what, least = STOCKS[name]
        rows = examined.households if what == "households" else examined.buildings
        states = rows.states[rows.projects == examined.ledger.projects.index(project)]
        counted = int(np.count_nonzero(states >= least))
        if len(states) and _differ(reported, counted, rule):
            values = {
                "metric": dict(metrics()[name].title), "reported": reported, "counted": counted,
            }  # fmt: skip
            yield Found(project, "project", project, values)


def _differ(one: float, other: float, rule: CheckRule) -> bool:
    away = abs(one - other)
    return away > rule.limits["least"] and away > rule.limits["share"] * other


def progress_overlap(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Records that do not count, since some of their days were reported already."""
    names = tuple(metrics().values())
    for one in examined.ledger.twice(examined.at):
        values = {
            "metric": dict(names[one.metric].title), "other": one.other,
            "start": _day(one.start), "end": _day(one.end),
            "other_start": _day(one.other_start), "other_end": _day(one.other_end),
        }  # fmt: skip
        yield Found(examined.ledger.projects[one.project], "progress", one.id, values)


def progress_over_target(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Targets beyond which was reported in their time."""
    names = tuple(metrics())
    for key, project in examined.projects.items():
        for target in project.targets:
            if target.metric not in names:
                continue
            mine = _rows(examined, key, names.index(target.metric))
            rows = examined.progress
            within = (
                mine
                & (rows.ends >= (target.start - _EPOCH).days)
                & (rows.ends <= (target.end - _EPOCH).days)
            )
            actual = float(rows.actuals[within].sum())
            if actual > target.total * (1 + rule.limits["share"]):
                values = {
                    "metric": dict(metrics()[target.metric].title), "actual": round(actual, 2),
                    "target": target.total, "start": target.start.isoformat(),
                    "end": target.end.isoformat(),
                }  # fmt: skip
                yield Found(key, "project", key, values)


def progress_missing(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Targets that run, and of whose metric nothing was reported for long."""
    names = tuple(metrics())
    for key, project in examined.projects.items():
        for target in project.targets:
            reported = target.metric in names and metrics()[target.metric].source == "records"
            if not reported or not target.start <= examined.at <= target.end:
                continue
            ends = examined.progress.ends[_rows(examined, key, names.index(target.metric))]
            since = target.start
            if len(ends):
                since = max(since, _EPOCH + timedelta(days=int(ends.max())))
            days = (examined.at - since).days
            if days > rule.limits["days"]:
                values = {
                    "metric": dict(metrics()[target.metric].title), "since": since.isoformat(),
                    "days": days,
                }  # fmt: skip
                yield Found(key, "project", key, values)


def metric_unknown(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Targets of a metric that there is none of."""
    for key, project in examined.projects.items():
        for target in project.targets:
            if target.metric not in metrics():
                yield Found(key, "project", key, {"metric": target.metric})


def _rows(
    examined: Examined, project: str, metric: int
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    rows = examined.progress
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        rows.projects == examined.ledger.projects.index(project)
    ) & (rows.metrics == metric)
    return found


def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).isoformat()


CHECKS: Mapping[str, Check] = {
    "demolished-area-differs": demolished_area_differs,
    "reported-count-differs": reported_count_differs,
    "progress-overlap": progress_overlap,
    "progress-over-target": progress_over_target,
    "progress-missing": progress_missing,
    "metric-unknown": metric_unknown,
}
