"""What is told of a project week by week, its stages, and what units are to see to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from sample_data.district.plan import Floats, random
from sample_data.district.renewal_course import FIRST, NOW, TODAY, Aim, day
from sample_data.district.renewal_events import Event, Holding, moment, office_of
from sample_data.district.renewal_sites import campaign_table

_DRIVEN = {
    "signing": ("households-signed", 0.004, "households-signed", 0.9),
    "demolition": ("buildings-handed-over", 0.004, "buildings-demolished", 0.985),
    "clearance": ("buildings-demolished", 0.3, "land-cleared", 0.985),
    "resettlement": ("resettlement-started", 0.004, "resettlement-completed", 0.985),
    "return": ("households-resettled", 0.004, "households-resettled", 0.985),
    "financing": ("financing-started", 0.004, "financing-started", 0.985),
    "construction": ("investment", 0.12, "investment", 0.985),
}
"""Stages that begin when so much of a metric is done, and end when so much of another is."""

_LATE = {"good": (-1, 2), "slow": (3, 8), "stuck": (10, 22)}
"""By how many weeks other stages are late."""


def record_events(of: Holding, seed: int) -> Iterator[Event]:
    """A record of each metric for each week in which something of it was planned or done."""
    rng = random(seed, f"records {of.code}")
    course, totals = of.course, of.totals()
    office = office_of(course.site.town)
    reported = float(rng.uniform(0.975, 1.0))  # rounded down rather than up
    weeks = np.arange(campaign_table()["weeks"] + 1, dtype=np.float64)
    counted = {
        "households-signed": _counts(of.household_signed), "buildings-signed": _counts(of.signed),
        "buildings-handed-over": _counts(of.handed), "buildings-demolished": _counts(of.demolished),
        "households-resettled": _counts(of.household_back),
        "floor-area-demolished": _counts(of.demolished, course.site.areas) * reported,
    }  # fmt: skip
    for aim in course.aims:
        total = totals.get(aim.metric, 0.0)
        if total <= 0:
            continue
        planned = aim.planned(weeks)
        share = np.array([course.share(aim.metric, float(week)) for week in weeks])
        done = counted.get(aim.metric)
        if done is None:
            done = np.diff(share) * total
        if aim.metric in counted and aim.start < 0 and aim.metric != "floor-area-demolished":
            yield _before(of, aim, total, office)
        for week in range(len(weeks) - 1):
            if week < course.entered or planned[week + 1] <= 0:
                continue
            if planned[week] >= 1 and share[week] >= 1 and done[week] == 0:
                continue
            yield from _record(of, aim.metric, week, float(done[week]), float((planned[week + 1] - planned[week]) * total), office, rng)  # fmt: skip


def _before(of: Holding, aim: Aim, total: float, office: str) -> Event:
    """All that was done before the first week, as one record."""
    weeks = {
        "households-signed": of.household_signed, "buildings-signed": of.signed,
        "buildings-handed-over": of.handed, "buildings-demolished": of.demolished,
        "households-resettled": of.household_back,
    }[aim.metric]  # fmt: skip
    end = FIRST - timedelta(days=1)
    document = {
        "project": of.code, "metric": aim.metric, "period": "month", "start": day(aim.start).isoformat(),
        "end": end.isoformat(), "plan": round(float(aim.planned(np.zeros(1))[0]) * total, 1),
        "actual": int((weeks < 0).sum()), "reporter": office, "note": f"{FIRST}之前累计",
    }  # fmt: skip
    code = f"{of.code}.{aim.metric}.{end.isoformat()}"
    told = datetime.combine(FIRST, time(9, 0))
    return Event(told, end, "progress", code, document, office)


def _counts(weeks: Floats, amounts: Floats | None = None) -> Floats:
    """(t,) how many, or how much, in each week of the campaign."""
    there = ~np.isnan(weeks) & (weeks >= 0)
    rows = np.floor(weeks[there]).astype(int)
    size = int(campaign_table()["weeks"])
    each = amounts[there] if amounts is not None else None
    return np.bincount(rows, each, size)[:size].astype(np.float64)


def _record(
    of: Holding, metric: str, week: int, done: float, planned: float, office: str, rng: np.random.Generator
) -> Iterator[Event]:  # fmt: skip
    start = FIRST + timedelta(weeks=week)
    end = start + timedelta(days=6)
    fine = 0 if metric in ("investment", "resettlement-started") else 1
    document: dict[str, Any] = {
        "project": of.code, "metric": metric, "period": "week", "start": start.isoformat(),
        "end": end.isoformat(), "plan": round(planned, 1), "actual": round(done, fine), "reporter": office,
    }  # fmt: skip
    code = f"{of.code}.{metric}.{end.isoformat()}"
    told = datetime.combine(end + timedelta(days=1), time(9, 0)) + timedelta(minutes=int(rng.integers(0, 480)))  # fmt: skip
    yield Event(told, end, "progress", code, document, office)
    if metric != "floor-area-demolished" or done <= 0:
        return
    later = end + timedelta(days=9)
    if rng.random() < 0.06 and later + timedelta(days=12) <= TODAY:
        change = {"actual": round(done * float(rng.uniform(0.96, 1.0)), 1), "note": "经复核更正"}
        yield Event(told + timedelta(days=12), end, "progress", code, change, office)
    if later <= TODAY and rng.random() < 0.8:
        change = {
            "verified_by": campaign_table()["offices"]["district"],
            "verified": later.isoformat(),
        }
        yield Event(datetime.combine(later, time(16, 0)), end, "progress", code, change, str(change["verified_by"]))  # fmt: skip


def stage_weeks(of: Holding, seed: int) -> dict[str, tuple[float, float]]:
    """When each stage began and ended, in weeks; NaN for what did not happen yet."""
    rng = random(seed, f"stages {of.code}")
    course = of.course
    late = float(rng.integers(*_LATE[course.pace]))
    table = campaign_table()["form"][course.site.form]["stages"]
    found: dict[str, tuple[float, float]] = {}
    for stage, (start, end) in table.items():
        before = [found[other][1] for other in found if table[other][1] <= start]
        free = max(before, default=-1e9)
        if any(np.isnan(one) for one in before):
            free = np.nan
        if stage in _DRIVEN and _DRIVEN[stage][0] in course.actual:
            first, little, last, enough = _DRIVEN[stage]
            begun = course.when(first, np.array([little]))[0]
            over = np.maximum(course.when(last, np.array([enough]))[0], begun + 1.0)
        else:
            shift = late if start >= 0 else 0.0
            begun = max(course.begins + start + shift, free)
            over = begun + (end - start)
        begun = np.nan if begun > NOW else float(begun)
        over = np.nan if np.isnan(begun) or over > NOW else float(over)
        found[stage] = (begun, over)
    return found


def stage_events(of: Holding, seed: int) -> Iterator[Event]:
    """The beginning and the end of each stage as it was told."""
    rng = random(seed, f"stage days {of.code}")
    office = office_of(of.course.site.town)
    for stage, (begun, over) in stage_weeks(of, seed).items():
        for name, week in (("started", begun), ("ended", over)):
            if not np.isnan(week):
                on = day(week)
                change = {"stages": {stage: {name: on.isoformat()}}}
                yield Event(moment(max(on, of.entered), rng), max(on, of.entered), "project", of.code, change, office)  # fmt: skip


def task_events(of: Holding, seed: int) -> Iterator[Event]:
    """What is to be seen to in stages of these years, and what was."""
    rng = random(seed, f"tasks {of.code}")
    site = of.course.site
    offices = campaign_table()["offices"]
    table = campaign_table()["form"][site.form]["stages"]
    dates = stage_weeks(of, seed)
    for number, (stage, (start, end)) in enumerate(table.items()):
        due = of.course.begins + end
        if not -4 <= due <= NOW + 40:
            continue
        unit = site.town if rng.random() < 0.6 else str(rng.choice([offices["unit"], *offices["others"]]))  # fmt: skip
        code = f"{of.code}-T{number + 1:02d}"
        document = {
            "project": of.code, "title": campaign_table()["tasks"][stage], "unit": unit, "stage": stage,
            "start": day(of.course.begins + start).isoformat(),
            "due": (day(due) - timedelta(days=1)).isoformat(),
        }  # fmt: skip
        given = max(of.entered, min(day(of.course.begins + start - 2), TODAY))
        yield Event(moment(given, rng), given, "task", code, document, str(offices["district"]))
        over = dates[stage][1]
        if not np.isnan(over) and day(over) >= given:
            yield Event(moment(day(over), rng), day(over), "task", code, {"done": day(over).isoformat()}, office_of(site.town))  # fmt: skip
