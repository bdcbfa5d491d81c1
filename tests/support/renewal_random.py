"""Campaigns as they really go: reported late and twice, corrected, removed, planned anew; the same for a seed."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cim_core.progress import Progress
from cim_core.renewal.events import Told
from cim_core.renewal.stages import templates
from cim_core.store.renewal import Renewal

FIRST, LAST = date(2024, 1, 1), date(2025, 6, 29)
TOWNS = ("east", "north", "south", "west")
_STATES = ("signed", "handed-over", "demolished", "rebuilding", "rebuilt")
_FLOWS = ("floor-area-demolished", "investment", "land-cleared")
_STOCKS = ("households-signed", "buildings-signed", "buildings-demolished")


class RandomCampaign:
    """What happens from week to week, recorded in a store with the moment it was told."""

    def __init__(self, renewal: Renewal, seed: int, projects: int = 10) -> None:
        self._renewal = renewal
        self._random = random.Random(seed)
        self._there: dict[tuple[str, str], date] = {}
        """The day of the last change of everything that was not removed."""
        self._moment = 0
        self._told: list[Told] = []
        self._records: dict[str, list[str]] = {}
        self._count = 0
        self.projects = [f"p{number:02}" for number in range(projects)]

    def record(self) -> None:
        """Record all of it, week by week."""
        for week in range((LAST - FIRST).days // 7 + 1):
            day = FIRST + timedelta(weeks=week)
            then = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
            self._moment = int(then.timestamp() * 1000)
            if week == 0:
                self._begin(day)
            else:
                self._week(day)
        self._renewal.load(self._told, Progress())

    def _tell(self, kind: Any, key: str, change: dict[str, Any] | None, day: date) -> None:
        line = len(self._told) + 1
        self._told.append(Told(line, self._moment, day, kind, key, change, ""))
        if change is None:
            del self._there[kind, key]
        else:
            self._there[kind, key] = max(day, self._there.get((kind, key), day))

    def _begin(self, day: date) -> None:
        chance = self._random
        for place, key in enumerate(self.projects):
            template = chance.choice(list(templates().values()))
            plan: dict[str, Any] = {
                "name": key, "type": template.types[0], "mode": template.modes[0],
                "town": TOWNS[place % len(TOWNS)], "template": template.id,
                "targets": self._targets(), "stages": {},
            }  # fmt: skip
            start = day
            for stage in template.stages:
                end = start + timedelta(days=chance.randrange(20, 120))
                plan["stages"][stage.id] = {
                    "planned_start": start.isoformat(), "planned_end": end.isoformat(),
                }  # fmt: skip
                if chance.random() < 0.95:
                    begun = start + timedelta(days=chance.choice((0, 0, 0, 0, 40)))
                    plan["stages"][stage.id]["started"] = begun.isoformat()
                start = end
            self._tell("project", key, plan, day + timedelta(days=chance.choice((0, 0, 30))))
            for house in range(chance.randrange(3, 8)):
                building = {"project": key, "floor_area": 100.0 * chance.randrange(1, 30)}
                since = day + timedelta(days=chance.choice((0, 0, 200)))  # some are found later
                self._tell("building", f"{key}-b{house}", building, since)
            for number in range(chance.choice((0, 5, 10, 20))):
                household = {"project": key, "number": str(number)}
                self._tell("household", f"{key}-h{number}", household, day)

    def _targets(self) -> list[dict[str, Any]]:
        chance, found = self._random, []
        for metric in chance.sample(_FLOWS, 2) + chance.sample(_STOCKS, 2):
            total = float(
                chance.choice((0, 2, 5, 10) if metric in _STOCKS else (1000, 2000, 10_000))
            )
            years = [(FIRST, date(2024, 12, 31)), (date(2025, 1, 1), LAST)]
            if chance.random() < 0.5:
                years = [(FIRST + timedelta(days=chance.randrange(40)), LAST - timedelta(days=50))]
            for start, end in years:
                target: dict[str, Any] = {
                    "metric": metric, "start": start.isoformat(), "end": end.isoformat(),
                    "total": total,
                }  # fmt: skip
                if chance.random() < 0.5:  # tenths: so that 10 and 30 points are met exactly
                    shares = sorted(chance.randrange(1, 10) / 10 for _ in range(3))
                    target["milestones"] = [
                        {"date": (start + (end - start) * (n + 1) // 4).isoformat(), "share": share}
                        for n, share in enumerate(shares)
                    ]
                found.append(target)
        return found

    def _week(self, day: date) -> None:
        for key in self.projects:
            self._progress(key, day)
            self._states(key, day)
            self._plans(key, day)

    def _progress(self, key: str, day: date) -> None:
        chance = self._random
        known = self._records.setdefault(key, [])
        for metric in _FLOWS:
            if chance.random() < 0.4:
                start = day - timedelta(days=7 * chance.choice((1, 1, 1, 3)))  # some are told late
                # Some are of a month beside those of its weeks.
                days, period = chance.choice(((6, "week"), (6, "week"), (6, "week"), (27, "month")))
                end = start + timedelta(days=days)
                record: dict[str, Any] = {
                    "project": key, "metric": metric, "period": period, "start": start.isoformat(),
                    "end": end.isoformat(),
                    "actual": float(chance.choice((0, 50, 100, 200))),
                }  # fmt: skip
                if chance.random() < 0.7:
                    record["plan"] = float(chance.choice((50, 100)))
                self._count += 1
                known.append(f"r{self._count}")
                self._tell("progress", known[-1], record, end)
        if known and chance.random() < 0.15:
            last = chance.choice(known[-8:])
            if chance.random() < 0.2:
                known.remove(last)
                self._tell("progress", last, None, max(day, self._there["progress", last]))
            else:
                self._tell("progress", last, {"actual": 75.0}, day)

    def _states(self, key: str, day: date) -> None:
        chance = self._random
        since = day - timedelta(days=chance.choice((0, 0, 1, 20)))
        for kind, states in (
            ("building", _STATES),
            ("household", ("signed", "handed-over", "resettled")),
        ):
            mine = [found for what, found in self._there if what == kind and found.startswith(key)]
            if mine and chance.random() < 0.3:
                state = chance.choice(("unsigned", *states, *states))  # sometimes it was an error
                self._tell(kind, chance.choice(mine), {"state": state}, max(since, FIRST))
            if mine and chance.random() < 0.005:
                gone = chance.choice(mine)
                self._tell(kind, gone, None, max(day, self._there[kind, gone]))

    def _plans(self, key: str, day: date) -> None:
        chance = self._random
        happened = chance.random()
        if happened < 0.08:
            stage = chance.choice(["survey", "plan", "approval", "demolition", "construction"])
            what = chance.choice(("started", "ended", "planned_start"))
            back = timedelta(days=chance.randrange(30))
            self._tell(
                "project", key, {"stages": {stage: {what: (day - back).isoformat()}}}, day - back
            )
        elif happened < 0.1:
            self._tell("project", key, {"targets": self._targets()}, day)
        elif happened < 0.11:
            self._tell("project", key, {"town": chance.choice(TOWNS)}, day)
        elif happened < 0.16:
            order = {
                "project": key, "title": "o", "issue": "o", "unit": "east", "state": "issued",
                "deadline": (day + timedelta(days=chance.randrange(20))).isoformat(),
            }  # fmt: skip
            self._tell("order", f"{key}-o{day}", order, day)
        elif happened < 0.22:
            orders = [
                found for what, found in self._there if what == "order" and found.startswith(key)
            ]
            if orders:
                self._tell(
                    "order", orders[-1], {"state": chance.choice(("closed", "answered"))}, day
                )
