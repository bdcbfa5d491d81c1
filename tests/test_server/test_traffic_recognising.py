"""What is recorded is recognised while the server runs: once, whole, and whatever goes wrong meanwhile."""

from pathlib import Path

import numpy as np
import pytest

from analysis.traffic.causes import Reasons
from analysis.traffic.key_vehicles import register_of
from analysis.traffic_events import TrafficEventsQuestion
from cim_core.city import City
from cim_core.observations import observations
from cim_core.progress import Progress
from cim_core.sight import WHOLE, Sight
from cim_core.store.traffic_events import EventsAsked
from cim_core.traffic.event import Change
from cim_core.traffic.moving import Positions, between, take
from pipelines.v2x_heard import Notice
from server.traffic.recognising import Recognising
from tests.support.sensing import record
from tests.support.sensors import add_things
from tests.support.traffic import publish_roads
from tests.support.traffic_scenes import REGISTER, T0, brakes, driven, place, roads, stops, together

TWO = np.arange(0.0, 120.0, 0.5)


def test_the_server_recognises_what_is_recorded_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    publish_roads(city, "roads", roads())
    (city.folder / "key_vehicles.toml").write_text(REGISTER, "utf-8")
    positions = together(
        driven("a", TWO, stops(200, 20, 110)), driven("K1", TWO[:60], lambda s: (10 * s, 1.75))
    )

    def append(begin: float, end: float) -> None:
        part = between(positions, T0 + round(1000 * begin), T0 + round(1000 * end))
        city.traffic.append("roads", part)

    first = Recognising(city, lambda _: None)
    assert first.look() == []
    append(0, 70)
    other = Recognising(city, lambda _: None)  # of another process: it only tells
    assert other.look() == [] and not other._layers
    changed = first.look()
    found = {known.event.key: known for known in city.traffic.events.find(EventsAsked("all"))}
    assert set(found) == {"abnormal-stop/a", "off-route/K1"}
    assert sorted(changed) == sorted(known.id for known in found.values())
    first.close()
    other.look()
    append(70, 120)
    other.look()
    other.close()
    after = {known.event.key: known for known in city.traffic.events.find(EventsAsked("all"))}
    assert {key: known.id for key, known in after.items()} == {
        key: known.id for key, known in found.items()
    }
    stop = after["abnormal-stop/a"]
    assert (stop.state, stop.event.begun) == ("open", found["abnormal-stop/a"].event.begun)
    city.traffic.events.close(stop.id, "who", "towed away", may=lambda _: None)
    third = Recognising(city, lambda _: None)
    third.look()
    third.close()
    assert city.traffic.events.get(stop.id).event.note == "towed away"
    assert city.traffic.events.find(EventsAsked("open")) == []
    # Asked anew, for any window, what is recorded tells the same.
    answer = TrafficEventsQuestion(layer="roads", minutes=2)(city, Progress())
    rows = {row[1]: row for row in answer.outputs["events"].rows}
    assert set(rows) == {"abnormal-stop", "off-route"}
    [about] = answer.outputs["about"].rows
    assert about[5:] == (4, 3, 1, 0.25)
    # Who does not see all road maps is not told who is registered, nor who asks for one of them.
    publish_roads(city, "more", roads())
    seen = city.seen_by(Sight({"roads": WHOLE}), None)
    for asked, question in (
        (seen, TrafficEventsQuestion(minutes=2)),
        (city, TrafficEventsQuestion(layer="roads", minutes=2)),
        (city.seen_by(Sight({}), None), TrafficEventsQuestion(minutes=2)),
    ):
        answer = question(asked, Progress())
        assert answer.outputs["key-vehicles"].rows == ()
        assert answer.outputs["about"].rows[0][5:] == (None,) * 4
    assert register_of(city.folder).by_id["K1"].en == "Tanker"


