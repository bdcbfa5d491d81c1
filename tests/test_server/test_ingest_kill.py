"""`kill -9` of the server while it is fed over HTTP and MQTT: what was acknowledged is there, once."""

import json
import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import pytest

from cim_core.city import City
from server.access.policy import default_policy
from tests.support.mosquitto import Broker
from tests.support.sensors import add_things
from tests.support.serving import Server

KILLS, SOAK_KILLS = 4, 50
THINGS = 50


class Feeder:
    """Posts batch after batch; one without an answer is sent again until there is one."""

    def __init__(self, server: Server, number: int, start: int) -> None:
        self.url = server.url
        self._client = httpx.Client(headers=server.client.headers, timeout=5)
        self.sent: dict[tuple[str, int], float] = {}
        self.bodies: list[bytes] = []
        self.again = 0
        self._number, self._start = number, start
        self._stopping = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        turn = 0
        while not self._stopping:
            rows = [
                {
                    "datastream": f"o{(turn + k) % THINGS}/level",
                    "time": self._start + 100 * turn + 10 * self._number + k % 10,
                    "value": turn + k / 10,
                }
                for k in range(10)
            ]
            body = json.dumps(rows).encode()
            while not self._stopping:
                try:
                    answer = self._client.post(f"{self.url}/ingest", content=body)
                except httpx.TransportError:
                    self.again += 1
                    time.sleep(0.1)
                    continue
                assert answer.status_code == 200, answer.text
                told = answer.json()
                assert told["accepted"] + told["duplicates"] == 10, told
                self.bodies.append(body)
                self.sent |= {(row["datastream"], row["time"]): row["value"] for row in rows}
                break
            turn += 1
            time.sleep(0.005)  # what is to be found is what a kill does, not how fast it is

    def stop(self) -> None:
        """Once the last batch is answered."""
        self._stopping = True
        self._thread.join()
        self._client.close()


def campaign(folder: Path, kills: int) -> None:
    """Kill the server again and again while it is fed."""
    rng = random.Random(20261122)
    city = City.open_or_create(folder / "city")
    city.office.policies.put(default_policy().document(), 0, "test")
    add_things(city, [f"o{n}/level" for n in range(THINGS)])
    add_things(city, [f"m{n}/level" for n in range(THINGS)])
    broker = Broker(folder / "broker")
    # Compiled once, it starts again in a second, whatever the environment says of that.
    settings = {"CIM_MQTT_URL": broker.url, "PYTHONDONTWRITEBYTECODE": ""}
    server = Server(city.folder, folder / "log", **settings)
    start = time.time_ns() // 1_000_000 - 3_600_000
    feeders = [Feeder(server, number, start) for number in range(3)]
    client = broker.client("device")
    published: dict[tuple[str, int], float] = {}
    unsaid = []
    for _ in range(kills):
        until = time.monotonic() + rng.uniform(0.1, 0.6)
        while time.monotonic() < until:
            turn = len(published)
            key, when = f"m{turn % THINGS}", start + turn
            said = client.publish(
                f"cim/hp/water/{key}/level", json.dumps({"ts": when, "value": turn}), qos=1
            )
            unsaid.append(said)
            published[f"{key}/level", when] = float(turn)
            time.sleep(0.002)
        server.kill()
        server = Server(city.folder, folder / "log", **settings)
        for feeder in feeders:
            feeder.url = server.url
    for feeder in feeders:
        feeder.stop()
    for said in unsaid:
        said.wait_for_publish(10)
    wanted = dict(published)
    for feeder in feeders:
        wanted |= feeder.sent
    deadline = time.monotonic() + 20
    while len(published) > sum(key.startswith("m") for key, _ in kept(city)):
        assert time.monotonic() < deadline, "messages are missing"
        time.sleep(0.1)
    assert_kept_once(city, wanted)
    for _ in range(3):
        for feeder in feeders:
            for body in feeder.bodies[:: max(1, len(feeder.bodies) // 40)]:
                told = server.client.post("/ingest", content=body).json()
                assert told == {"accepted": 0, "duplicates": 10, "dead": {}}
    assert_kept_once(city, wanted)
    assert sum(feeder.again for feeder in feeders) > 0  # kills did hit what was under way
    server.stop()
    client.disconnect()
    client.loop_stop()
    broker.stop()
    assert not city.live.dead.counts()


def kept(city: City) -> list[tuple[str, int]]:
    """What a process that starts now finds."""
    fresh = City.open(city.folder)
    streams = fresh.live.streams()
    rows = fresh.observed.rows(streams.ids, 0, 1 << 42)
    return [
        (streams.by_id[stream].key, time)
        for stream, time in zip(rows.streams.tolist(), rows.times.tolist(), strict=True)
    ]


def assert_kept_once(city: City, wanted: dict[tuple[str, int], float]) -> None:
    """All that was acknowledged is there with its value, and nothing twice."""
    fresh = City.open(city.folder)
    streams = fresh.live.streams()
    rows = fresh.observed.rows(streams.ids, 0, 1 << 42)
    keys = [
        (streams.by_id[stream].key, time)
        for stream, time in zip(rows.streams.tolist(), rows.times.tolist(), strict=True)
    ]
    assert not [key for key, count in Counter(keys).items() if count > 1]
    values = dict(zip(keys, rows.values.tolist(), strict=True))
    assert not wanted.keys() - values.keys()
    assert all(values[key] == value for key, value in wanted.items())
    assert np.isfinite(rows.values).all()


def test_four_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    campaign(tmp_path, KILLS)


@pytest.mark.soak
def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    campaign(tmp_path, SOAK_KILLS)
