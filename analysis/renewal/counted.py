"""What was recorded, counted for any day: flows from progress, stocks from states.

Matrices have a row for each project (`Ledger.projects`) and a column for each metric of `words.toml`,
in their order. A *flow* is what progress was reported of and adds up. A *stock* is counted: how
many buildings or households are in a state, or have gone beyond it.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from analysis.renewal.remembered import remembered
from cim_core.renewal.documents import StageDates, Target
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.records import Spans
from cim_core.renewal.words import metrics, titles

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METRICS: Sequence[str] = tuple(metrics())
STOCKS: Mapping[str, tuple[str, int]] = {
    metric.id: (metric.source, list(titles(f"{metric.source[:-1]}_states")).index(
        metric.id.removeprefix(f"{metric.source}-")
    ))
    for metric in metrics().values()
    if metric.source != "records"
}  # fmt: skip
"""Of each metric that is counted: of what ("buildings", "households"), and the place of the state from
which on it counts. Those metrics are named after the state."""

_EPOCH = date(1970, 1, 1).toordinal()


def days_of(day: date) -> int:
    """A day as days since 1970."""
    return day.toordinal() - _EPOCH


@dataclass(frozen=True, slots=True)
class Described:
    """A project as it was described on a day.

    targets
        By metric, each by its first day.
    """

    id: str
    version: int
    town: str
    document: Mapping[str, Any]
    stages: Mapping[str, StageDates]
    targets: Mapping[str, Sequence[Target]]


@dataclass(frozen=True, slots=True)
class Flows:
    """Progress that was reported, of each project and metric.

    plans
        What was to be done in the periods of the records; NaN where none says.
    records
        How many there are.
    """

    actuals: Floats
    plans: Floats
    records: Ints


class Counted:
    """A ledger as it was known at a moment, to be asked for any day; it does not hold the ledger."""

    def __init__(self, ledger: Ledger, known: int | None) -> None:
        self.known = known
        self.projects = ledger.projects
        rows = ledger.progress(date.max, known)
        order = np.argsort(rows.ends, kind="stable")
        self._cells = (rows.projects * len(METRICS) + rows.metrics)[order]
        # What was reported of a stock stands beside the count and is no part of it.
        stocks = np.isin(rows.metrics, [METRICS.index(metric) for metric in STOCKS])
        self._ends, self._actuals = rows.ends[order], np.where(stocks, 0.0, rows.actuals)[order]
        self._starts, self._plans = rows.starts[order], rows.plans[order]
        self._spans: dict[str, Spans] = {
            "buildings": ledger.building_spans(known), "households": ledger.household_spans(known),
        }  # fmt: skip
        self._breaks: dict[str, list[int]] = {}
        for event in ledger.events:
            if event.kind == "project" and (known is None or event.recorded <= known):
                self._breaks.setdefault(event.id, []).append(days_of(event.effective))
        for days in self._breaks.values():
            days.sort()
        self._described: dict[tuple[str, int], Described | None] = {}

    def flows(self, day: int, since: Ints | int | None = None) -> Flows:
        """What was reported of periods that ended by a day, and not before another.

        since
            Days since 1970, one for all or a matrix.
        """
        last = int(np.searchsorted(self._ends, day, side="right"))
        cells, rows = self._cells[:last], slice(0, last)
        kept = np.ones(last, bool)
        if since is not None:
            first = np.broadcast_to(since, self._shape).ravel()
            kept = self._ends[rows] >= first[cells]
        cells, actuals, plans = cells[kept], self._actuals[rows][kept], self._plans[rows][kept]
        planned = ~np.isnan(plans)
        told = self._summed(cells[planned], plans[planned])
        told[self._summed(cells[planned], None) == 0] = np.nan
        records = self._summed(cells, None).astype(np.int64)
        return Flows(self._summed(cells, actuals), told, records)

    def states(self, what: str, day: int) -> Ints:
        """How many buildings or households are in each state: projects x states."""
        spans = self._spans[what]
        held = (spans.begins <= day) & (day < spans.ends)
        count = len(titles(f"{what[:-1]}_states"))
        cells = spans.projects[held] * count + spans.states[held]
        return np.bincount(cells, minlength=len(self.projects) * count).reshape(-1, count)

    def stocks(self, day: int) -> Floats:
        """The metrics that are counted; 0 in the columns of the others."""
        found = np.zeros(self._shape)
        reached = {
            what: np.cumsum(self.states(what, day)[:, ::-1], axis=1)[:, ::-1]
            for what in self._spans
        }
        for metric, (what, state) in STOCKS.items():
            found[:, METRICS.index(metric)] = reached[what][:, state]
        return found

    def to_date(self, place: int, metric: str, days: Ints) -> Floats:
        """A metric of the project at a place on several days: a flow summed up, or a stock."""
        if metric not in STOCKS:
            rows = self._cells == place * len(METRICS) + METRICS.index(metric)
            sums = np.concatenate(([0.0], np.cumsum(self._actuals[rows])))
            return sums[np.searchsorted(self._ends[rows], days, side="right")]
        what, state = STOCKS[metric]
        spans = self._spans[what]
        rows = (spans.projects == place) & (spans.states >= state)
        begun, ended = (
            np.searchsorted(np.sort(column[rows]), days, side="right")
            for column in (spans.begins, spans.ends)
        )
        return (begun - ended).astype(np.float64)

    def first_day(self, place: int) -> date | None:
        """The first day of anything recorded of the project at a place; None if nothing was."""
        rows = self._cells // len(METRICS) == place
        firsts = [
            self._starts[rows],
            *(s.begins[s.projects == place] for s in self._spans.values()),
        ]
        days = np.concatenate(firsts)
        return date.fromordinal(int(days.min()) + _EPOCH) if len(days) else None

    def described(self, ledger: Ledger, day: int) -> list[tuple[int, Described]]:
        """The projects that there are on a day, each with its place; of the ledger this was made of."""
        found = []
        for place, project in enumerate(self.projects):
            breaks = self._breaks.get(project, [])
            before = bisect_right(breaks, day)
            if before:
                one = self._as_of(ledger, project, breaks[before - 1])
                if one is not None:
                    found.append((place, one))
        return found

    def _as_of(self, ledger: Ledger, project: str, day: int) -> Described | None:
        """A project after the changes of a day on which it changed."""
        key = (project, day)
        if key not in self._described:
            at = date.fromordinal(day + _EPOCH)
            standing = ledger.documents("project", at, self.known, project).get(project)
            self._described[key] = (
                None
                if standing is None
                else described(project, standing.version, standing.document)
            )
        return self._described[key]

    def _summed(self, cells: Ints, weights: Floats | None) -> Floats:
        count = self._shape[0] * self._shape[1]
        return np.bincount(cells, weights, count).astype(np.float64).reshape(self._shape)

    @cached_property
    def _shape(self) -> tuple[int, int]:
        return len(self.projects), len(METRICS)


def counted(ledger: Ledger, known: int | None) -> Counted:
    """A ledger as it was known at a moment (milliseconds since 1970); kept."""
    return remembered(ledger, ("counted", known), lambda: Counted(ledger, known))


def described(key: str, version: int, document: Mapping[str, Any]) -> Described:
    """A project's document with its stages and targets read."""
    targets: dict[str, list[Target]] = {}
    for target in msgspec.convert(document.get("targets", ()), tuple[Target, ...]):
        targets.setdefault(target.metric, []).append(target)
    for several in targets.values():
        several.sort(key=lambda target: (target.start, target.end))
    stages = msgspec.convert(document.get("stages", {}), dict[str, StageDates])
    return Described(key, version, document["town"], document, stages, targets)
