"""Questions about an intersection read what is near it, and refuse what is too much in a sentence."""

import datetime
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.intersection_measures import IntersectionMeasures
from analysis.registry import analysis_named
from analysis.traffic import measures_scene
from analysis.traffic import turn as turn_module
from analysis.traffic.congestion import road_states
from analysis.traffic.congestion_sums import counting
from analysis.traffic.measures import measure
from analysis.traffic.measures_scene import scene, scene_of
from cim_core.city import City
from cim_core.errors import InvalidInput, TooMany
from cim_core.network import Labels
from cim_core.progress import Progress
from cim_core.table import Table
from cim_core.traffic.moving import Positions, SignalStates, joined
from tests.support.traffic import along, at_places, city_with_roads, crossing, shown

GREEN, RED = 6, 3
END = 300_000
DAY = 24 * 3600 * 1000


def driven() -> Positions:
    """Two that drive through from the west to the east, and one that drives far away and longer."""
    parts = []
    for who, begin in (("a", 5_000), ("b", 60_000)):
        times = np.arange(0, 40_000, 500)
        places = along(90.0, -190 + times / 100.0)
        parts.append(at_places(begin + times, [who] * len(times), places, headings=90.0))  # fmt: skip
    times = np.arange(0, END + 60_000, 1_000)
    places = along(90.0, 3_000 + times / 100.0)
    parts.append(at_places(times, ["far"] * len(times), places))
    return joined(parts, Positions)


def signals() -> SignalStates:
    return shown(
        [0, 0, 30_000, 30_000, 100_000], ["ns", "ew", "ns", "ew", "ew"],
        [RED, GREEN, GREEN, RED, GREEN], [np.nan] * 5,
    )  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = city_with_roads(tmp_path_factory.mktemp("windows") / "city")
    city.traffic.append("roads", driven())
    elsewhere = signals()
    city.traffic.append("roads", elsewhere)
    others = Labels.of(["J9"] * len(elsewhere))
    city.traffic.append("roads", SignalStates(elsewhere.times, others, elsewhere.groups, elsewhere.lights, elsewhere.remaining))  # fmt: skip
    return city


def test_reading_only_what_is_near_changes_no_figure(city: City) -> None:
    whole = scene_of(crossing(), driven(), signals(), "J1", 0, END)
    read = scene(city, "roads", "J1", 0, END)
    assert read.until == whole.until == END + 59_001, "what is heard far away counts as heard"
    assert set(read.matched.positions.who.texts().tolist()) == {"a", "b"}
    for by in ("movement", "approach", "lane", "phase"):
        table = measure(read, 60, by)
        assert table == measure(whole, 60, by)
        delay = [column.name for column in table.columns].index("delay_s")
        assert any(row[delay] is not None for row in table.rows)


def question(name: str, **asked: Any) -> Any:
    base = {"layer": "roads", "intersection": "J1", "start": "1970-01-02T00:00:00Z"}
    return analysis_named(name).model_validate({**base, **asked})


@pytest.mark.parametrize("name", ["intersection-measures", "signal-timing"])
@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("1970-01-02T00:00:00Z", "1970-01-03T00:00:01Z", "1440.02"),
        ("1970-01-02T00:00:00Z", "1990-01-02T00:00:00Z", r"1\.05192e\+07"),
    ],
)
def test_a_window_of_more_than_a_day_is_refused_and_nothing_read(
    city: City, name: str, start: str, end: str, minutes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("nothing is to be read")

    monkeypatch.setattr(city.traffic.history, "window", read)
    more = {"bin": 86_400} if name == "intersection-measures" else {}
    with pytest.raises(
        InvalidInput,
        match=f"that is {minutes} minutes, and at most 1440 are told at once; ask for a shorter time",
    ):
        question(name, start=start, end=end, **more)(city, Progress())


@pytest.mark.parametrize("name", ["congestion", "traffic-events"])
def test_so_are_those_of_the_other_questions_about_traffic(name: str) -> None:
    asked = {"layer": "roads", "at": "1990-01-02T00:00:00Z"}
    analysis_named(name).model_validate({**asked, "minutes": 1440})
    with pytest.raises(ValidationError, match="minutes"):
        analysis_named(name).model_validate({**asked, "minutes": 1441})


def test_a_day_is_measured_if_there_is_not_too_much_of_it(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    asked = IntersectionMeasures(
        layer="roads", intersection="J1", start=start, end=start + datetime.timedelta(days=1), bin=3600
    )  # fmt: skip
    found = asked(city, Progress()).outputs["measures"]
    assert isinstance(found, Table) and len(found.rows) == 24 * 12
    monkeypatch.setattr(measures_scene, "MOST_ROWS", 100)
    with pytest.raises(InvalidInput, match="that is 160 rows, and at most 100 are told at once"):
        asked(city, Progress())


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("intersection-measures", {"end": "1970-01-02T00:10:00Z"}),
        ("signal-timing", {"end": "1970-01-02T00:10:00Z"}),
        ("congestion", {"minutes": 1}),
        ("traffic-events", {"minutes": 1}),
    ],
)
def test_more_questions_at_once_than_there_is_room_for_are_asked_again(
    city: City, name: str, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = question(name, **asked) if "end" in asked else analysis_named(name)(**asked)
    monkeypatch.setattr(turn_module, "_room", threading.BoundedSemaphore(1))
    with turn_module.turn(), pytest.raises(TooMany, match="too many questions about traffic"):
        given(city, Progress())
    assert given(city, Progress()).outputs


def test_positions_that_count_once_count_again() -> None:
    once = counting(driven())
    assert counting(once).times.tolist() == once.times.tolist()


def test_congestion_of_pieces_is_that_of_all_at_once(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    times = np.arange(59_300, 75_000, 100)  # goes over the end of a piece that begins with it
    places = along(90.0, -190 + (times - times[0]) / 100.0)
    drive = at_places(times, ["a"] * len(times), places, headings=90.0)
    city.traffic.append("roads", drive)
    found = road_states(city, "roads", 300, 360_300, 360, "link", None, Progress())
    kept = counting(drive)
    seconds = (kept.times[-1] - kept.times[0]) / 1000
    assert found.sums.seconds.sum() == pytest.approx(seconds, abs=1.0)
    [metres] = [found.sums.metres.sum()]
    assert metres == pytest.approx(10 * found.sums.seconds.sum(), rel=0.02)
