"""Why roads are congested is told with what speaks for it, the strongest first."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from analysis.congestion_question import Congestion
from analysis.traffic.causes import Reasons
from analysis.traffic.causes_known import Flows, flows, gauges, ramp, rules
from analysis.traffic.causes_signal import green_share, plan_at
from cim_core.city import City
from cim_core.observations import observations
from cim_core.progress import Progress
from cim_core.traffic.event import Cause, Change, TrafficEvent
from cim_core.traffic.moving import in_order
from cim_core.traffic.roads import RoadMap, RoadWork
from tests.support.sensing import record
from tests.support.sensors import add_things
from tests.support.traffic import publish_roads
from tests.support.traffic_scenes import T0, driven, place, roads, shown, together

MINUTES = 600_000
DAY = 86_400_000


def city_of(folder: Path, of: RoadMap | None = None) -> City:
    city = City.open_or_create(folder / "city")
    publish_roads(city, "roads", of or roads())
    return city


def happened(kind: str, **more: object) -> TrafficEvent:
    lon, lat = place(300, 1.75)
    return TrafficEvent(
        kind=kind, key=f"{kind}/1", begun=T0, lon=lon, lat=lat, confidence=0.8, **more
    )  # type: ignore[arg-type]


def reasons(city: City, of: RoadMap | None = None, **more: object) -> Reasons:
    return Reasons(city, "roads", of or roads(), T0, T0 + MINUTES, **more)  # type: ignore[arg-type]


def told(causes: tuple[Cause, ...]) -> list[tuple[str, float]]:
    return [(cause.kind, cause.score) for cause in causes]


def test_events_on_a_road_and_ahead_are_causes_and_elsewhere_they_are_none(tmp_path: Path) -> None:
    city = city_of(tmp_path)
    accident = happened(
        "abnormal-stop", link="out", causes=(Cause(kind="accident", score=0.8, en="a", zh="事故"),)
    )
    known = [accident, happened("queue-spillback", link="out"), happened("signal-failure", intersection="x")]  # fmt: skip
    ask = reasons(city, events=known)
    # An accident ahead counts less than a queue that reaches back and a signal that fails at the end.
    assert told(ask.of_link("in")) == [
        ("spillback", 0.8),
        ("signal-failure", 0.8),
        ("accident", 0.56),
    ]
    assert told(ask.of_link("out")) == [("accident", 0.8)]
    assert ask.of_link("back") == () and ask.of_link("nowhere") == ()
    # What an event is caused by is not itself.
    queue = ask.of_event(known[1])
    assert [cause.kind for cause in queue] == ["accident"]
    assert ask.of_event(accident) == accident.causes
    # Those the city has are asked for where none are given.
    city.traffic.events.apply("roads", [Change("opened", known[2])])
    assert told(reasons(city).of_link("in")) == [("signal-failure", 0.8)]
    assert Reasons(city, "roads", roads(), T0 - 9, T0, events=None).of_link("in") == ()
    assert all(cause.en and cause.zh and cause.evidence for cause in ask.of_link("in"))


def test_works_count_on_their_dates(tmp_path: Path) -> None:
    def on(first: str, last: str, **more: object) -> list[tuple[str, float]]:
        work = msgspec.convert({"id": "w", "first": first, "last": last, **more}, RoadWork)
        of = roads(works=(work,))
        city = city_of(tmp_path / f"{first}{last}{sorted(more)}", of)
        return told(reasons(city, of, events=()).of_link("in"))

    held = ("2026-01-30T08:00:00+08:00", "2026-01-30T12:00:00+08:00")
    assert on(*held, lanes=["in-1"]) == [("works", rules()["works"]["closed"])]
    assert on(*held, links=["in"], limit="speed", speed=5.0) == [
        ("works", rules()["works"]["speed"])
    ]
    assert on(*held, links=["out"]) == [("works", pytest.approx(0.54))]
    assert on("2026-01-30T11:00:00+08:00", "2026-01-30T12:00:00+08:00", links=["in"]) == []


def test_more_vehicles_than_on_earlier_days_are_demand(tmp_path: Path) -> None:
    city = city_of(tmp_path)
    seconds = np.arange(0.0, 30.0)

    def drove(count: int, since: int) -> None:
        cars = [driven(f"{since}-{n}", seconds + 10 * n, lambda s, n=n: (10 * (s - 10 * n), 1.75)) for n in range(count)]  # fmt: skip
        what = together(*cars)
        city.traffic.append("roads", replace(what, times=what.times + since))

    drove(30, 0)
    before = flows(city, "roads", T0, T0 + MINUTES, Progress())
    assert before.against == "just before" and before.usual == {}
    drove(20, -7 * DAY)
    drove(10, -14 * DAY)
    found = flows(city, "roads", T0, T0 + MINUTES, Progress())
    assert (found.vehicles["in"], found.usual["in"], found.against) == (30, 15, "earlier days")
    rule = rules()["demand"]
    expected = rule["most"] * (2.0 - rule["from"]) / (rule["to"] - rule["from"])
    [cause] = reasons(city, events=(), flows=found).of_link("in")
    assert (cause.kind, cause.score) == ("demand", round(min(expected, rule["most"]), 2))
    assert cause.evidence == {"vehicles": 30.0, "usual": 15.0, "ratio": 2.0, "compared_with": "earlier days"}  # fmt: skip
    usual = Flows({"in": 30.0}, {"in": 29.0})
    assert reasons(city, events=(), flows=usual).of_link("in") == ()


def test_a_signal_that_gives_less_green_than_its_plan_is_a_cause(tmp_path: Path) -> None:
    city = city_of(tmp_path)
    # The plan gives half of the cycle; it is green for five of sixty seconds.
    rows = [(60 * n + s, "x", "1", light) for n in range(10) for s, light in ((0, 6), (5, 3))]
    signals = shown(rows)
    city.traffic.append("roads", signals)
    share = green_share(in_order(signals), "x", "1", T0, T0 + MINUTES)
    assert share == pytest.approx(5 / 60)
    assert green_share(signals, "x", "2", T0, T0 + MINUTES) is None
    [cause] = reasons(city, events=()).of_link("in")
    assert cause.kind == "signal"
    assert cause.evidence == {"green_shown": 0.083, "green_planned": 0.5, "plan": "p"}
    assert plan_at(roads(), "x", T0).id == "p" and plan_at(roads(), "w", T0) is None  # type: ignore[union-attr]


def test_rain_at_the_nearest_gauge_is_a_cause(tmp_path: Path) -> None:
    city = city_of(tmp_path)
    streams = {
        **add_things(city, ["near/rain"], place=place(500, 200), unit="mm"),
        **add_things(city, ["far/rain"], place=place(2500, 0), unit="mm"),
    }
    near, far = streams["near/rain"], streams["far/rain"]
    times = [T0 + 1000, T0 + 300_000, T0 + 1000]
    record(city, observations([near, near, far], times, [2.0, 2.0, 0.0]))
    assert sorted(round(gauge.rate, 6) for gauge in gauges(city, T0, T0 + MINUTES)) == [0.0, 12.0]
    rule = rules()["rain"]
    [cause] = reasons(city, events=()).of_link("in")
    assert (cause.kind, cause.score) == (
        "rain",
        round(rule["most"] * ramp(12.0, rule["from"], rule["to"]), 2),
    )
    assert cause.evidence["mm_per_hour"] == 12.0


def test_the_question_about_congestion_tells_why(tmp_path: Path) -> None:
    city = city_of(tmp_path)
    crawl = [driven(f"c{n}", np.arange(0.0, 120.0), lambda s, n=n: (100 + 20 * n + s, 1.75)) for n in range(8)]  # fmt: skip
    city.traffic.append("roads", together(*crawl))
    city.traffic.events.apply("roads", [Change("opened", happened("queue-spillback", link="out"))])
    answer = Congestion(minutes=2, bin=60)(city, Progress())
    first = answer.outputs["causes"].rows[0]
    assert first[:5] == ("roads", "in", 1, "spillback", 0.8)
    assert {row[4] for row in answer.outputs["roads"].rows} == {"Heavily congested"}
