"""What happens on a road is recognised, what belongs to ordinary traffic is not."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.traffic.event_rules import rules_of
from analysis.traffic.events import EventEngine
from analysis.traffic.events_window import folded
from analysis.traffic.key_vehicles import CoverageCount, read_register
from analysis.traffic.lanes import lane_map
from cim_core.city import City
from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.sight import WHOLE, Part, Sight
from cim_core.store.traffic_events import EventsAsked
from cim_core.traffic.event import MOST_TRACK, Change, TrafficEvent
from cim_core.traffic.moving import Positions, SignalStates, between, nothing, take
from cim_core.traffic.roads import RoadWork
from tests.support.traffic_scenes import (
    REGISTER,
    SPEED,
    T0,
    brakes,
    driven,
    place,
    roads,
    scene_map,
    shown,
    stops,
    together,
)

NO_LIGHTS = nothing(SignalStates)
TWO = np.arange(0.0, 120.0, 0.5)


def events(
    positions: Positions, signals: SignalStates = NO_LIGHTS, seconds: float = 300, **more: object
) -> list[TrafficEvent]:
    """What the engine makes of a scene when it is told all at once."""
    engine = EventEngine(scene_map(), **more)  # type: ignore[arg-type]
    kept: dict[tuple[str, int], TrafficEvent] = {}
    folded(kept, engine.feed(positions, signals, T0 + round(seconds * 1000)))
    return sorted(kept.values(), key=lambda one: one.begun)


def kinds(found: Sequence[TrafficEvent]) -> list[str]:
    return [one.kind for one in found]


def test_who_stands_for_long_without_a_reason_is_an_event_with_its_evidence() -> None:
    [found] = events(driven("a", TWO, stops(200, 20, 80)))
    assert (found.kind, found.link, found.lane) == ("abnormal-stop", "in", "in-2")
    assert found.vehicles == ("a",)
    assert abs(found.begun - (T0 + 20_000)) <= 2_000
    assert found.ended is not None and abs(found.ended - (T0 + 80_000)) <= 2_000
    assert (found.lon, found.lat) == pytest.approx(place(200, 1.75), abs=1e-5)
    assert 0.6 <= found.confidence <= 0.9
    times = [row[0] for row in found.track]
    assert min(times) < T0 + 15_000 and max(times) > T0 + 75_000
    assert all(row[1] == "a" for row in found.track) and len(found.track) <= MOST_TRACK


@pytest.mark.parametrize(
    "positions",
    [
        pytest.param(driven("a", TWO, stops(395, 30, 100)), id="at the stop line"),
        pytest.param(
            together(*[driven(f"q{n}", TWO, stops(395 - 7 * n, 30, 100 + n)) for n in range(12)]),
            id="in a queue before it",
        ),
        pytest.param(driven("b", TWO, stops(200, 20, 100), kind="bus"), id="a bus at its stop"),
        pytest.param(driven("a", TWO, stops(200, 20, 110, north=-1.2)), id="beside the road"),
        pytest.param(driven("a", TWO, lambda s: (200.0, 1.75)), id="never seen to move"),
        pytest.param(driven("a", TWO, stops(200, 20, 45)), id="for a moment"),
        pytest.param(
            driven("p", np.arange(0, 25, 0.5), lambda s: (387.0, -4 + s), "pedestrian", 0.5),
            id="on foot over the crosswalk",
        ),
        pytest.param(
            driven("p", TWO, lambda s: (100 + s, -3.0), "pedestrian", 0.5), id="on the sidewalk"
        ),
        pytest.param(driven("a", TWO[:40], lambda s: (1.15 * SPEED * s, 1.75)), id="a little fast"),
        pytest.param(
            driven("e", TWO[:30], lambda s: (1.7 * SPEED * s, 1.75), "emergency"), id="in emergency"
        ),
        pytest.param(driven("a", TWO[:80], lambda s: (800 - 10 * s, 8.75)), id="the other way, rightly"),
        pytest.param(driven("a", TWO[:60], brakes(20, 200)), id="one who brakes hard"),
    ],
)  # fmt: skip
def test_ordinary_traffic_is_no_event(positions: Positions) -> None:
    assert kinds(events(positions)) == []


def test_two_who_stop_as_one_are_an_accident_and_who_waits_behind_is_no_event() -> None:
    found = events(
        together(
            driven("a", TWO, stops(200, 20, 100)),
            driven("b", TWO, stops(195, 22, 105)),
            *[driven(f"q{n}", TWO, stops(187 - 7 * n, 30 + n, 110)) for n in range(3)],
        )
    )
    assert kinds(found) == ["abnormal-stop"]
    assert set(found[0].vehicles) == {"a", "b"}
    assert [cause.kind for cause in found[0].causes] == ["accident"]
    assert found[0].causes[0].evidence["metres"] == pytest.approx(5, abs=0.2)


def test_each_kind_of_move_is_recognised() -> None:
    wrong = events(driven("w", TWO[:80], lambda s: (400 - 5 * s, 1.75), told=False))
    assert kinds(wrong) == ["wrong-way"] and wrong[0].link == "in"
    fast = events(driven("f", TWO[:30], lambda s: (25 * s, 1.75)))
    assert kinds(fast) == ["speeding"]
    assert fast[0].evidence["speed"] == pytest.approx(25, abs=0.3)
    assert fast[0].evidence["limit"] == pytest.approx(SPEED, abs=0.01)
    walk = events(driven("p", TWO[:80], lambda s: (200 + s, 1.75), "pedestrian", 0.5))
    assert kinds(walk) == ["pedestrian"]
    hard = events(
        together(*[driven(f"b{n}", TWO[:60], brakes(20 + 2 * n, 200 - 9 * n)) for n in range(3)])
    )
    assert kinds(hard) == ["hard-braking"] and hard[0].vehicles == ("b0", "b1", "b2")
    works = RoadWork(
        id="w", first="2026-01-29T00:00:00Z", last="2026-01-31T00:00:00Z", links=("in",), limit="speed", speed=8.0,
    )  # fmt: skip
    slow_zone = msgspec.convert(msgspec.to_builtins(roads(works=(works,))), type(roads()))
    engine = EventEngine(lane_map(slow_zone))
    found = engine.feed(driven("s", TWO[:40], lambda s: (12 * s, 1.75)), NO_LIGHTS, T0 + 60_000)
    assert {one.event.kind for one in found} == {"speeding"}
    assert found[0].event.evidence["limit"] == 8.0


def test_a_queue_as_long_as_its_road_is_a_spillback_and_a_shorter_one_is_none() -> None:
    def queue(vehicles: int, lanes: Sequence[float]) -> Positions:
        return together(
            *[
                driven(f"{north}-{n}", np.arange(0, 90.0), stops(828 - 7 * n, 20, 80, north))
                for north in lanes
                for n in range(vehicles)
            ]
        )

    [found] = events(queue(57, (1.75, 5.25)))
    assert (found.kind, found.link, found.intersection) == ("queue-spillback", "out", "x")
    assert found.ended is not None and abs(found.ended - (T0 + 81_000)) <= 2_000
    assert kinds(events(queue(40, (1.75, 5.25)))) == []
    assert kinds(events(queue(57, (1.75,)))) == []  # the other lane is free


def test_signals_that_fail_are_recognised_and_those_that_work_are_not() -> None:
    cycle = [(60 * n + 30 * g, "x", str(g + 1), 6) for n in range(10) for g in (0, 1)]
    cycle += [(60 * n + 30 * g, "x", str(2 - g), 3) for n in range(10) for g in (0, 1)]
    cycle.sort()
    car = driven("z", TWO[:60], lambda s: (8 * s, 1.75))
    assert kinds(events(car, shown(cycle), 600)) == []
    upto = [row for row in cycle if row[0] < 200]
    for light, what in ((1, "dark"), (8, "flashing")):
        failed = [*upto, (200, "x", "1", light), (200, "x", "2", light), (300, "x", "1", 6), (300, "x", "2", 3)]  # fmt: skip
        [found] = events(car, shown(failed), 400)
        assert (found.kind, found.intersection, found.begun) == (
            "signal-failure",
            "x",
            T0 + 200_000,
        )
        assert found.evidence["failure"] == what and found.ended == T0 + 300_000
    [both] = events(car, shown([*upto, (190, "x", "2", 6), (200, "x", "1", 6), (220, "x", "2", 3)]), 400)  # fmt: skip
    assert both.evidence["failure"] == "conflict"
    assert events(car, shown(upto), 600) == []  # nothing is told of anything any more
    [stuck] = events(driven("z", np.arange(600.0), lambda s: (s, 1.75)), shown(upto), 600)
    assert stuck.evidence["failure"] == "stuck"


def scene() -> tuple[Positions, SignalStates]:
    """Several things at once."""
    positions = together(
        driven("a", TWO, stops(200, 20, 80)),
        driven("w", TWO[:80], lambda s: (400 - 5 * s, 5.25)),
        driven("f", TWO[40:70], lambda s: (25 * (s - 20), 1.75)),
        *[driven(f"b{n}", TWO[:60], brakes(20 + 2 * n, 300 - 9 * n)) for n in range(3)],
    )
    return positions, shown([(0, "x", "1", 6), (0, "x", "2", 3), (30, "x", "1", 1), (90, "x", "1", 6)])  # fmt: skip


@settings(deadline=None, max_examples=3)
@given(st.lists(st.integers(1, 110), max_size=5), st.integers(0, 2**31))
def test_how_what_is_told_is_cut_into_batches_does_not_matter(cuts: list[int], seed: int) -> None:
    positions, signals = scene()
    whole = events(positions, signals)
    engine = EventEngine(scene_map())
    kept: dict[tuple[str, int], TrafficEvent] = {}
    order = np.random.default_rng(seed)
    last = -(10**15)
    for cut in [*sorted(set(cuts)), 300]:
        at = T0 + 1000 * cut + 137  # rows of the second that is not over wait for the next batch
        some, lights = between(positions, last, at), between(signals, last, at)
        some = take(some, order.permutation(len(some)))
        folded(kept, engine.feed(some, lights, at - 137))
        last = at
    told = sorted(kept.values(), key=lambda one: one.begun)
    assert engine.late == 0
    assert [(o.key, o.begun, o.ended, o.confidence, o.evidence) for o in told] == [
        (o.key, o.begun, o.ended, o.confidence, o.evidence) for o in whole
    ]
    assert len(whole) >= 4


def test_what_comes_too_late_is_counted_and_a_gap_ends_what_went_on() -> None:
    engine = EventEngine(scene_map())
    fast = driven("f", TWO[:30], lambda s: (25 * s, 1.75))
    assert [one.what for one in engine.feed(fast, NO_LIGHTS, T0 + 14_000)] == ["opened", "updated"]
    assert len(engine.open) == 1
    assert engine.feed(between(fast, T0, T0 + 1000), NO_LIGHTS, T0 + 15_000) == []
    assert engine.late == 2
    [closed] = engine.feed(nothing(Positions), NO_LIGHTS, T0 + 600_000)
    assert (closed.what, closed.event.ended) == ("closed", T0 + 15_000)


def test_key_vehicles_are_covered_and_watched() -> None:
    register = read_register(REGISTER, "key_vehicles.toml")
    traffic = together(
        driven("K1", TWO[:80], lambda s: (10 * s, 1.75), "truck"),
        driven("K2", TWO[:80], lambda s: (10 * s, 5.25), "bus"),
        driven("K3", TWO[:80], lambda s: (800 - 10 * s, 8.75), "truck"),
        driven("X", TWO[:80], lambda s: (10 * s, 1.75), "truck"),
    )
    found = {(one.kind, one.vehicles): one.evidence for one in events(traffic, register=register)}
    assert set(found) == {("off-route", ("K1",)), ("geofence", ("K2",)), ("geofence", ("K3",))}
    assert found["geofence", ("K2",)]["reason"] == "outside of its hours"  # it is 10:00
    assert found["geofence", ("K3",)]["reason"] == "in an area it must not enter"
    count = CoverageCount(register, T0, T0 + 60_000)
    for start in (0, 20_000):
        count.add(between(traffic, T0 + start, T0 + start + 20_000))
    coverage = count.coverage
    assert (coverage.seen, coverage.share, coverage.expected) == (3, 0.75, 3)
    assert [row.positions for row in coverage.rows] == [80, 80, 80, 0]
    assert (coverage.rows[0].first, coverage.rows[0].last) == (T0, T0 + 39_500)
    with pytest.raises(
        InvalidInput, match=r"k.toml is no register.*unknown field `idd`.*\$.vehicle\[0\]"
    ):
        read_register('[[vehicle]]\nidd = "a"', "k.toml")
    with pytest.raises(InvalidInput, match="the vehicle 'a' is registered twice"):
        read_register('[[vehicle]]\nid="a"\nkind="b"\n' * 2, "k.toml")


def test_rules_that_say_nothing_of_a_kind_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"mine.toml says nothing of abnormal-stop"):
        rules_of({"general": {}}, "mine.toml")


def event(key: str = "speeding/a", begun: int = T0, **more: object) -> TrafficEvent:
    return TrafficEvent(kind="speeding", key=key, begun=begun, lon=113.5, lat=23.1, **more)  # type: ignore[arg-type]


def test_events_are_kept_once_closed_once_and_seen_by_who_sees_their_layer(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    kept = city.traffic.events
    assert kept.news(None) == (0, [])
    [one] = kept.apply("roads", [Change("opened", event())])
    assert kept.apply("roads", [Change("opened", event(begun=T0 - 5, confidence=0.7))]) == [one]
    assert (kept.get(one).event.begun, kept.get(one).event.confidence) == (T0 - 5, 0.7)
    [other] = kept.apply("more", [Change("opened", event()), Change("closed", event(ended=T0 + 9))])
    number, changed = kept.news(0)
    assert changed == [one, other] and kept.news(number) == (number, [])
    assert [known.id for known in kept.find(EventsAsked("all"))] == [other, one]
    assert [known.id for known in kept.find(EventsAsked("open"))] == [one]
    assert [known.id for known in kept.find(EventsAsked("all", end=T0, layer="roads"))] == [one]
    assert kept.find(EventsAsked("all", layer="more", start=T0 + 10)) == []
    # What was closed while it lasted stays closed; what begins after that is another event.
    assert kept.apply("more", [Change("opened", event(begun=T0 + 9))]) == []
    assert kept.apply("more", [Change("opened", event(begun=T0 + 10))]) != [other]
    with pytest.raises(InvalidInput, match="a note is needed"):
        kept.close(one, "who", " ", may=lambda _: None)
    closed = kept.close(one, "who", "nobody there", may=lambda _: None)
    assert (closed.state, closed.event.note, closed.event.closed_by) == ("closed", "nobody there", "who")  # fmt: skip
    with pytest.raises(Conflict, match="is closed already"):
        kept.close(one, "who", "again", may=lambda _: None)
    for parts, seen in (({"roads": WHOLE}, [one]), ({"roads": Part(heights=False)}, []), ({}, [])):
        sight = city.traffic.seen_by(Sight(parts)).events
        assert [known.id for known in sight.find(EventsAsked("all"))] == seen
        if not seen:
            with pytest.raises(NotFound, match=f"there is no traffic event {one}"):
                sight.get(one)
    document = kept.get(one).document(track=True)
    assert json.loads(json.dumps(document))["place"] == [113.5, 23.1] and document["track"] == []
