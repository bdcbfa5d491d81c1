"""Supervision orders: what was ordered, who answered, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np

from sample_data.district.plan import random
from sample_data.district.renewal_course import TODAY
from sample_data.district.renewal_course import day as day_of
from sample_data.district.renewal_events import LAST, Event, Holding, office_of
from sample_data.district.renewal_sites import campaign_table

_DAY = timedelta(days=1)
_DISTRICT: str = campaign_table()["offices"]["district"]
_LIGHTS = {"good": "blue", "slow": "yellow", "stuck": "red"}
_ABOUT = (
    ("签约进度滞后", "{name}签约进度落后于序时计划，请逐户研究未签约原因，制定攻坚计划并按周上报。"),
    ("拆除进度滞后", "{name}房屋拆除进度落后于序时计划，请增派拆除力量，明确完成时限。"),
    ("腾空移交缓慢", "{name}已签约房屋腾空移交缓慢，请落实临迁安置并加快移交。"),
    ("复建安置房建设滞后", "{name}复建安置房建设未按计划推进，请会同实施主体研究赶工措施。"),
    ("投资完成不足", "{name}累计完成投资低于计划，请核实原因并提出补进度措施。"),
    ("进度填报不及时", "{name}近期进度填报不及时，请补报并说明原因。"),
)  # fmt: skip
_ANSWERS = ("已召开现场协调会，制定攻坚计划，每周通报。", "已增派力量，预计两周内追上计划。", "已与相关权利人逐户面谈，半数问题已解决。", "已补充完善资料，并调整施工组织。")  # fmt: skip
_RETURNED = ("未说明完成时限，请补充后重新反馈。", "措施不具体，请列出责任人和时间表。")
_ENDED = ("整改到位，予以办结。", "进度已追上计划，予以办结。")


@dataclass(slots=True)
class _Way:
    """An order on its way: what was done with it, and when."""

    code: str
    office: str
    rng: np.random.Generator
    events: list[Event] = field(default_factory=list)

    def step(self, on: date, change: dict[str, Any], name: str) -> None:
        """Something that was done on a day, after what was done before."""
        at = datetime.combine(on, time(9, 0)) + timedelta(minutes=int(self.rng.integers(0, 420)))
        if self.events:
            at = max(at, self.events[-1].recorded + timedelta(minutes=11))
        self.events.append(Event(min(at, LAST), on, "order", self.code, change, name))


def worked(day: date) -> bool:
    """Whether a day is worked."""
    off, extra = _calendar()
    return day in extra or (day.weekday() < 5 and day not in off)


def deadline(issued: date, days: int) -> date:
    """The last of so many working days after a day."""
    day = issued
    while days > 0:
        day += _DAY
        days -= worked(day)
    return day


def order_events(holdings: Sequence[Holding], seed: int) -> Iterator[Event]:
    """All orders; most are about projects that do not do well."""
    rng = random(seed, "orders")
    bad = [one for one in holdings if one.course.pace != "good"]
    numbers: dict[int, int] = {}
    plans: list[tuple[date, str]] = []
    for state, about in campaign_table()["orders"].items():
        for ago in (
            np.linspace(about["ago"][1], about["ago"][0], about["count"]).round().astype(int)
        ):
            plans.append((_before(int(ago)), state))
    plans.sort(key=lambda plan: plan[0])
    for place, (issued, state) in enumerate(plans):
        pool = [
            one for one in (bad if rng.random() < 0.85 else holdings)
            if day_of(one.course.begins) < issued
        ]  # fmt: skip
        of = pool[int(rng.integers(len(pool)))]
        numbers[issued.year] = numbers.get(issued.year, 0) + (state != "draft")
        way = _Way(f"DB-{place + 1:03d}", office_of(of.course.site.town), rng)
        _run(way, of, issued, state, f"督办〔{issued.year}〕{numbers[issued.year]}号")
        yield from way.events


def _run(way: _Way, of: Holding, issued: date, state: str, number: str) -> None:
    """An order from its draft to the state in which it is."""
    limit = _issue(way, of, issued, number, issue=state != "draft")
    if state in ("draft", "issued"):
        return
    on = _on(issued, int(way.rng.integers(0, 2)))
    if state == "withdrawn":
        way.step(on, _ended("withdrawn", on, "与在办督办事项合并。"), _DISTRICT)
        return
    way.step(on, {"state": "received"}, way.office)
    if state != "received":
        way.step(on := _on(on, 1), {"state": "handling"}, way.office)
    if state == "handling":
        _extend(way, limit, on)
    elif state != "received":
        _answered(way, on, state)


def _issue(way: _Way, of: Holding, issued: date, number: str, *, issue: bool) -> date:
    """The draft of an order, and that it is issued; its deadline."""
    rng, site = way.rng, of.course.site
    title, text = _ABOUT[int(rng.integers(len(_ABOUT)))]
    days = int(rng.choice([3, 5, 10, 10, 15]))
    offices = campaign_table()["offices"]
    departments = [offices["unit"], *offices["others"]]
    unit = site.town if rng.random() < 0.75 else str(rng.choice(departments))
    document: dict[str, Any] = {
        "project": of.code, "title": title, "issue": text.format(name=site.zh), "unit": unit,
        "light": _LIGHTS[of.course.pace], "days": days,
    }  # fmt: skip
    if unit == site.town and rng.random() < 0.3:
        document["cooperating"] = [str(rng.choice(departments))]
    way.step(_back(issued, int(issue and rng.random() < 0.5)), document, _DISTRICT)
    limit = deadline(issued, days)
    if issue:
        change = {
            "state": "issued", "number": number, "issued": issued.isoformat(),
            "issued_by": _DISTRICT, "deadline": limit.isoformat(),
        }  # fmt: skip
        way.step(issued, change, _DISTRICT)
    return limit


def _answered(way: _Way, on: date, state: str) -> None:
    """What was answered, whether that was enough, and that it was closed."""
    rng = way.rng
    answers = [_answer(way, on := _on(on, int(rng.integers(1, 4))))]
    way.step(on, {"state": "answered", "feedback": answers}, way.office)
    if state == "returned" or (state == "closed" and rng.random() < 0.25):
        change = {"state": "returned", "returned": str(rng.choice(_RETURNED))}
        way.step(on := _on(on, 1), change, _DISTRICT)
        if state == "returned":
            return
        answers = [*answers, _answer(way, on := _on(on, 2))]
        way.step(on, {"state": "answered", "feedback": answers}, way.office)
    if state == "closed":
        on = _on(on, int(rng.integers(1, 4)))
        way.step(on, _ended("closed", on, str(rng.choice(_ENDED))), _DISTRICT)


def _ended(state: str, on: date, conclusion: str) -> dict[str, Any]:
    return {
        "state": state, "closed": on.isoformat(), "closed_by": _DISTRICT, "conclusion": conclusion,
    }  # fmt: skip


def _extend(way: _Way, limit: date, on: date) -> None:
    """Some ask for more time; some of them get it."""
    if way.rng.random() > 0.35:
        return
    on = _on(on, 1)
    asked = {
        "until": deadline(limit, 5).isoformat(), "reason": "涉及历史遗留问题，需协调多部门。",
        "state": "asked", "by": way.office,
    }  # fmt: skip
    way.step(on, {"extensions": [asked]}, way.office)
    if way.rng.random() < 0.6:
        granted = {"extensions": [{**asked, "state": "granted"}], "deadline": asked["until"]}
        way.step(_on(on, 1), granted, _DISTRICT)


def _answer(way: _Way, on: date) -> dict[str, Any]:
    return {"date": on.isoformat(), "text": str(way.rng.choice(_ANSWERS)), "by": way.office}


def _on(day: date, days: int) -> date:
    return min(deadline(day, days), TODAY)


def _back(day: date, days: int) -> date:
    while days > 0:
        day -= _DAY
        days -= worked(day)
    return day


def _before(days: int) -> date:
    return _back(TODAY, days)


@cache
def _calendar() -> tuple[frozenset[date], frozenset[date]]:
    table = campaign_table()["calendar"]
    off = {
        date.fromisoformat(first) + number * _DAY
        for first, last in table["off"]
        for number in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    }
    return frozenset(off), frozenset(date.fromisoformat(day) for day in table["worked"])
