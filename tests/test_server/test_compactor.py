"""The compactor may die at any moment: nothing is lost, nothing is there twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observations import observations
from cim_core.progress import Progress
from server.compactor import Compactor
from server.settings import load_settings
from tests.support.serving import ROOT, Server

DAY = 86_400_000
STREAMS = np.arange(1, 21)
EVER = 1 << 42
KILLS = 10


def append(city: City, first: int, rows: int, begin: int, arrived: int | None = None) -> None:
    """A batch of the next so many observations, each a second after the one before."""
    numbers = np.arange(first, first + rows)
    what = observations(STREAMS[numbers % 20], begin + 1000 * numbers, numbers.astype(float))
    with city.live.transaction() as connection:
        city.live.batches.append(connection, what, arrived or int(time.time() * 1000))


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Load:
    """Writes batches all the time, and knows what was acknowledged."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.begin = int(time.time() * 1000) - 3 * DAY
        self.written = self.acknowledged = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.stop.is_set():
            self.written += 100
            append(self.city, self.written - 100, 100, self.begin)
            self.acknowledged = self.written
            time.sleep(0.01)


class Reader:
    """Counts all the time; what it saw must not go backwards, nor miss what was acknowledged."""

    def __init__(self, city: City, load: Load) -> None:
        self.city = city
        self.load = load
        self.wrong: list[str] = []
        self.reads = 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        before = 0
        while not self.load.stop.is_set():
            least = max(before, self.load.acknowledged)
            found = self.city.observed.count(STREAMS, 0, EVER)
            summed = int(self.city.observed.totals(STREAMS, 0, EVER).counts.sum())
            most = self.load.written
            if not least <= found <= summed <= most:
                self.wrong.append(f"{least} <= {found} <= {summed} <= {most}")
            before = found
            self.reads += 1
            time.sleep(0.01)


def test_killed_again_and_again_the_compactor_loses_nothing_and_doubles_nothing(
    city: City,
) -> None:
    kills = 5 * KILLS if "CIM_SOAK" in os.environ else KILLS
    load = Load(city)
    append(city, 0, 100, load.begin)
    load.written = load.acknowledged = 100
    reader = Reader(city, load)
    chance = random.Random(7)
    compactors = subprocess.Popen(
        [sys.executable, "-m", "tests.support.compacting", str(city.folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    load.thread.start()
    reader.thread.start()
    try:
        for _ in range(kills):
            last = city.live.batches.ids()[-1:] or [0]
            compactors.stdin.write("\n")
            compactors.stdin.flush()
            child = int(compactors.stdout.readline())
            if chance.random() < 0.8:  # else it dies before it has begun
                until(lambda known=last: city.live.batches.ids()[:1] > known)
            time.sleep(chance.uniform(0.0, 0.25))
            os.kill(child, signal.SIGKILL)
    finally:
        load.stop.set()
        load.thread.join()
        reader.thread.join()
        compactors.stdin.close()
        compactors.wait(30)
        compactors.stdout.close()
    assert reader.wrong == []
    assert reader.reads > kills
    for _ in range(2):
        found = city.observed.rows(STREAMS, 0, EVER)
        assert np.array_equal(found.values, np.arange(load.acknowledged))
        assert np.array_equal(found.times, load.begin + 1000 * np.arange(load.acknowledged))
        city.history.move(Progress(), 1)
    assert city.live.batches.count() == 0
    assert city.history.status()["rows"] == load.acknowledged
    city.history.close()


def test_it_moves_what_is_old_enough_in_large_parts_and_what_is_too_much_at_once(
    city: City,
) -> None:
    now = int(time.time() * 1000)
    begin = now - 2 * DAY
    settings = load_settings(hot_rows=70_000)
    compactor = Compactor(city, settings, threading.Event())
    append(city, 0, 30_000, begin, now - 7_200_000)
    assert compactor.turn() == 0, "old enough, but few"
    append(city, 30_000, 25_000, begin, now - 5_400_000)
    assert compactor.turn() == 55_000
    append(city, 55_000, 10, begin, now - DAY - 60_000)
    assert compactor.turn() == 10, "few, but more than a day old"
    for part in range(8):
        append(city, 60_000 + 10_000 * part, 10_000, begin)
    assert compactor.turn() == 20_000, "nine tenths of what may be hot stay"
    assert compactor.turn() == 0
    city.history.close()


def test_the_server_starts_it_where_there_are_observations_again_when_it_died_and_ends_it(
    city: City, tmp_path: Path
) -> None:
    server = Server(city.folder, tmp_path / "log", CIM_HOT_ROWS="1", CIM_HOT_MINUTES="0.0001")
    try:
        assert children(server.process.pid) == []
        begin = int(time.time() * 1000) - 2 * DAY
        append(city, 0, 100, begin)
        until(lambda: city.live.batches.count() == 0)
        [first] = children(server.process.pid)
        os.kill(first, signal.SIGKILL)
        append(city, 100, 100, begin)
        until(lambda: city.live.batches.count() == 0)
        [second] = children(server.process.pid)
        assert second != first
        assert city.observed.count(STREAMS, 0, EVER) == 200
    finally:
        server.stop()
    assert not Path(f"/proc/{second}").exists()
    assert [line for line in server.odd_lines() if "the compactor ended with code -9" not in line] == []  # fmt: skip


def children(parent: int) -> list[int]:
    """The compactors that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status, command = (folder / "stat").read_text(), (folder / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        if int(status.rpartition(")")[2].split()[1]) == parent and "server.compactor" in command:
            found.append(int(folder.name))
    return found


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidInput, match="CIM_HOT_ROWS"):
        load_settings(hot_rows=0)
