"""Live values to many clients: what it costs to tell them, and how late they hear of it."""

import asyncio
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ROOT
from benchmarks.websocket_client import FrameClient, connected

CLIENTS, OBJECTS, HERTZ = 200, 1000, 10.0
WAYS = ("live", "orjson", "json")
"""The product's first; see `live_server.py`."""

_WARM_SECONDS, _SECONDS = 2.0, 8.0
_TICKS = 100.0
"""Of the system's clock for the time of processes, a second."""

_BASE = re.compile(rb'^\{"base":\s?(\d+)')


class _Client(FrameClient):
    """Looks at nothing but the time that frames tell: clients share the machine."""

    def __init__(self, way: str) -> None:
        super().__init__(f"/{way}")
        self.ages: list[float] = []
        self.payload = 0

    def heard(self, frame: bytes) -> None:
        """A frame."""
        base = _base_of(frame)
        if base is not None:
            self.ages.append(time.time_ns() / 1e6 - base)
            self.payload += len(frame)


def _base_of(frame: bytes) -> float | None:
    if frame[:4] == b"CIM1":
        return float(np.frombuffer(frame, "<f8", 1, 16)[0])
    found = _BASE.match(frame)
    return float(found[1]) if found else None


def measure() -> dict[str, Any]:
    """Each way in turn, in a server of its own."""
    return {
        "clients": CLIENTS, "objects": OBJECTS, "hertz": HERTZ,
        "ways": {way: _measured(way) for way in WAYS},
    }  # fmt: skip


def _measured(way: str) -> dict[str, float]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live_server", str(OBJECTS), str(HERTZ)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            return asyncio.run(_listened(way, int(server.stdout.readline()), server.pid))
        finally:
            server.kill()


async def _listened(way: str, port: int, pid: int) -> dict[str, float]:
    clients = [_Client(way) for _ in range(CLIENTS)]
    for client in clients:
        await connected(client, port)
    await asyncio.sleep(_WARM_SECONDS)
    for client in clients:
        client.ages.clear()
        client.payload = 0
    begun, cpu = time.perf_counter(), cpu_seconds(pid)
    await asyncio.sleep(_SECONDS)
    seconds, spent = time.perf_counter() - begun, cpu_seconds(pid) - cpu
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.1)
    ages = np.array([age for client in clients for age in client.ages])
    frames = len(ages)
    return {
        "cpu_share": round(spent / seconds, 3),
        "frames": round(frames / seconds, 1),
        "told": round(frames / seconds / (CLIENTS * HERTZ), 3),
        "cpu_us_per_frame": round(1e6 * spent / max(1, frames), 1),
        "bytes_per_frame": round(sum(client.payload for client in clients) / max(1, frames)),
        "p50_ms": round(float(np.percentile(ages, 50)), 1) if frames else float("inf"),
        "p99_ms": round(float(np.percentile(ages, 99)), 1) if frames else float("inf"),
    }


def cpu_seconds(pid: int) -> float:
    """Seconds of processor a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
