"""How projects and towns stand, beside the same worked out with pandas from the log of events.

What is worked out here shares nothing with the program but the events: states are folded anew, sums
are pandas', shares are exact fractions.
"""

import gc
import json
import random
import sqlite3
import weakref
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.renewal.progress_series import series
from analysis.renewal.projects import ProjectStanding
from analysis.renewal.replay import replay, steps
from analysis.renewal.standing import Campaign, campaign
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import default_rules
from cim_core.store.renewal import Renewal
from tests.support.renewal_random import FIRST, LAST, RandomCampaign

RULES = default_rules()
REACHED = {
    "households-signed": ("household", ("signed", "handed-over", "resettled")),
    "households-resettled": ("household", ("resettled",)),
    "buildings-signed": ("building", ("signed", "handed-over", "demolished", "rebuilding", "rebuilt")),
    "buildings-handed-over": ("building", ("handed-over", "demolished", "rebuilding", "rebuilt")),
    "buildings-demolished": ("building", ("demolished", "rebuilding", "rebuilt")),
}  # fmt: skip
WORSE = ("green", "yellow", "red")


class Oracle:
    """The log of events, asked for a day with pandas."""

    def __init__(self, path: Path) -> None:
        with sqlite3.connect(path) as connection:
            self.log = pd.read_sql_query("SELECT * FROM events ORDER BY seq", connection)
        changes = [
            json.loads(text) if isinstance(text, str) else None for text in self.log["change"]
        ]
        self.log["change"] = pd.Series(changes, dtype=object)
        begun = self.log[self.log["version"] == 1].set_index(["kind", "id"])["effective"]
        things = pd.MultiIndex.from_frame(self.log[["kind", "id"]])
        # What was told of a day before a thing was there holds from its first day on.
        self.log["effective"] = np.maximum(
            self.log["effective"].astype(str), begun.loc[things].astype(str).to_numpy()
        )

    def told(self, kind: str, known: int | None) -> pd.DataFrame:
        log = self.log[self.log["kind"] == kind]
        return log if known is None else log[log["recorded"] <= known]

    def documents(self, kind: str, at: date, known: int | None) -> dict[str, dict[str, Any]]:
        log = self.told(kind, known)
        log = log[log["effective"] <= at.isoformat()].sort_values(["effective", "seq"])
        found = {}
        for key, events in log.groupby("id"):
            document: dict[str, Any] = {}
            for change in events["change"]:
                merge(document, change)
            found[str(key)] = document
        return found

    def progress(self, at: date, known: int | None) -> pd.DataFrame:
        log = self.told("progress", known)
        gone = log[log["change"].isna()]["id"]
        kept = log[~log["id"].isin(gone)]
        fields = pd.DataFrame(list(kept["change"]), index=kept.index)
        fields = fields.reindex(columns=["project", "metric", "start", "end", "actual", "plan"])
        # The last that is told of each field; records as they were first told.
        rows = fields.groupby(kept["id"], sort=False).last()
        taken: dict[tuple[str, str], list[tuple[str, str]]] = {}
        counts = []
        columns = ("project", "metric", "start", "end")
        for project, metric, start, end in zip(*(rows[name] for name in columns), strict=True):
            before = taken.setdefault((project, metric), [])
            counts.append(all(end < first or last < start for first, last in before))
            if counts[-1]:
                before.append((start, end))
        rows = rows[counts]
        return rows[rows["end"] <= at.isoformat()]

    def states(self, kind: str, at: date, known: int | None) -> pd.DataFrame:
        log = self.told(kind, known)
        log = log[log["effective"] <= at.isoformat()].sort_values(["effective", "seq"])
        log = log[[change is None or version == 1 or "state" in change
                   for change, version in zip(log["change"], log["version"], strict=True)]]  # fmt: skip
        states = [
            "gone" if change is None else change.get("state", "unsigned")
            for change in log["change"]
        ]
        rows = log.assign(state=states).groupby("id").last()
        return rows.loc[rows["state"] != "gone", ["project", "state", "effective"]]


