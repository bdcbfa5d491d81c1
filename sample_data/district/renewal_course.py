"""How a project goes: what was planned for each week, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from sample_data.district.plan import Floats, random
from sample_data.district.renewal_sites import Site, campaign_table

FIRST: date = campaign_table()["first_week"]
TODAY: date = campaign_table()["day"]
NOW = (TODAY - FIRST).days / 7
"""The day on which the campaign is told, in weeks after its first Monday."""

WEEKS = np.arange(-60, int(NOW) + 2, dtype=np.float64)
"""(t,) the weeks for which curves are told; what begins a week is at its number."""

_MILESTONES = ((0.35, 0.25), (0.65, 0.6), (0.85, 0.9), (1.0, 1.0))
"""When, and how much by then, of targets that go by milestones: shares of their time and amount."""
_GATE = 0.8
"""So much must be signed before anything is handed over."""
_AFTER_SIGNING = ("buildings-handed-over", "buildings-demolished", "floor-area-demolished", "land-cleared")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aim:
    """A target of a metric, weeks after the first; `milestones` as shares of time and amount."""

    metric: str
    start: float
    end: float
    milestones: tuple[tuple[float, float], ...] = ()

    def planned(self, weeks: Floats) -> Floats:
        """(t,) the planned share of the amount at some weeks."""
        time = np.clip((weeks - self.start) / (self.end - self.start), 0.0, 1.0)
        if not self.milestones:
            return np.asarray(time)
        marks = ((0.0, 0.0), *self.milestones)
        return np.interp(time, [t for t, _ in marks], [share for _, share in marks])


@dataclass(frozen=True, slots=True)
class Course:
    """What a project is to do and does.

    begins
        The week in which signing, or building, may begin.
    pace
        "good", "slow" or "stuck".
    actual
        By metric, (t,) the share that was done at each of `WEEKS`.
    """

    site: Site
    begins: int
    pace: str
    aims: tuple[Aim, ...]
    actual: Mapping[str, Floats]

    @property
    def entered(self) -> int:
        """The week in which the project came into the campaign."""
        return max(0, self.begins - 20)

    def aim(self, metric: str) -> Aim | None:
        """The target of a metric."""
        return next((aim for aim in self.aims if aim.metric == metric), None)

    def share(self, metric: str, week: float) -> float:
        """The share that was done by a moment."""
        if metric not in self.actual:
            return 0.0
        return float(np.interp(week, WEEKS, self.actual[metric]))

    def when(self, metric: str, shares: Floats) -> Floats:
        """(n,) the weeks at which shares were reached; NaN for those that were not yet."""
        if metric not in self.actual:
            return np.full(len(shares), np.nan)
        done = self.actual[metric]
        steps = np.flatnonzero(np.diff(done) > 0)
        if len(steps) == 0:
            return np.full(len(shares), np.nan)
        rows = np.append(steps, steps[-1] + 1)
        weeks = np.interp(shares, done[rows], WEEKS[rows])
        return np.where((shares <= done[-1]) & (weeks <= NOW), weeks, np.nan)


def courses(sites: Sequence[Site], seed: int) -> list[Course]:
    """The courses of all projects: how many do well, slowly or not at all is decided by hand."""
    rng = random(seed, "paces")
    table = campaign_table()
    mood = [rng.normal(0.0, 0.8) + table["leaning"][site.town] for site in sites]
    order = np.argsort(mood, kind="stable")[::-1].tolist()
    paces = [""] * len(sites)
    for pace, about in table["pace"].items():
        for place in order[: about["projects"]]:
            paces[place] = pace
        order = order[about["projects"] :]
    return [_course(site, pace, seed) for site, pace in zip(sites, paces, strict=True)]


def day(week: float) -> date:
    """The day in which a moment lies."""
    return FIRST + timedelta(days=int(np.floor(week * 7 + 1e-9)))


def _course(site: Site, pace: str, seed: int) -> Course:
    form = campaign_table()["form"][site.form]
    rng = random(seed, f"course {site.code}")
    begins = int(rng.integers(form["begins"][0], form["begins"][1] + 1))
    if pace == "stuck":  # what only began cannot be far behind
        begins = min(begins, int(0.6 * form["begins"][1]))
    steps = rng.random() < 0.35
    aims = []
    for metric, (start, end) in form["targets"].items():
        marks = _MILESTONES if steps and metric in ("floor-area-demolished", "investment") else ()
        first = max(0, begins + start) if metric == "investment" else begins + start
        aims.append(Aim(metric, first, begins + end, marks))
    behind = float(rng.uniform(*campaign_table()["pace"][pace]["behind"]))
    before = behind * float(rng.uniform(0.0, 0.5)) + float(rng.uniform(-0.04, 0.06))
    actual: dict[str, Floats] = {}
    for aim in aims:
        actual[aim.metric] = _done(aim, pace, behind, before, actual, rng)
    return Course(site, begins, pace, tuple(aims), actual)


def _done(
    aim: Aim, pace: str, behind: float, before: float, others: Mapping[str, Floats], rng: np.random.Generator
) -> Floats:  # fmt: skip
    """(t,) the share that was done: an S-curve that trails its plan, more so of late."""
    planned = aim.planned(WEEKS)
    lately = np.clip((WEEKS - (NOW - 44.0)) / 24.0, 0.0, 1.0)
    gap = before + (behind - before) * lately
    if aim.metric.endswith("-signed") and aim.end < NOW - 26:
        gap = gap * 0.45  # who demolishes has signed most
    recovers = campaign_table()["pace"][pace]["recovers"]
    gap = gap * np.clip(1.0 - (WEEKS - aim.end) / recovers, 0.0, 1.0)
    eased = planned + 0.35 * (planned**2 * (3 - 2 * planned) - planned)
    wobble = 0.012 * np.sin(WEEKS / rng.uniform(2.5, 5.0) + rng.uniform(0.0, 6.0))
    done = np.where(planned > 0, eased - (gap + wobble) * np.clip(planned / 0.3, 0.0, 1.0), 0.0)
    done = np.clip(done, 0.0, 1.0)
    if aim.metric in _AFTER_SIGNING and "households-signed" in others:
        done = _after_gate(done, others["buildings-signed"])
    if aim.metric == "floor-area-demolished":
        done = others["buildings-demolished"]
    return np.maximum.accumulate(done)


def _after_gate(done: Floats, signed: Floats) -> Floats:
    """Nothing before the gate of signing; what was held up is made good within ten weeks."""
    past = np.flatnonzero(signed >= _GATE + 0.02)
    if len(past) == 0:
        return np.zeros_like(done)
    opened = WEEKS[past[0]]
    return np.where(opened >= WEEKS, 0.0, np.minimum(done, (WEEKS - opened) / 10.0))


def plan_of(course: Course, totals: Mapping[str, float]) -> list[dict[str, Any]]:
    """The targets as documents have them; of metrics without an amount there is none."""
    found = []
    for aim in course.aims:
        total = totals.get(aim.metric, 0.0)
        if total <= 0:
            continue
        start, end = day(aim.start), day(aim.end) - timedelta(days=1)
        one: dict[str, Any] = {
            "metric": aim.metric, "start": start.isoformat(), "end": end.isoformat(), "total": total,
        }  # fmt: skip
        if aim.milestones:
            length = (end - start).days
            one["milestones"] = [
                {"date": (start + timedelta(days=round(t * length))).isoformat(), "share": share}
                for t, share in aim.milestones
            ]
        found.append(one)
    return found
