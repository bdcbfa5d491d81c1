"""Traffic hot and in the lake: every row once, whatever moves or dies meanwhile; recordings."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.network import Labels
from cim_core.progress import Progress
from cim_core.store.history_traffic import table_of
from cim_core.store.traffic_refused import Refused
from cim_core.traffic.moving import ControllerEvents, Positions, SignalStates, nothing
from cim_core.traffic.recording import read_recording, write_recording
from tests.support.serving import ROOT

DAY = 86_400_000
EVER = 1 << 42
KILLS = 4


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = City.open_or_create(tmp_path / "city")
    yield city
    city.history.close()


def positions(times: list[int], who: list[str]) -> Positions:
    n = len(times)
    return Positions(
        np.array(times, np.int64), Labels.of(who), np.arange(n) / 7 + 113, np.full(n, 23.1),
        np.full(n, 5.0, np.float32), np.full(n, np.nan, np.float32), np.full(n, -1.5, np.float32),
        np.full(n, 5, np.uint8), np.full(n, 4.5, np.float32),
    )  # fmt: skip


def signals(times: list[int], groups: list[str]) -> SignalStates:
    n = len(times)
    return SignalStates(
        np.array(times, np.int64), Labels.of(["x"] * n), Labels.of(groups), np.full(n, 6, np.uint8),
        np.full(n, np.nan, np.float32),
    )  # fmt: skip


def told(what: Positions) -> list[tuple[object, ...]]:
    columns = (what.times, what.who.texts(), what.lon, what.speeds, what.kinds, what.accelerations)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that many examples share, each with layers of its own."""
    city = City.open_or_create(tmp_path_factory.mktemp("traffic") / "city [1]?")
    yield city
    city.history.close()


_example = count(1)


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.lists(st.tuples(st.integers(0, 3 * DAY), st.sampled_from(["u", "v", ""])), min_size=1, max_size=5),
            st.booleans(),
        ),
        min_size=1, max_size=3,
    ),
    st.tuples(st.integers(0, 3 * DAY), st.integers(0, 3 * DAY)),
)  # fmt: skip
def test_hot_or_history_or_both_the_same_rows_are_answered(
    whole: City,
    batches: list[tuple[str, list[tuple[int, str]], bool]],
    window: tuple[int, int],
) -> None:
    city, example = whole, next(_example)
    kept: dict[str, list[tuple[object, ...]]] = {f"a{example}": [], f"b{example}": []}
    for letter, rows, move in batches:
        layer = f"{letter}{example}"
        what = positions([t for t, _ in rows], [w for _, w in rows])
        kept[layer] += told(what)
        city.traffic.append(layer, what)
        if move:
            city.traffic.history.move(Progress(), EVER, 1)
    start, end = sorted(window)
    for layer, rows in kept.items():
        assert told(city.traffic.positions(layer, 0, EVER)) == sorted(rows)
        some = sorted(row for row in rows if start <= row[0] < end)
        assert told(city.traffic.positions(layer, start, end)) == some
        times = [row[0] for row in rows]
        assert city.traffic.span(layer, Positions) == ((min(times), max(times)) if rows else None)


def test_all_kinds_become_history_and_what_is_few_or_new_does_not(city: City) -> None:
    traffic = city.traffic
    events = ControllerEvents(
        np.array([7, 5]), Labels.of(["1136", "1136"]), np.array([82, 1], np.int16), np.array([5, 2], np.int32)
    )  # fmt: skip
    for what in (positions([1, 2], ["a", "b"]), signals([3], ["g"]), events):
        traffic.append("roads", what)
    assert traffic.history.move(Progress(), EVER, 3) == 0
    assert traffic.history.move(Progress(), 0, 1) == 0
    assert traffic.history.move(Progress(), EVER, 1) == 5
    assert len(traffic.batches.window("roads", Positions, 0, EVER)) == 0
    assert traffic.positions("roads", 2, 3).who.texts().tolist() == ["b"]
    found = traffic.signals("roads", 0, 10)
    assert (found.groups.text(0), int(found.lights[0]), np.isnan(found.remaining[0])) == (
        "g",
        6,
        True,
    )
    log = traffic.controller_events("roads", 0, 10)
    assert (log.times.tolist(), log.codes.tolist(), log.parameters.tolist()) == (
        [5, 7],
        [1, 82],
        [2, 5],
    )
    assert log.codes.dtype == np.int16 and log.devices.texts().tolist() == ["1136"] * 2
    assert traffic.span("roads", ControllerEvents) == (5, 7)
    assert traffic.positions("elsewhere", 0, EVER).who.texts().tolist() == []