def recogniser_of(folder: Path, positions: Positions) -> tuple[City, Recognising]:
    """A city in which something was recorded, and who looked at it."""
    city = City.open_or_create(folder / "city")
    publish_roads(city, "roads", roads())
    recogniser = Recognising(city, lambda _: None)
    recogniser.look()
    city.traffic.append("roads", positions)
    recogniser.look()
    return city, recogniser


def open_keys(city: City) -> list[str]:
    return sorted(known.event.key for known in city.traffic.events.find(EventsAsked("open")))


def test_what_comes_late_ends_nothing_and_a_recording_played_again_does(tmp_path: Path) -> None:
    city, recogniser = recogniser_of(tmp_path, driven("a", TWO, stops(200, 20, 1000)))
    bus = driven("b", np.arange(-200.0, -150.0, 0.5), lambda s: (5 * (s + 200), 5.25), "bus")
    for _ in range(5):
        city.traffic.append("roads", bus)
        recogniser.look()
    assert open_keys(city) == ["abnormal-stop/a"]
    city.traffic.append("roads", driven("c", [121.0], lambda s: (10.0, 1.75)))
    recogniser.look()
    again = driven("w", np.arange(-3600.0, -3550.0, 0.5), lambda s: (400 - 5 * (s + 3600), 5.25))
    for begin in range(10):
        assert open_keys(city) == ["abnormal-stop/a"]
        city.traffic.append("roads", take(again, np.arange(10 * begin, 10 * begin + 10)))
        recogniser.look()
    assert open_keys(city) == ["wrong-way/w"]
    [stop] = city.traffic.events.find(EventsAsked("closed"))
    assert stop.event.ended == T0 + 121_000
    recogniser.close()


def test_what_could_not_be_written_is_written_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    city, recogniser = recogniser_of(tmp_path, driven("a", TWO[:40], stops(200, 20, 1000)))
    publish_roads(city, "zone", roads())
    kept = city.traffic.events.apply

    def full(layer: str, changes: list[Change]) -> list[int]:
        if layer == "roads":
            raise OSError("the disk is full")
        return kept(layer, changes)

    monkeypatch.setattr(city.traffic.events, "apply", full)
    for layer in ("roads", "zone"):
        city.traffic.append(layer, driven("a", TWO, stops(200, 20, 1000)))
    recogniser.look()
    assert [one.layer for one in city.traffic.events.find(EventsAsked("all"))] == ["zone"]
    assert "events of roads could not be kept" in caplog.text
    monkeypatch.undo()
    recogniser.look()
    assert open_keys(city) == ["abnormal-stop/a"] * 2
    recogniser.close()


def test_notices_are_events_also_where_nothing_ever_moved(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    publish_roads(city, "roads", roads())
    told = [Notice("rsu/1", "event", 401, T0, place(100, 0), text="fog")]
    recogniser = Recognising(city, lambda _: None, lambda _: told)
    quiet = Recognising(city, lambda _: None)
    assert quiet.look() == [] and not city.traffic.exists
    recogniser.look()
    assert open_keys(city) == ["notice/rsu/1"]
    told.clear()
    recogniser.look()
    assert open_keys(city) == []
    quiet.close()


def test_causes_that_are_kept_say_nothing_of_gauges_in_other_layers(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    streams = add_things(city, ["near/rain"], place=place(300, 200), unit="mm")
    record(city, observations([streams["near/rain"]], [T0 + 1000], [2.0]))
    hard = [driven(f"b{n}", TWO[:60], brakes(20 + 2 * n, 200 - 9 * n)) for n in range(3)]
    city, recogniser = recogniser_of(tmp_path, together(*hard))
    [known] = city.traffic.events.find(EventsAsked("all"))
    why = Reasons(city, "roads", roads(), T0, T0 + 60_000, events=())
    assert [cause.kind for cause in why.of_event(known.event)] == ["rain"]
    assert known.event.kind == "hard-braking" and known.event.causes == ()
    recogniser.close()
