"""The one door of observations: what is believed, what is kept once, and what becomes of the rest."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cim_core.cells import cells_of
from cim_core.city import City
from cim_core.errors import StorageFailed, TooMany
from cim_core.observation_sources import ObservationSource
from cim_core.observations import Observations, observations
from cim_core.shifted import from_wgs84
from cim_core.store.live_batches import Batches
from server.given import Given, Rows
from server.record import Recorded, Recorder
from server.settings import Settings
from server.sifting import Asked, _typed
from tests.support.sensors import PLACE, add_things

HOUR = 3_600_000


class Watch:
    """In the place of the alarms: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Observations] = []
        self.fails: type[Exception] | None = None

    def observe(self, connection: sqlite3.Connection, what: Observations, now: int) -> list[Any]:
        if self.fails:
            raise self.fails
        self.told.append(what)
        return []

    def tick(self, connection: sqlite3.Connection, now: int) -> list[Any]:
        return []


WATCH = Watch()


@pytest.fixture
def recorder(city: City) -> Iterator[Recorder]:
    """Of a city with a datastream of each kind."""
    WATCH.told, WATCH.fails = [], None
    add_things(city, ["w1/level", "w2/level"], bounds=[0.0, 10.0], layer="wells")
    add_things(city, ["p1/count"], kind="Count", layer="wells")
    add_things(city, ["d1/open"], kind="Truth")
    add_things(city, ["d1/word"], kind="Category")
    add_things(city, ["d1/any"], kind="")
    made = Recorder(city, Settings(city=city.folder), lambda: WATCH)
    made.start()
    yield made
    made.stop()


SOURCE = ObservationSource("test", crs_tag="WGS84", time_zone=ZoneInfo("Asia/Shanghai"))


def now() -> int:
    return time.time_ns() // 1_000_000


def given(*rows: Any) -> Given:
    read = Rows(SOURCE.time_zone)
    for row in rows:
        read.read(row)
    return read.given(100 * len(rows))


def row(of: Any, value: Any, time: Any = None, **more: Any) -> dict[str, Any]:
    return {"datastream": of, "time": now() if time is None else time, "value": value, **more}


def send(recorder: Recorder, *rows: Any, source: ObservationSource = SOURCE) -> Recorded:
    return recorder.submit(Asked(source, given(*rows))).result(10)


def kept(city: City) -> set[tuple[int, int, float]]:
    found, _ = city.live.tail().rows(0, 1 << 42)
    return set(
        zip(found.streams.tolist(), found.times.tolist(), found.values.tolist(), strict=True)
    )


REASONS = [
    ("unknown-datastream", {"datastream": "nobody/knows"}, "no datastream 'nobody/knows'"),
    ("unknown-datastream", {"datastream": 999}, "no datastream 999"),
    ("late", {"time": now() - 25 * HOUR}, "hours after its time"),
    ("late", {"time": 1_700_000_000}, "hours after its time"),
    ("future", {"time": now() + HOUR}, "minutes ahead"),
    ("future", {"time": 1 << 61}, "minutes ahead"),
    ("not-a-number", {"value": float("nan")}, "nan is no result"),
    ("not-a-number", {"value": None}, "None is no result"),
    ("not-a-number", {"value": "many"}, "'many' is no result"),
    ("not-a-number", {"value": 10**400}, "inf is no result"),
    ("not-a-number", {"datastream": "p1/count", "value": 1.5}, "1.5 is no result"),
    ("not-a-number", {"datastream": "d1/open", "value": 2}, "2.0 is no result"),
    ("out-of-bounds", {"value": 11.0}, "11 is not between 0 and 10"),
    ("unit", {"unit": "mm"}, "'mm', and that of the datastream is 'm'"),
    ("outside", {"lon": 116.4, "lat": 39.9}, "outside the city"),
    ("crs", {"lon": 444578.1, "lat": 2556379.2}, "are no degrees"),
    ("unreadable", {"time": "yesterday"}, "neither a number"),
    ("unreadable", {"time": None}, "neither a number"),
    ("unreadable", {"datastream": True}, "of which datastream"),
    ("unreadable", {"lon": "east", "lat": 1}, "no numbers"),
    ("unreadable", {"unit": 5}, "no text"),
    ("unreadable", {"value": "\ud800"}, "half a letter"),
]