def test_what_died_between_the_lake_and_the_file_is_seen_once_and_cleared_away(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = city.traffic
    traffic.append("roads", positions([1, 2], ["a", "b"]))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(traffic.history, "_delete", dies)
    with pytest.raises(KeyboardInterrupt):
        traffic.history.move(Progress(), EVER, 1)
    monkeypatch.undo()
    assert len(traffic.batches.window("roads", Positions, 0, EVER)) == 2
    assert traffic.positions("roads", 0, EVER).times.tolist() == [1, 2]
    city.history._catalog.commits = lambda before: list(range(10))  # type: ignore[method-assign]
    city.history.forget()
    assert traffic.positions("roads", 0, EVER).times.tolist() == [1, 2], "its mark is needed yet"
    assert traffic.history.move(Progress(), 0, 1) == 0
    assert len(traffic.batches.window("roads", Positions, 0, EVER)) == 0
    assert traffic.positions("roads", 0, EVER).times.tolist() == [1, 2]


def test_numbers_of_another_file_are_not_taken_for_moved_ones(city: City) -> None:
    city.traffic.append("roads", positions([1, 2], ["a", "b"]))
    assert city.traffic.history.move(Progress(), EVER, 1) == 2
    for path in city.folder.glob("traffic.db*"):  # as a backup without it is restored
        path.unlink()
    again = City.open(city.folder)
    number = again.traffic.append("roads", positions([3], ["c"]))
    assert number == 1 and again.traffic.positions("roads", 0, EVER).times.tolist() == [1, 2, 3]
    assert again.traffic.history.move(Progress(), EVER, 1) == 1
    assert again.traffic.positions("roads", 0, EVER).times.tolist() == [1, 2, 3]
    again.history.close()


def test_the_backup_of_the_book_keeps_traffic(city: City, tmp_path: Path) -> None:
    book = (ROOT / "docs/how-to/run-on-a-server.md").read_text(encoding="utf-8")
    [recipe] = [
        part for part in book.split("\n\n") if "traffic.db" in part and "a.backup(b)" in part
    ]
    city.traffic.append("roads", positions([1], ["a"]))
    city.traffic.history.move(Progress(), EVER, 1)
    city.traffic.append("roads", positions([2], ["b"]))
    city.folder.rename(tmp_path / "my-city")
    subprocess.run(["bash", "-ec", recipe], cwd=tmp_path, check=True)
    assert not (tmp_path / "my-city" / "live.db").exists(), "what is not there is not begun"
    (tmp_path / "backup" / "city.gpkg").write_bytes(
        (tmp_path / "my-city" / "city.gpkg").read_bytes()
    )
    (tmp_path / "my-city" / "city.toml").rename(tmp_path / "backup" / "city.toml")
    restored = City.open(tmp_path / "backup")
    assert restored.traffic.append("roads", positions([3], ["c"])) > 1_000_000
    assert sorted(restored.traffic.positions("roads", 0, EVER).times.tolist()) == [1, 2, 3]
    restored.history.close()


def test_many_files_of_a_day_become_one_and_observations_are_none_of_their_business(
    city: City,
) -> None:
    for at in range(4):
        city.traffic.append("roads", positions([at], [f"v{at}"]))
        city.traffic.history.move(Progress(), EVER, 1)
    table = table_of(Positions)
    assert len(city.history.table(table).files) == 4
    assert len(city.history.snapshot().files) == 0 and city.history.moved() == set()
    city.history.maintain()
    assert len(city.history.table(table).files) == 1
    assert city.traffic.positions("roads", 0, EVER).times.tolist() == [0, 1, 2, 3]
    again = City.open(city.folder)
    assert again.traffic.span("roads", Positions) == (0, 3)
    assert again.traffic.positions("roads", 1, 3).who.texts().tolist() == ["v1", "v2"]
    again.history.close()


_MOVES = """
import sys, time
from pathlib import Path
from cim_core.city import City
from cim_core.progress import Progress
city = City.open(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    city.traffic.history.move(Progress(), 1 << 42, 1)
"""


def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(city: City) -> None:
    kills = 100 if "CIM_SOAK" in os.environ else KILLS
    chance = random.Random(11)
    stop, written, wrong = threading.Event(), [0], []

    def load() -> None:
        while not stop.is_set():
            first = written[0]
            numbers = list(range(first, first + 50))
            city.traffic.append("roads", positions(numbers, [f"v{n}" for n in numbers]))
            written[0] = first + 50
            time.sleep(0.02)

    def look() -> None:
        while not stop.is_set():
            least = written[0]
            times = np.sort(city.traffic.positions("roads", 0, EVER).times)
            if len(times) < least or not np.array_equal(times, np.arange(len(times))):
                wrong.append((least, len(times)))
            time.sleep(0.02)

    threads = [threading.Thread(target=target) for target in (load, look)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            child = subprocess.Popen(
                [sys.executable, "-c", _MOVES, str(city.folder)], cwd=ROOT, stdout=subprocess.PIPE
            )
            assert child.stdout is not None and child.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.0, 0.6))
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    city.traffic.history.move(Progress(), EVER, 1)
    found = city.traffic.positions("roads", 0, EVER)
    assert np.array_equal(np.sort(found.times), np.arange(written[0]))
    assert len(city.traffic.batches.window("roads", Positions, 0, EVER)) == 0


