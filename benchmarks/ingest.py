"""Observations in: what a server takes over HTTP and MQTT, storage, aggregates and alarms included.

Server, broker and sender share the machine, and somebody asks for the newest all the while. Beside it
the same batches go as plain rows into SQLite, which checks nothing and tells nobody.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.ingest_client import STREAMS
from cim_core.alarms.engine import AlarmEngine
from cim_core.alarms.rules import RuleBook
from cim_core.city import City
from cim_core.observation_sources import USUAL
from server.access.policy import default_policy
from server.given_bodies import read_body
from server.record import Recorder
from server.settings import Settings
from server.sifting import Asked
from tests.support.mosquitto import Broker
from tests.support.sensors import add_things
from tests.support.serving import Server

SECONDS = 20.0
_BATCHES = 200
_WAYS = (("http", 500, 4), ("http", 1, 64), ("mqtt", 100, 1), ("mqtt", 1, 1))


def measure(seconds: float = SECONDS) -> dict[str, Any]:
    """Observations a second by way and size of batch, and CPU of one by stage, microseconds."""
    found: dict[str, Any] = {"seconds": seconds, "ways": []}
    for way, rows, connections in _WAYS:
        with (
            tempfile.TemporaryDirectory(prefix="ingest-") as folder,
            _server(Path(folder)) as parts,
        ):
            server, broker = parts
            port = broker.port if way == "mqtt" else int(server.url.rsplit(":", 1)[1])
            cpu, begun = _cpu(server.process.pid), time.perf_counter()
            with _asking(server) as asked:
                told = _send(way, port, server.key(), rows, seconds, connections)
                taken = _recorded(server, way, told["taken"] // rows)
            wall = time.perf_counter() - begun if way == "mqtt" else told["seconds"]
            spent = _cpu(server.process.pid) - cpu
            found["ways"].append({
                "way": way, "rows": rows, "per_second": round(told["taken"] / wall),
                "server_us": round(1e6 * spent / max(1, told["taken"]), 1),
                "client_us": round(1e6 * told["cpu"] / max(1, told["taken"]), 1),
                "p50": told.get("p50"), "p99": told.get("p99"), "asked": asked(), "messages": taken,
            })  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        found["stages"] = _stages(Path(folder))
        found["sqlite_us"] = _plain_rows(Path(folder))
    return found


@contextmanager
def _server(folder: Path) -> Iterator[tuple[Server, Broker]]:
    city = _city(folder)
    broker = Broker(folder / "broker")
    settings = {"CIM_MQTT_URL": broker.url, "CIM_RATE_RECORD": "10000000"}
    server = Server(city.folder, folder / "log", afresh=True, **settings)
    yield server, broker
    server.stop()
    broker.stop()


def _city(folder: Path) -> City:
    city = City.open_or_create(folder / "city")
    city.office.policies.put(default_policy().document(), 0, "benchmark")
    add_things(city, [f"o{number}/level" for number in range(STREAMS)], bounds=[-1e6, 1e6])
    return city


@contextmanager
def _asking(server: Server) -> Iterator[Callable[[], int]]:
    """Somebody who asks for what is newest ten times a second; how often they were answered."""
    over, answers = threading.Event(), [0]

    def ask() -> None:
        while not over.wait(0.1):
            server.client.get("/things?limit=100").raise_for_status()
            answers[0] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield lambda: answers[0]
    finally:
        over.set()
        thread.join()


def _send(way: str, port: int, key: str, rows: int, seconds: float, connections: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.ingest_client", way]
    given = [str(port), key, str(rows), str(seconds), str(connections)]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _recorded(server: Server, way: str, messages: int) -> int:
    """Wait until all that the broker has is on disk."""
    done = 0
    while way == "mqtt" and done < messages:
        time.sleep(0.02)
        done = server.client.get("/observation-sources").json()["mqtt"]["recorded"]
    return done


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bodies() -> list[bytes]:
    """Batches of 500, each datastream once in two of them."""
    begin = time.time_ns() // 1_000_000 - 3_600_000
    return [
        json.dumps([
            {"datastream": (500 * number + k) % STREAMS + 1, "time": begin + 1000 * number, "value": k / 2}
            for k in range(500)
        ]).encode()
        for number in range(_BATCHES)
    ]  # fmt: skip


def _stages(folder: Path) -> dict[str, float]:
    """CPU of one observation of a batch of 500 by stage, microseconds, in one process."""
    city = _city(folder)
    recorder = Recorder(
        city, Settings(city=city.folder), lambda: AlarmEngine(city.live, RuleBook(city.folder))
    )
    parsing = 0.0
    for body in _bodies():
        begun = time.thread_time()
        given = read_body(body, "application/json", USUAL["http"])
        parsing += time.thread_time() - begun
        recorder.submit(Asked(USUAL["http"], given)).result()
    recorder.stop()
    spent = {"parse": parsing, **recorder.spent}
    return {stage: round(1e6 * cpu / (500 * _BATCHES), 3) for stage, cpu in spent.items()}


def _plain_rows(folder: Path) -> float:
    """The same batches as rows with a unique index, one transaction each: CPU of one, microseconds."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE rows (stream INTEGER, time INTEGER, value REAL, PRIMARY KEY (stream, time))"
        " WITHOUT ROWID"
    )
    begun = time.thread_time()
    for body in _bodies():
        rows = [(row["datastream"], row["time"], row["value"]) for row in json.loads(body)]
        connection.execute("BEGIN")
        connection.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    spent = time.thread_time() - begun
    connection.close()
    return round(1e6 * spent / (500 * _BATCHES), 3)
