"""Live traffic to many clients while measures are computed: what it costs, and how late they hear of it.

A real server is fed over HTTP by a process of its own; the clients are in this one. Twice: with nothing
else to do, and while somebody asks for measures of another hour of 447,589 positions again and again.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ROOT
from benchmarks.live import cpu_seconds
from benchmarks.websocket_client import FrameClient, connected
from cim_core.city import City
from cim_core.traffic.moving import Positions, joined, take
from server.access.policy import public_policy
from server.traffic.frames import HEAD, VEHICLES
from tests.support.serving import Server
from tests.support.traffic import ARM, BEARINGS, along, at_places, city_with_roads, shown

CLIENTS, VEHICLES_MOVING, HERTZ = 200, 1000, 10.0
ROWS = 447_589
"""Positions of the hour that is measured: as many as an hour of 10 Hz at a real intersection."""
LAYER = "roads"
HOUR = 3_600_000
START = 1_780_000_200_000

_WARM_SECONDS, _SECONDS = 3.0, 10.0
_GREEN, _YELLOW, _RED = 6, 7, 3
_CAR_SECONDS = 2 * ARM / 10


class _Client(FrameClient):
    """Looks at when a frame was made, and when the newest vehicle in it was there."""

    def __init__(self) -> None:
        super().__init__(f"/traffic/live/{LAYER}")
        self.clear()

    def clear(self) -> None:
        self.late: list[float] = []
        self.old: list[float] = []
        self.payload = 0

    def heard(self, frame: bytes) -> None:
        now = time.time_ns() / 1e6
        if frame[:4] != b"CIMT":
            return
        _, kind, _, rows, base = HEAD.unpack_from(frame)
        if kind == VEHICLES and rows:
            ages = np.frombuffer(frame, "<f4", rows, HEAD.size + 4 * rows * 6)
            self.late.append(now - base)
            self.old.append(now - base + 1000 * float(ages.min()))
            self.payload += len(frame)


def measure() -> dict[str, Any]:
    """Both runs, and how long the measures took while all that went on."""
    with tempfile.TemporaryDirectory(prefix="traffic-") as folder:
        city = city_with_roads(Path(folder) / "city")
        city.office.policies.put(public_policy().document(), 0, "benchmark")
        _record_hour(city)
        city.traffic.close()
        found: dict[str, Any] = {
            "clients": CLIENTS, "vehicles": VEHICLES_MOVING, "hertz": HERTZ, "rows": ROWS,
        }  # fmt: skip
        for name, busy in (("alone", False), ("measuring", True)):
            found[name] = _measured(city, Path(folder) / f"{name}.log", busy=busy)
        return found


def _measured(city: City, log: Path, *, busy: bool) -> dict[str, Any]:
    server = Server(city.folder, log, CIM_RATE_PERSON="1000000", CIM_RATE_RECORD="1000000")
    feed = subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks.traffic_feed", server.url, LAYER, server.key(),
            str(VEHICLES_MOVING), str(HERTZ), "measure" if busy else "",
        ],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert feed.stdout is not None
        feed.stdout.readline()  # it has begun
        found = asyncio.run(_listened(int(server.url.rsplit(":", 1)[1]), server.process.pid))
        told, _ = feed.communicate("\n", timeout=120)
        taken = [float(line) for line in told.split()]
        if busy:
            found |= {"measured": len(taken), "measures_seconds": sorted(taken)[len(taken) // 2]}
        return found
    finally:
        feed.kill()
        server.kill()


async def _listened(port: int, pid: int) -> dict[str, Any]:
    clients = [_Client() for _ in range(CLIENTS)]
    for client in clients:
        await connected(client, port)
    await asyncio.sleep(_WARM_SECONDS)
    for client in clients:
        client.clear()
    begun, cpu = time.perf_counter(), cpu_seconds(pid)
    await asyncio.sleep(_SECONDS)
    seconds, spent = time.perf_counter() - begun, cpu_seconds(pid) - cpu
    late = np.array([one for client in clients for one in client.late])
    old = np.array([one for client in clients for one in client.old])
    payload = sum(client.payload for client in clients)
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.1)
    frames = max(1, len(late))
    return {
        "cpu_share": round(spent / seconds, 3),
        "told": round(len(late) / seconds / (CLIENTS * HERTZ), 3),
        "bytes_per_frame": round(payload / frames),
        **{
            f"{name}_p{share}_ms": round(float(np.percentile(values, share)), 1)
            for name, values in (("frame", late), ("sent", old))
            for share in (50, 99)
        },
    }  # fmt: skip


def _record_hour(city: City) -> None:
    """Cars that come from all sides, stop where it is red, and go on when it is green."""
    count = round(ROWS / (10 * (_CAR_SECONDS + 15)))
    cars, rows, arms = [], 0, list(BEARINGS.values())
    for number in range(2 * count):
        begun = round(number * HOUR / (1.3 * count))
        one = _car(number, arms[number % 4], START + begun)
        one = take(one, np.arange(min(len(one), ROWS - rows)))
        rows += len(one)
        cars.append(one)
        if rows == ROWS:
            break
    for begin in range(0, len(cars), 100):
        city.traffic.append(LAYER, joined(cars[begin : begin + 100], Positions))
    times = START + np.arange(0, HOUR + 60_000, 30_000)
    for group, lights in (("ns", (_GREEN, _RED)), ("ew", (_RED, _GREEN))):
        city.traffic.append(
            LAYER, shown(times, [group] * len(times), np.resize(lights, len(times)))
        )


def _car(number: int, heading: float, begun: int) -> Positions:
    """At 10 m/s; it waits at the stop line until its signal is green."""
    arrived = begun + 1000 * (ARM - 10) / 10
    phase = (arrived - START) % 60_000 - (0 if heading in (0.0, 180.0) else 30_000)
    waits = 0 if 0 <= phase % 60_000 < 30_000 else 60_000 - phase % 60_000
    times = np.arange(0, 1000 * _CAR_SECONDS + waits, 100)
    driven = np.where(times < arrived - begun, times, np.maximum(arrived - begun, times - waits))
    speeds = np.where((times >= arrived - begun) & (times < arrived - begun + waits), 0.0, 10.0)
    made: Positions = at_places(
        begun + times.astype(np.int64), [f"car {number}"] * len(times),
        along(heading, -ARM + driven / 100), speeds=speeds, headings=heading,
    )  # fmt: skip
    return made