def test_every_reason_is_told_and_takes_no_good_row_with_it(city: City, recorder: Recorder) -> None:
    moment = now()
    rows = [
        {**row("w1/level", 1.0, moment + n), **wrong} for n, (_, wrong, _) in enumerate(REASONS)
    ]
    good = [row("w1/level", 2.0, moment - n - 1) for n in range(3)]
    found = send(recorder, *rows, *good, "no object at all", {"datastream": 1, "time": moment})
    assert (found.accepted, found.duplicates) == (3, 0)
    assert [letter.row for letter in found.letters] == [
        *range(len(rows)),
        len(rows) + 3,
        len(rows) + 4,
    ]
    for letter, (reason, _, words) in zip(found.letters, REASONS, strict=False):
        assert letter.reason == reason, letter
        assert words in letter.detail
    assert {value for _, _, value in kept(city)} == {2.0}
    letters = city.live.dead.find(limit=1000)
    assert len(letters) == len(found.letters)
    assert {one.source for one in letters} == {"test"}
    assert city.live.dead.counts() == {
        reason: sum(letter.reason == reason for letter in found.letters)
        for reason in {letter.reason for letter in found.letters}
    }
    first = next(one for one in letters if one.detail.startswith("there is no datastream 'nobody"))
    assert isinstance(first.body, dict)
    assert (first.body["datastream"], first.body["value"]) == ("nobody/knows", 1.0)


def test_a_source_without_a_crs_tag_gives_no_positions(city: City, recorder: Recorder) -> None:
    plain = ObservationSource("plain")
    found = send(
        recorder, row("w1/level", 1.0, lon=113.45, lat=23.1), row("w2/level", 1.0), source=plain
    )
    assert (found.accepted, dict(found.dead)) == (1, {"crs": 1})
    assert "crs_tag" in found.letters[0].detail


@pytest.mark.parametrize("shift", ["GCJ02", "BD09", "CGCS2000"])
def test_a_moving_thing_is_where_its_source_means(
    city: City, recorder: Recorder, shift: Any
) -> None:
    where = np.array([[113.459, 23.106]])
    [[lon, lat]] = from_wgs84(where, shift).tolist()
    source = ObservationSource("buses", crs_tag=shift)
    assert send(recorder, row("w1/level", 1.0, lon=lon, lat=lat), source=source).accepted == 1
    found, _ = city.live.tail().rows(0, 1 << 42)
    assert found.cells.tolist() == cells_of(where, 15).tolist()


def test_where_nothing_is_said_it_is_where_the_thing_stands(city: City, recorder: Recorder) -> None:
    send(recorder, row("w1/level", 1.0))
    found, _ = city.live.tail().rows(0, 1 << 42)
    assert found.cells.tolist() == cells_of(np.array([PLACE]), 15).tolist()


def test_results_that_are_no_numbers_are_kept_where_they_may_be(
    city: City, recorder: Recorder
) -> None:
    moment = now()
    found = send(
        recorder, row("d1/open", True, moment), row("d1/open", "offline", moment + 1),
        row("d1/word", "阻门", moment), row("d1/any", {"x": [1, None]}, moment),
        row("d1/any", 4, moment + 1), row("w1/level", 1, moment, quality="doubtful"),
    )  # fmt: skip
    assert found.accepted == 6, found.letters
    rows, _ = city.live.tail().rows(0, 1 << 42)
    told = {
        (stream, time - moment): (value, rows.more.get(place))
        for place, (stream, time, value) in enumerate(
            zip(rows.streams.tolist(), rows.times.tolist(), rows.values.tolist(), strict=True)
        )
    }
    ids = {key: one.id for key, one in city.live.streams().by_key.items()}
    assert told[ids["d1/open"], 0] == (1.0, None)
    assert told[ids["d1/open"], 1] == (0.0, None)
    assert told[ids["d1/word"], 0][1] == {"result": "阻门"}
    assert told[ids["d1/any"], 0][1] == {"result": {"x": [1, None]}}
    assert told[ids["d1/any"], 1] == (4.0, None)
    assert told[ids["w1/level"], 0] == (1.0, {"resultQuality": "doubtful"})