def test_what_is_refused_is_kept_newest_first_and_not_without_end(city: City) -> None:
    refused = city.traffic.refused
    assert refused.find() == []
    some = [
        Refused(n, "roads" if n % 2 else None, "http", "unreadable", f"$.a: {n}", "{}")
        for n in range(6)
    ]
    with city.traffic.transaction() as connection:
        refused.add(connection, some, 4)
    assert [one.at for one in refused.find()] == [5, 4, 3, 2]
    assert [one.at for one in refused.find(limit=1, before=refused.find()[0].id)] == [4]
    assert [one.at for one in refused.find(layers={"roads"})] == [5, 3]
    assert [one.at for one in refused.find(layer="roads", layers=set())] == []
    assert (refused.find()[0].reason, refused.find()[0].detail) == ("unreadable", "$.a: 5")


def test_a_recording_is_read_as_it_was_written_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "hour.parquet"
    write_recording(path, positions([5, 3, 4], ["a", "", "b"]), signals([9, 8], ["1", "2"]))
    moved, shown = read_recording(path)
    assert told(moved) == told(positions([5, 3, 4], ["a", "", "b"]))
    assert moved.times.tolist() == [3, 4, 5] and moved.speeds.dtype == np.float32
    assert np.isnan(moved.headings).all()
    assert (shown.times.tolist(), shown.groups.texts().tolist()) == ([8, 9], ["2", "1"])
    write_recording(path, nothing(Positions), signals([1], ["1"]))
    assert [len(part) for part in read_recording(path)] == [0, 1]
    path.write_bytes(b"PAR1 no")
    with pytest.raises(InvalidInput, match=r"hour.parquet is no recording of traffic"):
        read_recording(path)