def merge(document: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            merge(document[key], value)
        else:
            document[key] = json.loads(json.dumps(value))


def fraction(value: float) -> Fraction:
    return Fraction(str(float(value)))


def share_due(target: dict[str, Any], at: date) -> Fraction:
    start, end = date.fromisoformat(target["start"]), date.fromisoformat(target["end"])
    if at >= end:
        return Fraction(1)
    if target.get("milestones"):
        reached = [m for m in target["milestones"] if m["date"] <= at.isoformat()]
        return max((fraction(m["share"]) for m in reached), default=Fraction(0))
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    return Fraction(bisect_right(days, at), len(days))


def schedule_light(behind: Fraction) -> str:
    return "red" if behind > 30 else "yellow" if behind >= 10 else "green"


def start_light(stage: dict[str, Any], at: date) -> str:
    if any(stage.get(name, "9999") <= at.isoformat() for name in ("started", "ended")):
        return "green"
    if "planned_start" not in stage:
        return "green"
    months = (pd.Period(at, "M") - pd.Period(stage["planned_start"], "M")).n
    return "red" if months >= 3 else "yellow" if months >= 1 else "green"


class Expected:
    """A project on a day, as worked out."""

    def __init__(self, oracle: Oracle, at: date, known: int | None) -> None:
        self.at = at
        self.projects = oracle.documents("project", at, known)
        self.progress = oracle.progress(at, known)
        self.states = {kind: oracle.states(kind, at, known) for kind in ("building", "household")}
        orders = pd.DataFrame(list(oracle.documents("order", at, known).values()))
        self.orders = orders.reindex(columns=["project", "state", "deadline"])
        self._shares: dict[str, dict[str, tuple[Fraction, Fraction, Fraction]]] = {}

    def done(self, project: str, metric: str, since: str = "") -> Fraction:
        if metric in REACHED:
            kind, states = REACHED[metric]
            rows = self.states[kind]
            return Fraction(int(((rows["project"] == project) & rows["state"].isin(states)).sum()))
        rows = self.progress
        mine = rows[
            (rows["project"] == project) & (rows["metric"] == metric) & (rows["end"] >= since)
        ]
        return fraction(mine["actual"].sum())

    def shares(self, project: str) -> dict[str, tuple[Fraction, Fraction, Fraction]]:
        """Of each metric with a target: what is due and done of it, and the target."""
        if project in self._shares:
            return self._shares[project]
        found = self._shares[project] = {}
        targets = sorted(self.projects[project]["targets"], key=lambda one: one["start"])
        for metric in {one["metric"] for one in targets}:
            several = [one for one in targets if one["metric"] == metric]
            begun = [one for one in several if one["start"] <= self.at.isoformat()]
            target = begun[-1] if begun else several[0]
            total = fraction(target["total"])
            if total:
                done = self.done(project, metric, target["start"])
                found[metric] = share_due(target, self.at), done / total, total
        return found

    def points(self, project: str) -> Fraction | None:
        shares = self.shares(project).values()
        if not shares:
            return None
        ahead = sum((min(Fraction(1), done) - due for due, done, _ in shares), Fraction(0))
        return 100 * ahead / len(shares)

    def light(self, project: str) -> str:
        stages = self.projects[project]["stages"].values()
        lights = [start_light(stage, self.at) for stage in stages]
        lights += [
            schedule_light(100 * (due - done)) for due, done, _ in self.shares(project).values()
        ]
        return max(lights, key=WORSE.index, default="green")

    def signing(self, project: str) -> tuple[int, int]:
        rows = self.states["household"]
        mine = rows[rows["project"] == project]
        return len(mine), int(self.done(project, "households-signed"))

    def order_counts(self, project: str) -> tuple[int, int]:
        mine = self.orders[self.orders["project"] == project]
        running = mine[~mine["state"].isin(["draft", "closed", "withdrawn"])]
        return len(running), int((running["deadline"] < self.at.isoformat()).sum())

    def ranks(self) -> dict[str, float]:
        table = pd.DataFrame(
            [(one["town"], self.points(key)) for key, one in self.projects.items()],
            columns=["town", "points"],
        ).dropna()
        table["points"] = table["points"].astype(float)
        mean = table.groupby("town")["points"].mean().round(6)
        return dict(mean.rank(method="min", ascending=False))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Renewal:
    folder = tmp_path_factory.mktemp("renewal")
    (folder / ".locks").mkdir()
    renewal = Renewal(folder)
    RandomCampaign(renewal, seed=8).record()
    return renewal


@pytest.fixture(scope="module")
def asked(recorded: Renewal) -> list[tuple[Campaign, Expected]]:
    """The campaign on 34 days, of which every second as it was known at some moment."""
    chance = random.Random(88)
    ledger, oracle = recorded.ledger(), Oracle(recorded.path)
    found = []
    for number in range(34):
        at = FIRST + timedelta(days=chance.randrange(40, (LAST - FIRST).days + 30))
        known = None
        if number % 2:
            then = at + timedelta(days=chance.randrange(-30, 60))
            known = int(
                datetime(then.year, then.month, then.day, 12, tzinfo=UTC).timestamp() * 1000
            )
        found.append((campaign(ledger, at, known, rules=RULES), Expected(oracle, at, known)))
    return found


def pairs(asked: list[tuple[Campaign, Expected]]) -> Iterator[tuple[ProjectStanding, Expected]]:
    """More than 200 random projects and days."""
    chance = random.Random(888)
    several = [
        (project, expected)
        for standing, expected in asked
        for project in chance.sample(standing.projects, min(7, len(standing.projects)))
    ]
    assert len(several) >= 200
    return iter(several)


def test_lights_are_those_worked_out_from_the_log(asked: list[tuple[Campaign, Expected]]) -> None:
    seen = set()
    for project, expected in pairs(asked):
        assert project.light == expected.light(project.id), (project.id, expected.at)
        seen.add(project.light)
    assert seen == set(WORSE)


def test_rates_and_counts_are_those_worked_out_from_the_log(
    asked: list[tuple[Campaign, Expected]],
) -> None:
    gates = set()
    for project, expected in pairs(asked):
        due, signed = expected.signing(project.id)
        rate = Fraction(signed, due) if due else None
        assert (project.signing.due, project.signing.signed) == (due, signed)
        assert project.signing.rate == (None if rate is None else float(rate))
        assert project.signing.met == (rate is not None and rate >= Fraction(4, 5))
        gates.add((project.signing.met, rate == Fraction(4, 5)))
        rows = expected.states["building"]
        counts = rows[rows["project"] == project.id]["state"].value_counts().to_dict()
        assert {state: count for state, count in project.buildings.items() if count} == counts
        assert (project.orders.open, project.orders.overdue) == expected.order_counts(project.id)
    assert {(True, True), (True, False), (False, False)} <= gates, "the gate is met exactly once"


def test_areas_and_shares_are_those_worked_out_from_the_log(
    asked: list[tuple[Campaign, Expected]],
) -> None:
    exactly = set()
    for project, expected in pairs(asked):
        reported = expected.done(project.id, "floor-area-demolished")
        assert project.floor_area_demolished_reported == pytest.approx(float(reported), abs=1e-6)
        shares = expected.shares(project.id)
        judged = {key for key, one in project.metrics.items() if one.points is not None}
        assert judged == set(shares)
        for metric, (due, done, total) in shares.items():
            found = project.metrics[metric]
            assert found.target == float(total)
            assert found.planned == pytest.approx(float(due * total), rel=1e-12)
            assert found.actual == pytest.approx(float(done * total), rel=1e-12)
            assert found.points == pytest.approx(float(100 * (done - due)), abs=1e-8)
            assert found.light == schedule_light(100 * (due - done)), (metric, due, done)
            if due - done in (Fraction(1, 10), Fraction(3, 10)):
                exactly.add(due - done)
        points = expected.points(project.id)
        assert project.points == (
            None if points is None else pytest.approx(float(points), abs=1e-8)
        )
    assert exactly == {Fraction(1, 10), Fraction(3, 10)}, "the borders are met exactly"


def test_ranks_are_those_worked_out_from_the_log(asked: list[tuple[Campaign, Expected]]) -> None:
    for standing, expected in asked:
        ranks = {town.town: town.rank for town in standing.towns if town.rank is not None}
        assert ranks == expected.ranks()
        assert standing.totals.projects == len(expected.projects)
        reported = sum(
            (expected.done(key, "floor-area-demolished") for key in expected.projects), Fraction(0)
        )
        assert sum(town.floor_area_demolished_reported for town in standing.towns) == pytest.approx(
            float(reported)
        )


def test_a_day_is_the_same_however_it_is_come_by(recorded: Renewal) -> None:
    ledger = recorded.ledger()
    anew = Ledger(ledger.events)
    days = steps(FIRST, LAST, "month")
    tracks = replay(ledger, days, rules=RULES)
    for place, day in list(enumerate(days))[::4]:
        standing = campaign(anew, day, rules=RULES)
        assert standing.projects == campaign(ledger, day, rules=RULES).projects
        for project in standing.projects:
            track = tracks.projects[project.id]
            told = track.lights[place], track.shares[place], track.stages[place]
            assert told == (project.light, project.share_actual, project.stage)
        for town in standing.towns:
            assert tracks.towns[town.town].points[place] == town.points
            assert tracks.towns[town.town].red[place] == town.lights["red"]


def test_a_series_ends_where_the_project_stands(recorded: Renewal) -> None:
    ledger = recorded.ledger()
    for day in (date(2024, 9, 18), date(2025, 5, 4)):
        for project in campaign(ledger, day, rules=RULES).projects:
            for metric, one in series(ledger, project.id, day).items():
                found = project.metrics[metric]
                assert one.ends[-1] == day
                assert one.actual[-1] == pytest.approx(found.actual)
                if found.target:
                    assert one.plan[-1] == pytest.approx(found.planned)


def test_what_is_kept_of_a_ledger_goes_with_it(recorded: Renewal) -> None:
    ledger = Ledger(recorded.ledger().events[:300])
    gone = weakref.ref(ledger)
    campaign(ledger, LAST, rules=RULES)
    replay(ledger, [FIRST, LAST], rules=RULES)
    del ledger
    gc.collect()
    assert gone() is None