def test_what_comes_again_is_counted_and_not_kept_again(city: City, recorder: Recorder) -> None:
    moment = now()
    rows = [row("w1/level", n / 100, moment - 1000 * n) for n in range(200)]
    first = send(recorder, *rows, *rows[:50])
    assert (first.accepted, first.duplicates) == (200, 50)
    for _ in range(3):
        again = send(recorder, *rows[::-1])
        assert (again.accepted, again.duplicates) == (0, 200)
    assert len(kept(city)) == 200
    # What is known already is no dead letter, though it would be too late by now.
    tail, _ = city.live.tail().rows(0, 1 << 42)
    assert len(tail) == 200
    assert not city.live.dead.counts()


def test_what_is_history_is_not_taken_again(city: City, recorder: Recorder) -> None:
    from cim_core.progress import Progress

    moment = now()
    rows = [row("w1/level", 1.0, moment - 1000 * n) for n in range(100)]
    assert send(recorder, *rows).accepted == 100
    assert city.history.move(Progress(), at_least=1) == 100
    again = send(
        recorder, *rows, row("w1/level", 1.0, moment - 500), row("w1/level", 2.0, moment + 1)
    )
    assert (again.accepted, again.duplicates) == (2, 100)


def test_what_a_back_fill_wrote_before_it_died_is_not_taken_again(
    city: City, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise OSError("killed")

    stream, moment = city.live.streams().by_key["w1/level"].id, now() - 1000
    with monkeypatch.context() as patched:
        patched.setattr(Batches, "became_history", dies)
        with pytest.raises(OSError, match="killed"):
            city.history.add(observations([stream], [moment], [1.0]))
    assert send(recorder, row("w1/level", 1.0, moment)).duplicates == 1
    assert city.observed.count(np.array([stream]), 0, 1 << 42) == 1


def test_history_is_not_asked_for_what_is_too_late(
    city: City, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def contains(_: object, keys: Any) -> Any:
        asked.append(len(keys))
        return np.zeros(len(keys), bool)

    moment = now()
    assert send(recorder, row("w1/level", 1.0, moment)).accepted == 1
    monkeypatch.setattr(city.history, "contains_in", contains)
    late, older = moment - 40 * 24 * HOUR, moment - HOUR
    found = send(recorder, row("w1/level", 1.0, late), row("w1/level", 1.0, older))
    assert (found.accepted, dict(found.dead), asked) == (1, {"late": 1}, [1])


def test_units_are_compared_as_they_are_meant(recorder: Recorder) -> None:
    assert send(recorder, row("w1/level", 1.0, unit=" m ")).accepted == 1


def test_a_unit_without_end_is_another_and_is_not_remembered(
    city: City, recorder: Recorder
) -> None:
    before = _typed.cache_info().currsize
    found = send(recorder, row("w1/level", 1.0, unit="m" * 100_000))
    assert dict(found.dead) == {"unit": 1}
    assert _typed.cache_info().currsize == before
    assert len(city.live.dead.find()[0].detail) < 200


def test_dead_letters_do_not_grow_without_end(city: City) -> None:
    recorder = Recorder(city, Settings(city=city.folder, dead_letters_kept=10), lambda: WATCH)
    for n in range(5):
        send(recorder, *(row("nobody/knows", 4 * n + k) for k in range(4)))
    recorder.stop()
    assert [one.body["value"] for one in city.live.dead.find()] == list(range(19, 9, -1))  # type: ignore[call-overload, index]
    assert city.live.dead.counts() == {"unknown-datastream": 10}


def test_a_time_without_a_zone_is_that_of_its_source(city: City, recorder: Recorder) -> None:
    moment = now() // 1000 * 1000
    local = np.datetime64(moment + 8 * HOUR, "ms").astype(str)
    assert send(recorder, row("w1/level", 1.0, local)).accepted == 1
    assert {time for _, time, _ in kept(city)} == {moment}


def test_who_may_not_feed_a_layer_is_told_that_there_is_nothing(recorder: Recorder) -> None:
    asked = Asked(SOURCE, given(row("w1/level", 1.0), row("d1/open", 1)), frozenset({"things"}))
    found = recorder.submit(asked).result(10)
    assert (found.accepted, dict(found.dead)) == (1, {"unknown-datastream": 1})


def test_many_at_once_are_kept_once_and_told_in_order(city: City, recorder: Recorder) -> None:
    moment = now()
    heard: list[int] = []
    recorder.listeners.append(lambda new, changes: heard.append(len(new)))
    answers: list[Recorded] = []

    def feed(worker: int) -> None:
        for n in range(50):
            rows = [row("w2/level", 5.0, moment - 10 * n - k) for k in range(20)]  # they overlap
            answers.append(send(recorder, *rows))

    threads = [threading.Thread(target=feed, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    different = len({10 * n + k for n in range(50) for k in range(20)})
    assert sum(one.accepted for one in answers) == different == len(kept(city)) == sum(heard)
    assert all(one.accepted + one.duplicates == 20 for one in answers)
    for told in WATCH.told:
        assert (np.diff(told.times) >= 0).all()
    newest = [int(told.times[0]) for told in WATCH.told if len(told)]
    assert newest == sorted(newest)  # what is older than what was seen is no news for alarms


def test_more_than_may_wait_is_refused_at_once(city: City) -> None:
    settings = Settings(city=city.folder, record_queue_rows=100, record_queue_bytes=10_000)
    add_things(city, ["w1/level"])
    recorder = Recorder(city, settings, lambda: WATCH)
    moment, waiting = now(), list[Future[Recorded]]()
    with city.live.transaction():  # somebody else writes: nothing goes out
        with pytest.raises(TooMany) as refused:
            for n in range(1000):
                waiting.append(
                    recorder.submit(Asked(SOURCE, given(row("w1/level", 1.0, moment - n))))
                )
        assert 100 <= len(waiting) <= 201  # what is being written, and what may wait
        assert refused.value.seconds == 1.0
        with recorder.room(9_000), pytest.raises(TooMany), recorder.room(2_000):
            pass
        with recorder.room(2_000):
            pass
    assert sum(one.result(10).accepted for one in waiting) == len(waiting)
    assert send(recorder, row("w1/level", 2.0, moment + 1)).accepted == 1
    recorder.stop()


def test_a_disk_that_refuses_fails_what_was_sent_and_nothing_after_it(
    city: City, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(recorder, row("w1/level", 1.0, now())).accepted == 1

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as refusing:
        refusing.setattr("cim_core.store.live_batches.Batches.append", full)
        with pytest.raises(StorageFailed, match="disk is full"):
            send(recorder, row("w1/level", 1.0, now() + 1), row("nobody", 1.0))
    assert not city.live.dead.counts()
    assert len(kept(city)) == 1
    assert send(recorder, row("w1/level", 1.0, now() + 2)).accepted == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, sqlite3.IntegrityError])
def test_a_rule_that_breaks_keeps_no_observation_out(
    city: City, recorder: Recorder, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    WATCH.fails = error
    assert send(recorder, row("w1/level", 1.0)).accepted == 1
    assert "the alarms could not be told" in caplog.text
    WATCH.fails = None
    assert send(recorder, row("w1/level", 1.0, now() + 5)).accepted == 1
    assert len(kept(city)) == 2


def test_a_city_that_never_had_a_thing_keeps_what_it_cannot_believe(city: City) -> None:
    recorder = Recorder(city, Settings(city=city.folder), lambda: WATCH)
    assert dict(send(recorder, row("w1/level", 1.0)).dead) == {"unknown-datastream": 1}
    recorder.stop()
    assert city.live.dead.counts() == {"unknown-datastream": 1}


def test_what_was_written_is_there_after_a_restart(city: City, recorder: Recorder) -> None:
    moment = now()
    send(recorder, row("w1/level", 1.0, moment))
    other = City.open(Path(city.folder))
    assert len(kept(other)) == 1
    again = Recorder(other, Settings(city=city.folder), lambda: WATCH)
    assert (
        again.submit(Asked(SOURCE, given(row("w1/level", 1.0, moment)))).result(10).duplicates == 1
    )
    again.stop()
